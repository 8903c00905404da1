#include "deepedge/pipeline/card/probe_score.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace deepedge {
namespace {

Box Mirror(const Box& box) { return {1 - box.x2, box.y1, 1 - box.x1, box.y2}; }

struct Found {
  int label = 0;
  double score = 0;
  Box box;
};

std::vector<Found> BoxesOf(const InferenceResult& result) {
  std::vector<Found> found;
  for (const DetectedObject& object : result.objects) found.push_back({object.label, object.score, object.box});
  for (const TextRegion& region : result.text) {
    Box box{1, 1, 0, 0};
    for (const Point& corner : region.corners) {
      box = {std::min(box.x1, corner.x), std::min(box.y1, corner.y), std::max(box.x2, corner.x),
             std::max(box.y2, corner.y)};
    }
    found.push_back({0, region.score, box});
  }
  // More than that are no things but a pattern.
  constexpr size_t kMost = 200;
  if (found.size() > kMost) found.resize(kMost);
  return found;
}

// A box that nothing real has: a speck, or the whole picture.
bool IsOdd(const Box& box) { return box.Area() < 1e-5F || box.Area() > 0.98F; }

double ConsistentBoxes(const ProbePair& pair, double threshold) {
  constexpr float kSame = 0.5F;
  const std::vector<Found> seen = BoxesOf(pair.seen);
  std::vector<Found> again = BoxesOf(pair.mirrored);
  std::vector<bool> taken(again.size(), false);
  double sum = 0;
  for (const Found& one : seen) {
    size_t best = again.size();
    float best_iou = kSame;
    for (size_t i = 0; i < again.size(); ++i) {
      const float iou = Iou(one.box, Mirror(again[i].box));
      if (!taken[i] && again[i].label == one.label && iou >= best_iou) {
        best = i;
        best_iou = iou;
      }
    }
    if (best == again.size() || IsOdd(one.box)) {
      if (one.score >= threshold) sum -= one.score / 2;
      continue;
    }
    taken[best] = true;
    if (std::max(one.score, again[best].score) >= threshold) sum += std::min(one.score, again[best].score);
  }
  for (size_t i = 0; i < again.size(); ++i) {
    if (!taken[i] && again[i].score >= threshold) sum -= again[i].score / 2;
  }
  return sum;
}

double SanityOfBoxes(const ProbeResults& results) {
  double sum = 0;
  for (const ProbePair& pair : results.parts) sum += ConsistentBoxes(pair, results.threshold);
  for (const Found& one : BoxesOf(results.noise)) {
    if (one.score >= results.threshold) sum -= one.score / 2 * static_cast<double>(results.parts.size());
  }
  return results.parts.empty() ? 0 : sum / static_cast<double>(results.parts.size());
}

// Square root of a probability, by label; what no name was given to under -1.
using Amplitudes = std::map<int, double>;

Amplitudes AmplitudesOf(const InferenceResult& result) {
  Amplitudes p;
  double sum = 0;
  for (const ClassScore& one : result.classes) {
    p[one.label] += std::max(0.0F, one.score);
    sum += std::max(0.0F, one.score);
  }
  if (sum < 1) p[-1] += 1 - sum;
  for (auto& [label, value] : p) value = std::sqrt(value / std::max(1.0, sum));
  return p;
}

// Hellinger's distance of two distributions, 0 to 1.
double Distance(const Amplitudes& a, const Amplitudes& b) {
  double overlap = 0;
  for (const auto& [label, value] : a) {
    if (const auto it = b.find(label); it != b.end()) overlap += value * it->second;
  }
  return std::sqrt(std::max(0.0, 1 - overlap));
}

double Distance(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return aa > 0 && bb > 0 ? std::sqrt(std::max(0.0, 1 - dot / std::sqrt(aa * bb))) : 0;
}

// How much nearer a part is to its own other views than to other parts, as a share of the most that is possible.
template <typename View>
double Margin(const std::vector<std::vector<View>>& parts, double most) {
  double within = 0, between = 0;
  size_t pairs = 0, others = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    for (size_t v = 1; v < parts[i].size(); ++v, ++pairs) within += Distance(parts[i][0], parts[i][v]);
    for (size_t k = 0; k < i; ++k, ++others) between += Distance(parts[i][0], parts[k][0]);
  }
  if (pairs == 0 || others == 0) return 0;
  within /= static_cast<double>(pairs);
  between /= static_cast<double>(others);
  return std::max(0.0, between - within) / most;
}

// Parts of `classes` classes differ in 1 - 1 / classes of all pairs where every class is as frequent.
double SanityOfClasses(const ProbeResults& results) {
  std::vector<std::vector<Amplitudes>> parts;
  for (const ProbePair& pair : results.parts) {
    std::vector<Amplitudes>& views = parts.emplace_back();
    views.push_back(AmplitudesOf(pair.seen));
    views.push_back(AmplitudesOf(pair.mirrored));
    if (pair.nearer) views.push_back(AmplitudesOf(*pair.nearer));
  }
  const size_t classes = std::max<size_t>(2, results.parts[0].seen.classes.size());
  return Margin(parts, 1 - 1 / static_cast<double>(classes));
}

double SanityOfEmbeddings(const ProbeResults& results) {
  std::vector<std::vector<std::vector<float>>> parts;
  for (const ProbePair& pair : results.parts) {
    std::vector<std::vector<float>>& views = parts.emplace_back();
    views.push_back(pair.seen.embedding);
    views.push_back(pair.mirrored.embedding);
    if (pair.nearer) views.push_back(pair.nearer->embedding);
  }
  return Margin(parts, 1);
}

double MeanScore(const InferenceResult& result) {
  double sum = 0;
  for (const Keypoint& point : result.keypoints) sum += point.score;
  return result.keypoints.empty() ? 0 : sum / static_cast<double>(result.keypoints.size());
}

double SanityOfPoints(const ProbeResults& results) {
  double sum = 0;
  for (const ProbePair& pair : results.parts) sum += std::min(MeanScore(pair.seen), MeanScore(pair.mirrored));
  return sum / static_cast<double>(results.parts.size()) - MeanScore(results.noise);
}

std::vector<int> LabelsOf(const ClassMask& mask) {
  std::vector<int> labels;
  const size_t count = static_cast<size_t>(mask.width) * static_cast<size_t>(mask.height);
  for (const MaskRun& run : mask.runs) {
    for (uint32_t i = 0; i < run.length && labels.size() < count; ++i) labels.push_back(run.label);
  }
  labels.resize(count, -1);
  return labels;
}

// Pixels with the same class among those with one in either.
double Agreement(const ClassMask& a, const ClassMask& b, bool mirror) {
  if (a.width != b.width || a.height != b.height || a.width == 0) return 0;
  const std::vector<int> first = LabelsOf(a);
  const std::vector<int> second = LabelsOf(b);
  size_t same = 0, either = 0;
  const auto width = static_cast<size_t>(a.width);
  for (size_t i = 0; i < first.size(); ++i) {
    const size_t x = i % width;
    const size_t other = mirror ? i - x + (width - 1 - x) : i;
    if (first[i] < 0 && second[other] < 0) continue;
    ++either;
    if (first[i] == second[other]) ++same;
  }
  return either == 0 ? 0 : static_cast<double>(same) / static_cast<double>(either);
}

double SanityOfMasks(const ProbeResults& results) {
  double sum = 0;
  for (const ProbePair& pair : results.parts) {
    sum += Agreement(pair.seen.mask, pair.mirrored.mask, true) - Agreement(pair.seen.mask, results.noise.mask, false);
  }
  return sum / static_cast<double>(results.parts.size());
}

// Nothing that counts in any part.
bool IsSilent(const ProbeResults& results) {
  for (const ProbePair& pair : results.parts) {
    for (const Found& one : BoxesOf(pair.seen)) {
      if (one.score >= results.threshold) return false;
    }
    // Less than a hundredth of the picture is no thing.
    float share = 0;
    for (const LabelShare& label : pair.seen.mask.shares) share += label.share;
    if (share > 0.01F) return false;
  }
  return true;
}

}  // namespace

std::optional<Sanity> SanityOf(const ProbeResults& results) {
  if (results.parts.empty()) return std::nullopt;
  const InferenceResult& first = results.parts[0].seen;
  if (!first.classes.empty()) return Sanity{SanityOfClasses(results), SanityUnit::kSeparate};
  if (!first.embedding.empty()) return Sanity{SanityOfEmbeddings(results), SanityUnit::kSeparate};
  if (first.mask.width > 0) return Sanity{SanityOfMasks(results), SanityUnit::kShare, IsSilent(results)};
  if (!first.keypoints.empty()) return Sanity{SanityOfPoints(results), SanityUnit::kShare};
  return Sanity{SanityOfBoxes(results), SanityUnit::kThings, IsSilent(results)};  // also when nothing was found
}

bool IsClearlySaner(const Sanity& candidate, const Sanity& usual, double prior) {
  if (candidate.unit == SanityUnit::kSeparate) {
    constexpr double kSaysSomething = 0.3;
    return usual.value < kSaysSomething && candidate.value >= kSaysSomething && candidate.value >= 2 * usual.value;
  }
  if (usual.silent && candidate.unit == SanityUnit::kShare) return false;
  const double odds = prior / std::max(0.01, 1 - prior);
  const double chance = candidate.unit == SanityUnit::kShare ? 0.1 : usual.silent ? 3 : 1;
  return candidate.value > std::max(usual.value, 0.0) + chance && candidate.value > usual.value * (1 + 0.2 * odds);
}

}  // namespace deepedge
