#include "deepedge/bench/batch_bench.h"

#include <memory>
#include <random>
#include <span>

#include "deepedge/bench/throughput_bench.h"
#include "deepedge/runtime/model_inference.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

constexpr int kFrameWidth = 1920;
constexpr int kFrameHeight = 1080;

RgbPicture NoiseFrame() {
  RgbPicture frame{.width = kFrameWidth, .height = kFrameHeight, .pixels = {}};
  frame.pixels.resize(size_t{kFrameWidth} * kFrameHeight * 3);
  std::mt19937 random(3);
  for (uint8_t& v : frame.pixels) v = static_cast<uint8_t>(random());
  return frame;
}

// Side by side, each as large as a person that stands some metres away.
std::vector<PictureView> CropsOf(const RgbPicture& frame, int count) {
  std::vector<PictureView> crops;
  for (int i = 0; i < count; ++i) {
    const float x = 0.9F * static_cast<float>(i) / static_cast<float>(count);
    crops.push_back(Crop(frame.View(), {x, 0.3F, x + 0.1F, 0.6F}).picture);
  }
  return crops;
}

struct Series {
  std::vector<double> fixed, alone, in_turn, together, ratio, in_turn_ratio, alone_ratio;
};

class BatchMeter {
 public:
  explicit BatchMeter(const Clock& clock) : clock_(clock) {}

  // Milliseconds for a crop.
  Result<double> Run(LoadedModel& model, std::span<const PictureView> crops) {
    InferenceCost cost;
    DE_TRY_STATUS(RunModelOnPictures(model, 0, scaler_, crops, clock_, cost).status());
    return static_cast<double>(cost.Total().count()) / 1e3 / static_cast<double>(crops.size());
  }

 private:
  const Clock& clock_;
  PictureScaler scaler_;
};

Status MeasureOnce(BatchMeter& meter, LoadedModel& fixed, LoadedModel& batched, std::span<const PictureView> crops,
                   Series& series) {
  DE_TRY(const double one, meter.Run(fixed, crops.first(1)));
  DE_TRY(const double open, meter.Run(batched, crops.first(1)));
  DE_TRY(const double turn, meter.Run(fixed, crops));
  DE_TRY(const double all, meter.Run(batched, crops));
  series.fixed.push_back(one);
  series.alone.push_back(open);
  series.in_turn.push_back(turn);
  series.together.push_back(all);
  series.ratio.push_back(all / one);
  series.in_turn_ratio.push_back(turn / one);
  series.alone_ratio.push_back(open / one);
  return {};
}

Result<BatchCost> MeasureModel(Engine& engine, const std::string& path, const BatchBenchOptions& options,
                               std::span<const PictureView> crops, const Clock& clock) {
  DE_TRY(const auto fixed, LoadModel(engine, {.path = path}));
  DE_TRY(const auto batched, LoadModel(engine, {.path = path,
                                                .max_batch = options.crops,
                                                .batch_from_bytes = options.always ? 0 : kBatchFromBytes}));
  BatchMeter meter(clock);
  Series warm;
  DE_TRY_STATUS(MeasureOnce(meter, *fixed, *batched, crops, warm));
  Series series;
  for (int i = 0; i < options.runs; ++i) DE_TRY_STATUS(MeasureOnce(meter, *fixed, *batched, crops, series));
  return BatchCost{.model = path,
                   .weight_bytes = batched->compiled->weight_bytes(),
                   .max_batch = batched->compiled->max_batch(),
                   .fixed_ms = Median(series.fixed),
                   .alone_ms = Median(series.alone),
                   .in_turn_ms = Median(series.in_turn),
                   .together_ms = Median(series.together),
                   .ratio = Median(series.ratio),
                   .in_turn_ratio = Median(series.in_turn_ratio),
                   .alone_ratio = Median(series.alone_ratio)};
}

}  // namespace

Result<std::vector<BatchCost>> MeasureBatches(Engine& engine, const BatchBenchOptions& options, const Clock& clock) {
  const RgbPicture frame = NoiseFrame();
  const std::vector<PictureView> crops = CropsOf(frame, options.crops);
  std::vector<BatchCost> costs;
  for (const std::string& model : options.models) {
    DE_TRY(BatchCost cost, MeasureModel(engine, model, options, crops, clock));
    costs.push_back(std::move(cost));
  }
  return costs;
}

}  // namespace deepedge
