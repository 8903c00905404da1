#include "deepedge/app/model_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "deepedge/app/terminal.h"
#include "deepedge/config/yaml_document.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/model/model_card_names.h"
#include "deepedge/runtime/model_loader.h"
#include "deepedge/runtime/probe_pictures.h"

namespace deepedge {
namespace {

std::string SomeLabels(const std::vector<std::string>& labels) {
  constexpr size_t kShown = 5;
  if (labels.empty()) return "none";
  const std::vector<std::string> first(labels.begin(),
                                       labels.begin() + static_cast<long>(std::min(kShown, labels.size())));
  return fmt::format("{} ({}{})", labels.size(), fmt::join(first, ", "), labels.size() > kShown ? ", …" : "");
}

}  // namespace

void RepositoryOptions::Declare(CLI::App& command) {
  command.add_option("--repository", repository, "folder of models by name");
  command.add_flag("--json", json, "print as one line of JSON");
}

ModelRepository RepositoryOptions::Open() const {
  return ModelRepository(repository.empty() ? DefaultRepository() : Path(repository));
}

void DownloadOptions::Declare(CLI::App& command) {
  command.add_flag("--allow-http", allow_http, "also download by http, which anybody on the way can change");
  command.add_option("--max-size", max_size_mb, "largest file to download, in MB")->check(CLI::Range(0.001, 1e6));
  command.add_option("--timeout", timeout_s, "give up after so many seconds without progress")
      ->check(CLI::Range(1.0, 3600.0));
}

void CatalogueOptions::Declare(CLI::App& command) {
  command.add_option("--catalogue", catalogue, "a catalogue file or its address; default: the one of DeepEdge")
      ->envname("DEEPEDGE_CATALOGUE");
  command.add_option("--key", key, "public key (minisign) that the catalogue must be signed with: the key or its file")
      ->envname("DEEPEDGE_CATALOGUE_KEY");
}

struct ProgressLine::State {
  LiveTable table;
  RealClock clock;
  Time next{};
  bool terminal = isatty(STDERR_FILENO) != 0;
};

ProgressLine::ProgressLine() : state_(std::make_unique<State>()) {}
ProgressLine::~ProgressLine() { state_->table.Clear(); }

AcquireOptions ProgressLine::Options(const DownloadOptions& options) {
  AcquireOptions acquire{.hosts = HostSettingsFromEnvironment()};
  acquire.hosts.allow_http = options.allow_http;
  acquire.download.max_bytes = static_cast<int64_t>(options.max_size_mb * 1e6);
  acquire.download.stall_timeout = Duration(static_cast<int64_t>(options.timeout_s * 1e6));
  acquire.download.connect_timeout = std::min(acquire.download.connect_timeout, acquire.download.stall_timeout);
  if (const char* ca_file = std::getenv("DEEPEDGE_CA_FILE")) acquire.download.ca_file = ca_file;
  if (!state_->terminal) return acquire;
  acquire.progress = [state = state_.get()](const std::string& name, int64_t done, int64_t total) {
    const Time now = state->clock.Now();
    if (now < state->next && done != total) return;
    state->next = now + std::chrono::milliseconds(100);
    if (total <= 0) return state->table.Show({fmt::format("{}  {}", name, SizeText(done))});
    constexpr int64_t kWidth = 30;
    const auto filled = static_cast<size_t>(std::clamp<int64_t>(done * kWidth / total, 0, kWidth));
    state->table.Show({fmt::format("{}  [{}{}] {:3} %  {} of {}", name, std::string(filled, '#'),
                                   std::string(static_cast<size_t>(kWidth) - filled, '.'), done * 100 / total,
                                   SizeText(done), SizeText(total))});
  };
  return acquire;
}

std::string SizeText(int64_t bytes) {
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

nlohmann::ordered_json CardJson(const ModelCard& card) {
  const auto document = ParseYaml(ToYaml(card), "card");
  if (!document.ok()) return nullptr;
  return nlohmann::ordered_json::parse(document.value().json().dump());
}

std::vector<std::string> CardLines(const ModelCard& card, std::string_view described_by,
                                   const std::vector<std::string>& assumptions) {
  std::vector<std::string> lines;
  if (card.output.kind == OutputDecoderKind::kRaw) {
    lines.emplace_back("  task: raw tensors");
  } else {
    lines.push_back(
        fmt::format("  task: {}, decoder {}, threshold {}", card.task, ToString(card.output.kind), card.threshold));
    lines.push_back(fmt::format("  input: {}x{}, {}, {}, resize {}, mean {}, std {}", card.input.width,
                                card.input.height, NameOf(kColorNames, card.input.order),
                                NameOf(kLayoutNames, card.input.layout), NameOf(kResizeNames, card.input.resize),
                                fmt::join(card.input.mean, " "), fmt::join(card.input.std, " ")));
    lines.push_back(fmt::format("  labels: {}", SomeLabels(card.labels)));
  }
  if (!card.licence.empty()) lines.push_back(fmt::format("  licence: {}", card.licence));
  lines.push_back(fmt::format("  known from: {}", described_by));
  for (const VariantCard& variant : card.variants) {
    lines.push_back(fmt::format("  variant {}: agreement {:.3f} on {} frames, {:.2f} of the time{}",
                                ToString(variant.key), variant.agreement, variant.frames, variant.time_ratio,
                                variant.Usable() ? "" : " (too little: never used)"));
  }
  for (const std::string& assumption : assumptions) lines.push_back(fmt::format("  to check: {}", assumption));
  return lines;
}

nlohmann::ordered_json OutcomeJson(const AddOutcome& outcome) {
  nlohmann::ordered_json findings = nlohmann::ordered_json::array();
  for (const Finding& finding : outcome.description.findings) {
    findings.push_back({{"field", finding.field},
                        {"value", finding.value},
                        {"confidence", finding.confidence},
                        {"reason", finding.reason}});
  }
  nlohmann::ordered_json json{{"name", outcome.name},
                              {"version", outcome.published.version},
                              {"new", outcome.published.is_new},
                              {"format", ToString(outcome.files.format)},
                              {"path", outcome.files.graph.string()},
                              {"bytes", outcome.bytes},
                              {"described_by", ToString(outcome.description.origin)},
                              {"assumptions", outcome.description.assumptions},
                              {"findings", findings},
                              {"undecided", outcome.description.undecided},
                              {"card", CardJson(outcome.description.card)}};
  if (outcome.published.before) json["before"] = *outcome.published.before;
  return json;
}

std::string HowToDecide(const Path& repository) {
  return fmt::format("pictures can decide between readings: --probe PICTURE, or pictures in {}",
                     ProbeFolder(repository).string());
}

std::vector<std::string> OutcomeLines(const AddOutcome& outcome, const Path& repository) {
  const Published& published = outcome.published;
  std::string what = published.is_new ? fmt::format("added model '{}' version {}", outcome.name, published.version)
                                      : fmt::format("model '{}': these files are there already, as version {}",
                                                    outcome.name, published.version);
  what += fmt::format(" ({}, {})", ToString(outcome.files.format), SizeText(outcome.bytes));
  if (published.before && *published.before != published.version) {
    what += fmt::format("; version {} is kept (deepedge model rollback {})", *published.before, outcome.name);
  }
  std::vector<std::string> lines{what};
  const std::string_view by = outcome.kept_card ? "your changed model.yaml" : ToString(outcome.description.origin);
  for (std::string& line : CardLines(outcome.description.card, by, outcome.description.assumptions)) {
    lines.push_back(std::move(line));
  }
  for (const Finding& finding : outcome.description.findings) {
    // What is not certain stands among the lines above.
    if (ConfidenceWord(finding.confidence) == "certain") lines.push_back(fmt::format("  {}", ToSentence(finding)));
  }
  if (outcome.description.undecided) lines.push_back("  " + HowToDecide(repository));
  return lines;
}

}  // namespace deepedge
