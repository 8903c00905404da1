#include "deepedge/runtime/model_inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "deepedge/pipeline/post/nms.h"

namespace deepedge {

InferenceCost& InferenceCost::operator+=(const InferenceCost& other) {
  scale += other.scale;
  infer += other.infer;
  post += other.post;
  return *this;
}

namespace {

// One network of the model, for one size of the picture.
struct Pass {
  const LoadedModel& model;
  CompiledModel& compiled;
  const OutputDecoder& decoder;
  const PictureInput& input;
  int width = 0;
  int height = 0;
  LaneLog* runs = nullptr;  // may be null
};

// Picture `index` of `count` that the input holds.
std::span<uint8_t> PictureOf(const MutableTensorView& input, size_t index, size_t count) {
  const auto pixels = input.As<uint8_t>();
  const size_t bytes = pixels.size() / count;
  return pixels.subspan(index * bytes, bytes);
}

// What an output says of picture `index` of `count`. An output of one picture is taken as it is, whatever its shape.
Result<TensorView> PartOf(TensorView output, size_t index, size_t count) {
  if (count == 1) return output;
  if (output.shape.empty() || output.shape[0] != static_cast<int64_t>(count)) {
    return Error{ErrorCode::kInternal,
                 fmt::format("an output has the shape {} for {} pictures", ToString(output.shape), count)};
  }
  const size_t bytes = output.data.size() / count;
  output.data = output.data.subspan(index * bytes, bytes);
  output.shape[0] = 1;
  return output;
}

Status DecodeBatch(const Pass& pass, int slot, const std::vector<Placement>& places,
                   std::vector<InferenceResult>& results) {
  std::vector<TensorView> outputs(pass.compiled.outputs().size());
  for (size_t i = 0; i < places.size(); ++i) {
    for (size_t o = 0; o < outputs.size(); ++o) {
      DE_TRY(outputs[o], PartOf(pass.compiled.Output(slot, o), i, places.size()));
    }
    DE_TRY(InferenceResult result, pass.decoder.Decode(outputs, places[i]));
    results.push_back(std::move(result));
  }
  return {};
}

// All stages, each told by itself. `cpu` is the thread's CPU time now, before and after.
Status RunEngine(const Pass& pass, int slot, int batch, const Clock& clock, Duration& cpu) {
  CompiledModel& compiled = pass.compiled;
  const int stages = compiled.stages();
  Status ran;
  for (int stage = 0; stage < stages && ran.ok(); ++stage) {
    const Time start = pass.runs != nullptr ? pass.runs->Begin() : Time{};
    ran = stages == 1 ? compiled.Run(slot) : compiled.RunStage(slot, stage);
    const Time end = pass.runs != nullptr ? clock.Now() : Time{};
    const Duration before = std::exchange(cpu, ThreadCpuTime());
    if (pass.runs == nullptr) continue;
    if (!ran.ok()) {
      pass.runs->Abandon();
      continue;
    }
    pass.runs->End({.model = &pass.model,
                    .width = pass.width,
                    .height = pass.height,
                    .batch = batch,
                    .stage = stage,
                    .stages = stages,
                    .start = start,
                    .end = end,
                    .cpu = compiled.computes_in_caller() ? cpu - before : Duration(0)});
  }
  return ran;
}

// At most as many inputs as the model takes in one run.
Status RunBatch(const Pass& pass, int slot, PictureScaler& scaler, std::span<const PictureView> pictures,
                const Clock& clock, InferenceCost& cost, std::vector<InferenceResult>& results) {
  const PictureInput& input = pass.input;
  CompiledModel& compiled = pass.compiled;
  const auto parts = static_cast<size_t>(input.Parts());
  const auto count = static_cast<int>(pictures.size() / parts);
  const Duration start = ThreadCpuTime();
  DE_TRY_STATUS(compiled.SetBatch(slot, count));
  const MutableTensorView batch = compiled.Input(slot, 0);
  std::vector<Placement> places;
  places.reserve(static_cast<size_t>(count));
  for (size_t i = 0; i < pictures.size(); ++i) {
    const PictureView& picture = pictures[i];
    const Placement place = PlacePicture(input.resize, picture.width, picture.height, pass.width, pass.height);
    DE_TRY_STATUS(scaler.ScaleInto(picture, place, input.order, input.pad, PictureOf(batch, i, pictures.size())));
    if (i % parts == 0) places.push_back(place);
  }
  const Duration scaled = ThreadCpuTime();
  cost.scale += scaled - start;

  const Time run_start = clock.Now();
  Duration inferred = scaled;
  const Status ran = RunEngine(pass, slot, count, clock, inferred);
  cost.infer += compiled.computes_in_caller() ? inferred - scaled : clock.Now() - run_start;
  DE_TRY_STATUS(ran);

  const Status decoded = DecodeBatch(pass, slot, places, results);
  cost.post += ThreadCpuTime() - inferred;
  return decoded;
}

Result<std::vector<InferenceResult>> RunPass(const Pass& pass, int slot, PictureScaler& scaler,
                                             std::span<const PictureView> pictures, const Clock& clock,
                                             InferenceCost& cost) {
  std::vector<InferenceResult> results;
  const auto parts = static_cast<size_t>(pass.input.Parts());
  results.reserve(pictures.size() / parts);
  const size_t most = static_cast<size_t>(pass.compiled.max_batch()) * parts;
  while (!pictures.empty()) {
    const size_t count = std::min(most, pictures.size());
    DE_TRY_STATUS(RunBatch(pass, slot, scaler, pictures.first(count), clock, cost, results));
    pictures = pictures.subspan(count);
  }
  return results;
}

// What the smaller sizes of the pictures show, too; a thing that is seen in several is kept once.
Status AddSmallerSizes(LoadedModel& model, int slot, PictureScaler& scaler, std::span<const PictureView> pictures,
                       const Clock& clock, InferenceCost& cost, LaneLog* runs, std::vector<InferenceResult>& results) {
  const ModelCard& card = model.card;
  for (const PyramidLevel& level : model.smaller) {
    const Pass pass{model, *level.compiled, *level.decoder, card.input, level.width, level.height, runs};
    DE_TRY(std::vector<InferenceResult> found, RunPass(pass, slot, scaler, pictures, clock, cost));
    for (size_t i = 0; i < found.size(); ++i) {
      auto& objects = found[i].objects;
      results[i].objects.insert(results[i].objects.end(), std::make_move_iterator(objects.begin()),
                                std::make_move_iterator(objects.end()));
    }
  }
  if (model.smaller.empty()) return {};
  const Duration start = ThreadCpuTime();
  for (InferenceResult& result : results) {
    result.objects = SuppressOverlaps(std::move(result.objects), card.output.merge_iou, card.output.nms_per_label);
  }
  cost.post += ThreadCpuTime() - start;
  return {};
}

// Decoders of windows leave that to who knows whether the picture is a whole one.
void ClipToPicture(InferenceResult& result) {
  for (DetectedObject& object : result.objects) {
    object.box = Clip(object.box);
    for (Keypoint& keypoint : object.keypoints) {
      keypoint.point = {std::clamp(keypoint.point.x, 0.0F, 1.0F), std::clamp(keypoint.point.y, 0.0F, 1.0F)};
    }
  }
  std::erase_if(result.objects, [](const DetectedObject& object) { return !(object.box.Area() > 0); });
}

}  // namespace

Result<InferenceResult> RunModelOnPicture(LoadedModel& model, int slot, PictureScaler& scaler,
                                          const PictureView& picture, const Clock& clock, InferenceCost& cost,
                                          LaneLog* runs) {
  DE_TRY(auto results, RunModelOnPictures(model, slot, scaler, std::span(&picture, 1), clock, cost, runs));
  ClipToPicture(results.front());
  return std::move(results.front());
}

Result<std::vector<InferenceResult>> RunModelOnPictures(LoadedModel& model, int slot, PictureScaler& scaler,
                                                        std::span<const PictureView> pictures, const Clock& clock,
                                                        InferenceCost& cost, LaneLog* runs) {
  const PictureInput& input = model.card.input;
  if (pictures.size() % static_cast<size_t>(input.Parts()) != 0) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("model '{}' looks at {} patches around the points of an object, not at a picture: it runs "
                             "behind a model that finds them",
                             model.name, input.patches)};
  }
  const Pass pass{model, *model.compiled, *model.decoder, input, input.width, input.height, runs};
  DE_TRY(auto results, RunPass(pass, slot, scaler, pictures, clock, cost));
  DE_TRY_STATUS(AddSmallerSizes(model, slot, scaler, pictures, clock, cost, runs, results));
  return results;
}

}  // namespace deepedge
