// How much two results of the same frame agree: what a cheaper variant, or an older result, is worth against the one
// that would have been had. One number per task family, over all frames added:
//
//   objects     F1: 2 x pairs / (objects in both), paired greedily by IoU >= 0.5 within a label
//   classes     share of frames (and heads) with the same first class
//   embedding   mean cosine
//   mask        share of equal pixels; masks of different size are compared at the coarser one's grid
//   keypoints   share of the reference's points (score >= 0.3) that lie within 5 % of the picture's diagonal
//   text        F1 as of objects, of the boxes around the regions
//   values      mean of 1 - |difference| / (|reference| + |other|), 1 where both are 0
//
// Frames on which both see nothing count as agreement only by being absent from both sums; when there is nothing to
// compare on any frame, Value() is nothing: no evidence is not agreement.
#pragma once

#include <cstdint>
#include <optional>

#include "deepedge/model/inference_result.h"

namespace deepedge {

// Thread-compatible.
class AgreementMeter {
 public:
  // One frame: what the reference saw, and the other.
  void Add(const InferenceResult& reference, const InferenceResult& other);

  // From 0 (nothing in common) to 1 (the same), or nothing where nothing was compared.
  std::optional<double> Value() const;

  // What was compared: objects of both sides, points, pixels ..., to know what the value rests on.
  int64_t compared() const { return compared_; }

 private:
  void AddShare(double agreed, double total);

  double agreed_ = 0;
  double total_ = 0;
  int64_t compared_ = 0;
};

}  // namespace deepedge
