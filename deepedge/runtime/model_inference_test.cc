#include "deepedge/runtime/model_inference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <optional>

namespace deepedge {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

constexpr int kSide = 4;
constexpr size_t kBytes = size_t{kSide} * kSide * 3;

// Says of every picture [1, 4, 4, 3] the mean of its bytes and its first byte.
class MeanModel final : public CompiledModel {
 public:
  explicit MeanModel(int max_batch) : max_batch_(max_batch), pixels_(kBytes * static_cast<size_t>(max_batch)) {}

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  int concurrency() const override { return 1; }
  int max_batch() const override { return max_batch_; }
  int64_t weight_bytes() const override { return 0; }
  MutableTensorView Input(int, size_t) override {
    return {ElementType::kU8, {batch_, kSide, kSide, 3}, std::span(pixels_).first(kBytes * Batch())};
  }
  Status ResizeInput(int, size_t, const Shape&) override { return Error{ErrorCode::kUnsupported, "static"}; }
  Status SetBatch(int, int pictures) override {
    batch_ = pictures;
    return {};
  }
  int stages() const override { return cut_into; }
  Status RunStage(int slot, int stage) override { return stage + 1 == cut_into ? Run(slot) : Status(); }
  Status Run(int slot) override {
    if (fails) return Error{ErrorCode::kInternal, "no luck"};
    runs.push_back(batch_);
    means_.clear();
    firsts_.clear();
    const auto bytes = Input(slot, 0).As<uint8_t>();
    for (size_t i = 0; i < Batch(); ++i) {
      const auto one = bytes.subspan(i * kBytes, kBytes);
      means_.push_back(std::accumulate(one.begin(), one.end(), 0.0F) / static_cast<float>(kBytes));
      firsts_.push_back(one[0]);
    }
    return {};
  }
  TensorView Output(int, size_t index) const override {
    if (index == 0) return {ElementType::kF32, {wrong_shape ? 7 : batch_, 1}, std::as_bytes(std::span(means_))};
    return {ElementType::kU8, {batch_}, std::as_bytes(std::span(firsts_))};
  }

  bool fails = false;
  bool wrong_shape = false;
  int cut_into = 1;
  std::vector<int> runs;

 private:
  size_t Batch() const { return static_cast<size_t>(batch_); }

  int max_batch_;
  int batch_ = 1;
  std::vector<std::byte> pixels_;
  std::vector<float> means_;
  std::vector<uint8_t> firsts_;
  std::vector<TensorSpec> inputs_{{"x", ElementType::kU8, {1, kSide, kSide, 3}}};
  std::vector<TensorSpec> outputs_{{"mean", ElementType::kF32, {1, 1}}, {"first", ElementType::kU8, {1}}};
};

// The mean and the first byte as an embedding, and where the picture lay.
class MeanDecoder final : public OutputDecoder {
 public:
  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& place) const override {
    EXPECT_EQ(outputs[0].shape, (Shape{1, 1}));
    EXPECT_EQ(outputs[1].shape, (Shape{1}));
    InferenceResult result;
    result.embedding = {outputs[0].As<float>()[0], static_cast<float>(outputs[1].As<uint8_t>()[0])};
    result.objects = {{.box = place.ToSource(Box{0, 0, 1, 1}), .keypoints = {}}};
    return result;
  }
};

LoadedModel Load(int max_batch) {
  LoadedModel model;
  model.card.input = {.width = kSide, .height = kSide, .resize = ResizeRule::kLetterboxTopLeft, .pad = 0};
  model.compiled = std::make_unique<MeanModel>(max_batch);
  model.decoder = std::make_unique<MeanDecoder>();
  return model;
}

MeanModel& NetOf(LoadedModel& model) { return static_cast<MeanModel&>(*model.compiled); }

RgbPicture Plain(int width, int height, uint8_t value) {
  return {.width = width,
          .height = height,
          .pixels = std::vector<uint8_t>(static_cast<size_t>(width) * static_cast<size_t>(height) * 3, value)};
}

class ModelInferenceTest : public ::testing::Test {
 protected:
  Result<std::vector<InferenceResult>> Run(LoadedModel& model, const std::vector<RgbPicture>& pictures) {
    std::vector<PictureView> views;
    for (const RgbPicture& picture : pictures) views.push_back(picture.View());
    return RunModelOnPictures(model, 0, scaler_, views, clock_, cost_, &log_.lane(0));
  }
  std::vector<EngineRun> Logged() {
    std::vector<RunLog::LaneRun> logged;
    log_.Drain(logged);
    std::vector<EngineRun> runs;
    for (const RunLog::LaneRun& run : logged) runs.push_back(run.run);
    return runs;
  }

  PictureScaler scaler_;
  ManualClock clock_;
  InferenceCost cost_;
  RunLog log_{1, clock_};
};

TEST_F(ModelInferenceTest, EveryRunIsToldWithItsBatch) {
  LoadedModel model = Load(2);
  ASSERT_TRUE(Run(model, {Plain(4, 4, 1), Plain(4, 4, 2), Plain(4, 4, 3)}).ok());
  const std::vector<EngineRun> runs = Logged();
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].model, &model);
  EXPECT_EQ(runs[0].width, kSide);
  EXPECT_EQ(runs[0].batch, 2);
  EXPECT_EQ(runs[1].batch, 1);
  EXPECT_EQ(runs[1].stages, 1);
}

TEST_F(ModelInferenceTest, StagesAreToldOneByOne) {
  LoadedModel model = Load(1);
  NetOf(model).cut_into = 3;
  ASSERT_TRUE(Run(model, {Plain(4, 4, 1)}).ok());
  const std::vector<EngineRun> runs = Logged();
  ASSERT_EQ(runs.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(runs[static_cast<size_t>(i)].stage, i);
  EXPECT_EQ(runs[0].stages, 3);
  EXPECT_THAT(NetOf(model).runs, ElementsAre(1));
}

TEST_F(ModelInferenceTest, ARunThatFailsIsOverButNotTold) {
  LoadedModel model = Load(1);
  NetOf(model).fails = true;
  ASSERT_FALSE(Run(model, {Plain(4, 4, 1)}).ok());
  clock_.Advance(Duration(7));
  std::vector<RunLog::LaneRun> logged;
  EXPECT_EQ(log_.Drain(logged), clock_.Now()) << "nothing goes on";
  EXPECT_TRUE(logged.empty());
}

TEST_F(ModelInferenceTest, AnswersEveryPictureInItsOrderWhateverTheBatch) {
  const std::vector<RgbPicture> pictures{Plain(4, 4, 10), Plain(8, 8, 20), Plain(3, 3, 30), Plain(9, 9, 40),
                                         Plain(4, 4, 50)};
  for (const auto& [max_batch, runs] : std::vector<std::pair<int, std::vector<int>>>{
           {1, {1, 1, 1, 1, 1}}, {2, {2, 2, 1}}, {4, {4, 1}}, {5, {5}}, {8, {5}}}) {
    LoadedModel model = Load(max_batch);
    const auto results = Run(model, pictures);
    ASSERT_TRUE(results.ok()) << results.error().message;
    ASSERT_EQ(results.value().size(), 5U);
    EXPECT_EQ(NetOf(model).runs, runs);
    for (size_t i = 0; i < 5; ++i) {
      const auto value = static_cast<float>(10 * (i + 1));
      EXPECT_THAT(results.value()[i].embedding, ElementsAre(FloatEq(value), FloatEq(value))) << i;
    }
  }
}

TEST_F(ModelInferenceTest, EveryPictureHasItsOwnPlace) {
  LoadedModel model = Load(3);
  const auto results = Run(model, {Plain(8, 4, 100), Plain(4, 4, 100), Plain(4, 8, 100)});
  ASSERT_TRUE(results.ok());
  const auto box = [&](size_t i) { return results.value()[i].objects[0].box; };
  EXPECT_EQ(box(0), (Box{0, 0, 1, 2}));
  EXPECT_EQ(box(1), (Box{0, 0, 1, 1}));
  EXPECT_EQ(box(2), (Box{0, 0, 2, 1}));
  EXPECT_FLOAT_EQ(results.value()[0].embedding[0], 50);  // half of it is padding
}

TEST_F(ModelInferenceTest, PatchesOfAnObjectAreOneInput) {
  LoadedModel model = Load(2);
  model.name = "points";
  model.card.input = {.width = kSide, .height = 1, .pad = 0, .patches = 4, .patch_size = 0.25F};
  std::vector<RgbPicture> pictures;
  for (uint8_t i = 0; i < 12; ++i) pictures.push_back(Plain(kSide, 1, static_cast<uint8_t>(10 * i)));
  const auto results = Run(model, pictures);
  ASSERT_TRUE(results.ok()) << results.error().message;
  ASSERT_EQ(results.value().size(), 3U);
  EXPECT_THAT(NetOf(model).runs, ElementsAre(2, 1));
  EXPECT_THAT(results.value()[0].embedding, ElementsAre(FloatEq(15), FloatEq(0)));
  EXPECT_THAT(results.value()[2].embedding, ElementsAre(FloatEq(95), FloatEq(80)));
  pictures.pop_back();
  const auto incomplete = Run(model, pictures);
  ASSERT_FALSE(incomplete.ok());
  EXPECT_THAT(incomplete.error().message, HasSubstr("model 'points' looks at 4 patches"));
}

TEST_F(ModelInferenceTest, APyramidLooksInEverySizeAndClipsToTheWholePicture) {
  LoadedModel model = Load(1);
  const auto add = [&] {
    PyramidLevel level{.width = kSide, .height = kSide, .compiled = nullptr, .decoder = nullptr};
    level.compiled = std::make_unique<MeanModel>(1);
    level.decoder = std::make_unique<MeanDecoder>();
    model.smaller.push_back(std::move(level));
  };
  add();
  add();
  const RgbPicture flat = Plain(8, 4, 100);
  const auto whole = RunModelOnPicture(model, 0, scaler_, flat.View(), clock_, cost_);
  ASSERT_TRUE(whole.ok());
  ASSERT_EQ(whole.value().objects.size(), 1U) << "one box, seen three times";
  EXPECT_EQ(whole.value().objects[0].box, (Box{0, 0, 1, 1}));
  const auto part = Run(model, {flat});
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(part.value()[0].objects.at(0).box, (Box{0, 0, 1, 2})) << "a part: who knows the whole clips";
  for (const PyramidLevel& level : model.smaller) {
    EXPECT_THAT(static_cast<const MeanModel&>(*level.compiled).runs, ElementsAre(1, 1));
  }
}

TEST_F(ModelInferenceTest, OnePictureAfterManyIsRunAlone) {
  LoadedModel model = Load(4);
  ASSERT_TRUE(Run(model, {Plain(4, 4, 1), Plain(4, 4, 2), Plain(4, 4, 3)}).ok());
  const RgbPicture picture = Plain(4, 4, 9);
  const auto result = RunModelOnPicture(model, 0, scaler_, picture.View(), clock_, cost_);
  ASSERT_TRUE(result.ok());
  EXPECT_FLOAT_EQ(result.value().embedding[0], 9);
  EXPECT_THAT(NetOf(model).runs, ElementsAre(3, 1));
}

TEST_F(ModelInferenceTest, NoPictureIsNoRun) {
  LoadedModel model = Load(4);
  const auto results = Run(model, {});
  ASSERT_TRUE(results.ok());
  EXPECT_TRUE(results.value().empty());
  EXPECT_TRUE(NetOf(model).runs.empty());
}

TEST_F(ModelInferenceTest, TheFirstErrorEndsIt) {
  LoadedModel model = Load(2);
  NetOf(model).fails = true;
  const auto failed = Run(model, {Plain(4, 4, 1), Plain(4, 4, 2)});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "no luck");
  NetOf(model).fails = false;
  NetOf(model).wrong_shape = true;
  const auto wrong = Run(model, {Plain(4, 4, 1), Plain(4, 4, 2)});
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.error().message, HasSubstr("shape 7x1 for 2 pictures"));
}

TEST_F(ModelInferenceTest, APictureWithoutPixelsIsAnError) {
  LoadedModel model = Load(2);
  const RgbPicture picture = Plain(4, 4, 1);
  const std::vector<PictureView> views{picture.View(), {.width = 4, .height = 4}};
  EXPECT_FALSE(RunModelOnPictures(model, 0, scaler_, views, clock_, cost_).ok());
  EXPECT_TRUE(NetOf(model).runs.empty());
}

}  // namespace
}  // namespace deepedge
