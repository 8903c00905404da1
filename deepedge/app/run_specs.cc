#include "deepedge/app/run_specs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "deepedge/base/file.h"
#include "deepedge/base/url.h"
#include "deepedge/base/utf8.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/ingest/source.h"
#include "deepedge/pipeline/track/zones.h"
#include "deepedge/repository/model_source.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

bool IsNumber(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

std::string NameOfModel(const std::string& source) {
  Path path(source);
  std::error_code missing;
  // A name in the repository may have a dot in it, "yolo_fastest_1.1"; one with an ending of files is a file's.
  const bool is_name = CheckModelName(source).ok() && !std::filesystem::exists(path, missing);
  const std::string ending = path.extension().string();
  if (is_name && ending.find_first_not_of(".0123456789") == std::string::npos) return source;
  if (!path.has_filename()) path = path.parent_path();                // "models/x/"
  if (IsNumber(path.filename().string())) path = path.parent_path();  // "models/x/1": a version
  std::error_code ec;  // what cannot be looked at is refused where it is opened
  return std::filesystem::is_directory(path, ec) ? path.filename().string() : path.stem().string();
}

// Gathers what is wrong, so that the user can mend all of it at once.
class Problems {
 public:
  void Add(const Status& status, const std::string& where) {
    if (!status.ok()) lines_ += fmt::format("{}{}: {}", lines_.empty() ? "" : "\n", where, status.error().message);
  }
  Status ToStatus() const {
    if (lines_.empty()) return {};
    return Error{ErrorCode::kBadInput, lines_};
  }

 private:
  std::string lines_;
};

}  // namespace

std::string NameOfSource(const std::string& address) {
  const UrlParts parts = SplitUrl(address);
  if (parts.scheme.empty()) return Path(address).stem().string();
  const std::string rest(parts.rest.substr(0, parts.rest.find_first_of("?#")));
  const size_t slash = rest.find('/');
  const std::string host = rest.substr(0, slash);
  std::string path = slash == std::string::npos ? "" : rest.substr(slash);
  while (!path.empty() && path.back() == '/') path.pop_back();
  return host + path;
}

std::vector<std::string> MakeUnique(std::vector<std::string> names) {
  std::set<std::string> taken;
  for (std::string& name : names) {
    std::string candidate = name;
    for (int number = 2; !taken.insert(candidate).second; ++number) candidate = fmt::format("{}-{}", name, number);
    name = std::move(candidate);
  }
  return names;
}

RunSpecs SpecsOfOptions(const std::vector<std::string>& sources, const std::vector<std::string>& models) {
  RunSpecs specs;
  std::vector<std::string> stream_names;
  std::transform(sources.begin(), sources.end(), std::back_inserter(stream_names), NameOfSource);
  stream_names = MakeUnique(std::move(stream_names));
  std::vector<std::string> model_names;
  std::transform(models.begin(), models.end(), std::back_inserter(model_names), NameOfModel);
  model_names = MakeUnique(std::move(model_names));

  for (size_t i = 0; i < models.size(); ++i) specs.models.push_back({.name = model_names[i], .source = models[i]});
  for (size_t i = 0; i < sources.size(); ++i) {
    StreamSpec stream{.name = stream_names[i], .address = sources[i]};
    for (const std::string& name : model_names) stream.tasks.push_back({.model = name});
    specs.streams.push_back(std::move(stream));
  }
  return specs;
}

namespace {

// A model whose embeddings help to follow objects is loaded once more for that: it runs inside other models' jobs, on a
// slot of the lane. Names of models hold no blanks, so this one is nobody else's.
std::string AddReid(const std::string& model, std::vector<ModelRequest>& models) {
  const std::string name = model + " of tracks";
  const auto named = [&](const std::string& wanted) { return std::ranges::find(models, wanted, &ModelRequest::name); };
  if (named(name) != models.end() || named(model) == models.end()) return name;
  ModelRequest request = *named(model);
  request.name = name;
  models.push_back(std::move(request));
  return name;
}

Schedule ScheduleOf(const ScheduleConfig& config) {
  const auto minutes = [](const std::string& time) {
    return std::stoi(time.substr(0, 2)) * 60 + std::stoi(time.substr(3));
  };
  Schedule schedule{.from_minute = minutes(config.from), .to_minute = minutes(config.to)};
  if (!config.days.empty()) schedule.days.fill(false);
  for (const Weekday day : config.days) schedule.days[static_cast<size_t>(day)] = true;
  return schedule;
}

CascadeSpec CascadeOf(const CascadeConfig& config) {
  const GateConfig& when = config.when;
  CascadeSpec spec{
      .model = config.model,
      .label = when.label.value_or(""),
      .zone = when.zone.value_or(""),
      .gate = {.label = {},
               .min_score = when.min_score,
               .max_score = when.max_score,
               .min_size = when.min_size,
               .max_size = when.max_size,
               .min_pixels = when.min_pixels,
               .zone = {},
               .min_age_s = when.min_age_s,
               .schedule = {}},
      .ask = {.answer_s = config.answer_s,
              .unsure_below = config.unsure_below,
              .every = when.every,
              .first = when.first},
      .crop = {.margin = static_cast<float>(config.crop.margin),
               .aspect = config.crop.shape == CropShape::kGrown ? CropAspect::kAsInput : CropAspect::kKeep},
      .align = config.crop.align,
      .max_objects = static_cast<size_t>(config.max_objects),
      .report = config.report,
      .then = {}};
  if (when.schedule) spec.gate.schedule = ScheduleOf(*when.schedule);
  for (const CascadeConfig& below : config.then.list) spec.then.push_back(CascadeOf(below));
  return spec;
}

Point PointOf(const PointConfig& point) { return {static_cast<float>(point[0]), static_cast<float>(point[1])}; }

void AddPlaces(const StreamConfig& config, StreamSpec& spec) {
  for (const auto& [name, zone] : config.zones) {
    ZoneSpec& added = spec.zones.emplace_back();
    added.zone = {.name = name, .corners = {}, .dwell_s = zone.dwell_s.value_or(0), .labels = {}};
    std::ranges::transform(zone.polygon, std::back_inserter(added.zone.corners), PointOf);
    added.labels = zone.labels;
  }
  for (const auto& [name, line] : config.lines) {
    spec.lines.push_back({.line = {.name = name, .from = PointOf(line.from), .to = PointOf(line.to), .labels = {}},
                          .labels = line.labels});
  }
}

}  // namespace

RunSpecs SpecsOfConfig(const EdgeConfig& config) {
  RunSpecs specs;
  for (const auto& [name, model] : config.models) {
    specs.models.push_back({.name = name,
                            .source = model.source.value,
                            .sha256 = model.sha256.value_or(""),
                            .variant = model.variant.value_or("")});
  }
  for (const auto& [name, stream] : config.streams) {
    StreamSpec spec{.name = name,
                    .address = stream.source.value,
                    .loop = stream.loop,
                    .speed = stream.speed,
                    .start_offset = Duration(static_cast<int64_t>(stream.start_s * 1e6)),
                    .zones = {},
                    .lines = {},
                    .tasks = {}};
    AddPlaces(stream, spec);
    for (const TaskConfig& task : stream.tasks) {
      TaskSpec task_spec{.model = task.model,
                         .max_rate = task.max_rate.value_or(0),
                         .deadline = {},
                         .labels = task.labels,
                         .track = task.track,
                         .reid = task.reid ? AddReid(*task.reid, specs.models) : "",
                         .report = task.report,
                         .then = {}};
      std::ranges::transform(task.then, std::back_inserter(task_spec.then), CascadeOf);
      if (task.deadline_ms) task_spec.deadline = Duration(static_cast<int64_t>(*task.deadline_ms * 1000));
      spec.tasks.push_back(std::move(task_spec));
    }
    specs.streams.push_back(std::move(spec));
  }
  return specs;
}

Status CheckSources(const std::vector<StreamSpec>& streams, const SourceMap* file) {
  Problems problems;
  for (const StreamSpec& stream : streams) {
    const std::string where = file != nullptr ? file->Where(PointerTo(PointerTo("/streams", stream.name), "source"))
                                              : fmt::format("stream '{}'", stream.name);
    problems.Add(CheckSource({.address = stream.address}), where);
  }
  return problems.ToStatus();
}

Status CheckPlaces(const std::vector<StreamSpec>& streams, const SourceMap* file) {
  Problems problems;
  for (const StreamSpec& stream : streams) {
    const std::string at = PointerTo("/streams", stream.name);
    const auto where = [&](const std::string& pointer) {
      return file != nullptr ? file->Where(pointer) : fmt::format("stream '{}'", stream.name);
    };
    for (const ZoneSpec& zone : stream.zones) {
      problems.Add(CheckZone(zone.zone), where(PointerTo(PointerTo(at, "zones"), zone.zone.name) + "/polygon"));
    }
    for (const LineSpec& line : stream.lines) {
      problems.Add(CheckLine(line.line), where(PointerTo(PointerTo(at, "lines"), line.line.name)));
    }
  }
  return problems.ToStatus();
}

std::string PlaceOfModel(const std::string& name, const SourceMap* file) {
  return file != nullptr ? file->Where(PointerTo(PointerTo("/models", name), "source"))
                         : fmt::format("model '{}'", name);
}

Status CheckModels(const std::vector<ModelRequest>& models, const Path& repository, const SourceMap* file) {
  const auto check = [&](const ModelRequest& model) -> Status {
    // What lies on a server is looked at when it is there.
    const bool elsewhere = !SplitUrl(model.source).scheme.empty() && !model.sha256.empty();
    if (elsewhere) return ParseModelSource(model.source, HostSettingsFromEnvironment()).status();
    DE_TRY(const Path path, LocateModel(model.source, repository));
    DE_TRY(const ModelFiles files, FindModelFiles(path));
    return model.sha256.empty() ? Status::Ok() : CheckHash(files, model.sha256);
  };
  Problems problems;
  for (const ModelRequest& model : models) problems.Add(check(model), PlaceOfModel(model.name, file));
  return problems.ToStatus();
}

namespace {

// Labels of gates are the parent's.
void CheckGates(const std::vector<CascadeSpec>& cascades, const std::string& parent, const LabelsByModel& labels,
                const std::string& at,
                const std::function<void(const std::string&, const std::string&, const std::string&)>& check) {
  for (size_t i = 0; i < cascades.size(); ++i) {
    const std::string here = PointerTo(at, i);
    if (!cascades[i].label.empty()) check(parent, cascades[i].label, PointerTo(PointerTo(here, "when"), "label"));
    CheckGates(cascades[i].then, cascades[i].model, labels, PointerTo(here, "then"), check);
  }
}

// Labels that zones and lines of this stream can have; none where a model is not known here.
std::optional<std::vector<std::string>> LabelsOfStream(const StreamSpec& stream, const LabelsByModel& labels) {
  std::vector<std::string> all;
  for (const TaskSpec& task : stream.tasks) {
    const auto known = labels.find(task.model);
    if (known == labels.end()) return std::nullopt;
    for (const std::string& label : known->second) {
      if (std::ranges::find(all, label) == all.end()) all.push_back(label);
    }
  }
  return all;
}

// Gives `check` each label of a zone or line with its place.
void ForEachLabelOfPlaces(const StreamSpec& stream,
                          const std::function<void(const std::string& label, const std::string& at)>& check) {
  const auto each = [&](const std::vector<std::string>& labels, const char* kind, const std::string& name) {
    const std::string at = PointerTo(PointerTo(PointerTo(PointerTo("/streams", stream.name), kind), name), "labels");
    for (size_t i = 0; i < labels.size(); ++i) check(labels[i], PointerTo(at, i));
  };
  for (const ZoneSpec& zone : stream.zones) each(zone.labels, "zones", zone.zone.name);
  for (const LineSpec& line : stream.lines) each(line.labels, "lines", line.line.name);
}

}  // namespace

Status CheckLabels(const std::vector<StreamSpec>& streams, const LabelsByModel& labels, const SourceMap* file) {
  Problems problems;
  for (const StreamSpec& stream : streams) {
    const auto check = [&](const std::string& model, const std::string& label, const std::string& at) {
      const auto known = labels.find(model);
      // A model that is not there is refused by the data plane.
      if (known == labels.end() || std::ranges::find(known->second, label) != known->second.end()) return;
      problems.Add(Error{ErrorCode::kBadInput, fmt::format("model '{}' has no label {}; it has: {}", model,
                                                           Quote(label), fmt::join(known->second, ", "))},
                   file != nullptr ? file->Where(at) : fmt::format("stream '{}'", stream.name));
    };
    for (size_t i = 0; i < stream.tasks.size(); ++i) {
      const TaskSpec& task = stream.tasks[i];
      const std::string at = PointerTo(PointerTo(PointerTo("/streams", stream.name), "tasks"), i);
      for (size_t j = 0; j < task.labels.size(); ++j)
        check(task.model, task.labels[j], PointerTo(PointerTo(at, "labels"), j));
      CheckGates(task.then, task.model, labels, PointerTo(at, "then"), check);
    }
    const std::optional<std::vector<std::string>> all = LabelsOfStream(stream, labels);
    if (!all) continue;
    ForEachLabelOfPlaces(stream, [&](const std::string& label, const std::string& at) {
      if (std::ranges::find(*all, label) != all->end()) return;
      problems.Add(Error{ErrorCode::kBadInput, fmt::format("no model of this stream has a label {}; they have: {}",
                                                           Quote(label), fmt::join(*all, ", "))},
                   file != nullptr ? file->Where(at) : fmt::format("stream '{}'", stream.name));
    });
  }
  return problems.ToStatus();
}

ModelUse UseOf(const std::vector<StreamSpec>& streams, const std::string& model) {
  ModelUse use;
  const std::function<void(const std::vector<CascadeSpec>&)> count = [&](const std::vector<CascadeSpec>& cascades) {
    for (const CascadeSpec& cascade : cascades) {
      if (cascade.model == model) {
        ++use.users;
        use.most_objects = std::max(use.most_objects, cascade.max_objects);
      }
      count(cascade.then);
    }
  };
  for (const StreamSpec& stream : streams) {
    for (const TaskSpec& task : stream.tasks) {
      use.on_every_lane = use.on_every_lane || task.reid == model;
      if (task.model == model) {
        ++use.users;
        use.tracked = use.tracked || task.track;
      }
      count(task.then);
    }
  }
  return use;
}

Status RefuseUnsupported(const EdgeConfig& config) {
  std::string refused;
  for (const UnsupportedOption& option : NotYetSupported(config)) {
    if (option.support == Support::kRefused) refused += (refused.empty() ? "" : "\n") + option.message;
  }
  if (refused.empty()) return {};
  return Error{ErrorCode::kUnsupported, refused};
}

}  // namespace deepedge
