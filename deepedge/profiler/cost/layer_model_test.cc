#include "deepedge/profiler/cost/layer_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace deepedge {
namespace {

LayerWork Convolution(double channels, double pixels, Arithmetic arithmetic = Arithmetic::kFp32) {
  return {.kind = LayerClass::kConvolution,
          .arithmetic = arithmetic,
          .flops = 2 * 9 * channels * channels * pixels,
          .weight_bytes = 36 * channels * channels,
          .moved_bytes = 8 * channels * pixels,
          .channels_in = channels,
          .channels_out = channels,
          .pixels = pixels,
          .kernel = 9,
          .footprint = 4e6};
}

// 100 GFLOP/s, 10 GB/s, 2 us, and half as fast where channels do not fill a vector: what the law cannot say.
double TrueUs(const LayerWork& work) {
  const bool odd = std::fmod(work.channels_in, 8) != 0;
  return (work.flops / 100e3 + work.weight_bytes / 10e3 + work.moved_bytes / 10e3 + 2) * (odd ? 2 : 1);
}

std::vector<LayerSample> Samples(int count, double noise) {
  std::mt19937 random(2);
  std::normal_distribution<double> normal;
  std::vector<LayerSample> samples;
  for (int i = 0; i < count; ++i) {
    const double channels = 4 + static_cast<double>(random() % 28) * 4;
    const LayerWork work = Convolution(channels, std::pow(4 + random() % 60, 2));
    samples.push_back({work, 1, TrueUs(work) * std::exp(noise * normal(random))});
  }
  return samples;
}

TEST(LayerModel, FindsRatesOfALaw) {
  std::vector<LayerSample> samples;
  for (const LayerSample& sample : Samples(200, 0)) {
    if (std::fmod(sample.work.channels_in, 8) == 0) samples.push_back(sample);
  }
  const LayerLaw* const law = LayerModel::Fit(samples).LawOf(LayerClass::kConvolution, Arithmetic::kFp32, 1);
  ASSERT_NE(law, nullptr);
  EXPECT_NEAR(1 / law->us_per(0), 100e3, 10e3);  // a little towards what is usual
}

TEST(LayerModel, LearnsWhatTheLawLeavesOver) {
  const LayerModel model = LayerModel::Fit(Samples(400, 0.02));
  double error = 0;
  int inside = 0;
  int count = 0;
  for (double channels = 12; channels < 110; channels += 4) {
    const LayerWork work = Convolution(channels, 33 * 33);
    const LayerEstimate estimate = model.Estimate(work, 1);
    const double off = std::log(estimate.us / TrueUs(work));
    error += std::abs(off);
    inside += std::abs(off) < 1.645 * std::sqrt(estimate.log_variance) ? 1 : 0;
    ++count;
  }
  EXPECT_LT(error / count, 0.06);
  EXPECT_GT(inside, 0.85 * count);
}

TEST(LayerModel, IsUnsureOfWhatItHasNeverSeen) {
  const LayerModel model = LayerModel::Fit(Samples(400, 0.02));
  const double near = model.Estimate(Convolution(32, 900), 1).log_variance;
  EXPECT_GT(model.Estimate(Convolution(2000, 900), 1).log_variance, 3 * near);
  EXPECT_GT(model.Estimate(Convolution(32, 900, Arithmetic::kInt8), 1).log_variance, near);
  LayerWork other = Convolution(32, 900);
  other.kind = LayerClass::kOther;
  EXPECT_GE(model.Estimate(other, 1).log_variance, 1);
  EXPECT_GT(model.Estimate(other, 1).us, 0);
}

TEST(LayerModel, MoreWorkIsNotCheaper) {
  const LayerModel model = LayerModel::Fit(Samples(400, 0.02));
  double before = 0;
  for (double pixels = 64; pixels < 4000; pixels *= 1.5) {
    const double us = model.Estimate(Convolution(64, pixels), 1).us;
    EXPECT_GT(us, before);
    before = us;
  }
}

TEST(LayerModel, ComesBackFromJsonAsItWas) {
  const LayerModel model = LayerModel::Fit(Samples(400, 0.05), 100);
  const LayerModel again = LayerModel::FromJson(model.ToJson()).value();
  for (const double channels : {12.0, 40.0, 90.0}) {
    const LayerEstimate a = model.Estimate(Convolution(channels, 500), 1);
    const LayerEstimate b = again.Estimate(Convolution(channels, 500), 1);
    EXPECT_DOUBLE_EQ(a.us, b.us);
    EXPECT_DOUBLE_EQ(a.log_variance, b.log_variance);
  }
  EXPECT_EQ(again.ToJson(), model.ToJson());
}

TEST(LayerModel, RefusesTextThatIsNoModel) {
  const std::string text = LayerModel::Fit(Samples(40, 0.05), 20).ToJson();
  EXPECT_FALSE(LayerModel::FromJson("").ok());
  EXPECT_FALSE(LayerModel::FromJson("{}").ok());
  EXPECT_FALSE(LayerModel::FromJson(text.substr(0, text.size() / 2)).ok());
  for (const auto& [from, to] : {std::pair{"\"kind\":0", "\"kind\":77"}, {"\"cores\":1", "\"cores\":0"}}) {
    std::string wrong = text;
    wrong.replace(wrong.find(from), std::string_view(from).size(), to);
    EXPECT_FALSE(LayerModel::FromJson(wrong).ok()) << from;
  }
}

}  // namespace
}  // namespace deepedge
