#include "deepedge/pipeline/agreement.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace deepedge {
namespace {

constexpr float kSameBox = 0.5F;
constexpr float kSeenPoint = 0.3F;
constexpr double kSamePoint = 0.05;

struct LabelledBox {
  int label = 0;
  Box box;
};

std::vector<LabelledBox> BoxesOf(const std::vector<DetectedObject>& objects) {
  std::vector<LabelledBox> boxes;
  for (const DetectedObject& object : objects) boxes.push_back({object.label, object.box});
  return boxes;
}

std::vector<LabelledBox> BoxesOf(const std::vector<TextRegion>& regions) {
  std::vector<LabelledBox> boxes;
  for (const TextRegion& region : regions) {
    Box box{1, 1, 0, 0};
    for (const Point& corner : region.corners) {
      box.x1 = std::min(box.x1, corner.x);
      box.y1 = std::min(box.y1, corner.y);
      box.x2 = std::max(box.x2, corner.x);
      box.y2 = std::max(box.y2, corner.y);
    }
    boxes.push_back({0, box});
  }
  return boxes;
}

// Pairs of the same label that overlap enough, the best score first (the order of the lists), each box once.
size_t CountPairs(const std::vector<LabelledBox>& a, const std::vector<LabelledBox>& b) {
  std::vector<bool> taken(b.size());
  size_t pairs = 0;
  for (const LabelledBox& mine : a) {
    size_t best = b.size();
    float best_iou = kSameBox;
    for (size_t i = 0; i < b.size(); ++i) {
      if (taken[i] || b[i].label != mine.label) continue;
      const float iou = Iou(mine.box, b[i].box);
      if (iou >= best_iou) {
        best_iou = iou;
        best = i;
      }
    }
    if (best == b.size()) continue;
    taken[best] = true;
    ++pairs;
  }
  return pairs;
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  const double cosine = aa > 0 && bb > 0 ? dot / std::sqrt(aa * bb) : 0;
  return std::isfinite(cosine) ? std::max(cosine, 0.0) : 0.0;
}

std::vector<int> Pixels(const ClassMask& mask) {
  std::vector<int> pixels;
  pixels.reserve(static_cast<size_t>(mask.width) * static_cast<size_t>(mask.height));
  for (const MaskRun& run : mask.runs) pixels.insert(pixels.end(), run.length, run.label);
  return pixels;
}

// Share of equal pixels on the coarser grid.
double EqualPixels(const ClassMask& a, const ClassMask& b) {
  const int width = std::min(a.width, b.width);
  const int height = std::min(a.height, b.height);
  const std::vector<int> pa = Pixels(a);
  const std::vector<int> pb = Pixels(b);
  const auto at = [&](const ClassMask& mask, const std::vector<int>& pixels, int x, int y) {
    const auto px = static_cast<size_t>((2 * x + 1) * mask.width / (2 * width));
    const auto py = static_cast<size_t>((2 * y + 1) * mask.height / (2 * height));
    return pixels[py * static_cast<size_t>(mask.width) + px];
  };
  int64_t equal = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) equal += at(a, pa, x, y) == at(b, pb, x, y) ? 1 : 0;
  }
  return static_cast<double>(equal) / (static_cast<double>(width) * height);
}

// How many of the points of `reference` that are seen lie at the same place in `other`; counts the seen ones.
size_t SamePoints(const std::vector<Keypoint>& reference, const std::vector<Keypoint>& other, size_t* seen) {
  size_t same = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    if (reference[i].score < kSeenPoint) continue;
    ++*seen;
    if (i >= other.size()) continue;
    const auto dx = static_cast<double>(reference[i].point.x - other[i].point.x);
    const auto dy = static_cast<double>(reference[i].point.y - other[i].point.y);
    if (std::sqrt((dx * dx + dy * dy) / 2) <= kSamePoint) ++same;
  }
  return same;
}

// The first class of each head, in the order of the heads.
std::vector<ClassScore> FirstOfHeads(const std::vector<ClassScore>& classes) {
  std::vector<ClassScore> first;
  for (const ClassScore& c : classes) {
    const bool known = std::any_of(first.begin(), first.end(), [&](const auto& f) { return f.head == c.head; });
    if (!known) first.push_back(c);
  }
  return first;
}

double Similar(float a, float b) {
  const double sum = std::abs(static_cast<double>(a)) + std::abs(static_cast<double>(b));
  return sum == 0 ? 1.0 : 1.0 - std::abs(static_cast<double>(a) - static_cast<double>(b)) / sum;
}

}  // namespace

void AgreementMeter::AddShare(double agreed, double total) {
  agreed_ += agreed;
  total_ += total;
}

void AgreementMeter::Add(const InferenceResult& reference, const InferenceResult& other) {
  const auto add_boxes = [this](const auto& a, const auto& b) {
    const auto boxes_a = BoxesOf(a);
    const auto boxes_b = BoxesOf(b);
    AddShare(2.0 * static_cast<double>(CountPairs(boxes_a, boxes_b)),
             static_cast<double>(boxes_a.size() + boxes_b.size()));
    compared_ += static_cast<int64_t>(boxes_a.size() + boxes_b.size());
  };
  add_boxes(reference.objects, other.objects);
  add_boxes(reference.text, other.text);

  const std::vector<ClassScore> others = FirstOfHeads(other.classes);
  for (const ClassScore& first : FirstOfHeads(reference.classes)) {
    const bool same = std::any_of(others.begin(), others.end(),
                                  [&](const ClassScore& c) { return c.head == first.head && c.label == first.label; });
    AddShare(same ? 1 : 0, 1);
    ++compared_;
  }
  if (!reference.embedding.empty()) {
    AddShare(Cosine(reference.embedding, other.embedding), 1);
    ++compared_;
  }
  if (reference.mask.width > 0) {
    const bool comparable = other.mask.width > 0;
    AddShare(comparable ? EqualPixels(reference.mask, other.mask) : 0, 1);
    ++compared_;
  }
  size_t seen = 0;
  const size_t same = SamePoints(reference.keypoints, other.keypoints, &seen);
  AddShare(static_cast<double>(same), static_cast<double>(seen));
  compared_ += static_cast<int64_t>(seen);
  for (size_t i = 0; i < reference.values.size(); ++i) {
    AddShare(i < other.values.size() ? Similar(reference.values[i].value, other.values[i].value) : 0, 1);
    ++compared_;
  }
}

std::optional<double> AgreementMeter::Value() const {
  if (total_ == 0) return std::nullopt;
  return agreed_ / total_;
}

}  // namespace deepedge
