// How sane the results of a reading are, as one number: pure functions over what a model said about pictures and their
// mirror images. Only numbers of one unit may be compared, and of boxes, points and masks only those of one task. The
// rules:
//
//  - detection, text: boxes that are found again in the mirror image count with their lower score, boxes that are not
//    count against it, and what a picture without things (noise) gives is taken away;
//  - classification, embedding: by how much what is said of a part of a picture is nearer to what is said of its mirror
//    image, and of the same part seen from nearer by, than to what is said of other parts; from 0 to 1;
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
  InferenceResult mirrored;               // of the mirror image, in its own coordinates
  std::optional<InferenceResult> nearer;  // of its middle; only where results are of the whole picture
};

struct ProbeResults {
  std::vector<ProbePair> parts;
  InferenceResult noise;
  // Boxes from here on count; results hold fainter ones too, so that one which is just over it in one view only is not
  // taken for an error.
  float threshold = 0;
};

enum class SanityUnit {
  kThings,    // boxes that count, times their score
  kShare,     // of points, of pixels: from 0 to 1
  kSeparate,  // how well parts of pictures are told apart: from 0 to 1
};

struct Sanity {
  double value = 0;
  SanityUnit unit = SanityUnit::kThings;
  bool silent = false;  // nothing was found in any picture, which may well be right
};

// Nothing without parts. Results without anything in them count as a detector's that found nothing.
std::optional<Sanity> SanityOf(const ProbeResults& results);

// Whether `candidate` is so much saner than `usual`, the reading that the evidence speaks for with the confidence
// `prior`, that it should be taken. Things, points, pixels: by more than one thing (a tenth of the points), and by a
// factor that grows with the odds of the evidence: 1.2 for a mere guess, 2 for one that is likely. Against a reading
// that found nothing only three things or more speak, never a share. Parts told apart: a
// network is nearly the same function for inputs of another scale, only surer or less sure, so the evidence is left
// only where its reading says almost nothing of the pictures and the candidate says something.
bool IsClearlySaner(const Sanity& candidate, const Sanity& usual, double prior);

}  // namespace deepedge
