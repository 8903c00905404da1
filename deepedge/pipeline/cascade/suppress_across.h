// One thing may be found in several parts of a picture that overlap: it is kept where it scores best. Pure.
#pragma once

#include <span>

#include "deepedge/model/inference_result.h"

namespace deepedge {

// `results`: of the parts of one frame, in coordinates of the whole picture. Of two objects of one label from different
// parts that overlap by more than `iou`, the one with the lower score is taken away.
void SuppressAcross(std::span<InferenceResult* const> results, float iou);

}  // namespace deepedge
