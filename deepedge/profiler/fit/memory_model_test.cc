#include "deepedge/profiler/fit/memory_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "deepedge/profiler/fit/truth_for_test.h"

namespace deepedge {
namespace {

TEST(MemoryModel, FindsWhatNetworksHold) {
  TruthForTest truth(4);
  std::vector<MeasuredModel> networks;
  for (int i = 0; i < 30; ++i) networks.push_back(truth.Network("network", 4 + i % 12));
  std::vector<MemorySample> samples;
  for (const MeasuredModel& network : networks) {
    for (const Setting& setting : SettingsForTest()) {
      samples.push_back(
          {GraphFor(network, setting), setting, static_cast<double>(TruthForTest::TrueBytes(network, setting))});
    }
  }
  const MemoryModel model = MemoryModel::Fit(samples);
  for (int i = 0; i < 6; ++i) {
    const MeasuredModel unseen = truth.Network("unseen", 5 + 2 * i);
    for (const Setting& setting : SettingsForTest()) {
      const double bytes = model.Estimate(*GraphFor(unseen, setting), setting).bytes;
      EXPECT_NEAR(bytes / static_cast<double>(TruthForTest::TrueBytes(unseen, setting)), 1, 0.12);
    }
  }
  EXPECT_EQ(MemoryModel::FromJson(model.ToJson()).value().ToJson(), model.ToJson());
}

TEST(MemoryModel, GuessesGenerouslyWithoutSamples) {
  TruthForTest truth(4);
  const MeasuredModel network = truth.Network("network");
  const Setting setting = SettingsForTest().front();
  EXPECT_GT(MemoryModel().Estimate(*GraphFor(network, setting), setting).bytes,
            static_cast<double>(network.forms.front().graph.weight_bytes));
}

TEST(MemoryModel, RefusesTextThatIsNone) {
  for (const char* const wrong : {"", "{}", "{\"log_sd\":[1,1,1],\"bytes_per\":[[1]]}"}) {
    EXPECT_FALSE(MemoryModel::FromJson(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace deepedge
