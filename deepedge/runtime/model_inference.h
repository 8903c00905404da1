// Pictures through one loaded model: scale, infer, post-process. The step that tasks take for every frame, and for all
// crops of a frame at once, and all that `deepedge model run` does.
#pragma once

#include <span>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"
#include "deepedge/media/pixel_ops.h"
#include "deepedge/runtime/loaded_model.h"
#include "deepedge/runtime/run_log.h"

namespace deepedge {

// CPU time of the steps; of inference the time it took where the engine computes in threads of its own.
struct InferenceCost {
  Duration scale{0};
  Duration infer{0};
  Duration post{0};

  Duration Total() const { return scale + infer + post; }
  InferenceCost& operator+=(const InferenceCost& other);
};

// The picture is a whole one: boxes and points are clipped to it. A model with a pyramid looks at it in every size.
// Runs in the calling thread, on slot `slot` of the model, which nobody else uses meanwhile. Adds to `cost` also when
// it fails. `runs`, which may be null, is told what each run of the engine took on the clock; of those that fail only
// that they are over. Errors: as PictureScaler, CompiledModel::Run and OutputDecoder; kBadInput for a model that takes
// patches.
Result<InferenceResult> RunModelOnPicture(LoadedModel& model, int slot, PictureScaler& scaler,
                                          const PictureView& picture, const Clock& clock, InferenceCost& cost,
                                          LaneLog* runs = nullptr);

// The same for several pictures, of any sizes and formats, with a result for each in their order: max_batch() of the
// model in one run, one after the other where it takes one. All or nothing: the first error ends it. They may be parts
// of another: boxes and points of windows may lie outside of theirs, and are to be clipped in the whole (ToWhole). A
// model of patches takes input.patches pictures for each result, those of the first one first (crop/patches.h).
Result<std::vector<InferenceResult>> RunModelOnPictures(LoadedModel& model, int slot, PictureScaler& scaler,
                                                        std::span<const PictureView> pictures, const Clock& clock,
                                                        InferenceCost& cost, LaneLog* runs = nullptr);

}  // namespace deepedge
