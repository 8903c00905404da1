#include "deepedge/pipeline/card/choose_reading.h"

#include <algorithm>

#include "deepedge/model/model_card_names.h"
#include "deepedge/pipeline/card/finding.h"
#include "deepedge/pipeline/card/probe_views.h"

namespace deepedge {
namespace {

constexpr double kNear = 0.25;  // evidence that is so much weaker is not doubted for the sake of a few pictures
constexpr size_t kMostOthers = 3;

// Boxes with boxes, masks with masks; and how well parts of pictures are told apart is the same for classes and
// vectors.
bool CanBeCompared(OutputDecoderKind a, OutputDecoderKind b) {
  return TaskOf(a) == TaskOf(b) || (SeesParts(a) && SeesParts(b));
}

}  // namespace

std::vector<size_t> ReadingsToTry(const std::vector<ReadingOdds>& readings) {
  std::vector<size_t> others;
  if (readings.empty() || readings[0].confidence >= kSettledConfidence) return others;
  for (size_t i = 1; i < readings.size() && others.size() < kMostOthers; ++i) {
    const bool near = readings[i].confidence >= readings[0].confidence - kNear;
    if (near && CanBeCompared(readings[0].kind, readings[i].kind)) others.push_back(i);
  }
  return others;
}

size_t ChooseReading(const std::vector<TriedReading>& tried) {
  size_t best = 0;
  const TriedReading& usual = tried[0];
  if (!usual.sanity) return best;
  for (size_t i = 1; i < tried.size(); ++i) {
    const TriedReading& other = tried[i];
    if (!other.sanity || other.sanity->unit != usual.sanity->unit) continue;
    const double both = usual.confidence + other.confidence;
    const double prior = both > 0 ? usual.confidence / both : 0.5;
    if (!IsClearlySaner(*other.sanity, *usual.sanity, prior)) continue;
    if (best == 0 || other.sanity->value > tried[best].sanity->value) best = i;
  }
  return best;
}

}  // namespace deepedge
