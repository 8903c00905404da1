#include "deepedge/runtime/gallery_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deepedge/runtime/test_fakes.h"

namespace deepedge {
namespace {

using ::testing::HasSubstr;

class FixedDecoder final : public OutputDecoder {
 public:
  explicit FixedDecoder(InferenceResult result) : result_(std::move(result)) {}
  Result<InferenceResult> Decode(std::span<const TensorView>, const Placement&) const override { return result_; }

 private:
  InferenceResult result_;
};

std::unique_ptr<LoadedModel> ModelThatSays(InferenceResult result) {
  auto model = deepedge::testing::MakeFakeModel("net", 1);
  model->card.labels = {"car", "face"};
  model->decoder = std::make_unique<FixedDecoder>(std::move(result));
  return model;
}

RgbPicture Gray(int width, int height) {
  return {.width = width,
          .height = height,
          .pixels = std::vector<uint8_t>(static_cast<size_t>(width) * static_cast<size_t>(height) * 3, 128)};
}

const Box kLarge{0.1F, 0.1F, 0.9F, 0.9F};
const Box kSmall{0.4F, 0.4F, 0.5F, 0.5F};

TEST(LargestFaceOrPersonTest, PrefersTheLabelsThatNameOne) {
  const std::vector<DetectedObject> objects{{.label = 0, .box = kLarge, .keypoints = {}},
                                            {.label = 1, .box = kSmall, .keypoints = {}}};
  ModelCard card{.labels = {"car", "face"}};
  EXPECT_EQ(LargestFaceOrPerson(objects, card), &objects[1]);
  card.labels = {"car", "mask"};
  EXPECT_EQ(LargestFaceOrPerson(objects, card), &objects[0]);
  card.labels = {"person", "face"};
  EXPECT_EQ(LargestFaceOrPerson(objects, card), &objects[0]);
  EXPECT_EQ(LargestFaceOrPerson({}, card), nullptr);
}

class EmbedPictureTest : public ::testing::Test {
 protected:
  Result<EmbeddedPicture> Embed(LoadedModel* detector) {
    return EmbedPicture(*embedder_, detector, picture_.View(), clock_);
  }

  std::unique_ptr<LoadedModel> embedder_ = ModelThatSays({.embedding = {3, 4}});
  RgbPicture picture_ = Gray(100, 100);
  ManualClock clock_;
};

TEST_F(EmbedPictureTest, CutsAsTheDetectorSays) {
  const auto whole = Embed(nullptr);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole.value().cut, PictureCut::kWhole);
  EXPECT_EQ(whole.value().embedding, (std::vector<float>{3, 4}));

  DetectedObject face{.label = 1, .box = kLarge, .keypoints = {}};
  const auto box = Embed(ModelThatSays({.objects = {face}}).get());
  ASSERT_TRUE(box.ok());
  EXPECT_EQ(box.value().cut, PictureCut::kBox);
  EXPECT_EQ(box.value().object->box, kLarge);

  for (const Point& p : {Point{0.3F, 0.3F}, {0.6F, 0.3F}, {0.45F, 0.5F}, {0.35F, 0.65F}, {0.57F, 0.65F}}) {
    face.keypoints.push_back({p, 1});
  }
  EXPECT_EQ(Embed(ModelThatSays({.objects = {face}}).get()).value().cut, PictureCut::kAligned);
  for (Keypoint& keypoint : face.keypoints) keypoint.point = {0.5F, 0.5F};
  EXPECT_EQ(Embed(ModelThatSays({.objects = {face}}).get()).value().cut, PictureCut::kBox);
}

TEST_F(EmbedPictureTest, SaysWhatIsMissing) {
  const auto nobody = Embed(ModelThatSays({.objects = {{.label = 0, .box = kLarge, .keypoints = {}}}}).get());
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code, ErrorCode::kNotFound);
  embedder_ = ModelThatSays({});
  EXPECT_THAT(Embed(nullptr).error().message, HasSubstr("gives no embedding"));
  EXPECT_EQ(GalleryModelOf(*embedder_).error().code, ErrorCode::kUnsupported);
}

TEST(CheckGalleryModelTest, KeepsModelsApart) {
  Gallery gallery({.name = "a", .sha256 = "11"});
  EXPECT_TRUE(CheckGalleryModel(gallery, {.name = "b", .sha256 = "22"}).ok());  // holds nothing yet
  ASSERT_TRUE(gallery.Add("Ann", std::vector<float>{1, 0}).ok());
  EXPECT_TRUE(CheckGalleryModel(gallery, {.name = "c", .sha256 = "11"}).ok());
  EXPECT_THAT(CheckGalleryModel(gallery, {.name = "b", .sha256 = "22"}).error().message, HasSubstr("model 'a'"));
}

}  // namespace
}  // namespace deepedge
