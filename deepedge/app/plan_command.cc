// `deepedge plan --fit`: will a configuration fit on this box? From profiles, before anything runs.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "deepedge/app/box_profile.h"
#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/run_specs.h"
#include "deepedge/base/state_folder.h"
#include "deepedge/base/thread.h"
#include "deepedge/config/edge_config.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/ingest/source.h"
#include "deepedge/media/geometry.h"
#include "deepedge/pipeline/describe_model.h"
#include "deepedge/profiler/fit/will_it_fit.h"
#include "deepedge/profiler/meter/meter.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

struct PlanCommandOptions {
  std::string config;
  std::string repository;
  std::string state;
  bool fit = false;
  bool json = false;
};

// What is known of a stream before it runs.
struct StreamFacts {
  std::string codec = "h264";
  int width = 1280;
  int height = 720;
  double fps = 25;
  double bits_per_second = 2e6;
  bool assumed = true;  // nobody has looked
};

struct ModelFacts {
  Profile profile;
  ModelCard card;
  SettingCost cost;  // of the form that it runs in
};

// A file is looked into; a camera is not asked, for it may take seconds to answer.
StreamFacts FactsOf(const StreamSpec& stream, const Clock& clock) {
  StreamFacts facts;
  const auto kind = KindOf(stream.address);
  if (!kind.ok() || kind.value() != SourceKind::kFile) return facts;
  const auto source = MakeSource({.address = stream.address}, clock);
  const std::stop_token never;
  if (!source.ok() || !source.value()->Open(never).ok()) return facts;
  double bytes = 0;
  int packets = 0;
  constexpr int kEnough = 60;
  while (packets < kEnough) {
    const auto packet = source.value()->Read(never);
    if (!packet.ok()) break;
    const StreamFormat& format = *packet.value().format;
    facts.codec = CodecOf(format.codec, format.profile);
    if (format.width > 0) facts.width = format.width;
    if (format.height > 0) facts.height = format.height;
    if (format.frame_rate > 0) facts.fps = format.frame_rate * stream.speed;
    bytes += static_cast<double>(packet.value().bytes);
    ++packets;
  }
  source.value()->Close();
  if (packets == 0) return facts;
  facts.assumed = false;
  facts.bits_per_second = 8 * bytes / packets * facts.fps;
  return facts;
}

class PlanCommand {
 public:
  // `config` must outlive it.
  PlanCommand(const PlanCommandOptions& options, const EdgeConfig& config, BoxProfile box)
      : options_(options),
        config_(config),
        box_(std::move(box)),
        repository_(options.repository.empty() ? DefaultRepository() : Path(options.repository)) {}

  Status Run() {
    DE_TRY_STATUS(RefuseUnsupported(config_));
    const RunSpecs specs = SpecsOfConfig(config_);
    DE_TRY_STATUS(CheckModels(specs.models, repository_, &config_.source));
    for (const ModelRequest& request : specs.models) DE_TRY_STATUS(AddModel(request));
    std::vector<FitTask> tasks;
    for (const StreamSpec& stream : specs.streams) {
      DE_TRY_STATUS(AddTasks(stream, config_.streams.at(stream.name), tasks));
    }
    const int cores = std::min(config_.limits.cores.value_or(1 << 20), static_cast<int>(AllowedCpus().size()));
    FitBox box{.options = {.cores = cores, .base_memory_bytes = kProgramBytes},
               .capacity_cores = cores * (1 - config_.limits.reserve),
               .memory_limit_bytes = config_.limits.memory_mb.value_or(0) * int64_t{1'000'000}};
    DE_TRY(const FitAnswer answer, WillItFit(tasks, box));
    Print(answer, box);
    return {};
  }

 private:
  // The program with the engine's libraries and a few frames of each stream, measured with no model loaded.
  static constexpr int64_t kProgramBytes = int64_t{60} << 20;

  void Note(std::string text) {
    if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) notes_.push_back(std::move(text));
  }

  Status AddModel(const ModelRequest& request) {
    DE_TRY(const Path path, LocateModel(request.source, repository_));
    DE_TRY(const ModelFiles files, FindModelFiles(path));
    DE_TRY(const std::string sha256, Sha256OfFile(GraphFileOf(files)));
    DE_TRY(std::optional<StoredProfile> stored, box_.store->Latest(box_.box, sha256));
    if (!stored) {
      return Error{ErrorCode::kNotFound,
                   fmt::format("model '{}': no profile on this box; `deepedge profile {}` makes one", request.name,
                               request.source)};
    }
    ModelFacts facts{.profile = std::move(stored->profile)};
    // Without the card the decoder's cost is a general one.
    auto description = DescribeModel(files, GraphInfo{});
    if (description.ok()) facts.card = std::move(description).value().card;
    const auto wanted = request.variant.empty() ? std::nullopt : ParseVariant(request.variant);
    const SettingCost* cost = nullptr;
    if (wanted) cost = FindCost(facts.profile, {*wanted});
    if (cost == nullptr && !facts.profile.costs.empty()) cost = &facts.profile.costs.front();
    if (cost == nullptr) {
      return Error{ErrorCode::kNotFound, fmt::format("model '{}': its profile holds no setting", request.name)};
    }
    if (wanted && !(cost->setting.variant == *wanted)) {
      Note(fmt::format("model '{}': {} is not in its profile; counted as {}", request.name, request.variant,
                       ToString(cost->setting)));
    }
    facts.cost = *cost;
    // Several models serve in turn: each finds the caches cold.
    if (facts.cost.cold > facts.cost.time.median) {
      facts.cost.time.p99 += facts.cost.cold - facts.cost.time.median;
      facts.cost.time.median = facts.cost.cold;
    }
    models_.emplace(request.name, std::move(facts));
    return {};
  }

  FrameCosts FrameCostsOf(const StreamFacts& stream, const ModelFacts& model) {
    const double pixels = static_cast<double>(stream.width) * stream.height;
    const CostEstimate decode =
        box_.media.Decode({.codec = stream.codec, .pixels = pixels, .bits = stream.bits_per_second / stream.fps});
    FrameCosts costs{.decode = Duration(static_cast<int64_t>(decode.us)), .log_sd = decode.log_sd};
    const VariantKey& size = model.cost.setting.variant;
    if (size.width == 0) return costs;
    const Placement place = PlacePicture(model.card.input.resize, stream.width, stream.height, size.width, size.height);
    const CostEstimate scale = box_.media.Scale(
        ScaleWorkOf(PixelFormat::kYuv420p, stream.width, stream.height, place, model.card.input.order));
    const CostEstimate post = box_.media.Post({.kind = model.card.output.kind, .elements = 1e5, .objects = 5});
    costs.scale = Duration(static_cast<int64_t>(scale.us));
    costs.post = Duration(static_cast<int64_t>(post.us));
    costs.log_sd = std::max({costs.log_sd, scale.log_sd, post.log_sd});
    return costs;
  }

  Status AddTasks(const StreamSpec& stream, const StreamConfig& config, std::vector<FitTask>& tasks) {
    const StreamFacts facts = FactsOf(stream, clock_);
    if (facts.assumed) {
      Note(fmt::format("stream '{}': not looked into; counted as {} {}x{} at {:.0f} frames a second", stream.name,
                       facts.codec, facts.width, facts.height, facts.fps));
    }
    for (const TaskConfig& task : config.tasks) {
      const ModelFacts& model = models_.at(task.model);
      FitTask fit{.name = stream.name + "/" + task.model};
      fit.wanted_rate = std::min(task.max_rate.value_or(facts.fps), facts.fps);
      fit.min_rate = std::min(task.MinRate(), fit.wanted_rate);
      fit.use = {.model = task.model,
                 .stream = stream.name,
                 .cost = model.cost,
                 .frame = FrameCostsOf(facts, model),
                 .stream_fps = facts.fps};
      tasks.push_back(std::move(fit));
      for (const CascadeConfig& child : task.then) {
        Note(fmt::format(
            "stream '{}': '{}' below '{}' is not counted: it runs as often as its gate opens, {} each time",
            stream.name, child.model, task.model,
            fmt::format("{:.1f} ms", static_cast<double>(models_.at(child.model).cost.time.median.count()) / 1e3)));
      }
    }
    return {};
  }

  void Print(const FitAnswer& answer, const FitBox& box) const {
    if (!options_.json) {
      fmt::print("{}", FitText(answer, box));
      for (const std::string& note : notes_) fmt::print("note: {}\n", note);
      return;
    }
    nlohmann::ordered_json tasks = nlohmann::ordered_json::array();
    for (const FitRate& rate : answer.rates) {
      tasks.push_back(
          {{"task", rate.name}, {"wanted", rate.wanted}, {"rate", rate.rate.value}, {"rate_sd", rate.rate.sd}});
    }
    const char* const fit = answer.fit == Fit::kAll ? "all" : (answer.fit == Fit::kReduced ? "reduced" : "not");
    fmt::print("{}\n", DumpLine({{"fit", fit},
                                 {"share", answer.share},
                                 {"capacity_cores", box.capacity_cores},
                                 {"wanted_cores", answer.wanted.cpu.value},
                                 {"wanted_cores_sd", answer.wanted.cpu.sd},
                                 {"least_cores", answer.least.cpu.value},
                                 {"short_by_cores", answer.short_by.value},
                                 {"short_of_least_cores", answer.short_of_least.value},
                                 {"memory_bytes", answer.wanted.memory_bytes.value},
                                 {"short_memory_bytes", answer.short_memory_bytes},
                                 {"tasks", tasks},
                                 {"notes", notes_}}));
  }

  const PlanCommandOptions& options_;
  const EdgeConfig& config_;
  BoxProfile box_;
  const Path repository_;
  const RealClock clock_;
  std::map<std::string, ModelFacts> models_;
  std::vector<std::string> notes_;
};

Status Run(const PlanCommandOptions& options) {
  if (!options.fit) {
    return Error{ErrorCode::kUnsupported,
                 "plan: only --fit in this version: whether the configuration fits on this box"};
  }
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  const RealClock clock;
  DE_TRY(const EdgeConfig config, LoadEdgeConfig(options.config));
  const Path state = !options.state.empty() ? Path(options.state)
                                            : (config.state_dir ? Path(*config.state_dir) : DefaultStateFolder());
  DE_TRY(BoxProfile box, OpenBoxProfile(*engine, state, clock));
  return PlanCommand(options, config, std::move(box)).Run();
}

}  // namespace

void AddPlanCommand(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("plan", "what a configuration will get on this box; starts nothing");
  const auto options = std::make_shared<PlanCommandOptions>();
  command->add_option("config", options->config, "configuration file (edge.yaml)")->required();
  command->add_flag("--fit", options->fit, "will it fit, and if not, what is missing");
  command->add_option("--repository", options->repository, "folder of models by name");
  command->add_option("--state-dir", options->state, "folder that profiles are kept in");
  command->add_flag("--json", options->json, "print as one line of JSON");
  command->callback([options, &action] { action = [options] { return Run(*options); }; });
}

}  // namespace deepedge
