#include "deepedge/profiler/fit/setting_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace deepedge {
namespace {

std::vector<Setting> Settings() {
  std::vector<Setting> settings;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    for (const int side : {64, 128}) {
      for (const int batch : {1, 2, 8}) settings.push_back({{precision, side, side}, batch});
    }
  }
  return settings;
}

// Models that share a level over all settings and another over those of a precision.
std::vector<std::vector<SettingPoint>> Models(int count, double level_sd, double precision_sd) {
  std::mt19937 random(2);
  std::normal_distribution<double> normal;
  std::vector<std::vector<SettingPoint>> models;
  for (int i = 0; i < count; ++i) {
    const double level = level_sd * normal(random);
    const double of_precision[] = {precision_sd * normal(random), precision_sd * normal(random),
                                   precision_sd * normal(random)};
    std::vector<SettingPoint> points;
    for (const Setting& setting : Settings()) {
      const double log = level + of_precision[static_cast<size_t>(setting.variant.precision)] + 0.02 * normal(random);
      points.push_back({setting, 1000, 1000 * std::exp(log), 0.01});
    }
    models.push_back(std::move(points));
  }
  return models;
}

TEST(SettingModel, FindsHowMuchSettingsShare) {
  const SettingModel shared = SettingModel::Learn(Models(40, 0.3, 0.0));
  const SettingModel apart = SettingModel::Learn(Models(40, 0.0, 0.3));
  const VariantKey own{Precision::kFp32, 64, 64};
  const SettingPoint probe{{own}, 1000, 1300, 0.01};
  const Setting int8{{Precision::kInt8, 64, 64}};
  EXPECT_NEAR(shared.Condition({&probe, 1}, own).At(int8).mean, std::log(1.3), 0.05);
  EXPECT_NEAR(apart.Condition({&probe, 1}, own).At(int8).mean, 0, 0.06);
  EXPECT_GT(apart.Condition({&probe, 1}, own).At(int8).variance, shared.Condition({&probe, 1}, own).At(int8).variance);
  // Of the same precision both follow.
  const Setting larger{{Precision::kFp32, 128, 128}};
  EXPECT_NEAR(apart.Condition({&probe, 1}, own).At(larger).mean, std::log(1.3), 0.06);
}

TEST(SettingModel, WithoutMeasurementsItGivesWhatModelsAreOffByOnAverage) {
  auto models = Models(40, 0.1, 0.0);
  for (auto& points : models) {
    for (SettingPoint& point : points) {
      if (point.setting.variant.precision == Precision::kInt8) point.measured_us *= 1.5;
    }
  }
  const SettingModel model = SettingModel::Learn(models);
  const auto nothing = model.Condition({}, {Precision::kFp32, 64, 64});
  EXPECT_NEAR(nothing.At({{Precision::kInt8, 64, 64}}).mean, std::log(1.5), 0.08);
  EXPECT_NEAR(nothing.At({{Precision::kFp32, 64, 64}}).mean, 0, 0.08);
}

TEST(SettingModel, IntervalsHoldWhatTheyPromise) {
  const auto models = Models(60, 0.2, 0.1);
  const SettingModel model = SettingModel::Learn(std::span(models).first(40));
  int inside = 0;
  int count = 0;
  for (const auto& points : std::span(models).subspan(40)) {
    const auto posterior = model.Condition(std::span(points).first(1), points.front().setting.variant);
    for (const SettingPoint& point : std::span(points).subspan(1)) {
      const GpPrediction p = posterior.At(point.setting);
      const double off = std::log(point.measured_us / point.predicted_us) - p.mean;
      inside += std::abs(off) <= 1.645 * std::sqrt(p.variance) ? 1 : 0;
      ++count;
    }
  }
  EXPECT_GT(inside, 0.82 * count);
  EXPECT_LT(inside, 0.97 * count);
}

TEST(SettingModel, ComesBackFromJsonAndRefusesWhatIsNone) {
  const SettingModel model = SettingModel::Learn(Models(10, 0.2, 0.1));
  EXPECT_EQ(SettingModel::FromJson(model.ToJson()).value().ToJson(), model.ToJson());
  for (const char* const wrong : {"", "{}", "{\"variances\":[1],\"noise\":0,\"means\":[]}"}) {
    EXPECT_FALSE(SettingModel::FromJson(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace deepedge
