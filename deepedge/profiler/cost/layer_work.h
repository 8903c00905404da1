// LayerWork: what one layer of a network has to do in one setting, in the terms that its time depends on.
#pragma once

#include <Eigen/Core>
#include <string>

#include "deepedge/model/layer_graph.h"
#include "deepedge/plan/profile.h"

namespace deepedge {

// What numbers a kernel computes with.
enum class Arithmetic { kFp32, kBf16, kInt8 };
inline constexpr int kArithmetics = 3;

struct LayerWork {
  LayerClass kind = LayerClass::kOther;
  Arithmetic arithmetic = Arithmetic::kFp32;
  double flops = 0;
  double weight_bytes = 0;  // as the kernel reads them
  double moved_bytes = 0;   // of its inputs and outputs
  double channels_in = 0;   // of a group
  double channels_out = 0;
  double pixels = 0;  // of the output, of the whole batch
  double kernel = 1;
  double stride = 1;
  double exponentials = 0;  // for each number of the output
  double fused = 0;
};

// Of a layer as it was analysed for one picture.
LayerWork WorkOf(const Layer& layer, const Setting& setting);

// What the regression sees: logarithms of the sizes, shape of the kernel, whether channels fill the vectors.
Eigen::VectorXd FeaturesOf(const LayerWork& work);
inline constexpr int kWorkFeatures = 12;

// What the physical law is linear in: arithmetic, weights, activations, exponentials, one.
using LawTerms = Eigen::Matrix<double, 5, 1>;
LawTerms LawTermsOf(const LayerWork& work);

}  // namespace deepedge
