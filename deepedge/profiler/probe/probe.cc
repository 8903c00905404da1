#include "deepedge/profiler/probe/probe.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

double QuantileOf(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

// Noise, so that no shortcut for zeros or subnormal numbers is measured.
void FillWithNoise(const MutableTensorView& view) {
  std::minstd_rand random(1);
  if (view.type == ElementType::kF32) {
    for (float& v : view.As<float>()) v = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
  } else if (SizeOf(view.type) == 1) {
    for (std::byte& v : view.data) v = static_cast<std::byte>(random() % 251);
  }
}

// Averages of the runs after `before`.
std::vector<LayerTime> Since(const LayerTimes& before, const LayerTimes& now) {
  std::map<std::string, double> earlier;
  for (const LayerTime& layer : before.layers) earlier[layer.layer] = layer.us * static_cast<double>(before.runs);
  const double runs = static_cast<double>(now.runs - before.runs);
  std::vector<LayerTime> result;
  for (const LayerTime& layer : now.layers) {
    const double all = layer.us * static_cast<double>(now.runs);
    result.push_back({layer.layer, runs > 0 ? std::max(0.0, (all - earlier[layer.layer]) / runs) : layer.us});
  }
  return result;
}

}  // namespace

std::string_view ToString(ProbeOrigin origin) {
  switch (origin) {
    case ProbeOrigin::kAlone: return "alone";
    case ProbeOrigin::kIdle: return "idle";
    case ProbeOrigin::kServing: return "serving";
  }
  return "alone";
}

void CacheFiller::Fill() {
  constexpr size_t kLine = 64;
  for (size_t i = 0; i < bytes_.size(); i += kLine) bytes_[i] ^= std::byte{1};
}

int64_t HeapInUse() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

Result<CompileRequest> RequestFor(const ProbeTarget& target, const Setting& setting) {
  CompileRequest request{.files = target.files};
  const bool int8 = setting.variant.precision == Precision::kInt8;
  if (int8 && !target.int8) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: has no int8 form", target.name)};
  }
  if (int8) request.files = *target.int8;
  request.options.precision = setting.variant.precision;
  request.options.input_shapes = target.input_shapes;
  request.options.max_batch = setting.batch;
  request.options.cores = setting.cores;
  if (!target.picture) {
    if (setting.variant.width == 0 && setting.batch == 1) return request;
    return Error{ErrorCode::kUnsupported, fmt::format("{}: takes no pictures: {}", target.name, ToString(setting))};
  }
  PictureInput picture = *target.picture;
  const bool own = setting.variant.width == picture.width && setting.variant.height == picture.height;
  if (!own && !target.resizable) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: takes {}x{} only, not {}", target.name, picture.width,
                                                      picture.height, ToString(setting))};
  }
  picture.width = setting.variant.width;
  picture.height = setting.variant.height;
  picture.pyramid = 0;
  request.options.picture = picture;
  request.options.resize = target.resizable;
  return request;
}

Result<Probe> Probe::Prepare(Engine& engine, const ProbeTarget& target, const Setting& setting, const Clock& clock) {
  DE_TRY(CompileRequest request, RequestFor(target, setting));
  request.options.time_layers = true;
  Probe probe(setting, clock);
  const Time start = clock.Now();
  const int64_t before = HeapInUse();
  DE_TRY(probe.model_, engine.Compile(request.files, request.options));
  CompiledModel& model = *probe.model_;
  if (model.max_batch() < setting.batch) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: takes {} at a time, not {}", target.name, model.max_batch(), setting.batch)};
  }
  DE_TRY_STATUS(probe.WarmUp());
  probe.memory_bytes_ = std::max<int64_t>(0, HeapInUse() - before);
  probe.compile_ms_ = static_cast<double>((clock.Now() - start).count()) / 1e3;
  return probe;
}

Status Probe::UseBatch(int batch) {
  DE_CHECK(batch >= 1 && batch <= model_->max_batch());
  setting_.batch = batch;
  memory_bytes_ = 0;
  compile_ms_ = 0;
  samples_us_.clear();
  cold_us_.clear();
  return WarmUp();
}

Status Probe::WarmUp() {
  DE_TRY_STATUS(model_->SetBatch(0, setting_.batch));
  for (size_t i = 0; i < model_->inputs().size(); ++i) FillWithNoise(model_->Input(0, i));
  DE_TRY_STATUS(model_->Run(0));
  const Duration begin = Now();
  DE_TRY_STATUS(model_->Run(0));
  const auto once = static_cast<double>((Now() - begin).count());
  constexpr double kMeasurementUs = 2000;
  repeats_ = static_cast<int>(std::clamp(std::ceil(kMeasurementUs / std::max(once, 1.0)), 1.0, 500.0));
  before_ = model_->TimesOfLayers(0);
  return {};
}

Duration Probe::Now() const { return model_->computes_in_caller() ? ThreadCpuTime() : clock_->Now() - Time{}; }

Status Probe::RunCold() {
  const Duration first = Now();
  DE_TRY_STATUS(model_->Run(0));
  cold_us_.push_back(static_cast<double>((Now() - first).count()));
  return {};
}

Status Probe::Run() {
  // Small networks need some runs until their caches are as they stay.
  constexpr Duration kWarm = std::chrono::milliseconds(2);
  const Duration first = Now();
  do {
    DE_TRY_STATUS(model_->Run(0));
  } while (Now() - first < kWarm);
  const Duration start = Now();
  for (int i = 0; i < repeats_; ++i) DE_TRY_STATUS(model_->Run(0));
  samples_us_.push_back(static_cast<double>((Now() - start).count()) / repeats_);
  return {};
}

ProbeResult Probe::Summary() const {
  ProbeResult result{.setting = setting_, .runs = static_cast<int>(samples_us_.size())};
  if (samples_us_.empty()) return result;
  result.min_us = *std::min_element(samples_us_.begin(), samples_us_.end());
  result.median_us = QuantileOf(samples_us_, 0.5);
  result.p90_us = QuantileOf(samples_us_, 0.9);
  result.cold_us = QuantileOf(cold_us_, 0.5);
  result.layers = Since(before_, model_->TimesOfLayers(0));
  result.memory_bytes = memory_bytes_;
  result.compile_ms = compile_ms_;
  return result;
}

}  // namespace deepedge
