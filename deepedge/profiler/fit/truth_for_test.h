// A box whose costs are known: networks of plain layers whose times follow a formula, with noise, for tests of what is
// learned from them.
#pragma once

#include <cmath>
#include <random>
#include <string>

#include "deepedge/profiler/probe/measured_model.h"

namespace deepedge {

class TruthForTest {
 public:
  explicit TruthForTest(uint32_t seed, double noise = 0.02) : random_(seed), noise_(noise) {}

  // A network of `layers` convolutions with random channels, known at two sizes. All of its times are `level` times the
  // formula's: what no layer model can know.
  MeasuredModel Network(const std::string& name, int layers = 12) {
    MeasuredModel model{.name = name};
    std::vector<int> channels{3};
    for (int i = 0; i < layers; ++i) channels.push_back(8 * (1 + static_cast<int>(random_() % 12)));
    for (const int side : {64, 96}) model.forms.push_back(Form(channels, side));
    return model;
  }

  double TrueUs(const MeasuredModel& model, const Setting& setting, double level) const {
    double us = 0;
    for (const Layer& layer : GraphFor(model, setting)->layers) us += LayerUs(layer, setting);
    return us * level;
  }

  ProbeResult Measure(const MeasuredModel& model, const Setting& setting, double level) {
    ProbeResult probe{.setting = setting, .runs = 10};
    probe.median_us = TrueUs(model, setting, level) * std::exp(noise_ * normal_(random_));
    probe.min_us = probe.median_us * 0.98;
    probe.p90_us = probe.median_us * 1.05;
    probe.memory_bytes = TrueBytes(model, setting);
    for (const Layer& layer : GraphFor(model, setting)->layers) {
      probe.layers.push_back({layer.name, LayerUs(layer, setting) * level});
    }
    return probe;
  }

  static int64_t TrueBytes(const MeasuredModel& model, const Setting& setting) {
    const LayerGraph& graph = *GraphFor(model, setting);
    return 3'000'000 + 2 * graph.weight_bytes + 40'000 * static_cast<int64_t>(graph.layers.size()) +
           300'000 * setting.batch;
  }

  // Of a model in use: how far it is from what its layers say.
  double Level() { return std::exp(0.15 * normal_(random_)); }

 private:
  static double LayerUs(const Layer& layer, const Setting& setting) {
    const double faster = setting.variant.precision == Precision::kBf16 ? 2 : 1;
    const double cores = setting.cores > 1 ? 1.8 : 1;
    const double batch = setting.batch;
    return (static_cast<double>(layer.flops) * batch / (100e3 * faster) +
            static_cast<double>(layer.input_bytes + layer.output_bytes) * batch / 20e3 + 3) /
           cores;
  }

  AnalysedForm Form(const std::vector<int>& channels, int side) const {
    AnalysedForm form{.width = side, .height = side};
    int64_t pixels = int64_t{side} * side;
    for (size_t i = 1; i < channels.size(); ++i) {
      const int64_t in = channels[i - 1];
      const int64_t out = channels[i];
      Layer layer{.name = "layer " + std::to_string(i), .operation = "Convolution", .kind = LayerClass::kConvolution};
      layer.flops = 2 * 9 * in * out * pixels;
      layer.weight_bytes = 36 * in * out;
      layer.input_bytes = 4 * in * pixels;
      layer.output_bytes = 4 * out * pixels;
      layer.live_bytes = layer.input_bytes + layer.output_bytes;
      layer.input_channels = in;
      layer.output_channels = out;
      layer.output_pixels = pixels;
      layer.kernel = 9;
      layer.last_op = static_cast<int>(2 * i);
      form.graph.weight_bytes += layer.weight_bytes;
      form.graph.layers.push_back(layer);
      if (i + 1 < channels.size()) {
        form.graph.cuts.push_back({layer.last_op, layer.output_bytes, 1, static_cast<int>(i)});
      }
      if (i % 4 == 0) pixels /= 4;
    }
    form.graph.operations = static_cast<int>(2 * channels.size());
    return form;
  }

  std::mt19937 random_;
  std::normal_distribution<double> normal_;
  double noise_;
};

// All settings that a network of TruthForTest is known in.
inline std::vector<Setting> SettingsForTest() {
  std::vector<Setting> settings;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    for (const int side : {64, 96}) {
      for (const int batch : {1, 4}) {
        for (const int cores : {1, 2}) settings.push_back({{precision, side, side}, batch, cores});
      }
    }
  }
  return settings;
}

}  // namespace deepedge
