#include "deepedge/runtime/task_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "deepedge/pipeline/cascade/pass_on.h"

namespace deepedge {
namespace {

Result<int> NumberOf(const std::string& stream, const LoadedModel& model, const std::string& label) {
  const std::vector<std::string>& known = *model.labels;
  const auto found = std::ranges::find(known, label);
  if (found != known.end()) return static_cast<int>(found - known.begin());
  return Error{ErrorCode::kBadInput, fmt::format("stream '{}': model '{}' has no label '{}'; it has: {}", stream,
                                                 model.name, label, fmt::join(known, ", "))};
}

// A zone or line is the stream's; of its labels a model knows some, or none and then looks at nothing in it.
std::vector<int> NumbersKnown(const LoadedModel& model, const std::vector<std::string>& labels) {
  constexpr int kNone = -1;
  std::vector<int> numbers;
  for (const std::string& label : labels) {
    const auto found = std::ranges::find(*model.labels, label);
    if (found != model.labels->end()) numbers.push_back(static_cast<int>(found - model.labels->begin()));
  }
  if (!labels.empty() && numbers.empty()) numbers.push_back(kNone);
  return numbers;
}

// Embeddings of two models cannot be compared, even where they are of one length.
const Gallery* GalleryFor(const LoadedModel& model, const Gallery* gallery) {
  return gallery != nullptr && !model.sha256.empty() && gallery->model().sha256 == model.sha256 ? gallery : nullptr;
}

Result<SceneRules> RulesOf(const StreamSpec& stream, const LoadedModel& model) {
  SceneRules rules;
  for (const ZoneSpec& zone : stream.zones) {
    rules.zones.push_back(zone.zone);
    rules.zones.back().labels = NumbersKnown(model, zone.labels);
  }
  for (const LineSpec& line : stream.lines) {
    rules.lines.push_back(line.line);
    rules.lines.back().labels = NumbersKnown(model, line.labels);
  }
  const Status checked = CheckRules(rules);
  if (!checked.ok()) return checked.error().Wrap(fmt::format("stream '{}'", stream.name));
  return rules;
}

// How many points each object of a model has.
int PointsOf(const ModelCard& card) {
  constexpr int kOfYunet = 5;
  return card.output.kind == OutputDecoderKind::kYunet ? kOfYunet : card.output.keypoints;
}

// A model of patches looks around the points of objects; `parent` is null where it would look at the whole picture.
Status CheckPatches(const std::string& stream, const LoadedModel& model, const LoadedModel* parent) {
  const int patches = model.card.input.patches;
  if (patches == 0 || (parent != nullptr && PointsOf(parent->card) == patches)) return {};
  const std::string given = parent != nullptr
                                ? fmt::format("objects of '{}' have {}", parent->name, PointsOf(parent->card))
                                : std::string("a picture has none: it belongs into `then` of a model that finds them");
  return Error{ErrorCode::kBadInput, fmt::format("stream '{}': model '{}' looks at patches around {} points, but {}",
                                                 stream, model.name, patches, given)};
}

}  // namespace

Result<ServedModel> TaskBuilder::Find(const StreamSpec& stream, const std::string& model) const {
  const auto found = std::ranges::find(models_, model, [](const ServedModel& served) { return served.model->name; });
  if (found != models_.end()) return *found;
  return Error{ErrorCode::kBadInput, fmt::format("stream '{}': no model '{}' is loaded", stream.name, model)};
}

Result<TaskRunner::Options> TaskBuilder::TaskOptions(const StreamSpec& stream, const TaskSpec& task,
                                                     const LoadedModel& model, const Options& options) const {
  TaskRunner::Options made{.max_rate = options.max_rate,
                           .deadline = task.deadline,
                           .lossless = options.lossless,
                           .track = task.track && model.card.task == "detection",
                           .report = task.report,
                           .snapshots = options.snapshots};
  DE_TRY_STATUS(CheckPatches(stream.name, model, nullptr));
  if (made.track && !task.reid.empty()) {
    DE_TRY(const ServedModel reid, Find(stream, task.reid));
    if (reid.model->card.task != "embedding") {
      return Error{
          ErrorCode::kBadInput,
          fmt::format("stream '{}': '{}' gives no embeddings to follow objects by: its results are of the kind {}",
                      stream.name, task.reid, reid.model->card.task)};
    }
    made.reid = reid.model;
  }
  DE_TRY(made.scene, RulesOf(stream, model));
  for (const std::string& label : task.labels) {
    DE_TRY(const int number, NumberOf(stream.name, model, label));
    made.labels.push_back(number);
  }
  return made;
}

Result<std::vector<std::unique_ptr<CascadeRunner>>> TaskBuilder::Cascades(const StreamSpec& stream,
                                                                          const TaskSpec& task,
                                                                          const LoadedModel& model,
                                                                          const Options& options,
                                                                          TaskListener& listener) const {
  std::vector<std::unique_ptr<CascadeRunner>> cascades;
  const Above above{.stream = stream, .task = task, .options = options, .listener = listener};
  for (const CascadeSpec& spec : task.then) {
    DE_TRY(auto cascade, Cascade(above, model, spec));
    cascades.push_back(std::move(cascade));
  }
  return cascades;
}

Result<std::unique_ptr<CascadeRunner>> TaskBuilder::Cascade(const Above& above, const LoadedModel& parent,
                                                            const CascadeSpec& spec) const {
  const std::string& stream = above.stream.name;
  if (!PassesOn(parent.card.task)) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("stream '{}': model '{}' cannot pass anything on to '{}': its results are of the kind {}",
                             stream, parent.name, spec.model, parent.card.task)};
  }
  DE_TRY(const ServedModel served, Find(above.stream, spec.model));
  LoadedModel& model = *served.model;
  DE_TRY_STATUS(CheckPatches(stream, model, &parent));
  CascadeRunner::Options options{.stream = stream,
                                 .gate = spec.gate,
                                 .ask = spec.ask,
                                 .crop = spec.crop,
                                 .align = spec.align.value_or(model.card.task == "embedding"),
                                 .max_objects = spec.max_objects,
                                 .deadline = above.task.deadline,
                                 .lossless = above.options.lossless,
                                 .report = spec.report,
                                 .gallery = GalleryFor(model, above.options.gallery)};
  if (options.align && model.card.task != "embedding" && model.card.task != "classification") {
    return Error{ErrorCode::kBadInput,
                 fmt::format("stream '{}': '{}' cannot have its crops aligned: its results are places in the crop ({})",
                             stream, spec.model, model.card.task)};
  }
  if (!spec.label.empty()) {
    DE_TRY(options.gate.label, NumberOf(stream, parent, spec.label));
  }
  if (!spec.zone.empty()) {
    const auto zone =
        std::ranges::find(above.stream.zones, spec.zone, [](const ZoneSpec& known) { return known.zone.name; });
    if (zone == above.stream.zones.end()) {
      return Error{ErrorCode::kBadInput, fmt::format("stream '{}': has no zone '{}'", stream, spec.zone)};
    }
    options.gate.zone = static_cast<int>(zone - above.stream.zones.begin());
  }
  auto runner = std::make_unique<CascadeRunner>(std::move(options), model, served.slots, environment_, above.listener);
  for (const CascadeSpec& below : spec.then) {
    DE_TRY(auto next, Cascade(above, model, below));
    runner->AddBelow(std::move(next));
  }
  return runner;
}

}  // namespace deepedge
