#include "deepedge/formats/tflite_quantization.h"

#include <bit>
#include <limits>

#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

using TfliteQuantizationTest = FilesTest;

// Builds a FlatBuffer from its start on: tables follow those that point at them.
class Buffer {
 public:
  size_t Add(uint32_t value, int bytes = 4) {
    const size_t at = text_.size();
    for (int i = 0; i < bytes; ++i) text_ += static_cast<char>(value >> (8 * i));
    return at;
  }
  void Point(size_t from) { Set(from, static_cast<uint32_t>(text_.size() - from)); }
  void Set(size_t at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) text_[at + i] = static_cast<char>(value >> (8 * i));
  }
  // A table whose fields are four bytes each; the places of those that are there.
  std::vector<size_t> Table(size_t from, const std::vector<bool>& there) {
    const size_t list = text_.size();
    Add(static_cast<uint32_t>(4 + 2 * there.size()), 2);
    Add(0, 2);
    uint32_t offset = 4;
    for (const bool is : there) {
      Add(is ? offset : 0, 2);
      if (is) offset += 4;
    }
    Point(from);
    Add(static_cast<uint32_t>(text_.size() - list));
    std::vector<size_t> places;
    for (const bool is : there) places.push_back(is ? Add(0) : 0);
    return places;
  }
  // A vector of `count` numbers or offsets.
  std::vector<size_t> Vector(size_t from, size_t count) {
    Point(from);
    Add(static_cast<uint32_t>(count));
    std::vector<size_t> places;
    for (size_t i = 0; i < count; ++i) places.push_back(Add(1));
    return places;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct Tensor {
  size_t dimensions = 1;
  size_t scales = 1;
  uint32_t axis = 0;
};

std::string Model(const std::vector<Tensor>& tensors, std::vector<int64_t>* axes) {
  Buffer buffer;
  const size_t root = buffer.Add(0);
  const auto model = buffer.Table(root, {false, false, true});
  const auto subgraphs = buffer.Vector(model[2], 1);
  const auto subgraph = buffer.Table(subgraphs[0], {true});
  const auto list = buffer.Vector(subgraph[0], tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto tensor = buffer.Table(list[i], {true, false, false, false, true});
    buffer.Vector(tensor[0], tensors[i].dimensions);
    const auto quantization = buffer.Table(tensor[4], {false, false, true, false, false, false, true});
    buffer.Vector(quantization[2], tensors[i].scales);
    buffer.Set(quantization[6], tensors[i].axis);
    axes->push_back(static_cast<int64_t>(quantization[6]));
  }
  return buffer.text();
}

TEST_F(TfliteQuantizationTest, FindsTheAxisThatABiasDoesNotHave) {
  std::vector<int64_t> axes;
  const std::string text = Model({{4, 8, 3}, {1, 8, 3}, {1, 8, 0}, {1, 1, 3}, {2, 8, 1}}, &axes);
  const Path model = Write("m.tflite", text);
  const auto places = FindWrongTfliteAxes(model);
  ASSERT_TRUE(places.ok());
  EXPECT_EQ(places.value(), std::vector<int64_t>{axes[1]});

  const Path copy = model.parent_path() / "copy.tflite";
  ASSERT_TRUE(RewriteTfliteAxes(model, places.value(), copy).ok());
  EXPECT_TRUE(FindWrongTfliteAxes(copy).value().empty());
  std::string expected = text;
  expected[static_cast<size_t>(axes[1])] = 0;
  EXPECT_EQ(ReadFile(copy, 1 << 20).value(), expected);
}

// A graph of one tensor of whole numbers, which is its output.
std::string Quantised(float scale, uint32_t zero) {
  Buffer buffer;
  const size_t root = buffer.Add(0);
  const auto model = buffer.Table(root, {false, false, true});
  const auto subgraphs = buffer.Vector(model[2], 1);
  const auto subgraph = buffer.Table(subgraphs[0], {true, false, true});
  const auto tensors = buffer.Vector(subgraph[0], 1);
  buffer.Set(buffer.Vector(subgraph[2], 1)[0], 0);
  const auto tensor = buffer.Table(tensors[0], {false, false, false, true, true});
  buffer.Set(buffer.Vector(tensor[3], 2)[0], 0x74756F);  // "out"
  const auto quantization = buffer.Table(tensor[4], {false, false, true, true});
  buffer.Set(buffer.Vector(quantization[2], 1)[0], std::bit_cast<uint32_t>(scale));
  const auto zeros = buffer.Vector(quantization[3], 2);
  buffer.Set(zeros[0], zero);
  buffer.Set(zeros[0] - 4, 1);
  // The name's length counts letters.
  std::string text = buffer.text();
  text[text.find("out") - 4] = 3;
  return text;
}

TEST_F(TfliteQuantizationTest, TellsWhatTheNumbersOfAResultMean) {
  const auto scales = ReadTfliteOutputScales(Write("m.tflite", Quantised(0.25F, 0xFFFFFF80)));
  ASSERT_TRUE(scales.ok());
  EXPECT_EQ(scales.value(), (std::vector<TfliteScale>{{"out", 0.25F, -128}}));
  EXPECT_TRUE(ReadTfliteOutputScales(Write("m.tflite", Quantised(0, 3))).value().empty());
  EXPECT_TRUE(
      ReadTfliteOutputScales(Write("m.tflite", Quantised(std::numeric_limits<float>::infinity(), 3))).value().empty());
}

TEST_F(TfliteQuantizationTest, SurvivesDamage) {
  const std::string quantised = Quantised(0.25F, 3);
  for (size_t at = 0; at < quantised.size(); ++at) {
    std::string damaged = quantised;
    damaged[at] = '\xFF';
    const auto scales = ReadTfliteOutputScales(Write("m.tflite", damaged));
    ASSERT_TRUE(scales.ok());
    EXPECT_LE(scales.value().size(), 1000U);
    for (const TfliteScale& scale : scales.value()) EXPECT_GT(scale.scale, 0) << at;
  }
  std::vector<int64_t> axes;
  const std::string good = Model({{4, 8, 3}, {1, 8, 3}}, &axes);
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'\0', '\x7F', '\xFF'}) {
      std::string damaged = good;
      damaged[at] = byte;
      const auto places = FindWrongTfliteAxes(Write("m.tflite", damaged));
      ASSERT_TRUE(places.ok());
      for (const int64_t place : places.value()) EXPECT_LT(place, static_cast<int64_t>(good.size()));
    }
    EXPECT_TRUE(FindWrongTfliteAxes(Write("m.tflite", good.substr(0, at))).ok());
  }
}

}  // namespace
}  // namespace deepedge
