#include "deepedge/profiler/fit/predictor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "deepedge/profiler/fit/choose_probe.h"
#include "deepedge/profiler/fit/truth_for_test.h"

namespace deepedge {
namespace {

// A box calibrated with 24 networks, each measured in every setting.
const BoxModel& Box() {
  static const BoxModel box = [] {
    TruthForTest truth(1);
    std::vector<MeasuredModel> networks;
    for (int i = 0; i < 24; ++i) {
      MeasuredModel network = truth.Network("network " + std::to_string(i));
      const double level = truth.Level();
      for (const Setting& setting : SettingsForTest()) network.probes.push_back(truth.Measure(network, setting, level));
      networks.push_back(std::move(network));
    }
    return LearnBox(networks, int64_t{32} << 20);
  }();
  return box;
}

const Setting kOwn{{Precision::kFp32, 64, 64}};

TEST(Predictor, OneProbeTellsTheLevelOfAllSettings) {
  TruthForTest truth(7);
  double before = 0;
  double after = 0;
  int count = 0;
  for (int i = 0; i < 8; ++i) {
    MeasuredModel model = truth.Network("model");
    const double level = i % 2 == 0 ? 1.3 : 0.8;
    const Predictor blind(Box(), model);
    MeasuredModel probed = model;
    probed.probes.push_back(truth.Measure(model, kOwn, level));
    const Predictor knowing(Box(), probed);
    for (const Setting& setting : SettingsForTest()) {
      if (setting == kOwn) continue;
      const double us = truth.TrueUs(model, setting, level);
      before += std::abs(static_cast<double>(blind.Predict(setting).time.median.count()) / us - 1);
      after += std::abs(static_cast<double>(knowing.Predict(setting).time.median.count()) / us - 1);
      ++count;
    }
  }
  EXPECT_LT(after / count, 0.06);
  EXPECT_GT(before / count, 2 * after / count);
}

TEST(Predictor, IntervalsAreHonestOnModelsNeverSeen) {
  TruthForTest truth(11);
  int inside = 0;
  int count = 0;
  for (int i = 0; i < 30; ++i) {
    MeasuredModel model = truth.Network("model");
    const double level = truth.Level();
    model.probes.push_back(truth.Measure(model, kOwn, level));
    const Predictor predictor(Box(), model);
    for (const Setting& setting : SettingsForTest()) {
      if (setting == kOwn) continue;
      const TimeEstimate time = predictor.Predict(setting).time;
      const double off =
          std::log(static_cast<double>(time.median.count()) / truth.Measure(model, setting, level).median_us);
      inside += std::abs(off) <= 1.645 * time.log_sd ? 1 : 0;
      ++count;
    }
  }
  EXPECT_GT(inside, 0.8 * count);
  EXPECT_LT(inside, 0.99 * count);
}

TEST(Predictor, IsSurerWithProbesAndSurestWhereItWasMeasured) {
  TruthForTest truth(3);
  MeasuredModel model = truth.Network("model");
  const double blind = Predictor(Box(), model).Predict(kOwn).time.log_sd;
  model.probes.push_back(truth.Measure(model, {{Precision::kFp32, 96, 96}}, 1.1));
  const double near = Predictor(Box(), model).Predict(kOwn).time.log_sd;
  model.probes.push_back(truth.Measure(model, kOwn, 1.1));
  const double measured = Predictor(Box(), model).Predict(kOwn).time.log_sd;
  EXPECT_LT(near, blind);
  EXPECT_LE(measured, near);
}

TEST(Predictor, IsMonotoneWherePhysicsSaysSo) {
  TruthForTest truth(5);
  for (int i = 0; i < 6; ++i) {
    MeasuredModel model = truth.Network("model");
    model.probes.push_back(truth.Measure(model, kOwn, 1.0));
    const Predictor predictor(Box(), model);
    const auto us = [&](Precision precision, int side, int batch, int cores) {
      return predictor.Predict({{precision, side, side}, batch, cores}).time.median.count();
    };
    EXPECT_LT(us(Precision::kFp32, 64, 1, 1), us(Precision::kFp32, 64, 4, 1));
    EXPECT_LT(us(Precision::kFp32, 64, 1, 1), us(Precision::kFp32, 96, 1, 1));
    EXPECT_LE(us(Precision::kFp32, 64, 4, 2), us(Precision::kFp32, 64, 4, 1));
    EXPECT_LE(predictor.Predict(kOwn).memory_bytes, predictor.Predict({{Precision::kFp32, 64, 64}, 4}).memory_bytes);
  }
}

TEST(Predictor, StagesAddUpToTheWhole) {
  TruthForTest truth(6);
  MeasuredModel model = truth.Network("model");
  model.probes.push_back(truth.Measure(model, kOwn, 1.0));
  const Predictor predictor(Box(), model);
  const SettingCost cost = predictor.PredictStages(kOwn, {2, 6});
  ASSERT_EQ(cost.stages.size(), 3u);
  double sum = 0;
  for (const StageCost& stage : cost.stages) {
    sum += static_cast<double>(stage.time.median.count());
    EXPECT_NEAR(stage.bound.compute + stage.bound.cache + stage.bound.memory, 1, 1e-9);
  }
  EXPECT_NEAR(sum, static_cast<double>(cost.time.median.count()), 4);
  EXPECT_EQ(cost.stages[0].after_op, model.forms[0].graph.cuts[2].after_op);
  EXPECT_EQ(cost.stages[0].border_bytes, model.forms[0].graph.cuts[2].bytes);
  EXPECT_EQ(cost.stages[2].after_op, -1);
  EXPECT_EQ(cost.stages[0].layers, "convolution 3");
}

TEST(Predictor, ARunOnColdCachesIsNoFaster) {
  TruthForTest truth(16);
  MeasuredModel model = truth.Network("model");
  model.probes.push_back(truth.Measure(model, kOwn, 1.0));
  model.probes.back().cold_us = 2 * model.probes.back().median_us;
  const Predictor predictor(Box(), model);
  for (const Setting& setting : SettingsForTest()) {
    const SettingCost cost = predictor.Predict(setting);
    EXPECT_GE(cost.cold, cost.time.median);
  }
  const SettingCost own = predictor.Predict(kOwn);
  EXPECT_NEAR(static_cast<double>(own.cold.count()), 2 * static_cast<double>(own.time.median.count()), 2);
}

TEST(Predictor, KnowsMemory) {
  TruthForTest truth(8);
  for (int i = 0; i < 6; ++i) {
    MeasuredModel model = truth.Network("model");
    model.probes.push_back(truth.Measure(model, kOwn, 1.0));
    const Predictor predictor(Box(), model);
    for (const Setting& setting : SettingsForTest()) {
      const auto bytes = static_cast<double>(predictor.Predict(setting).memory_bytes);
      EXPECT_NEAR(bytes / static_cast<double>(TruthForTest::TrueBytes(model, setting)), 1, 0.1);
    }
  }
}

TEST(Predictor, ABoxThatWasBusyIsLessSureAndSaysTheSame) {
  TruthForTest truth(9);
  MeasuredModel model = truth.Network("model");
  BoxModel busy = Box();
  busy.extra_log_sd = 0.2;
  const TimeEstimate quiet_time = Predictor(Box(), model).Predict(kOwn).time;
  const TimeEstimate busy_time = Predictor(busy, model).Predict(kOwn).time;
  EXPECT_EQ(busy_time.median, quiet_time.median);
  EXPECT_NEAR(busy_time.log_sd, std::hypot(quiet_time.log_sd, 0.2), 1e-9);
}

TEST(Predictor, WithoutCalibrationItGuessesAndSaysSo) {
  TruthForTest truth(10);
  MeasuredModel model = truth.Network("model");
  const BoxModel nothing;
  const TimeEstimate time = Predictor(nothing, model).Predict(kOwn).time;
  EXPECT_GT(time.median.count(), 0);
  EXPECT_GT(time.log_sd, 0.3);
}

TEST(NextProbe, ChoosesWhatTellsMostAndNothingTwice) {
  TruthForTest truth(12);
  MeasuredModel model = truth.Network("model");
  const std::vector<Setting> settings = SettingsForTest();
  double before = 1e9;
  for (size_t i = 0; i < settings.size(); ++i) {
    const auto choice = NextProbe(Predictor(Box(), model), settings, 0);
    ASSERT_TRUE(choice.has_value());
    EXPECT_LE(choice->log_sd_after, choice->log_sd_before);
    EXPECT_LE(choice->log_sd_before, before + 1e-9);
    before = choice->log_sd_before;
    EXPECT_TRUE(std::none_of(model.probes.begin(), model.probes.end(),
                             [&](const ProbeResult& probe) { return probe.setting == choice->setting; }));
    model.probes.push_back(truth.Measure(model, choice->setting, 1.2));
  }
  EXPECT_FALSE(NextProbe(Predictor(Box(), model), settings, 0).has_value());
}

TEST(NextProbe, EndsWhereLittleIsToBeGained) {
  TruthForTest truth(13);
  MeasuredModel model = truth.Network("model");
  int probes = 0;
  while (const auto choice = NextProbe(Predictor(Box(), model), SettingsForTest(), 0.01)) {
    model.probes.push_back(truth.Measure(model, choice->setting, 1.2));
    ++probes;
  }
  EXPECT_GE(probes, 1);
  EXPECT_LT(probes, 10);
}

TEST(BoxModel, ComesBackFromJsonAsItWas) {
  const BoxModel again = BoxModelFromJson(ToJson(Box())).value();
  TruthForTest truth(14);
  MeasuredModel model = truth.Network("model");
  model.probes.push_back(truth.Measure(model, kOwn, 1.2));
  for (const Setting& setting : SettingsForTest()) {
    EXPECT_EQ(Predictor(again, model).Predict(setting), Predictor(Box(), model).Predict(setting));
  }
  for (const char* const wrong : {"", "{}", "[1]", "{\"layers\":3}"}) EXPECT_FALSE(BoxModelFromJson(wrong).ok());
}

TEST(BoxModel, LearnsFromModelsInUse) {
  TruthForTest truth(15);
  // Layers of a kind that calibration never saw.
  MeasuredModel model = truth.Network("model");
  for (AnalysedForm& form : model.forms) {
    for (Layer& layer : form.graph.layers) layer.kind = LayerClass::kMove;
  }
  for (const Setting& setting : SettingsForTest()) model.probes.push_back(truth.Measure(model, setting, 1));
  MeasuredModel other = truth.Network("other");
  for (AnalysedForm& form : other.forms) {
    for (Layer& layer : form.graph.layers) layer.kind = LayerClass::kMove;
  }
  BoxModel box = Box();
  const MeasuredModel* const models[] = {&model};
  LearnFromModels(box, {}, models);
  const double us = truth.TrueUs(other, kOwn, 1);
  const auto error = [&](const BoxModel& with) {
    return std::abs(std::log(static_cast<double>(Predictor(with, other).Predict(kOwn).time.median.count()) / us));
  };
  EXPECT_LT(error(box), 0.15);
  EXPECT_GT(error(Box()), error(box));
}

}  // namespace
}  // namespace deepedge
