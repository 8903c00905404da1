#include "deepedge/engine/openvino/quantizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "deepedge/engine/openvino/openvino_engine.h"
#include "deepedge/engine/openvino/test_models.h"

namespace deepedge {
namespace {

constexpr int kSide = 16;

PictureInput Picture() { return {.width = kSide, .height = kSide, .std = {255, 255, 255}}; }

std::vector<Tensor> Pictures(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Tensor> pictures;
  for (size_t i = 0; i < count; ++i) {
    Tensor picture{ElementType::kU8, {1, kSide, kSide, 3}, std::vector<std::byte>(kSide * kSide * 3)};
    const auto brightness = static_cast<unsigned>(60 + random() % 180);
    for (auto& byte : picture.data) byte = static_cast<std::byte>(random() % brightness);
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

class QuantizerTest : public ::testing::Test {
 protected:
  QuantizerTest() : folder_(TemporaryFolder::Create("de_quantizer_test").value()) {}

  static Engine& engine() {
    static const std::unique_ptr<Engine> engine = CreateOpenVinoEngine().value();
    return *engine;
  }
  const Path& folder() const { return folder_.path(); }
  ModelFiles Network() { return test_models::WriteConvolutions(folder()); }

  Result<ModelFiles> Quantize(const ModelFiles& files, int caution, size_t pictures = 8) {
    return engine().Quantize(files, {.picture = Picture(), .calibration = Pictures(pictures, 1), .caution = caution},
                             folder() / "int8.xml");
  }

  static std::vector<float> Run(const ModelFiles& files, const Tensor& picture) {
    auto model = engine().Compile(files, {.picture = Picture(), .precision = Precision::kFp32});
    EXPECT_TRUE(model.ok()) << model.status().error().message;
    const MutableTensorView input = model.value()->Input(0, 0);
    std::copy(picture.data.begin(), picture.data.end(), input.data.begin());
    EXPECT_TRUE(model.value()->Run(0).ok());
    const auto values = model.value()->Output(0, 0).As<float>();
    return {values.begin(), values.end()};
  }

 private:
  TemporaryFolder folder_;
};

double RelativeError(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i] - b[i]), 2);
    norm += std::pow(static_cast<double>(a[i]), 2);
  }
  return std::sqrt(difference / norm);
}

TEST_F(QuantizerTest, GivesNearlyTheSameNumbersOnOtherPictures) {
  const ModelFiles network = Network();
  for (int caution = 0; caution <= kMostCaution; ++caution) {
    const auto quantized = Quantize(network, caution);
    ASSERT_TRUE(quantized.ok()) << quantized.error().message;
    for (const Tensor& picture : Pictures(3, 99)) {
      const double error = RelativeError(Run(network, picture), Run(quantized.value(), picture));
      // Weights are rounded to 0.4 % of the largest; random ones of both signs over positive inputs add that up to 3 to
      // 7 % here, a wrong range or axis gives 30 % and more.
      EXPECT_LT(error, 0.1) << "caution " << caution;
      EXPECT_GT(error, 0) << "caution " << caution << ": nothing was quantized";
    }
  }
}

TEST_F(QuantizerTest, CautionLeavesLayersInFloat) {
  const ModelFiles network = Network();
  std::vector<size_t> counts;
  for (int caution = 0; caution <= kMostCaution; ++caution) {
    const auto quantized = Quantize(network, caution);
    ASSERT_TRUE(quantized.ok());
    const std::string graph = ReadFile(quantized.value().graph).value();
    size_t count = 0;
    for (size_t at = graph.find("type=\"FakeQuantize\""); at != std::string::npos;
         at = graph.find("type=\"FakeQuantize\"", at + 1)) {
      ++count;
    }
    counts.push_back(count);
  }
  // 0: inputs of four layers and of the sum (x, first, depthwise, second convolution, pooled), four weights.
  // 1: x, depthwise, and the sum's two; two weights. 2 and 3: one layer, its input and its weights.
  EXPECT_EQ(counts, (std::vector<size_t>{9, 6, 2, 2}));
}

TEST_F(QuantizerTest, RefusesWhatItCannotDo) {
  const ModelFiles network = Network();
  EXPECT_NE(Quantize(network, 0, 0).error().message.find("no pictures"), std::string::npos);

  const auto once = Quantize(network, 0);
  ASSERT_TRUE(once.ok());
  const auto twice =
      engine().Quantize(once.value(), {.picture = Picture(), .calibration = Pictures(1, 1)}, folder() / "twice.xml");
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message.find("is quantized already"), std::string::npos);

  PictureInput small = Picture();
  small.width = 4;
  const auto other_size =
      engine().Quantize(network, {.picture = small, .calibration = Pictures(1, 1)}, folder() / "other.xml");
  ASSERT_FALSE(other_size.ok());
  EXPECT_EQ(other_size.error().code, ErrorCode::kBadInput);

  PictureInput picture{.width = 6, .height = 4};
  const Tensor pixels{ElementType::kU8, {1, 4, 6, 3}, std::vector<std::byte>(72)};
  const auto nothing = engine().Quantize(test_models::WriteAffine(folder()),
                                         {.picture = picture, .calibration = {pixels}}, folder() / "none.xml");
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(nothing.error().message.find("no layer that can be quantized"), std::string::npos);
}

TEST_F(QuantizerTest, PrecisionThatTheCpuLacksIsRefused) {
  const std::vector<Precision> precisions = engine().Precisions();
  const bool bf16 = std::find(precisions.begin(), precisions.end(), Precision::kBf16) != precisions.end();
  const auto compiled = engine().Compile(Network(), {.picture = Picture(), .precision = Precision::kBf16});
  EXPECT_EQ(compiled.ok(), bf16);
  if (!bf16) {
    EXPECT_EQ(compiled.error().code, ErrorCode::kUnsupported);
  }
}

TEST_F(QuantizerTest, GraphTakesAnotherSizeWhenAsked) {
  const ModelFiles network = Network();
  PictureInput wide = Picture();
  wide.width = 24;
  EXPECT_FALSE(engine().Compile(network, {.picture = wide}).ok());
  const auto compiled = engine().Compile(network, {.picture = wide, .resize = true});
  ASSERT_TRUE(compiled.ok()) << compiled.error().message;
  EXPECT_EQ(compiled.value()->inputs()[0].shape, (Shape{1, 16, 24, 3}));
}

}  // namespace
}  // namespace deepedge
