#include "deepedge/runtime/model_inference.h"

#include <vector>

namespace deepedge {

InferenceCost& InferenceCost::operator+=(const InferenceCost& other) {
  scale += other.scale;
  infer += other.infer;
  post += other.post;
  return *this;
}

Result<InferenceResult> RunModelOnPicture(LoadedModel& model, int slot, PictureScaler& scaler,
                                          const PictureView& picture, const Clock& clock, InferenceCost& cost) {
  const PictureInput& input = model.card.input;
  CompiledModel& compiled = *model.compiled;
  const Duration start = ThreadCpuTime();
  const Placement place = PlacePicture(input.resize, picture.width, picture.height, input.width, input.height);
  DE_TRY_STATUS(scaler.ScaleInto(picture, place, input.order, input.pad, compiled.Input(slot, 0).As<uint8_t>()));
  const Duration scaled = ThreadCpuTime();
  cost.scale += scaled - start;

  const Time run_start = clock.Now();
  const Status ran = compiled.Run(slot);
  const Duration inferred = ThreadCpuTime();
  cost.infer += compiled.computes_in_caller() ? inferred - scaled : clock.Now() - run_start;
  DE_TRY_STATUS(ran);

  std::vector<TensorView> outputs;
  outputs.reserve(compiled.outputs().size());
  for (size_t i = 0; i < compiled.outputs().size(); ++i) outputs.push_back(compiled.Output(slot, i));
  auto result = model.decoder->Decode(outputs, place);
  cost.post += ThreadCpuTime() - inferred;
  return result;
}

}  // namespace deepedge
