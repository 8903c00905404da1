// Which part of a picture a child model is given for an object that its parent found, and back from the part to the
// picture. Pure.
//
//   const auto box = CropBox(object.box, picture.width, picture.height, input.width, input.height, rule);
//   if (box) { const CroppedPicture crop = Crop(picture, *box); ... ToWhole(crop.box, result); }
#pragma once

#include <optional>

#include "deepedge/media/geometry.h"
#include "deepedge/model/inference_result.h"

namespace deepedge {

enum class CropAspect {
  kAsInput,  // grown on the shorter side to the shape of the child's input, so that nothing is distorted
  kKeep,     // that of the object's box
};

struct CropRule {
  float margin = 0;  // added at each end of both sides, as a share of that side; negative takes away, above -0.5
  CropAspect aspect = CropAspect::kAsInput;
};

// The part to take, as fractions of the picture. The object's box is cut to the picture, gets its margin, then its
// shape. What then reaches over a border of the picture is moved inside, so that the part keeps its size and shape, and
// still holds the object; a part that is longer than the picture is cut to it there, and is then of another shape.
// Nothing where the object has no area inside the picture or its box is no box (NaN). All sizes are positive.
std::optional<Box> CropBox(const Box& object, int picture_width, int picture_height, int input_width, int input_height,
                           const CropRule& rule);

// Boxes, key points and regions of text that a model found on the part `crop`, as fractions of the whole picture.
// Boxes may reach out of the part and are cut to the picture; objects of which none is left go. A mask stays that of
// the part.
void ToWhole(const Box& crop, InferenceResult& result);

}  // namespace deepedge
