// Small networks written by the tests, run on the engine and compared with sums done by hand or by plain loops.
#include "deepedge/formats/darknet/darknet_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <random>

#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

using Floats = std::vector<float>;

Floats CountUp(size_t count, float first = 0) {
  Floats numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

std::string Bytes(const void* data, size_t size) {
  std::string bytes(size, '\0');
  if (size > 0) std::memcpy(bytes.data(), data, size);
  return bytes;
}

// A weights file of version 0.2.0.
std::string WeightsFile(const Floats& numbers, int32_t minor = 2) {
  const int32_t version[] = {0, minor, 0};
  const uint64_t seen = 1234;
  return Bytes(version, sizeof version) + Bytes(&seen, minor >= 2 ? 8 : 4) +
         Bytes(numbers.data(), numbers.size() * sizeof(float));
}

struct Picture {
  int channels;
  int height;
  int width;
};

class DarknetReaderTest : public FilesTest {
 protected:
  ModelFiles WriteNet(const Picture& input, const std::string& layers, const std::string& weights) {
    const std::string net =
        fmt::format("[net]\nchannels={}\nheight={}\nwidth={}\n", input.channels, input.height, input.width);
    KeepSeed("darknet", net + layers);
    return {ModelFormat::kDarknet, Write("net.cfg", net + layers), Write("net.weights", weights)};
  }

  // The outputs of a network for an input, by name.
  static std::map<std::string, Floats> Run(const ModelFiles& files, const Floats& input) {
    const auto model = ReadDarknet(files);
    if (!model.ok()) {
      ADD_FAILURE() << model.error().message;
      return {};
    }
    static ov::Core core;
    auto request = core.compile_model(model.value(), "CPU", ov::hint::inference_precision(ov::element::f32))
                       .create_infer_request();
    ov::Tensor tensor = request.get_input_tensor();
    EXPECT_EQ(tensor.get_size(), input.size());
    std::copy(input.begin(), input.end(), tensor.data<float>());
    request.infer();
    std::map<std::string, Floats> outputs;
    for (const auto& output : model.value()->outputs()) {
      const ov::Tensor result = request.get_tensor(output.get_any_name());
      outputs[output.get_any_name()] = Floats(result.data<float>(), result.data<float>() + result.get_size());
    }
    return outputs;
  }

  Floats RunOne(const Picture& input, const std::string& layers, const Floats& weights, const Floats& numbers) {
    const auto outputs = Run(WriteNet(input, layers, WeightsFile(weights)), numbers);
    EXPECT_EQ(outputs.size(), 1U);
    return outputs.empty() ? Floats() : outputs.begin()->second;
  }
};

void ExpectNear(const Floats& actual, const Floats& expected, float tolerance = 1e-4F) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], tolerance) << "at " << i;
}

TEST_F(DarknetReaderTest, ConvolvesWithFoldedNormalization) {
  // Two filters of 1x1 over one channel: (w * x - mean) / sqrt(variance + 1e-5) * scale + bias, then leaky.
  const Floats weights = {1, 2, /*scales*/ 3, 1, /*means*/ 4, 0, /*variances*/ 4, 1, /*kernel*/ 2, -1};
  const Floats out =
      RunOne({1, 1, 2}, "[convolutional]\nfilters=2\nbatch_normalize=1\nactivation=leaky\n", weights, {1, 5});
  ExpectNear(out, {1 + 3 * -2 / 2.0F > 0 ? -2.0F : -0.2F, 1 + 3 * 6 / 2.0F, 1, -0.3F});
}

TEST_F(DarknetReaderTest, ConvolvesAsPlainLoopsDo) {
  struct Case {
    int groups, size, stride, pad, dilation;
  };
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same numbers in every run
  std::uniform_real_distribution<float> real(-1, 1);
  for (const Case& c : {Case{1, 3, 1, 1, 1}, Case{2, 3, 2, 1, 1}, Case{4, 5, 1, 0, 1}, Case{1, 3, 1, 1, 2}}) {
    const int channels = 4;
    const int filters = 8;
    const int height = 7;
    const int width = 9;
    const int share = channels / c.groups;
    Floats weights(static_cast<size_t>(filters + filters * share * c.size * c.size));
    Floats input(static_cast<size_t>(channels * height * width));
    for (float& w : weights) w = real(random);
    for (float& x : input) x = real(random);
    const int padding = c.pad == 1 ? c.size / 2 * c.dilation : 0;
    const int window = (c.size - 1) * c.dilation + 1;
    const int rows = (height + 2 * padding - window) / c.stride + 1;
    const int columns = (width + 2 * padding - window) / c.stride + 1;
    Floats expected;
    for (int f = 0; f < filters; ++f) {
      for (int y = 0; y < rows; ++y) {
        for (int x = 0; x < columns; ++x) {
          float sum = weights[static_cast<size_t>(f)];
          for (int k = 0; k < share * c.size * c.size; ++k) {
            const int channel = f / (filters / c.groups) * share + k / (c.size * c.size);
            const int row = y * c.stride - padding + k / c.size % c.size * c.dilation;
            const int column = x * c.stride - padding + k % c.size * c.dilation;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            sum += weights[static_cast<size_t>(filters + f * share * c.size * c.size + k)] *
                   input[static_cast<size_t>((channel * height + row) * width + column)];
          }
          expected.push_back(1 / (1 + std::exp(-sum)));  // logistic is the default
        }
      }
    }
    const std::string layer =
        fmt::format("[convolutional]\nfilters=8\ngroups={}\nsize={}\nstride={}\npad={}\ndilation={}\n", c.groups,
                    c.size, c.stride, c.pad, c.dilation);
    ExpectNear(RunOne({channels, height, width}, layer, weights, input), expected, 1e-5F);
  }
}

TEST_F(DarknetReaderTest, ActivatesByEveryName) {
  const std::pair<const char*, std::function<float(float)>> cases[] = {
      {"linear", [](float x) { return x; }},
      {"logistic", [](float x) { return 1 / (1 + std::exp(-x)); }},
      {"leaky", [](float x) { return x > 0 ? x : 0.1F * x; }},
      {"relu", [](float x) { return std::max(x, 0.0F); }},
      {"relu6", [](float x) { return std::clamp(x, 0.0F, 6.0F); }},
      {"elu", [](float x) { return x >= 0 ? x : std::exp(x) - 1; }},
      {"selu", [](float x) { return 1.0507F * (x >= 0 ? x : 1.6732F * (std::exp(x) - 1)); }},
      {"gelu", [](float x) { return 0.5F * x * (1 + std::tanh(0.797885F * x + 0.035677F * x * x * x)); }},
      {"tanh", [](float x) { return std::tanh(x); }},
      {"mish", [](float x) { return x * std::tanh(std::log1p(std::exp(x))); }},
      {"swish", [](float x) { return x / (1 + std::exp(-x)); }},
      {"relie", [](float x) { return x > 0 ? x : 0.01F * x; }},
      {"ramp", [](float x) { return (x > 0 ? x : 0) + 0.1F * x; }},
      {"loggy", [](float x) { return 2 / (1 + std::exp(-x)) - 1; }},
      {"hardtan", [](float x) { return std::clamp(x, -1.0F, 1.0F); }},
  };
  const Floats input = {-3, -0.5F, 0, 0.5F, 2, 9};
  for (const auto& [name, function] : cases) {
    Floats expected;
    for (const float x : input) expected.push_back(function(x));
    SCOPED_TRACE(name);
    ExpectNear(RunOne({1, 1, 6}, fmt::format("[activation]\nactivation={}\n", name), {}, input), expected, 1e-3F);
  }
}

TEST_F(DarknetReaderTest, PoolsWithPaddingBehind) {
  const Floats input = {1, 2, 3, 4, 5, 6};
  ExpectNear(RunOne({1, 2, 3}, "[maxpool]\nsize=2\nstride=1\n", {}, input), {5, 6, 6, 5, 6, 6});
  ExpectNear(RunOne({1, 2, 3}, "[maxpool]\nsize=2\nstride=2\n", {}, input), {5, 6});
  ExpectNear(RunOne({1, 2, 3}, "[maxpool]\nsize=3\nstride=1\n", {}, {-1, -2, -3, -4, -5, -6}),
             {-1, -1, -2, -1, -1, -2});
  ExpectNear(RunOne({1, 2, 3}, "[local_avgpool]\nsize=2\nstride=2\n", {}, input), {3, 4.5F});
  ExpectNear(RunOne({1, 2, 3}, "[avgpool]\n", {}, input), {3.5F});
}

TEST_F(DarknetReaderTest, JoinsSplitsAndAdds) {
  const Floats input = {1, 2, 3, 4};  // four channels of one pixel
  ExpectNear(RunOne({4, 1, 1}, "[empty]\n[route]\nlayers=-1\ngroups=2\ngroup_id=1\n", {}, input), {3, 4});
  ExpectNear(RunOne({4, 1, 1}, "[empty]\n[route]\nlayers=0\ngroups=4\n[route]\nlayers=-1,-2\n", {}, input),
             {1, 1, 2, 3, 4});
  ExpectNear(RunOne({4, 1, 1}, "[empty]\n[empty]\n[route]\nlayers=0,1\ngroups=2\ngroup_id=1\n", {}, input),
             {3, 4, 3, 4});
  ExpectNear(RunOne({4, 1, 1}, "[empty]\n[empty]\n[shortcut]\nfrom=0\nactivation=linear\n", {}, input), {2, 4, 6, 8});
  // Fewer and more channels: only the first common ones are added.
  ExpectNear(
      RunOne({4, 1, 1}, "[empty]\n[route]\nlayers=0\ngroups=2\n[route]\nlayers=0\n[shortcut]\nfrom=-2\n", {}, input),
      {2, 4, 3, 4});
  ExpectNear(RunOne({4, 1, 1}, "[empty]\n[route]\nlayers=0\ngroups=2\ngroup_id=1\n[shortcut]\nfrom=0\n", {}, input),
             {4, 6});
}

TEST_F(DarknetReaderTest, AddsEverySecondPixelOfALargerPicture) {
  const std::string layers = "[empty]\n[maxpool]\nsize=2\nstride=2\n[shortcut]\nfrom=0\n";
  ExpectNear(RunOne({1, 2, 4}, layers, {}, CountUp(8)), {5 + 0, 7 + 2});
}

TEST_F(DarknetReaderTest, WeighsShortcuts) {
  const std::string layers = "[empty]\n[empty]\n[shortcut]\nfrom=0\nweights_type=";
  ExpectNear(RunOne({2, 1, 1}, layers + "per_feature\n", {2, 10}, {1, 3}), {12, 36});
  ExpectNear(RunOne({2, 1, 1}, layers + "per_channel\n", {1, 2, 10, 20}, {1, 3}), {11, 66});
  ExpectNear(RunOne({2, 1, 1}, layers + "per_feature\nweights_normalization=relu\n", {3, 1}, {1, 3}),
             {4 / 4.0001F, 12 / 4.0001F});
  const float sum = 1e-4F + 1 + std::exp(-1.0F);
  ExpectNear(RunOne({1, 1, 1}, layers + "per_channel\nweights_normalization=softmax\n", {5, 4}, {1}),
             {(1 + std::exp(-1.0F)) / sum});
}

TEST_F(DarknetReaderTest, ScalesChannelsPixelsAndNumbers) {
  const Floats input = {1, 2, 3, 4};  // two channels of two pixels
  ExpectNear(RunOne({2, 1, 2}, "[empty]\n[avgpool]\n[scale_channels]\nfrom=0\n", {}, input), {1.5F, 3, 10.5F, 14});
  ExpectNear(
      RunOne({2, 1, 2}, "[empty]\n[route]\nlayers=0\ngroups=2\n[scale_channels]\nfrom=0\nscale_wh=1\n", {}, input),
      {1, 4, 3, 8});
  ExpectNear(RunOne({2, 1, 2}, "[empty]\n[empty]\n[sam]\nfrom=0\n", {}, input), {1, 4, 9, 16});
}

TEST_F(DarknetReaderTest, ResizesByWholeFactors) {
  ExpectNear(RunOne({1, 1, 2}, "[upsample]\nstride=2\nscale=10\n", {}, {1, 2}), {10, 10, 20, 20, 10, 10, 20, 20});
  ExpectNear(RunOne({1, 2, 4}, "[upsample]\nstride=-2\n", {}, CountUp(8)), {0 + 1 + 4 + 5, 2 + 3 + 6 + 7});
}

TEST_F(DarknetReaderTest, ReorganizesInTheHistoricOrder) {
  const int channels = 8;
  const int height = 4;
  const int width = 6;
  const int s = 2;
  const Floats input = CountUp(static_cast<size_t>(channels * height * width));
  // As YOLO v2 was trained: the loop runs over the input's own sizes, the far side has s times the pixels.
  Floats historic(input.size());
  const int few = channels / (s * s);
  for (int k = 0; k < channels; ++k) {
    for (int j = 0; j < height; ++j) {
      for (int i = 0; i < width; ++i) {
        const int row = j * s + k / few / s;
        const int column = i * s + k / few % s;
        historic[static_cast<size_t>(i + width * (j + height * k))] =
            input[static_cast<size_t>(column + width * s * (row + height * s * (k % few)))];
      }
    }
  }
  ExpectNear(RunOne({channels, height, width}, "[reorg]\nstride=2\n", {}, input), historic);
  // [reorg3d]: the pixels of each block become channels.
  Floats plain;
  for (int k = 0; k < channels * s * s; ++k) {
    for (int j = 0; j < height / s; ++j) {
      for (int i = 0; i < width / s; ++i) {
        const int block = k / channels;
        plain.push_back(
            input[static_cast<size_t>(i * s + block % s + width * (j * s + block / s + height * (k % channels)))]);
      }
    }
  }
  ExpectNear(RunOne({channels, height, width}, "[reorg3d]\nstride=2\n", {}, input), plain);
}

TEST_F(DarknetReaderTest, ConnectsAndNormalizes) {
  const std::string layer = "[connected]\noutput=2\nactivation=linear\n";
  // Rows of the matrix: {1, 2, 3} and {4, 5, 6}.
  ExpectNear(RunOne({3, 1, 1}, layer, {10, 20, 1, 2, 3, 4, 5, 6}, {1, 0, 2}), {17, 36});
  const auto transposed = WriteNet({3, 1, 1}, layer, WeightsFile({10, 20, 1, 4, 2, 5, 3, 6}, 1001));
  ExpectNear(Run(transposed, {1, 0, 2})["connected_0"], {17, 36});
  const Floats with_norm = {10, 20, 1, 2, 3, 4, 5, 6, /*scales*/ 2, 1, /*means*/ 1, 0, /*variances*/ 4, 1};
  ExpectNear(RunOne({3, 1, 1}, layer + "batch_normalize=1\n", with_norm, {1, 0, 2}), {10 + 2 * 6 / 2.0F, 20 + 16});
  ExpectNear(RunOne({2, 1, 1}, "[batchnorm]\n", {1, 2, 3, 4, 5, 6, 4, 9}, {7, 9}),
             {1 + 3 * 2 / 2.0F, 2 + 4 * 3 / 3.0F});
}

TEST_F(DarknetReaderTest, ClassifiesWithSoftmaxAndCrops) {
  const float e = std::exp(1.0F);
  const auto classes = Run(WriteNet({2, 1, 1}, "[softmax]\n[dropout]\n[cost]\n", WeightsFile({})), {1, 2});
  ASSERT_EQ(classes.count("softmax_0"), 1U);
  ExpectNear(classes.at("softmax_0"), {1 / (1 + e), e / (1 + e)});
  ExpectNear(RunOne({2, 1, 1}, "[softmax]\ntemperature=2\n", {}, {2, 4}), {1 / (1 + e), e / (1 + e)});
  ExpectNear(RunOne({2, 1, 2}, "[softmax]\ngroups=2\n", {}, {1, 2, 5, 5}), {1 / (1 + e), e / (1 + e), 0.5F, 0.5F});
  ExpectNear(RunOne({1, 3, 4}, "[crop]\ncrop_height=1\ncrop_width=2\n", {}, CountUp(12)), {9, 11});
  ExpectNear(RunOne({1, 3, 4}, "[crop]\ncrop_height=1\ncrop_width=2\nnoadjust=1\n", {}, CountUp(12)), {5, 6});
}

TEST_F(DarknetReaderTest, GivesWhatStandsBeforeItsHeadsAndDescribesThem) {
  const std::string layers =
      "[convolutional]\nfilters=6\nactivation=linear\n[yolo]\nmask=1\nclasses=1\nnum=2\nanchors=1,2,3,4\n"
      "[route]\nlayers=0\n[maxpool]\nstride=2\n[region]\nclasses=1\nnum=1\nanchors=0.5,1\nsoftmax=1\n";
  const ModelFiles files = WriteNet({1, 2, 2}, layers, WeightsFile(CountUp(12, 1)));
  const auto outputs = Run(files, {1, 0, 0, 2});
  ASSERT_EQ(outputs.size(), 2U);
  ASSERT_EQ(outputs.count("conv_0") + outputs.count("maxpool_3"), 2U);
  EXPECT_EQ(outputs.at("conv_0").size(), 24U);
  ExpectNear(outputs.at("maxpool_3"), {15, 18, 21, 24, 27, 30});
  const auto model = ReadDarknet(files).value();
  const auto& facts = model->get_rt_info<ov::AnyMap>("deepedge");
  EXPECT_EQ(facts.at("darknet.net").as<std::string>(), R"({"channels":1,"height":2,"letter_box":false,"width":2})");
  EXPECT_EQ(facts.at("darknet.head.conv_0").as<std::string>(),
            R"({"anchors":[[3.0,4.0]],"beta_nms":0.6,"classes":1,"new_coords":false,"nms":"default",)"
            R"("scale_xy":1.0,"softmax":false,"type":"yolo"})");
  // One cell is the whole input of 2x2.
  EXPECT_NE(facts.at("darknet.head.maxpool_3").as<std::string>().find(R"("anchors":[[1.0,2.0]])"), std::string::npos);
}

TEST_F(DarknetReaderTest, WantsExactlyTheWeightsThatItNeeds) {
  const std::string layers = "[convolutional]\nfilters=2\n";
  EXPECT_TRUE(ReadDarknet(WriteNet({1, 1, 1}, layers, WeightsFile({1, 2, 3, 4}))).ok());
  EXPECT_TRUE(ReadDarknet(WriteNet({1, 1, 1}, layers, WeightsFile({1, 2, 3, 4}, 1))).ok());
  for (const Floats& wrong : {Floats{}, Floats{1, 2, 3}, Floats{1, 2, 3, 4, 5}}) {
    const auto model = ReadDarknet(WriteNet({1, 1, 1}, layers, WeightsFile(wrong)));
    ASSERT_FALSE(model.ok());
    EXPECT_EQ(model.error().code, ErrorCode::kBadInput);
    EXPECT_NE(model.error().message.find("needs 36 (4 weights)"), std::string::npos) << model.error().message;
    EXPECT_NE(model.error().message.find("net.weights"), std::string::npos);
  }
  EXPECT_FALSE(ReadDarknet(WriteNet({1, 1, 1}, layers, "short")).ok());
  const ModelFiles missing{ModelFormat::kDarknet, Write("a.cfg", "[net]\nwidth=1\nheight=1\nchannels=1\n[empty]\n"),
                           folder() / "none.weights"};
  EXPECT_EQ(ReadDarknet(missing).status().error().code, ErrorCode::kNotFound);
}

TEST_F(DarknetReaderTest, RefusesADamagedNormalization) {
  const auto model = ReadDarknet(WriteNet({1, 1, 1}, "[batchnorm]\n", WeightsFile({1, 1, 1, -4})));
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("layer '0' (batchnorm): a variance of -4"), std::string::npos)
      << model.error().message;
}

TEST_F(DarknetReaderTest, ReadsTheDeepestNetworkThatIsAllowed) {
  std::string layers;
  Floats weights;
  for (int i = 0; i < 1998; ++i) {
    layers += "[convolutional]\nactivation=leaky\n";
    weights.insert(weights.end(), {0, 1});
  }
  EXPECT_TRUE(ReadDarknet(WriteNet({1, 1, 1}, layers + "[softmax]\n", WeightsFile(weights))).ok());
}

// Whatever the bytes, the answer is a model or an error.
TEST_F(DarknetReaderTest, SurvivesDamage) {
  const std::string text =
      "[net]\nwidth=16\nheight=16\nchannels=3\n[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nbatch_normalize=1\n"
      "activation=mish\n[route]\nlayers=-1\ngroups=2\ngroup_id=1\n[maxpool]\nsize=2\nstride=1\n[upsample]\nstride=2\n"
      "[reorg]\nstride=2\n[shortcut]\nfrom=-1\nweights_type=per_channel\n[avgpool]\n[scale_channels]\nfrom=-2\n"
      "[convolutional]\nfilters=12\nactivation=linear\n[yolo]\nmask=0,1\nclasses=1\nnum=2\nanchors=10,14,23,27\n";
  const std::string weights = WeightsFile(Floats(484, 0.1F));
  ASSERT_TRUE(ReadDarknet({ModelFormat::kDarknet, Write("d.cfg", text), Write("d.weights", weights)}).ok());
  std::mt19937 random(11);  // NOLINT(cert-msc51-cpp): the same damage in every run
  int read = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string damaged = text;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) {
      const size_t at = random() % damaged.size();
      switch (random() % 4) {
        case 0: damaged[at] = static_cast<char>(random() % 256); break;
        case 1: damaged[at] = static_cast<char>('0' + random() % 10); break;
        case 2: damaged.erase(at, random() % 20); break;
        default: damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 40));
      }
      if (damaged.empty()) damaged = "[";
    }
    const ModelFiles files{ModelFormat::kDarknet, Write("d.cfg", damaged), Write("d.weights", weights)};
    const auto model = ReadDarknet(files);
    read += model.ok() ? 1 : 0;
    if (!model.ok()) {
      EXPECT_EQ(model.error().message.find('\n'), std::string::npos) << model.error().message;
    }
  }
  EXPECT_GT(read, 0);
  EXPECT_LT(read, 1500);
}

}  // namespace
}  // namespace deepedge
