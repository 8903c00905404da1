#include "deepedge/engine/reference_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

template <typename T>
std::vector<double> Widen(const TensorView& tensor) {
  const auto elements = tensor.As<T>();
  std::vector<double> numbers;
  numbers.reserve(elements.size());
  for (const T element : elements) numbers.push_back(static_cast<double>(element));
  return numbers;
}

// The rows of `list` over `min_score` that find no partner in `others`; each partner serves once.
std::string FindPartners(const std::vector<Detection>& list, double min_score, const std::vector<Detection>& others,
                         const DetectionLimits& limits) {
  std::vector<bool> taken(others.size(), false);
  for (const Detection& row : list) {
    if (!(row.score >= min_score)) continue;
    size_t best = others.size();
    double best_iou = limits.min_iou;
    for (size_t i = 0; i < others.size(); ++i) {
      const double iou = IntersectionOverUnion(row.box, others[i].box);
      const bool matches = !taken[i] && others[i].label == row.label &&
                           std::abs(others[i].score - row.score) <= limits.score_tolerance && iou >= best_iou;
      if (!matches) continue;
      best = i;
      best_iou = iou;
    }
    if (best == others.size()) {
      return fmt::format("label {} score {:.3f} box {:.3f} {:.3f} {:.3f} {:.3f} has no partner", row.label, row.score,
                         row.box[0], row.box[1], row.box[2], row.box[3]);
    }
    taken[best] = true;
  }
  return {};
}

}  // namespace

std::vector<double> Numbers(const TensorView& tensor) {
  switch (tensor.type) {
    case ElementType::kBool:
    case ElementType::kU8: return Widen<uint8_t>(tensor);
    case ElementType::kI8: return Widen<int8_t>(tensor);
    case ElementType::kU16: return Widen<uint16_t>(tensor);
    case ElementType::kI16: return Widen<int16_t>(tensor);
    case ElementType::kU32: return Widen<uint32_t>(tensor);
    case ElementType::kI32: return Widen<int32_t>(tensor);
    case ElementType::kU64: return Widen<uint64_t>(tensor);
    case ElementType::kI64: return Widen<int64_t>(tensor);
    case ElementType::kF32: return Widen<float>(tensor);
    case ElementType::kF64: return Widen<double>(tensor);
    case ElementType::kF16: break;
  }
  std::vector<double> numbers;
  for (const uint16_t half : tensor.As<uint16_t>()) numbers.push_back(static_cast<double>(HalfToFloat(half)));
  return numbers;
}

std::vector<double> Slice(const std::vector<double>& numbers, const Shape& shape,
                          const std::vector<std::array<int64_t, 3>>& slices) {
  DE_CHECK(slices.size() == shape.size());
  std::vector<int64_t> offsets{0};
  int64_t stride = static_cast<int64_t>(numbers.size());
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    stride /= std::max<int64_t>(shape[axis], 1);
    std::vector<int64_t> next;
    for (const int64_t offset : offsets) {
      for (int64_t i = slices[axis][0]; i < std::min(slices[axis][1], shape[axis]); i += slices[axis][2]) {
        next.push_back(offset + i * stride);
      }
    }
    offsets = std::move(next);
  }
  std::vector<double> result;
  result.reserve(offsets.size());
  for (const int64_t offset : offsets) result.push_back(numbers[static_cast<size_t>(offset)]);
  return result;
}

std::string CompareNumbers(const std::vector<double>& actual, const std::vector<double>& expected,
                           const NumberLimits& limits) {
  if (actual.size() != expected.size()) return fmt::format("{} numbers, not {}", actual.size(), expected.size());
  double difference_squared = 0;
  double norm_squared = 0;
  std::vector<double> differences;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(actual[i] - expected[i]);
    if (!(difference < HUGE_VAL)) return fmt::format("element {} is {}, not {}", i, actual[i], expected[i]);
    differences.push_back(difference);
    difference_squared += difference * difference;
    norm_squared += expected[i] * expected[i];
  }
  std::sort(differences.begin(), differences.end());
  const double largest = differences.empty() ? 0 : differences.back();
  const double rel_l2 = std::sqrt(difference_squared) / std::max(std::sqrt(norm_squared), 1e-30);
  if (limits.rel_l2 && rel_l2 > *limits.rel_l2) return fmt::format("rel_l2 {} over {}", rel_l2, *limits.rel_l2);
  if (limits.max_abs && largest > *limits.max_abs) return fmt::format("max_abs {} over {}", largest, *limits.max_abs);
  if (limits.max_abs_rel && largest > *limits.max_abs_rel * limits.largest) {
    return fmt::format("max_abs {} over {} of {}", largest, *limits.max_abs_rel, limits.largest);
  }
  if (limits.median_abs && !differences.empty() && differences[differences.size() / 2] > *limits.median_abs) {
    return fmt::format("median_abs {} over {}", differences[differences.size() / 2], *limits.median_abs);
  }
  const auto argmax = [](const std::vector<double>& v) { return std::max_element(v.begin(), v.end()) - v.begin(); };
  if (limits.same_argmax && argmax(actual) != argmax(expected)) {
    return fmt::format("argmax {}, not {}", argmax(actual), argmax(expected));
  }
  return {};
}

std::string CompareDetections(const std::vector<Detection>& actual, const std::vector<Detection>& expected,
                              const DetectionLimits& limits) {
  const std::string missing = FindPartners(expected, limits.min_score, actual, limits);
  if (!missing.empty()) return "expected " + missing;
  const std::string surplus = FindPartners(actual, limits.min_score + limits.score_tolerance, expected, limits);
  return surplus.empty() ? surplus : "actual " + surplus;
}

double IntersectionOverUnion(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  const auto area = [](const std::array<double, 4>& box) {
    return std::max(0.0, box[2] - box[0]) * std::max(0.0, box[3] - box[1]);
  };
  const double common = area({std::max(a[0], b[0]), std::max(a[1], b[1]), std::min(a[2], b[2]), std::min(a[3], b[3])});
  const double all = area(a) + area(b) - common;
  return all > 0 ? common / all : 0;
}

}  // namespace deepedge
