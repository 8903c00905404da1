// How sane the results of a reading are, as one number: pure functions over what a model said about pictures and their
// mirror images. Only numbers of one task may be compared. The rules:
//
//  - detection, text: boxes that are found again in the mirror image count with their lower score, boxes that are not
//    count against it, and what a picture without things (noise) gives is taken away;
//  - classification: how much the classes tell about which part of a picture was seen (mutual information, a part and
//    its mirror image being one), from 0 to 1. A network that always says the same, or nothing sure, tells nothing;
//  - embedding: how much closer a part is to its mirror image than to other parts;
//  - pose: the points' scores, less those on noise;
//  - segmentation: pixels of classes that stay in the mirror image, less those that noise gives too.
#pragma once

#include <optional>
#include <vector>

#include "deepedge/model/inference_result.h"

namespace deepedge {

// What a reading said about one part of a picture.
struct ProbePair {
  InferenceResult seen;
  InferenceResult mirrored;  // of the mirror image, in its own coordinates
};

struct ProbeResults {
  std::vector<ProbePair> parts;
  InferenceResult noise;
};

// `classes`: how many classes a classification has; scores that were left out count as spread over the others. Nothing
// where the results have no task that can be judged.
std::optional<double> SanityOf(const ProbeResults& results, int classes);

// Whether `candidate` is so much better than `usual`, the reading that speaks for itself, that it should be taken: by a
// quarter, and by more than chance gives.
bool IsClearlySaner(double candidate, double usual);

}  // namespace deepedge
