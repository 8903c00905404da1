#include "deepedge/engine/openvino/batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <openvino/runtime/core.hpp>
#include <span>

#include "deepedge/base/file.h"
#include "deepedge/engine/openvino/openvino_engine.h"
#include "deepedge/engine/openvino/test_models.h"

namespace deepedge {
namespace {

Tensor Floats(const Shape& shape, const std::vector<float>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {ElementType::kF32, shape, {bytes.begin(), bytes.end()}};
}

struct Case {
  const char* what;
  std::vector<Tensor> together;
  Precision precision;
  bool same;
};

TEST(BatchTest, TellsRightAnswersFromWrongOnes) {
  const std::vector<Tensor> a{Floats({1, 2}, {1, 2})};
  const std::vector<Tensor> b{Floats({1, 2}, {3, 4})};
  const std::vector<Case> cases{
      {"as alone", {Floats({2, 2}, {1, 2, 3, 4})}, Precision::kFp32, true},
      {"rounded", {Floats({2, 2}, {1.0001F, 2, 3, 4})}, Precision::kFp32, true},
      {"exchanged", {Floats({2, 2}, {3, 4, 1, 2})}, Precision::kFp32, false},
      {"the first twice", {Floats({2, 2}, {1, 2, 1, 2})}, Precision::kFp32, false},
      {"a mean", {Floats({2, 2}, {2, 3, 2, 3})}, Precision::kFp32, false},
      {"off by a hundredth", {Floats({2, 2}, {1.02F, 2, 3, 4})}, Precision::kFp32, false},
      {"off by a hundredth in few bits", {Floats({2, 2}, {1.02F, 2, 3, 4})}, Precision::kBf16, true},
      {"not a number", {Floats({2, 2}, {1, NAN, 3, 4})}, Precision::kFp32, false},
      {"another shape", {Floats({1, 4}, {1, 2, 3, 4})}, Precision::kFp32, false},
      {"one only", {Floats({1, 2}, {1, 2})}, Precision::kFp32, false},
  };
  for (const Case& c : cases) EXPECT_EQ(SameAnswers(a, b, c.together, 2, c.precision), c.same) << c.what;
  EXPECT_TRUE(SameAnswers(a, b, {Floats({3, 2}, {1, 2, 3, 4, 1, 2})}, 3, Precision::kFp32));
}

TEST(BatchTest, EqualAnswersProveNothing) {
  const std::vector<Tensor> a{Floats({1, 2}, {1, 2})};
  EXPECT_FALSE(SameAnswers(a, a, {Floats({2, 2}, {1, 2, 1, 2})}, 2, Precision::kFp32));
}

TEST(BatchTest, PicturesOfTheTestDiffer) {
  for (const Shape& shape : {Shape{1, 1, 1, 3}, Shape{1, 2, 500, 1}, Shape{1, 48, 48, 3}}) {
    const auto pictures = BatchTestPictures(shape);
    EXPECT_EQ(pictures[0].size(), static_cast<size_t>(ElementCount(shape)));
    EXPECT_EQ(pictures[1].size(), pictures[0].size());
    EXPECT_NE(pictures[0], pictures[1]);
  }
}

class BatchOfModelTest : public ::testing::Test {
 protected:
  int MaxBatchOf(const ModelFiles& files, int width, int height) {
    auto model = engine_->Compile(files, {.picture = PictureInput{.width = width, .height = height}, .max_batch = 4});
    EXPECT_TRUE(model.ok()) << model.status().error().message;
    if (!model.ok() || !model.value()->Run(0).ok()) return 0;
    return model.value()->max_batch();
  }

  TemporaryFolder folder_ = TemporaryFolder::Create("de_batch_test").value();
  std::unique_ptr<Engine> engine_ = CreateOpenVinoEngine().value();
};

TEST_F(BatchOfModelTest, IsFoundByTrying) {
  EXPECT_EQ(MaxBatchOf(test_models::WriteConvolutions(folder_.path()), 16, 16), 4);
  EXPECT_EQ(MaxBatchOf(test_models::WriteMixing(folder_.path()), 6, 4), 1);
  EXPECT_EQ(MaxBatchOf(test_models::WriteWithoutBatch(folder_.path()), 6, 4), 1);
}

TEST_F(BatchOfModelTest, IsFreedFromConstantsOfReshapes) {
  EXPECT_EQ(MaxBatchOf(test_models::WriteOneRow(folder_.path(), true), 6, 4), 4);
  EXPECT_EQ(MaxBatchOf(test_models::WriteOneRow(folder_.path(), false), 6, 4), 4);
}

TEST_F(BatchOfModelTest, PaysForLargeWeightsThatAreFullyConnected) {
  ov::Core core;
  const auto read = [&](const ModelFiles& files) { return core.read_model(files.graph.string()); };
  const auto large = read(test_models::WriteLarge(folder_.path()));  // a product of 36 MB
  EXPECT_TRUE(BatchPays(*large, 4 << 20));
  EXPECT_TRUE(BatchPays(*large, 36'000'000));
  EXPECT_FALSE(BatchPays(*large, 37'000'000));
  const auto convolutions = read(test_models::WriteConvolutions(folder_.path()));  // its product is a small part
  EXPECT_TRUE(BatchPays(*convolutions, 0));
  EXPECT_FALSE(BatchPays(*convolutions, 1));
}

TEST_F(BatchOfModelTest, HoldsWeightsOnce) {
  const ModelFiles files = test_models::WriteConvolutions(folder_.path());
  const PictureInput picture{.width = 16, .height = 16};
  const auto one = engine_->Compile(files, {.picture = picture});
  const auto many = engine_->Compile(files, {.picture = picture, .max_batch = 8});
  ASSERT_TRUE(one.ok() && many.ok());
  EXPECT_EQ(one.value()->weight_bytes(), many.value()->weight_bytes());
}

}  // namespace
}  // namespace deepedge
