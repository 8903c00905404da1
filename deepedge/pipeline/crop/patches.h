// The input of a model that looks at patches (PictureInput::patches): small squares of the picture around the points of
// an object that its parent found, and back from them to the picture.
//
//   DE_TRY(const PatchPictures patches, TakePatches(warper, picture, object, card.input));
//   ... RunModelOnPictures(model, slot, scaler, patches.Views(), ..) -> result
//   FromPatches(patches.boxes, object.keypoints, result);
#pragma once

#include <span>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/media/picture.h"
#include "deepedge/model/inference_result.h"
#include "deepedge/model/model_card.h"
#include "deepedge/pipeline/crop/align.h"

namespace deepedge {

struct PatchPictures {
  std::vector<RgbPicture> pictures;  // each as large as the model's input
  std::vector<Box> boxes;            // where they lie, as fractions of the picture; they may reach out of it

  std::vector<PictureView> Views() const;
};

// Where the patches lie: squares around the points, whose side is input.patch_size of the longer side of the object's
// box, rounded to an even number of pixels, at least 2. Pure. Errors: kBadInput where the object has not as many points
// as the model takes patches, or box and points are no places in a picture.
Result<std::vector<Box>> PatchBoxes(const DetectedObject& object, int picture_width, int picture_height,
                                    const PictureInput& input);

// The patches, with `pad` of the input where they reach out of the picture. Errors: as PatchBoxes, as PictureWarper.
Result<PatchPictures> TakePatches(PictureWarper& warper, const PictureView& picture, const DetectedObject& object,
                                  const PictureInput& input);

// Key point i, which is in fractions of patch i, becomes one in fractions of the picture, its score multiplied by that
// of the point that it was looked for at. As many boxes and points as key points.
void FromPatches(std::span<const Box> boxes, std::span<const Keypoint> points, InferenceResult& result);

}  // namespace deepedge
