#include "deepedge/runtime/variant_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "deepedge/pipeline/agreement.h"
#include "deepedge/runtime/model_inference.h"

namespace deepedge {
namespace {

constexpr size_t kFewestFrames = 16;
constexpr size_t kMostCalibrationFrames = 32;
constexpr const char* kVariantFolder = "variants";

// A form of the model that can run on a frame.
Result<std::unique_ptr<LoadedModel>> Load(Engine& engine, const ModelFiles& files, const ModelCard& card,
                                          Precision precision) {
  auto model = std::make_unique<LoadedModel>();
  model->files = files;
  model->card = card;
  model->name = card.name;
  DE_TRY(model->compiled, engine.Compile(files, {.picture = card.input, .resize = true, .precision = precision}));
  DE_TRY(model->decoder, MakeOutputDecoder(model->card, model->compiled->outputs()));
  return model;
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Comparison {
  std::optional<double> agreement;
  double time_ratio = 0;
};

using Frames = std::vector<const RgbPicture*>;

// Both forms on every frame, in turn, so that what else runs on the box slows both.
Result<Comparison> Compare(LoadedModel& base, LoadedModel& variant, const Frames& frames, const Clock& clock) {
  PictureScaler scaler;
  AgreementMeter meter;
  std::vector<double> base_times;
  std::vector<double> variant_times;
  for (const RgbPicture* frame : frames) {
    InferenceCost base_cost;
    InferenceCost variant_cost;
    DE_TRY(const InferenceResult expected, RunModelOnPicture(base, 0, scaler, frame->View(), clock, base_cost));
    DE_TRY(const InferenceResult found, RunModelOnPicture(variant, 0, scaler, frame->View(), clock, variant_cost));
    meter.Add(expected, found);
    base_times.push_back(static_cast<double>(base_cost.infer.count()));
    variant_times.push_back(static_cast<double>(variant_cost.infer.count()));
  }
  const double base_time = Median(std::move(base_times));
  return Comparison{.agreement = meter.Value(),
                    .time_ratio = base_time > 0 ? Median(std::move(variant_times)) / base_time : 0};
}

// Every `step`-th of the frames from `first` on, at most `limit`.
Frames Choose(std::span<const RgbPicture> frames, size_t first, size_t step, size_t limit) {
  Frames chosen;
  for (size_t i = first; i < frames.size() && chosen.size() < limit; i += step) chosen.push_back(&frames[i]);
  return chosen;
}

// The frames as the model's input wants them.
Result<std::vector<Tensor>> ScaleAll(const Frames& frames, const PictureInput& input) {
  PictureScaler scaler;
  std::vector<Tensor> tensors;
  const auto channels = static_cast<size_t>(ChannelCount(input.order));
  for (const RgbPicture* frame : frames) {
    std::vector<uint8_t> pixels(static_cast<size_t>(input.width) * static_cast<size_t>(input.height) * channels);
    const Placement place = PlacePicture(input.resize, frame->width, frame->height, input.width, input.height);
    DE_TRY_STATUS(scaler.ScaleInto(frame->View(), place, input.order, input.pad, pixels));
    const auto bytes = std::as_bytes(std::span(pixels));
    tensors.push_back({ElementType::kU8,
                       {1, input.height, input.width, static_cast<int64_t>(channels)},
                       {bytes.begin(), bytes.end()}});
  }
  return tensors;
}

Error NothingSeen(const ModelCard& card, size_t frames) {
  return {ErrorCode::kBadInput,
          fmt::format("model '{}': {} on none of the {} frames, so there is nothing to compare by: give pictures that "
                      "show what it looks for",
                      card.name,
                      card.output.kind == OutputDecoderKind::kRaw ? "its outputs are not read" : "it saw something",
                      frames)};
}

// Quantizes until the result agrees enough. `best` is what was measured of the form that agreed most; the form itself
// is there only when it agreed enough.
Result<std::optional<ModelFiles>> QuantizeUntilItAgrees(Engine& engine, const ModelFiles& files, const ModelCard& card,
                                                        const VariantRequest& request, LoadedModel& base,
                                                        std::span<const RgbPicture> frames, const Clock& clock,
                                                        const Path& graph_file, Comparison* best) {
  const Frames measured = Choose(frames, 1, 2, frames.size());
  QuantizeOptions options{.picture = card.input};
  DE_TRY(options.calibration, ScaleAll(Choose(frames, 0, 2, kMostCalibrationFrames), card.input));
  options.good_enough = [&](const ModelFiles& form) -> Result<bool> {
    DE_TRY(const auto variant, Load(engine, form, card, Precision::kInt8));
    DE_TRY(const Comparison comparison, Compare(base, *variant, measured, clock));
    if (!comparison.agreement) return NothingSeen(card, measured.size());
    if (!best->agreement || *comparison.agreement > *best->agreement) *best = comparison;
    return *comparison.agreement >= request.least_agreement;
  };
  return engine.Quantize(files, options, graph_file);
}

// Moves a finished graph to a name of its own in `folder`: one that serves is never written over. Gives the name.
Result<std::string> MoveInto(const Path& folder, const VariantKey& key, const ModelFiles& form) {
  std::string name;
  for (int number = 1; name.empty(); ++number) {
    const std::string candidate = fmt::format("{}.{}.xml", ToString(key), number);
    if (!std::filesystem::exists(folder / candidate)) name = candidate;
  }
  std::error_code ec;
  // The weights first: a graph that is there is whole.
  std::filesystem::rename(form.weights, Path(folder / name).replace_extension(".bin"), ec);
  if (!ec) std::filesystem::rename(form.graph, folder / name, ec);
  if (ec) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be written: {}", name, ec.message())};
  return name;
}

}  // namespace

VariantKey WithoutBands(const PictureInput& input, int source_width, int source_height, int multiple) {
  const VariantKey own{.width = input.width, .height = input.height};
  if (input.resize == ResizeRule::kStretch) return own;
  const Placement place = PlacePicture(input.resize, source_width, source_height, input.width, input.height);
  const auto rounded = [&](int length, int limit) {
    return std::min(limit, (length + multiple - 1) / multiple * multiple);
  };
  return {.width = rounded(place.width, input.width), .height = rounded(place.height, input.height)};
}

ModelCard CardOfVariant(const ModelCard& card, const VariantKey& key) {
  ModelCard of_variant = card;
  of_variant.input.width = key.width;
  of_variant.input.height = key.height;
  return of_variant;
}

Result<VariantCard> MakeVariant(Engine& engine, const ModelFiles& files, const ModelCard& card,
                                const VariantRequest& request, std::span<const RgbPicture> frames, const Clock& clock) {
  const std::string name = ToString(request.key);
  if (frames.size() < kFewestFrames) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: {} frames are too few to measure on, at least {} are needed",
                                                   name, frames.size(), kFewestFrames)};
  }
  if (card.output.kind == OutputDecoderKind::kRaw) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("{}: the outputs of model '{}' are not read, so forms of it cannot be compared", name, card.name)};
  }
  DE_TRY(const auto base, Load(engine, files, card, Precision::kFp32));
  const ModelCard of_variant = CardOfVariant(card, request.key);
  VariantCard made{.key = request.key, .least_agreement = request.least_agreement};
  Comparison comparison;
  if (request.key.precision == Precision::kInt8) {
    const Path folder = request.folder / kVariantFolder;
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be made: {}", folder.string(), ec.message())};
    DE_TRY(const TemporaryFolder staging, TemporaryFolder::CreateIn(folder, ".making-"));
    DE_TRY(const auto form, QuantizeUntilItAgrees(engine, files, of_variant, request, *base, frames, clock,
                                                  staging.path() / "form.xml", &comparison));
    made.frames = static_cast<int>(frames.size() / 2);
    if (form) {
      DE_TRY(const std::string file, MoveInto(folder, request.key, *form));
      made.graph = (Path(kVariantFolder) / file).string();
    }
  } else {
    DE_TRY(const auto variant, Load(engine, files, of_variant, request.key.precision));
    DE_TRY(comparison, Compare(*base, *variant, Choose(frames, 0, 1, frames.size()), clock));
    if (!comparison.agreement) return NothingSeen(card, frames.size());
    made.frames = static_cast<int>(frames.size());
  }
  made.agreement = *comparison.agreement;
  made.time_ratio = comparison.time_ratio;
  return made;
}

void RemoveUnusedForms(const Path& folder, const ModelCard& card) {
  std::set<Path> used;
  for (const VariantCard& variant : card.variants) {
    if (variant.graph.empty()) continue;
    used.insert(folder / variant.graph);
    used.insert(Path(folder / variant.graph).replace_extension(".bin"));
  }
  std::error_code ignored;
  std::vector<Path> unused;
  for (auto it = std::filesystem::directory_iterator(folder / kVariantFolder, ignored);
       !ignored && it != std::filesystem::directory_iterator(); it.increment(ignored)) {
    if (it->is_regular_file(ignored) && !used.contains(it->path())) unused.push_back(it->path());
  }
  for (const Path& path : unused) std::filesystem::remove(path, ignored);
}

}  // namespace deepedge
