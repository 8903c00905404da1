#include "deepedge/profiler/cost/layer_work.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

double Log(double value) { return std::log(std::max(value, 1.0)); }

bool Divides(double value, int by) { return std::fmod(value, by) == 0; }

// How much more is computed where the output's channels do not fill vectors of 16 numbers.
double Filling(const Layer& layer) {
  constexpr int64_t kVector = 16;
  const bool dense = layer.kind == LayerClass::kConvolution || layer.kind == LayerClass::kPointwise;
  if (!dense || layer.output_channels <= 0) return 1;
  const int64_t full = (layer.output_channels + kVector - 1) / kVector * kVector;
  return static_cast<double>(full) / static_cast<double>(layer.output_channels);
}

}  // namespace

double FootprintOf(const LayerGraph& graph, const Setting& setting) {
  const double half = setting.variant.precision == Precision::kBf16 ? 0.5 : 1.0;
  double weights = 0;
  double live = 0;
  for (const Layer& layer : graph.layers) {
    weights += static_cast<double>(layer.weight_bytes) * (layer.int8 ? 1.0 : half);
    live = std::max(live, static_cast<double>(layer.live_bytes));
  }
  return weights + 2 * live * half * setting.batch;
}

LayerWork WorkOf(const Layer& layer, const Setting& setting, double footprint) {
  const bool bf16 = setting.variant.precision == Precision::kBf16;
  LayerWork work{.kind = layer.kind};
  work.arithmetic = layer.int8 ? Arithmetic::kInt8 : (bf16 ? Arithmetic::kBf16 : Arithmetic::kFp32);
  // Bytes a number, against the 4 that activations were counted with; weights of int8 layers are counted as bytes.
  const double activation = layer.int8 ? 0.25 : (bf16 ? 0.5 : 1.0);
  const double weight = !layer.int8 && bf16 ? 0.5 : 1.0;
  const double batch = setting.batch;
  const double groups = static_cast<double>(std::max<int64_t>(layer.groups, 1));
  work.flops = static_cast<double>(layer.flops) * batch * Filling(layer);
  work.weight_bytes = static_cast<double>(layer.weight_bytes) * weight;
  work.moved_bytes = static_cast<double>(layer.input_bytes + layer.output_bytes) * batch * activation;
  work.channels_in = static_cast<double>(std::max<int64_t>(layer.input_channels, 1)) / groups;
  work.channels_out = static_cast<double>(std::max<int64_t>(layer.output_channels, 1));
  work.pixels = static_cast<double>(std::max<int64_t>(layer.output_pixels, 1)) * batch;
  work.kernel = std::max(layer.kernel, 1);
  work.stride = layer.stride;
  work.outputs = static_cast<double>(layer.output_bytes) / 4 * batch;
  work.exponentials = layer.exponentials;
  work.fused = layer.fused;
  work.footprint = footprint;
  return work;
}

Eigen::VectorXd FeaturesOf(const LayerWork& work) {
  Eigen::VectorXd features(kWorkFeatures);
  features << Log(work.flops), Log(work.weight_bytes + 1), Log(work.moved_bytes), Log(work.channels_in),
      Log(work.channels_out), Log(work.pixels), Log(work.kernel), work.stride,
      Log(work.moved_bytes + work.weight_bytes),
      (Divides(work.channels_in, 8) ? 0.0 : 1.0) + (Divides(work.channels_out, 16) ? 0.0 : 1.0),
      std::min(work.exponentials, 2.0), work.fused > 1 ? 1.0 : 0.0, Log(work.footprint);
  return features;
}

LawTerms LawTermsOf(const LayerWork& work) {
  const bool in_core = work.footprint < kCoreCacheBytes;
  const bool in_shared = !in_core && work.footprint < kSharedCacheBytes;
  const bool stays = work.moved_bytes < kCoreCacheBytes;
  LawTerms terms;
  terms << work.flops, in_core ? work.weight_bytes : 0, in_shared ? work.weight_bytes : 0,
      in_core || in_shared ? 0 : work.weight_bytes, stays ? work.moved_bytes : 0, stays ? 0 : work.moved_bytes,
      work.exponentials * work.outputs, 1.0, in_core ? 0.0 : 1.0;
  return terms;
}

}  // namespace deepedge
