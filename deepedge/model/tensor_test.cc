#include "deepedge/model/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "deepedge/model/model_files.h"

namespace deepedge {
namespace {

TEST(Tensor, SizesAndNamesOfTypes) {
  struct Case {
    ElementType type;
    size_t size;
    std::string_view name;
  };
  const Case cases[] = {
      {ElementType::kBool, 1, "bool"}, {ElementType::kU8, 1, "u8"},   {ElementType::kI8, 1, "i8"},
      {ElementType::kU16, 2, "u16"},   {ElementType::kI16, 2, "i16"}, {ElementType::kU32, 4, "u32"},
      {ElementType::kI32, 4, "i32"},   {ElementType::kU64, 8, "u64"}, {ElementType::kI64, 8, "i64"},
      {ElementType::kF16, 2, "f16"},   {ElementType::kF32, 4, "f32"}, {ElementType::kF64, 8, "f64"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(SizeOf(c.type), c.size) << c.name;
    EXPECT_EQ(ToString(c.type), c.name);
  }
}

TEST(Tensor, WritesShapes) {
  EXPECT_EQ(ToString(Shape{}), "scalar");
  EXPECT_EQ(ToString(Shape{1, 3, -1, 416}), "1x3x?x416");
}

TEST(Tensor, CountsElements) {
  EXPECT_EQ(ElementCount({}), 1);
  EXPECT_EQ(ElementCount({2, 3, 4}), 24);
  EXPECT_EQ(ElementCount({2, 0, 4}), 0);
  EXPECT_TRUE(IsStatic({1, 2}));
  EXPECT_FALSE(IsStatic({1, -1}));
  EXPECT_DEATH(ElementCount({1, -1}), "IsStatic");
}

TEST(Tensor, ViewsShareTheOwnersMemory) {
  Tensor tensor{.type = ElementType::kF32, .shape = {2}, .data = std::vector<std::byte>(8)};
  const MutableTensorView writable{tensor.type, tensor.shape, tensor.data};
  writable.As<float>()[1] = 2.5F;
  const TensorView view = tensor.View();
  ASSERT_EQ(view.As<float>().size(), 2U);
  EXPECT_EQ(view.As<float>()[1], 2.5F);
  EXPECT_DEATH(static_cast<void>(view.As<double>()), "SizeOf");
}

TEST(Tensor, HalvesKeepTheirValue) {
  EXPECT_EQ(HalfToFloat(0x0000), 0.0F);
  EXPECT_TRUE(std::signbit(HalfToFloat(0x8000)));
  EXPECT_EQ(HalfToFloat(0x3C00), 1.0F);
  EXPECT_EQ(HalfToFloat(0xC100), -2.5F);
  EXPECT_EQ(HalfToFloat(0x7BFF), 65504.0F);
  EXPECT_EQ(HalfToFloat(0x0001), 0x1p-24F);
  EXPECT_EQ(HalfToFloat(0x83FF), -1023 * 0x1p-24F);
  EXPECT_EQ(HalfToFloat(0x0400), 0x1p-14F);
  EXPECT_EQ(HalfToFloat(0xFC00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(HalfToFloat(0x7E01)));
}

TEST(ModelFiles, NamesFormats) {
  EXPECT_EQ(ToString(ModelFormat::kOnnx), "ONNX");
  EXPECT_EQ(ToString(ModelFormat::kOpenVinoIr), "OpenVINO IR");
}

TEST(DescribeTensors, NamesTypesAndShapes) {
  EXPECT_EQ(DescribeTensors({{"data", ElementType::kF32, {1, 3, -1, 416}}, {"size", ElementType::kI64, {2}}}),
            "'data' f32 1x3x?x416, 'size' i64 2");
  EXPECT_EQ(DescribeTensors({}), "");
}

}  // namespace
}  // namespace deepedge
