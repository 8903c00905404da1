#include "deepedge/config/edge_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "deepedge/base/log.h"
#include "deepedge/base/text.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 64 && IsLetterOrDigit(text[0]) &&
         std::ranges::all_of(text, [](char c) { return IsLetterOrDigit(c) || c == '_' || c == '.' || c == '-'; });
}

// A number of one to five digits that does not begin with 0.
bool IsSide(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.front() != '0' &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool IsVariant(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return false;
  const std::string_view precision = text.substr(0, at);
  const std::string_view size = text.substr(at + 1);
  const size_t by = size.find('x');
  return (precision == "fp32" || precision == "bf16" || precision == "int8") && by != std::string_view::npos &&
         IsSide(size.substr(0, by)) && IsSide(size.substr(by + 1));
}

bool IsHostAndPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c == '/'; })) return false;
  int port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && stop == digits.data() + digits.size() && digits.size() <= 5 && port >= 0 &&
         port <= 65535;
}

bool IsAddress(std::string_view source) { return source.find("://") != std::string_view::npos; }

std::string ResolvePath(const std::string& path, const Path& folder) {
  return (folder / path).lexically_normal().string();
}

// Puts the environment into the texts that may name it and resolves relative paths.
class Resolver {
 public:
  Resolver(const Path& folder, const Environment& environment, std::vector<Problem>& problems)
      : folder_(folder), environment_(environment), problems_(problems) {}

  void Resolve(EdgeConfig& config) {
    for (auto& [name, model] : config.models) {
      Expand(model.source, PointerTo(PointerTo("/models", name), "source"));
      ResolveModel(model.source.value);
    }
    for (auto& [name, stream] : config.streams) {
      const std::string at = PointerTo("/streams", name);
      Expand(stream.source, PointerTo(at, "source"));
      ResolveFile(stream.source.value);
      if (!stream.substream) continue;
      Expand(*stream.substream, PointerTo(at, "substream"));
      ResolveFile(stream.substream->value);
    }
    if (config.events.mqtt) Expand(config.events.mqtt->broker, "/events/mqtt/broker");
    if (config.events.file && *config.events.file != "-") ResolveFile(*config.events.file);
    if (config.state_dir) ResolveFile(*config.state_dir);
  }

 private:
  void Expand(EnvText& text, const std::string& at) {
    auto expanded = ExpandEnvironment(text.text, environment_);
    if (expanded.ok()) {
      text.value = std::move(expanded).value();
    } else {
      problems_.push_back({at, expanded.error().message});
    }
  }

  void ResolveFile(std::string& source) {
    if (!source.empty() && !IsAddress(source)) source = ResolvePath(source, folder_);
  }

  // A word without '/' is a file or folder beside the configuration if there is one, else a name in the repository.
  void ResolveModel(std::string& source) {
    std::error_code ec;
    if (source.find('/') != std::string::npos || std::filesystem::exists(folder_ / source, ec)) ResolveFile(source);
  }

  const Path& folder_;
  const Environment& environment_;
  std::vector<Problem>& problems_;
};

// Cross checks of one stream's tasks.
class StreamChecker {
 public:
  StreamChecker(const EdgeConfig& config, std::string at, const StreamConfig& stream, std::vector<Problem>& problems)
      : config_(config), at_(PointerTo(at, "tasks")), stream_(stream), problems_(problems) {}

  void Check() {
    std::set<std::string> seen;
    for (size_t i = 0; i < stream_.tasks.size(); ++i) {
      const TaskConfig& task = stream_.tasks[i];
      const std::string at = PointerTo(at_, i);
      if (!task.model.empty() && !seen.insert(task.model).second) {
        Report(PointerTo(at, "model"), fmt::format("{} is already a task of this stream", Quote(task.model)));
      }
      CheckModel(task.model, PointerTo(at, "model"));
      if (task.max_rate && task.MinRate() > *task.max_rate) {
        Report(PointerTo(at, "min_rate"),
               fmt::format("{} is more than max_rate; allowed: up to {}", task.MinRate(), *task.max_rate));
      }
      for (size_t j = 0; j < task.then.size(); ++j) {
        const std::string model_at = PointerTo(PointerTo(PointerTo(at, "then"), j), "model");
        CheckModel(task.then[j].model, model_at);
        if (LeadsTo(task.then[j].model, task.model)) {
          Report(model_at, fmt::format("the cascade of {} leads back to itself", Quote(task.model)));
        }
      }
    }
  }

 private:
  void Report(std::string at, std::string message) { problems_.push_back({std::move(at), std::move(message)}); }

  void CheckModel(const std::string& model, const std::string& at) {
    if (model.empty() || config_.models.contains(model)) return;  // a missing one was reported already
    std::vector<std::string> names;
    for (const auto& [name, ignored] : config_.models) names.push_back(name);
    Report(at, fmt::format("{} is not declared in models; allowed: {}", Quote(model), fmt::join(names, ", ")));
  }

  // Whether the cascades of this stream pass objects on from one model to the other.
  bool LeadsTo(const std::string& from, const std::string& to) const {
    std::set<std::string> reached{from};
    std::vector<std::string> next{from};
    while (!next.empty()) {
      const std::string model = std::move(next.back());
      next.pop_back();
      if (model == to) return true;
      for (const TaskConfig& task : stream_.tasks) {
        if (task.model != model) continue;
        for (const CascadeConfig& cascade : task.then) {
          if (reached.insert(cascade.model).second) next.push_back(cascade.model);
        }
      }
    }
    return false;
  }

  const EdgeConfig& config_;
  const std::string at_;
  const StreamConfig& stream_;
  std::vector<Problem>& problems_;
};

Result<EdgeConfig> FromDocument(const YamlDocument& document, const Path& folder, const Environment& environment) {
  std::vector<Problem> problems;
  EdgeConfig config = ReadFields<EdgeConfig>(document.json(), problems);
  config.source = document.source();
  Resolver(folder, environment, problems).Resolve(config);
  // Without a good list of models every use of one would look wrong.
  if (!config.models.empty()) {
    for (Problem& problem : CheckEdgeConfig(config)) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) return ToError(document.source(), problems);
  return config;
}

}  // namespace

const TextRule kNameRule{"1 to 64 letters, digits, '_', '-' and '.', starting with a letter or digit",
                         "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", IsName};
const TextRule kSha256Rule{"64 digits and letters a to f", "^[0-9a-f]{64}$", IsSha256};
const TextRule kVariantRule{"precision and size, such as int8@416x256",
                            "^(fp32|bf16|int8)@[1-9][0-9]{0,4}x[1-9][0-9]{0,4}$", IsVariant};
const TextRule kListenRule{"address:port, such as 127.0.0.1:8090", "^[^/\\s]+:[0-9]{1,5}$", IsHostAndPort};
const TextRule kNotEmptyRule{"at least one character", "^[\\s\\S]+$",
                             [](std::string_view text) { return !text.empty(); }};

Result<EdgeConfig> LoadEdgeConfig(const Path& path, const Environment& environment) {
  DE_TRY(const YamlDocument document, LoadYaml(path));
  return FromDocument(document, path.parent_path(), environment);
}

Result<EdgeConfig> ParseEdgeConfig(std::string_view text, std::string name, const Path& folder,
                                   const Environment& environment) {
  DE_TRY(const YamlDocument document, ParseYaml(text, std::move(name)));
  return FromDocument(document, folder, environment);
}

std::vector<Problem> CheckEdgeConfig(const EdgeConfig& config) {
  std::vector<Problem> problems;
  for (const auto& [name, model] : config.models) {
    if (IsAddress(model.source.text) && !model.sha256) {
      problems.push_back({PointerTo(PointerTo("/models", name), "sha256"), "is missing; an URL needs it"});
    }
  }
  for (const auto& [name, stream] : config.streams) {
    StreamChecker(config, PointerTo("/streams", name), stream, problems).Check();
  }
  return problems;
}

std::vector<UnsupportedOption> NotYetSupported(const EdgeConfig& config) {
  std::vector<UnsupportedOption> options;
  for (const auto& [pointer, support] : FindUnsupported(SchemaOf<EdgeConfig>(), FieldsToJson(config))) {
    const char* const what = support == Support::kRefused ? "not supported yet" : "has no effect yet";
    options.push_back({support, fmt::format("{}: {}", config.source.Where(pointer), what)});
  }
  for (size_t i = 0; i < config.limits.devices.size(); ++i) {
    const std::string& device = config.limits.devices[i];
    if (device == "CPU") continue;
    options.push_back(
        {Support::kRefused, fmt::format("{}: {} is not supported yet; only CPU in this version",
                                        config.source.Where(PointerTo("/limits/devices", i)), Quote(device))});
  }
  return options;
}

std::string DescribeConfig(const EdgeConfig& config) {
  const auto count = [](size_t number, std::string_view what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
  };
  size_t tasks = 0;
  std::string lines;
  for (const auto& [name, stream] : config.streams) {
    tasks += stream.tasks.size();
    std::vector<std::string> models;
    for (const TaskConfig& task : stream.tasks) models.push_back(task.model);
    lines += fmt::format("  {}: {}: {}\n", name, RedactUrl(stream.source.text), fmt::join(models, ", "));
  }
  return fmt::format("{}, {}, {}\n{}", count(config.streams.size(), "stream"), count(tasks, "task"),
                     count(config.models.size(), "model"), lines);
}

}  // namespace deepedge
