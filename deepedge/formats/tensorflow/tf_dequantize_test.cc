#include "deepedge/formats/tensorflow/tf_dequantize.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "deepedge/formats/cost_for_test.h"
#include "deepedge/formats/tensorflow/test_graph_def.h"

namespace deepedge {
namespace {

using TfDequantizeTest = FilesTest;

TEST(TfDequantizeTable, FollowsTheModesOfTensorFlow) {
  const auto combined = DequantizeTable({.min = -1, .max = 4.1F});
  EXPECT_FLOAT_EQ(combined[0], -1);
  EXPECT_FLOAT_EQ(combined[255], 4.1F);
  EXPECT_FLOAT_EQ(combined[100], -1 + 100 * 0.02F);
  const auto with_sign = DequantizeTable({.is_signed = true, .min = -1, .max = 4.1F});
  EXPECT_FLOAT_EQ(with_sign[0x80], -1);
  EXPECT_FLOAT_EQ(with_sign[0x7F], 4.1F);
  // The offset is a whole number of steps: -1.01 / 0.02 rounds to -51.
  const auto first = DequantizeTable({.mode = TfDequantizeMode::kMinFirst, .min = -1.013F, .max = 4.087F});
  EXPECT_NEAR(first[0], -51 * 0.02F, 1e-5F);
  EXPECT_NEAR(first[51], 0, 1e-5F);
  const auto scaled = DequantizeTable({.mode = TfDequantizeMode::kScaled, .is_signed = true, .min = -1, .max = 2.54F});
  EXPECT_FLOAT_EQ(scaled[1], 0.02F);
  EXPECT_FLOAT_EQ(scaled[0xFF], -0.02F);
}

TEST(TfDequantizeTable, ARangeWithoutStepsIsItsMinimum) {
  for (const auto mode : {TfDequantizeMode::kMinCombined, TfDequantizeMode::kMinFirst}) {
    for (const auto& [min, max] : {std::pair{0.0F, 1.2e-38F}, {3.0F, 3.0F}, {2.0F, 1.0F}}) {
      for (const float value : DequantizeTable({.mode = mode, .min = min, .max = max})) EXPECT_EQ(value, min);
    }
  }
}

TEST_F(TfDequantizeTest, PutsFloatsInThePlaceOfBytes) {
  const std::string graph = QuantizedGraph("MIN_COMBINED") + BytesField(4, NumberField(1, 27));
  const Path source = Write("g.pb", graph);
  EXPECT_TRUE(HasDequantize(source).value());
  const auto rewritten = RewriteDequantize({ModelFormat::kTfFrozen, source, {}}, folder());
  ASSERT_TRUE(rewritten.ok()) << rewritten.error().message;
  const std::string text = ReadFile(rewritten.value().graph).value();
  const float floats[] = {0, 1, 255};
  EXPECT_NE(text.find(std::string(reinterpret_cast<const char*>(floats), sizeof floats)), std::string::npos);
  EXPECT_FALSE(HasDequantize(rewritten.value().graph).value());
  EXPECT_EQ(text.find("w_bytes"), std::string::npos) << "the constant of bytes is still there";
  EXPECT_NE(text.find("Add"), std::string::npos);
  EXPECT_TRUE(text.ends_with(BytesField(4, NumberField(1, 27))));
}

TEST_F(TfDequantizeTest, LeavesWhatIsComputed) {
  const std::string graph =
      TestTfNode("x", "Placeholder", {}, "") + TestTfNode("y", "Dequantize", {"x", "a", "b"}, TestTfType("T", 12));
  const Path source = Write("g.pb", graph);
  const auto rewritten = RewriteDequantize({ModelFormat::kTfFrozen, source, {}}, folder());
  ASSERT_TRUE(rewritten.ok()) << rewritten.error().message;
  EXPECT_EQ(ReadFile(rewritten.value().graph).value(), graph);
}

TEST_F(TfDequantizeTest, NamesWhatItCannotRead) {
  const std::string bytes = std::string("\0\1\2", 3);
  const auto graph = [&](const std::string& attributes, const std::string& constant) {
    return constant + TestTfFloat("lo", 0) + TestTfFloat("hi", 1) +
           TestTfNode("w", "Dequantize", {"q", "lo", "hi"}, attributes);
  };
  const std::string good = TestTfBytes("q", 12, {3}, bytes);
  const std::pair<std::string, const char*> cases[] = {
      {graph(TestTfType("T", 13), good), "other than of 8 bits"},
      {graph(TestTfType("T", 11), good), "another type"},
      {graph(TestTfType("T", 12) + TestTfText("mode", "ODD"), good), "unknown mode"},
      {graph(TestTfType("T", 12) + TestTfInt("axis", 0), good), "for each channel"},
      {graph(TestTfType("T", 12), TestTfBytes("q", 12, {4}, bytes)), "holds 3 bytes, its shape 4 numbers"},
      {graph(TestTfType("T", 12), TestTfBytes("q", 12, {1'000'000'000, 1'000'000'000}, bytes)), "shape of a constant"},
      {good + TestTfNode("w", "Dequantize", {"q", "none", "none"}, TestTfType("T", 12)), "range is no constant"},
      {good + TestTfFloat("lo", std::numeric_limits<float>::infinity()) +
           TestTfNode("w", "Dequantize", {"q", "lo", "lo"}, TestTfType("T", 12)),
       "not finite"},
  };
  for (const auto& [model, message] : cases) {
    const auto rewritten = RewriteDequantize({ModelFormat::kTfFrozen, Write("g.pb", model), {}}, folder());
    ASSERT_FALSE(rewritten.ok()) << message;
    EXPECT_NE(rewritten.status().error().message.find(message), std::string::npos)
        << rewritten.status().error().message;
  }
}

TEST_F(TfDequantizeTest, SmallFilesStaySmall) {
  // One constant of a million times the same number, as floats 500 times.
  std::string graph = TestTfRepeated("q", 12, {1 << 20}, 7) + TestTfFloat("lo", 0) + TestTfFloat("hi", 1);
  for (int i = 0; i < 500; ++i) {
    graph += TestTfNode("w" + std::to_string(i), "Dequantize", {"q", "lo", "hi"}, TestTfType("T", 12));
  }
  ASSERT_LT(graph.size(), 40'000U);
  const Path source = Write("g.pb", graph);
  ExpectCheap([&] {
    const auto rewritten = RewriteDequantize({ModelFormat::kTfFrozen, source, {}}, folder());
    ASSERT_FALSE(rewritten.ok());
    EXPECT_NE(rewritten.error().message.find("used too often"), std::string::npos) << rewritten.error().message;
  });
}

TEST_F(TfDequantizeTest, SurvivesDamage) {
  const std::string graph = QuantizedGraph("MIN_FIRST");
  std::mt19937 random(3);  // NOLINT(cert-msc51-cpp): the same damage in every run
  int rewritten = 0;
  for (int round = 0; round < 500; ++round) {
    std::string damaged = graph;
    for (int i = 0; i < 2; ++i) damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
    if (round % 4 == 0) damaged.resize(random() % damaged.size());
    const Path source = Write("d.pb", damaged);
    HasDequantize(source).Ignore("only that it comes back counts");
    rewritten += RewriteDequantize({ModelFormat::kTfFrozen, source, {}}, folder()).ok() ? 1 : 0;
  }
  EXPECT_GT(rewritten, 0);
  EXPECT_LT(rewritten, 500);
}

}  // namespace
}  // namespace deepedge
