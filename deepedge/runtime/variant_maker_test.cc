#include "deepedge/runtime/variant_maker.h"

#include <gtest/gtest.h>

#include "deepedge/engine/fake/fake_engine.h"

namespace deepedge {
namespace {

TEST(WithoutBands, LeavesOutWhatALetterboxPads) {
  struct Case {
    const char* what;
    PictureInput input;
    int width;
    int height;
    VariantKey expected;
  };
  const PictureInput square{.width = 416, .height = 416, .resize = ResizeRule::kLetterboxTopLeft};
  const PictureInput centred{.width = 640, .height = 640, .resize = ResizeRule::kLetterboxCentered};
  const PictureInput stretched{.width = 300, .height = 300, .resize = ResizeRule::kStretch};
  const Case cases[] = {
      {"16:9", square, 1280, 720, {.width = 416, .height = 256}},
      {"upright", square, 720, 1280, {.width = 256, .height = 416}},
      {"16:9 into 640", centred, 1920, 1080, {.width = 640, .height = 384}},
      {"4:3", centred, 640, 480, {.width = 640, .height = 480}},
      {"nearly square: nothing to gain", square, 1000, 990, {.width = 416, .height = 416}},
      {"stretched: no bands", stretched, 1920, 1080, {.width = 300, .height = 300}},
  };
  for (const Case& c : cases) EXPECT_EQ(WithoutBands(c.input, c.width, c.height), c.expected) << c.what;
}

class VariantMakerTest : public ::testing::Test {
 protected:
  VariantMakerTest() : folder_(TemporaryFolder::Create("de_variant_test").value()), engine_([](Duration) {}) {
    std::vector<float> row{0, 0, 0.9F, 0.1F, 0.1F, 0.5F, 0.5F};
    const auto bytes = std::as_bytes(std::span(row));
    engine_.Add({.profile = {.model = "net",
                             .inputs = {{"x", ElementType::kU8, {1, 8, 8, 3}}},
                             .outputs = {{"y", ElementType::kF32, {1, 1, 1, 7}}},
                             .run_time = Duration(100)},
                 .outputs = {{ElementType::kF32, {1, 1, 1, 7}, {bytes.begin(), bytes.end()}}},
                 .output_operations = {"DetectionOutput"}});
    card_.name = "net";
    card_.input.width = card_.input.height = 8;
    card_.output.kind = OutputDecoderKind::kSsd;
  }

  static std::vector<RgbPicture> Frames(size_t count) {
    return std::vector<RgbPicture>(count, {.width = 8, .height = 8, .pixels = std::vector<uint8_t>(192)});
  }
  Result<VariantCard> Make(Precision precision, size_t frames) {
    return MakeVariant(engine_, {.graph = "net"}, card_,
                       {.key = {precision, 8, 8}, .least_agreement = 0.98, .folder = folder_.path()}, Frames(frames),
                       RealClock());
  }

  TemporaryFolder folder_;
  FakeEngine engine_;
  ModelCard card_;
};

TEST_F(VariantMakerTest, ComparesOnAllFrames) {
  const auto made = Make(Precision::kFp32, 16);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made.value().agreement, 1);
  EXPECT_EQ(made.value().frames, 16);
  EXPECT_TRUE(made.value().Usable());
  EXPECT_TRUE(made.value().graph.empty());
}

TEST_F(VariantMakerTest, SaysWhyNothingWasMade) {
  EXPECT_NE(Make(Precision::kFp32, 15).error().message.find("15 frames are too few"), std::string::npos);
  EXPECT_EQ(Make(Precision::kInt8, 16).error().code, ErrorCode::kUnsupported);  // the fake engine does not quantize
  card_.threshold = 0.95F;
  const auto nothing_seen = Make(Precision::kFp32, 16);
  ASSERT_FALSE(nothing_seen.ok());
  EXPECT_NE(nothing_seen.error().message.find("on none of the 16 frames"), std::string::npos);
  card_.output.kind = OutputDecoderKind::kRaw;
  EXPECT_EQ(Make(Precision::kFp32, 16).error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "variants"));
}

}  // namespace
}  // namespace deepedge
