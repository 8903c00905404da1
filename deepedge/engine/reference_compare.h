// The rules by which a model's outputs are compared with reference outputs, for reference_test.cc: limits on the
// difference of numbers, and matching of detections.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/model/tensor.h"

namespace deepedge {

// Limits of one comparison of numbers; those given must hold.
struct NumberLimits {
  std::optional<double> rel_l2;       // norm of the difference / norm of the reference
  std::optional<double> max_abs;      // largest difference
  std::optional<double> max_abs_rel;  // largest difference / `largest`
  double largest = 0;                 // largest absolute value of the whole reference
  bool same_argmax = false;
  std::optional<double> median_abs;
};

// One row of a detection list.
struct Detection {
  int label = 0;
  double score = 0;
  std::array<double, 4> box{};  // x1, y1, x2, y2
};

struct DetectionLimits {
  double min_score = 0;
  double min_iou = 0;
  double score_tolerance = 0;
};

// The elements as numbers, whatever their type.
std::vector<double> Numbers(const TensorView& tensor);

// Elements start, start+step, ... below stop of every axis, in order.
std::vector<double> Slice(const std::vector<double>& numbers, const Shape& shape,
                          const std::vector<std::array<int64_t, 3>>& slices);

// Empty when all limits hold, else what does not.
std::string CompareNumbers(const std::vector<double>& actual, const std::vector<double>& expected,
                           const NumberLimits& limits);

// Every expected row over min_score needs a partner of its own with the same label, and the other way round for actual
// rows clearly over it.
std::string CompareDetections(const std::vector<Detection>& actual, const std::vector<Detection>& expected,
                              const DetectionLimits& limits);

double IntersectionOverUnion(const std::array<double, 4>& a, const std::array<double, 4>& b);

}  // namespace deepedge
