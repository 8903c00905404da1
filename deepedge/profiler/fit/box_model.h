// BoxModel: what calibration has found out about this box (calibration/calibrate.h); all that predictions need beside
// the model itself. A value: copied, kept in the profile store, read by any number of threads.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/profiler/cost/layer_model.h"
#include "deepedge/profiler/fit/memory_model.h"
#include "deepedge/profiler/fit/setting_model.h"
#include "deepedge/profiler/probe/measured_model.h"

namespace deepedge {

struct BoxModel {
  LayerModel layers;
  SettingModel settings;
  MemoryModel memory;
  // Of the runs of a setting: logarithm of p99 over the median, as the scatter of runs in calibration has it.
  double log_tail = 0.1;
  int64_t cache_bytes = int64_t{8} << 20;  // of the cache that all cores share

  // What a run takes longer when others ran before it, microseconds: fixed, for each layer, for each byte that the
  // network touches as far as the shared cache holds them, for each byte beyond.
  std::array<double, 4> cold_us_per{20, 1, 1 / 40e3, 0};
  // Standard deviation that is added to every prediction: of a box on which others worked while it was calibrated.
  double extra_log_sd = 0;

  int networks = 0;  // that it was learned from; 0: nothing is known of this box
};

// Learns from networks that were measured in some settings each. The same networks give the same model, so they are
// what is kept. Takes seconds.
BoxModel LearnBox(std::span<const MeasuredModel> networks, int64_t cache_bytes);

// What was measured of models in use says more of layers like theirs than any network of random shape: the layer model
// is fitted again to both. The rest of the box stays as it is. Takes about a quarter of LearnBox's time.
void LearnFromModels(BoxModel& box, std::span<const MeasuredModel> networks,
                     std::span<const MeasuredModel* const> models);

// Errors: kBadInput.
std::string ToJson(const BoxModel& box);
Result<BoxModel> BoxModelFromJson(std::string_view text);

// What the layer model says a run takes, layer by layer; empty where the model was not analysed in that form.
struct LayerCost {
  const Layer* layer = nullptr;
  LayerWork work;
  LayerEstimate estimate;
};
std::vector<LayerCost> CostsOfLayers(const LayerModel& layers, const MeasuredModel& model, const Setting& setting);
double SumOf(std::span<const LayerCost> costs);

// What cold_us_per are multiplied with.
std::array<double, 4> ColdTermsOf(const LayerGraph& graph, const Setting& setting, int64_t cache_bytes);

}  // namespace deepedge
