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
      box = {std::min(box.x1, corner.x), std::min(box.y1, corner.y), std::max(box.x2, corner.x), std::max(box.y2, corner.y)};
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

double ConsistentBoxes(const ProbePair& pair) {
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
      sum -= one.score / 2;
      continue;
    }
    taken[best] = true;
    sum += std::min(one.score, again[best].score);
  }
  for (size_t i = 0; i < again.size(); ++i) {
    if (!taken[i]) sum -= again[i].score / 2;
  }
  return sum;
}

double SanityOfBoxes(const ProbeResults& results) {
  double sum = 0;
  for (const ProbePair& pair : results.parts) sum += ConsistentBoxes(pair);
  for (const Found& one : BoxesOf(results.noise)) sum -= one.score * static_cast<double>(results.parts.size());
  return results.parts.empty() ? 0 : sum / static_cast<double>(results.parts.size());
}

using Distribution = std::map<int, double>;

// Named scores as probabilities; what is missing to 1 belongs to classes that were not named.
Distribution DistributionOf(const InferenceResult& result) {
  Distribution p;
  double sum = 0;
  for (const ClassScore& one : result.classes) {
    p[one.label] += std::max(0.0F, one.score);
    sum += std::max(0.0F, one.score);
  }
  if (sum > 1) {
    for (auto& [label, value] : p) value /= sum;
  } else {
    p[-1] += 1 - sum;
  }
  return p;
}

// In nats. The unnamed rest is spread over `unnamed` classes.
double Entropy(const Distribution& p, int unnamed) {
  double entropy = 0;
  for (const auto& [label, value] : p) {
    if (value <= 1e-9) continue;
    entropy -= value * std::log(label < 0 && unnamed > 1 ? value / unnamed : value);
  }
  return entropy;
}

void Add(const Distribution& p, double weight, Distribution* sum) {
  for (const auto& [label, value] : p) (*sum)[label] += value * weight;
}

double SanityOfClasses(const ProbeResults& results, int classes) {
  if (results.parts.empty() || classes < 2) return 0;
  Distribution all;
  double within = 0;
  const double share = 1.0 / static_cast<double>(results.parts.size());
  size_t named = 0;
  for (const ProbePair& pair : results.parts) {
    Distribution part;
    Add(DistributionOf(pair.seen), 0.5, &part);
    Add(DistributionOf(pair.mirrored), 0.5, &part);
    named = std::max(named, part.size());
    within += share * Entropy(part, std::max(1, classes - static_cast<int>(part.size())));
    Add(part, share, &all);
  }
  const double between = Entropy(all, std::max(1, classes - static_cast<int>(all.size())));
  const double most = std::log(std::min<double>(classes, static_cast<double>(results.parts.size())));
  return most > 0 ? std::max(0.0, between - within) / most : 0;
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
}

double SanityOfEmbeddings(const ProbeResults& results) {
  double same = 0, other = 0;
  size_t others = 0;
  const auto& parts = results.parts;
  for (size_t i = 0; i < parts.size(); ++i) {
    same += Cosine(parts[i].seen.embedding, parts[i].mirrored.embedding);
    for (size_t k = 0; k < i; ++k, ++others) other += Cosine(parts[i].seen.embedding, parts[k].seen.embedding);
  }
  if (others == 0) return 0;
  return same / static_cast<double>(parts.size()) - other / static_cast<double>(others);
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

}  // namespace

std::optional<double> SanityOf(const ProbeResults& results, int classes) {
  if (results.parts.empty()) return std::nullopt;
  const InferenceResult& first = results.parts[0].seen;
  if (!first.classes.empty()) return SanityOfClasses(results, classes);
  if (!first.embedding.empty()) return SanityOfEmbeddings(results);
  if (first.mask.width > 0) return SanityOfMasks(results);
  if (!first.keypoints.empty()) return SanityOfPoints(results);
  return SanityOfBoxes(results);  // also when nothing was found
}

bool IsClearlySaner(double candidate, double usual) {
  constexpr double kChance = 0.05;
  return candidate > usual + kChance && candidate > 1.25 * usual;
}

}  // namespace deepedge
