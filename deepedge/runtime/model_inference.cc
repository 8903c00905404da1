#include "deepedge/runtime/model_inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace deepedge {

InferenceCost& InferenceCost::operator+=(const InferenceCost& other) {
  scale += other.scale;
  infer += other.infer;
  post += other.post;
  return *this;
}

namespace {

// Picture `index` of the batch.
MutableTensorView PictureOf(const MutableTensorView& input, size_t index) {
  const size_t bytes = input.data.size() / static_cast<size_t>(input.shape[0]);
  Shape shape = input.shape;
  shape[0] = 1;
  return {input.type, std::move(shape), input.data.subspan(index * bytes, bytes)};
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

Status DecodeBatch(const LoadedModel& model, int slot, const std::vector<Placement>& places,
                   std::vector<InferenceResult>& results) {
  std::vector<TensorView> outputs(model.compiled->outputs().size());
  for (size_t i = 0; i < places.size(); ++i) {
    for (size_t o = 0; o < outputs.size(); ++o) {
      DE_TRY(outputs[o], PartOf(model.compiled->Output(slot, o), i, places.size()));
    }
    DE_TRY(InferenceResult result, model.decoder->Decode(outputs, places[i]));
    results.push_back(std::move(result));
  }
  return {};
}

// At most as many pictures as the model takes in one run.
Status RunBatch(LoadedModel& model, int slot, PictureScaler& scaler, std::span<const PictureView> pictures,
                const Clock& clock, InferenceCost& cost, std::vector<InferenceResult>& results) {
  const PictureInput& input = model.card.input;
  CompiledModel& compiled = *model.compiled;
  const Duration start = ThreadCpuTime();
  DE_TRY_STATUS(compiled.SetBatch(slot, static_cast<int>(pictures.size())));
  const MutableTensorView batch = compiled.Input(slot, 0);
  std::vector<Placement> places;
  places.reserve(pictures.size());
  for (size_t i = 0; i < pictures.size(); ++i) {
    const PictureView& picture = pictures[i];
    places.push_back(PlacePicture(input.resize, picture.width, picture.height, input.width, input.height));
    DE_TRY_STATUS(scaler.ScaleInto(picture, places[i], input.order, input.pad, PictureOf(batch, i).As<uint8_t>()));
  }
  const Duration scaled = ThreadCpuTime();
  cost.scale += scaled - start;

  const Time run_start = clock.Now();
  const Status ran = compiled.Run(slot);
  const Duration inferred = ThreadCpuTime();
  cost.infer += compiled.computes_in_caller() ? inferred - scaled : clock.Now() - run_start;
  DE_TRY_STATUS(ran);

  const Status decoded = DecodeBatch(model, slot, places, results);
  cost.post += ThreadCpuTime() - inferred;
  return decoded;
}

}  // namespace

Result<InferenceResult> RunModelOnPicture(LoadedModel& model, int slot, PictureScaler& scaler,
                                          const PictureView& picture, const Clock& clock, InferenceCost& cost) {
  DE_TRY(auto results, RunModelOnPictures(model, slot, scaler, std::span(&picture, 1), clock, cost));
  return std::move(results.front());
}

Result<std::vector<InferenceResult>> RunModelOnPictures(LoadedModel& model, int slot, PictureScaler& scaler,
                                                        std::span<const PictureView> pictures, const Clock& clock,
                                                        InferenceCost& cost) {
  std::vector<InferenceResult> results;
  results.reserve(pictures.size());
  const auto most = static_cast<size_t>(model.compiled->max_batch());
  while (!pictures.empty()) {
    const size_t count = std::min(most, pictures.size());
    DE_TRY_STATUS(RunBatch(model, slot, scaler, pictures.first(count), clock, cost, results));
    pictures = pictures.subspan(count);
  }
  return results;
}

}  // namespace deepedge
