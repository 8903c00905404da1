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
  double flops = 0;         // with the channels of the output filled up to whole vectors, as kernels compute them
  double weight_bytes = 0;  // as the kernel reads them
  double moved_bytes = 0;   // of its inputs and outputs
  double channels_in = 0;   // of a group
  double channels_out = 0;
  double pixels = 0;  // of the output, of the whole batch
  double kernel = 1;
  double stride = 1;
  double outputs = 0;       // numbers of the output, of the whole batch
  double exponentials = 0;  // for each of them
  double fused = 0;
  double footprint = 0;  // bytes that the whole network touches between two runs of the layer
};

// Bytes that one run of the network touches: decides from which cache a layer's weights come.
double FootprintOf(const LayerGraph& graph, const Setting& setting);

// Of a layer as it was analysed for one picture.
LayerWork WorkOf(const Layer& layer, const Setting& setting, double footprint);

// What the regression sees: logarithms of the sizes, shape of the kernel, whether channels fill the vectors.
Eigen::VectorXd FeaturesOf(const LayerWork& work);
inline constexpr int kWorkFeatures = 13;

// Where caches end, about: a core's own, and the one that cores share. Only where terms of the law change; how much
// they do is fitted.
inline constexpr double kCoreCacheBytes = 1e6;
inline constexpr double kSharedCacheBytes = 32e6;

// What the physical law is linear in: arithmetic; weights from the core's cache, the shared one, memory; activations
// within the core's cache and beyond; exponentials; one; one if the network leaves the core's cache.
using LawTerms = Eigen::Matrix<double, 9, 1>;
LawTerms LawTermsOf(const LayerWork& work);

}  // namespace deepedge
