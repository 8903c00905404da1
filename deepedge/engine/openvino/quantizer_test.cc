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

  // The form that is tried as number `form` (from 0).
  Result<std::optional<ModelFiles>> Quantize(const ModelFiles& files, int form, size_t pictures = 8) {
    return engine().Quantize(files,
                             {.picture = Picture(),
                              .calibration = Pictures(pictures, 1),
                              .good_enough = [form](const ModelFiles&) mutable { return Result<bool>(form-- == 0); }},
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
  for (int form = 0; form < 2; ++form) {
    const auto quantized = Quantize(network, form);
    ASSERT_TRUE(quantized.ok()) << quantized.error().message;
    ASSERT_TRUE(quantized.value());
    for (const Tensor& picture : Pictures(3, 99)) {
      const double error = RelativeError(Run(network, picture), Run(*quantized.value(), picture));
      // Rounding of random weights of both signs adds up to 5 to 8 % here; a wrong range or axis gives 30 and more.
      EXPECT_LT(error, 0.12) << "form " << form;
      EXPECT_GT(error, 0) << "form " << form << ": nothing was quantized";
    }
  }
}

size_t CountFakeQuantize(const ModelFiles& files) {
  const std::string graph = ReadFile(files.graph).value();
  constexpr std::string_view kMark = "type=\"FakeQuantize\"";
  size_t count = 0;
  for (size_t at = graph.find(kMark); at != std::string::npos; at = graph.find(kMark, at + 1)) ++count;
  return count;
}

TEST_F(QuantizerTest, LaterFormsLeaveLayersInFloat) {
  const ModelFiles network = Network();
  std::vector<size_t> counts;
  for (int form = 0; form < 2; ++form) {
    const auto quantized = Quantize(network, form);
    ASSERT_TRUE(quantized.ok() && quantized.value());
    counts.push_back(CountFakeQuantize(*quantized.value()));
  }
  // First the inputs of four layers and of the sum (x, first, depthwise, second convolution, pooled) and four weights;
  // then x, the depthwise result and the sum's two, and two weights. Two layers are too few to leave a quarter out.
  EXPECT_EQ(counts, (std::vector<size_t>{9, 6}));
}

TEST_F(QuantizerTest, KeepsNoFormThatIsNotGoodEnough) {
  const auto quantized = Quantize(Network(), 100);
  ASSERT_TRUE(quantized.ok()) << quantized.error().message;
  EXPECT_FALSE(quantized.value());
  EXPECT_FALSE(std::filesystem::exists(folder() / "int8.xml"));
  EXPECT_FALSE(std::filesystem::exists(folder() / "int8.bin"));
}

TEST_F(QuantizerTest, RefusesWhatItCannotDo) {
  const ModelFiles network = Network();
  EXPECT_NE(Quantize(network, 0, 0).error().message.find("no pictures"), std::string::npos);

  const auto once = Quantize(network, 0);
  ASSERT_TRUE(once.ok() && once.value());
  const auto twice = Quantize(*once.value(), 0);
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
