// Files that are damaged, wrong or made to do harm: an error that says what is wrong, at once.
#include <fmt/format.h>

#include <chrono>
#include <random>

#include "deepedge/formats/caffe/caffe_test_net.h"
#include "deepedge/formats/cost_for_test.h"
#include "deepedge/formats/damage_for_test.h"

namespace deepedge {
namespace {

class HostileTest : public CaffeTest {};

constexpr const char* kConvolution =
    "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' convolution_param { num_output: 4 "
    "kernel_size: 3 } }";

TEST_F(HostileTest, WeightsThatDoNotFitAreNamed) {
  const std::string net = InputText("data", "1,3,8,8") + kConvolution;
  const auto bias = SomeBlob({4});
  struct Case {
    TestWeights weights;
    const char* message;
  };
  const Case cases[] = {
      {{{"other", {bias}}}, "layer 'conv' (Convolution): has no weights in net.caffemodel"},
      {{{"conv", {SomeBlob({4, 3, 3, 3})}}},
       "layer 'conv' (Convolution): has 1 arrays in net.caffemodel, its bias is missing"},
      {{{"conv", {SomeBlob({4, 6, 3, 3}), bias}}}, "its weights in net.caffemodel is 4x6x3x3, 4x3x3x3 is needed"},
      {{{"conv", {SomeBlob({3, 4, 3, 3}), bias}}}, "is 3x4x3x3, 4x3x3x3 is needed"},
      {{{"conv", {SomeBlob({4, 3, 3, 3}), SomeBlob({5})}}}, "its bias in net.caffemodel is 5, 4 is needed"},
      {{{"conv", {TestBlob{{4, 3, 3, 3}, {1, 2, 3}}, bias}}}, "4x3x3x3 and 3 numbers"},
  };
  for (const Case& c : cases) ExpectError(Read(net, c.weights), ErrorCode::kBadInput, c.message);
}

TEST_F(HostileTest, TextThatMakesNoNetIsRefused) {
  struct Case {
    std::string text;
    ErrorCode code;
    const char* message;
  };
  const std::string data = InputText("data", "1,3,8,8");
  const auto layer = [](const std::string& body) { return "layer { name: 'x' bottom: 'data' top: 'x' " + body + " }"; };
  const Case cases[] = {
      {data + "layer { name: 'x' type: 'ReLU' bottom: 'gone' top: 'x' }", ErrorCode::kBadInput,
       "layer 'x' (ReLU): its bottom 'gone' is the top of no layer before it"},
      // A circle: each reads what only the other gives.
      {data + "layer { name: 'a' type: 'Eltwise' bottom: 'data' bottom: 'b' top: 'a' } layer { name: 'b' type: 'ReLU' "
              "bottom: 'a' top: 'b' }",
       ErrorCode::kBadInput, "layer 'a' (Eltwise): its bottom 'b' is the top of no layer before it"},
      {data + layer("type: 'ReLU'") + layer("type: 'ReLU'"), ErrorCode::kBadInput, "is the top of another layer too"},
      {data + layer("type: 'LSTM'"), ErrorCode::kUnsupported, "layer 'x' (LSTM): layers of this type are not read"},
      {data + layer("type: 'ReLU' relu_param { slope: 1 }"), ErrorCode::kUnsupported, "relu_param says slope"},
      {data + layer("type: 'ReLU' quantization_param { bits: 8 }"), ErrorCode::kUnsupported, "says quantization_param"},
      {data + layer("type: 'Pooling' pooling_param { pool: STOCHASTIC kernel_size: 2 }"), ErrorCode::kUnsupported,
       "pool STOCHASTIC"},
      {data + layer("type: 'Pooling' pooling_param { kernel_size: 2 pad: 2 }"), ErrorCode::kBadInput, "padding"},
      {data + layer("type: 'Pooling' pooling_param { kernel_size: 2 kernel_size: -1 }"), ErrorCode::kBadInput,
       "whole number from 1"},
      {data + layer("type: 'Pooling' pooling_param { kernel_size: 1e99 }"), ErrorCode::kBadInput, "whole number"},
      {data + layer("type: 'Softmax' softmax_param { axis: 7 }"), ErrorCode::kBadInput, "axis 7"},
      {data + layer("type: 'Slice' slice_param { slice_point: 9 } top: 'y'"), ErrorCode::kBadInput, "slice_point 9"},
      {data + layer("type: 'Reshape' reshape_param { shape { dim: 5 } }"), ErrorCode::kBadInput, "layer 'x' (Reshape)"},
      {data + layer("type: 'Tile' tile_param { tiles: 2000000000 }"), ErrorCode::kBadInput, "too large an array"},
      {data + layer("type: 'Interp' interp_param { height: 1000000 width: 1000000 }"), ErrorCode::kBadInput,
       "too large an array"},
      {InputText("data", "1,3,60000,60000") + layer("type: 'ReLU'"), ErrorCode::kBadInput, "too large an array"},
      {InputText("data", "1,0,2,2") + layer("type: 'ReLU'"), ErrorCode::kBadInput, "whole number from 1"},
      {InputText("data", "1,99999999999999999999,2,2") + layer("type: 'ReLU'"), ErrorCode::kBadInput, "whole number"},
      {"input: 'data' input_dim: 1 " + layer("type: 'ReLU'"), ErrorCode::kBadInput, "1 inputs with 1 input_dim"},
      {"layers { layer { name: 'x' type: 'relu' } }", ErrorCode::kUnsupported, "first form"},
      {data + "layers { name: 'x' type: RELU bottom: 'data' top: 'x' }", ErrorCode::kBadInput, "both"},
      {"layer { name: 'd' type: 'Data' top: 'data' }" + layer("type: 'ReLU'"), ErrorCode::kUnsupported,
       "the size of its pictures is not in the file"},
      {"name: 'x'", ErrorCode::kBadInput, "has no layers"},
      {data, ErrorCode::kBadInput, "has no outputs"},
      {data + layer("type: 'ReLU'") + "optimizer: 'x'", ErrorCode::kUnsupported, "says optimizer"},
      {data + "layer { type: 'ReLU' ", ErrorCode::kBadInput, "the text ends where '}' is missing"},
      {"", ErrorCode::kBadInput, "has no layers"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    ExpectError(Read(c.text, {}), c.code, c.message);
  }
}

TEST_F(HostileTest, SmallFilesStaySmall) {
  // Many layers of one name would each hold a copy of the same weights.
  std::string net = InputText("data", "1,1000,1,1");
  std::string bottom = "data";
  for (int i = 0; i < 1000; ++i) {
    const std::string top = fmt::format("t{}", i);
    net += "layer { name: 'fc' type: 'InnerProduct' bottom: '" + bottom + "' top: '" + top +
           "' inner_product_param { num_output: 1000 bias_term: false } }";
    bottom = top;
  }
  ExpectError(Read(net, {{"fc", {SomeBlob({1000, 1000})}}}), ErrorCode::kBadInput, "again and again");
}

// Texts of a megabyte whose numbers of things would multiply.
TEST_F(HostileTest, LongTextsAreAnsweredQuickly) {
  const std::string relu = "layer { name: 'x' type: 'ReLU' bottom: 'data' top: 'x' }";
  const std::string data = InputText("data", "1,3,8,8");
  const auto repeated = [](int times, auto&& make) {
    std::string text;
    for (int i = 0; i < times; ++i) text += make(i);
    return text;
  };
  const auto relu_chain = [&](int count) {
    return repeated(count, [](int i) {
      return fmt::format("layer {{ name: 'r{0}' type: 'ReLU' bottom: 'r{1}' top: 'r{0}' }}", i + 1, i);
    });
  };
  const std::pair<std::string, const char*> cases[] = {
      {data + relu + repeated(80'000, [](int i) { return fmt::format("u{}: 1 ", i); }), "says u0, u1, u2, which"},
      {repeated(60'000, [](int i) { return fmt::format("input: 'i{}' ", i); }) + "input_dim: 1 " + relu,
       "60000 inputs"},
      {repeated(15'000,
                [](int i) {
                  return fmt::format("layer {{ type: 'Input' top: 'i{}' input_param {{ shape {{ dim: 2 }} }} }}", i);
                }) +
           relu,
       "more than 64 inputs"},
      {data +
           repeated(
               9'900,
               [](int i) { return fmt::format("layer {{ type: 'SoftmaxWithLoss' bottom: 'data' top: 'l{}' }}", i); }) +
           repeated(9'900, [](int) { return "layer { type: 'Softmax' bottom: 'x' top: 'y' } "; }),
       "its bottom 'x'"},
      // Each number of the list has the name.
      {std::string(400'000, 'n') + ": [" + repeated(300'000, [](int) { return "1,"; }) + "1]", "the name of a field"},
      // Every layer behind has as many dimensions.
      {data + "layer { name: 'r0' type: 'Reshape' bottom: 'data' top: 'r0' reshape_param { shape { dim: [192" +
           repeated(100'000, [](int) { return ",1"; }) + "] } } }" + relu_chain(3000),
       "dimensions"},
  };
  for (const auto& [text, message] : cases) {
    SCOPED_TRACE(message);
    ExpectCheap([&] {
      const auto model = Read(text, {{"none", {SomeBlob({1})}}});
      ASSERT_FALSE(model.ok());
      EXPECT_NE(model.error().message.find(message), std::string::npos) << model.error().message;
    });
  }
}

TEST_F(HostileTest, BytesThatAreNoCaffemodelAreRefused) {
  const std::string net = InputText("data", "1,3,8,8") + kConvolution;
  const std::string good = CaffeModel({{"conv", {SomeBlob({4, 3, 3, 3}), SomeBlob({4})}}});
  ASSERT_TRUE(ReadBytes(net, good).ok());
  for (size_t length = 0; length < good.size(); ++length) {
    const auto cut = ReadBytes(net, good.substr(0, length));
    ASSERT_FALSE(cut.ok()) << length;
    ASSERT_EQ(cut.error().code, ErrorCode::kBadInput) << cut.error().message;
  }
  ExpectError(ReadBytes(net, good.substr(0, good.size() - 1)), ErrorCode::kBadInput, "is cut off: 1 bytes are missing");
  // A blob that says it is longer than the file, and a shape of too many dimensions.
  ExpectError(ReadBytes(net, BytesField(100, BytesField(1, "conv") + Varint(7 << 3 | 2) + Varint(uint64_t{1} << 40))),
              ErrorCode::kBadInput, "is damaged");
  const std::string shape = BytesField(7, BytesField(1, std::string(1000, '\1')));
  ExpectError(ReadBytes(net, BytesField(100, BytesField(1, "conv") + BytesField(7, shape))), ErrorCode::kBadInput,
              "a shape that cannot be read");
}

// Many small changes to files that read: any answer will do, but there must be one.
TEST_F(HostileTest, ChangedFilesAreAnsweredQuickly) {
  const std::string text = InputText("data", "1,3,8,8") + kConvolution +
                           "layer { name: 'bn' type: 'BatchNorm' bottom: 'conv' top: 'bn' } layer { name: 'sc' type: "
                           "'Scale' bottom: 'bn' top: "
                           "'bn' scale_param { bias_term: true } } layer { name: 'p' type: 'Pooling' bottom: 'bn' top: "
                           "'p' pooling_param { pool: "
                           "AVE kernel_size: 3 stride: 2 pad: 1 } } layer { name: 'up' type: 'Upsample' bottom: 'p' "
                           "top: 'up' upsample_param { "
                           "scale: 2 } } layer { name: 'pr' type: 'PriorBox' bottom: 'up' bottom: 'data' top: 'pr' "
                           "prior_box_param { min_size: 4 "
                           "aspect_ratio: 2 step: 8 } } layer { name: 'perm' type: 'Permute' bottom: 'up' top: 'perm' "
                           "permute_param { order: [0, "
                           "2, 3, 1] } } layer { name: 'fl' type: 'Flatten' bottom: 'perm' top: 'fl' } layer { name: "
                           "'re' type: 'Reshape' bottom: "
                           "'fl' top: 're' reshape_param { shape { dim: [0, -1, 2] } } }";
  const std::string weights = CaffeModel({{"conv", {SomeBlob({4, 3, 3, 3}), SomeBlob({4})}},
                                          {"bn", {SomeBlob({4}), SomeBlob({4}), SomeBlob({1})}},
                                          {"sc", {SomeBlob({4}), SomeBlob({4})}}});
  ASSERT_TRUE(ReadBytes(text, weights).ok());
  std::mt19937 random(20261);
  const auto below = [&](size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random); };
  static constexpr std::string_view kPieces[] = {"0",       "-1",   "1000000000",   "{",   "}", "'",
                                                 "dim: 7 ", "1e30", "bottom: 'p' ", "data"};
  const auto change = [&](std::string bytes, bool is_text) {
    for (size_t n = below(3) + 1; n > 0 && !bytes.empty(); --n) {
      const size_t at = below(bytes.size());
      switch (below(is_text ? 4 : 3)) {
        case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
        case 1: bytes.erase(at, below(20)); break;
        case 2: bytes.insert(at, bytes.substr(below(bytes.size()), below(40))); break;
        default: bytes.insert(at, kPieces[below(std::size(kPieces))]); break;
      }
    }
    return bytes;
  };
  ExpectAnswersQuickly([&](int i) {
    const bool is_text = i % 2 == 0;
    return [this, changed_text = is_text ? change(text, true) : text,
            changed_weights = is_text ? weights : change(weights, false)] {
      return ReadBytes(changed_text, changed_weights);
    };
  });
}

}  // namespace
}  // namespace deepedge
