#include "deepedge/formats/ir/old_ir_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <openvino/core/type/float16.hpp>
#include <openvino/openvino.hpp>
#include <random>

#include "deepedge/formats/cost_for_test.h"
#include "deepedge/formats/damage_for_test.h"
#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

// Writes the two files of an IR: layers one after the other, each reading the one before unless said otherwise.
class IrText {
 public:
  explicit IrText(std::string precision = "FP32", int version = 7)
      : precision_(std::move(precision)), version_(version) {}

  using Shape = std::vector<int>;
  struct Blob {
    std::string name;
    std::vector<float> values;
  };

  IrText& Add(const std::string& type, const std::string& data, const std::vector<Shape>& inputs,
              const std::vector<Shape>& outputs, const std::vector<Blob>& blobs = {}, std::vector<int> from = {-1}) {
    const auto ports = [](const std::vector<Shape>& shapes, size_t first) {
      std::string text;
      for (size_t i = 0; i < shapes.size(); ++i) {
        text += fmt::format("<port id=\"{}\">", first + i);
        for (const int d : shapes[i]) text += fmt::format("<dim>{}</dim>", d);
        text += "</port>";
      }
      return text;
    };
    std::string stored;
    for (const Blob& blob : blobs) {
      const size_t offset = bin_.size();
      for (const float value : blob.values) Append(value);
      stored += fmt::format("<{} offset=\"{}\" size=\"{}\"/>", blob.name, offset, bin_.size() - offset);
    }
    layers_ += fmt::format(
        "<layer id=\"{}\" name=\"{}\" precision=\"{}\" type=\"{}\"><data {}/><input>{}</input><output>{}</output>"
        "<blobs>{}</blobs></layer>\n",
        count_, type == "Input" ? "data" : fmt::format("l{}", count_), precision_, type, data, ports(inputs, 0),
        ports(outputs, inputs.size()), stored);
    for (size_t i = 0; i < inputs.size() && i < from.size(); ++i) {
      const int source = from[i] < 0 ? count_ - 1 : from[i];
      edges_ += fmt::format("<edge from-layer=\"{}\" from-port=\"{}\" to-layer=\"{}\" to-port=\"{}\"/>\n", source,
                            first_output_[static_cast<size_t>(source)], count_, i);
    }
    first_output_.push_back(inputs.size());
    ++count_;
    return *this;
  }
  IrText& Input(const Shape& shape) { return Add("Input", "", {}, {shape}); }
  IrText& Edge(int from, int from_port, int to, int to_port) {
    edges_ += fmt::format("<edge from-layer=\"{}\" from-port=\"{}\" to-layer=\"{}\" to-port=\"{}\"/>\n", from,
                          from_port, to, to_port);
    return *this;
  }
  IrText& PreProcess(const std::string& channels) {
    tail_ = "<pre-process reference-layer-name=\"data\">" + channels + "</pre-process>";
    return *this;
  }

  std::string xml() const {
    return fmt::format(
        "<?xml version=\"1.0\"?><net name=\"n\" version=\"{}\" "
        "batch=\"1\"><layers>{}</layers><edges>{}</edges>{}</net>",
        version_, layers_, edges_, tail_);
  }
  const std::string& bin() const { return bin_; }

 private:
  void Append(float value) {
    char bytes[4];
    if (precision_ == "FP16") {
      const uint16_t half = ov::float16(value).to_bits();
      std::memcpy(bytes, &half, 2);
      bin_.append(bytes, 2);
    } else {
      std::memcpy(bytes, &value, 4);
      bin_.append(bytes, 4);
    }
  }

  std::string precision_;
  int version_;
  std::string layers_;
  std::string edges_;
  std::string tail_;
  std::string bin_;
  std::vector<size_t> first_output_;
  int count_ = 0;
};

class OldIrTest : public FilesTest {
 protected:
  Result<std::shared_ptr<ov::Model>> ReadBytes(const std::string& xml, const std::string& bin) {
    KeepSeed("old_ir", xml, bin);
    const Path graph = folder() / "net.xml";
    const Path weights = folder() / "net.bin";
    std::ofstream(graph, std::ios::binary) << xml;
    std::ofstream(weights, std::ios::binary) << bin;
    return ReadOldIr({.format = ModelFormat::kOpenVinoIrOld, .graph = graph, .weights = weights});
  }
  std::vector<std::vector<float>> Run(const IrText& text, const std::vector<float>& input) {
    const auto model = ReadBytes(text.xml(), text.bin());
    EXPECT_TRUE(model.ok()) << model.error().message;
    if (!model.ok()) return {};
    static ov::Core core;
    auto request = core.compile_model(model.value(), "CPU", ov::hint::inference_precision(ov::element::f32))
                       .create_infer_request();
    ov::Tensor tensor = request.get_input_tensor(0);
    EXPECT_EQ(tensor.get_size(), input.size());
    std::memcpy(tensor.data(), input.data(), input.size() * sizeof(float));
    request.infer();
    std::vector<std::vector<float>> outputs;
    for (size_t i = 0; i < model.value()->outputs().size(); ++i) {
      const ov::Tensor out = request.get_output_tensor(i);
      outputs.emplace_back(out.data<float>(), out.data<float>() + out.get_size());
    }
    return outputs;
  }
  void ExpectError(const IrText& text, ErrorCode code, std::string_view part) {
    const auto model = ReadBytes(text.xml(), text.bin());
    ASSERT_FALSE(model.ok()) << "reads, expected: " << part;
    EXPECT_EQ(model.error().code, code) << model.error().message;
    EXPECT_NE(model.error().message.find(part), std::string::npos) << model.error().message;
    EXPECT_NE(model.error().message.find("net."), std::string::npos) << model.error().message;
  }
};

void ExpectNear(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-4F * std::max(1.0F, std::abs(expected[i]))) << "at " << i;
  }
}

TEST_F(OldIrTest, LayersOfOneInput) {
  struct Case {
    const char* type;
    const char* data;
    IrText::Shape in;
    IrText::Shape out;
    std::vector<IrText::Blob> blobs;
    std::vector<float> expected;  // of 1, 2, 3, ..
  };
  const std::vector<float> ones(9, 1);
  const Case cases[] = {
      {"ReLU", "negative_slope=\"0.0\"", {1, 2}, {1, 2}, {}, {1, 2}},
      {"Clamp", "min=\"0\" max=\"1.5\"", {1, 2}, {1, 2}, {}, {1, 1.5F}},
      {"Power", "power=\"2\" scale=\"2\" shift=\"1\"", {1, 2}, {1, 2}, {}, {9, 25}},
      {"ScaleShift", "", {1, 2, 1, 1}, {1, 2, 1, 1}, {{"weights", {2, 3}}, {"biases", {10, 20}}}, {12, 26}},
      {"BatchNormalization",
       "epsilon=\"1\"",
       {1, 2, 1, 1},
       {1, 2, 1, 1},
       {{"weights", {3, 8}}, {"biases", {0, 5}}},
       {0.5F, -1}},
      {"PReLU", "channel_shared=\"0\"", {1, 2, 1, 1}, {1, 2, 1, 1}, {{"weights", {2, 3}}}, {1, 2}},
      {"Activation", "type=\"tanh\"", {1, 1}, {1, 1}, {}, {std::tanh(1.0F)}},
      {"Convolution",
       "kernel=\"3,3\" strides=\"1,1\" pads_begin=\"1,1\" pads_end=\"1,1\" dilations=\"1,1\" group=\"1\" output=\"1\"",
       {1, 1, 2, 2},
       {1, 1, 2, 2},
       {{"weights", ones}, {"biases", {0.5F}}},
       {10.5F, 10.5F, 10.5F, 10.5F}},
      {"Convolution",
       "kernel-x=\"3\" kernel-y=\"3\" stride-x=\"1\" stride-y=\"1\" pad-x=\"1\" pad-y=\"1\" stride=\"1,1,1,1\" "
       "output=\"1\"",
       {1, 1, 2, 2},
       {1, 1, 2, 2},
       {{"weights", ones}},
       {10, 10, 10, 10}},
      // Twice as far apart, the engine of that time added one column after and none before.
      {"Convolution",
       "kernel=\"1,3\" strides=\"1,2\" auto_pad=\"same_upper\" pads_begin=\"0,0\" pads_end=\"0,0\" output=\"1\"",
       {1, 1, 1, 4},
       {1, 1, 1, 2},
       {{"weights", {1, 10, 100}}},
       {321, 43}},
      {"Convolution",
       "kernel=\"1,3\" strides=\"1,2\" auto_pad=\"same_lower\" output=\"1\"",
       {1, 1, 1, 4},
       {1, 1, 1, 2},
       {{"weights", {1, 10, 100}}},
       {210, 432}},
      {"Deconvolution",
       "kernel=\"2,2\" strides=\"2,2\" output=\"1\"",
       {1, 1, 1, 2},
       {1, 1, 2, 4},
       {{"weights", {1, 2, 3, 4}}},
       {1, 2, 2, 4, 3, 4, 6, 8}},
      {"FullyConnected",
       "out-size=\"2\"",
       {1, 3, 1, 1},
       {1, 2},
       {{"weights", {1, 10, 100, 1, 1, 1}}, {"biases", {0, 4}}},
       {321, 10}},
      {"Pooling",
       "kernel=\"2,2\" strides=\"2,2\" pool-method=\"max\" rounding_type=\"ceil\" exclude-pad=\"true\"",
       {1, 1, 1, 3},
       {1, 1, 1, 2},
       {},
       {}},
      {"Pooling",
       "kernel=\"1,2\" strides=\"1,2\" pool-method=\"max\" rounding_type=\"ceil\" exclude-pad=\"true\"",
       {1, 1, 1, 3},
       {1, 1, 1, 2},
       {},
       {2, 3}},
      {"Pooling",
       "kernel=\"1,2\" strides=\"1,2\" pads_begin=\"0,1\" pads_end=\"0,1\" pool-method=\"avg\" exclude-pad=\"true\"",
       {1, 1, 1, 2},
       {1, 1, 1, 2},
       {},
       {1, 2}},
      {"Pooling",
       "kernel=\"1,2\" strides=\"1,2\" pads_begin=\"0,1\" pads_end=\"0,1\" pool-method=\"avg\" exclude-pad=\"false\"",
       {1, 1, 1, 2},
       {1, 1, 1, 2},
       {},
       {0.5F, 1}},
      {"Permute", "order=\"0,3,1,2\"", {1, 2, 1, 2}, {1, 2, 2, 1}, {}, {1, 3, 2, 4}},
      {"Flatten", "axis=\"1\" end_axis=\"-1\"", {1, 2, 2}, {1, 4}, {}, {1, 2, 3, 4}},
      {"Reshape", "axis=\"0\" dim=\"0,-1\" num_axes=\"-1\"", {1, 2, 2}, {1, 4}, {}, {1, 2, 3, 4}},
      {"SoftMax", "axis=\"1\"", {1, 2}, {1, 2}, {}, {1 / (1 + std::exp(1.0F)), 1 / (1 + std::exp(-1.0F))}},
      {"Normalize",
       "across_spatial=\"0\" channel_shared=\"0\" eps=\"0\"",
       {1, 2, 1, 1},
       {1, 2, 1, 1},
       {{"weights", {5, 10}}},
       {std::sqrt(5.0F), 4 * std::sqrt(5.0F)}},
      {"Norm",
       "alpha=\"3\" beta=\"0.5\" k=\"2\" local-size=\"3\" region=\"across\"",
       {1, 2, 1, 1},
       {1, 2, 1, 1},
       {},
       {1 / std::sqrt(7.0F), 2 / std::sqrt(7.0F)}},
      {"MVN",
       "across_channels=\"0\" normalize_variance=\"0\" eps=\"1e-9\"",
       {1, 1, 1, 3},
       {1, 1, 1, 3},
       {},
       {-1, 0, 1}},
      {"Tile", "axis=\"1\" tiles=\"2\"", {1, 2}, {1, 4}, {}, {1, 2, 1, 2}},
      {"Crop", "axis=\"3\" offset=\"1\" dim=\"2\"", {1, 1, 1, 4}, {1, 1, 1, 2}, {}, {2, 3}},
      {"Resample",
       "type=\"caffe.ResampleParameter.NEAREST\" factor=\"2\" antialias=\"0\"",
       {1, 1, 1, 2},
       {1, 1, 2, 4},
       {},
       {1, 1, 2, 2, 1, 1, 2, 2}},
      {"Interp",
       "align_corners=\"1\" height=\"1\" width=\"3\" pad_beg=\"0\" pad_end=\"0\"",
       {1, 1, 1, 2},
       {1, 1, 1, 3},
       {},
       {1, 1.5F, 2}},
      {"ShuffleChannels", "axis=\"1\" group=\"2\"", {1, 4, 1, 1}, {1, 4, 1, 1}, {}, {1, 3, 2, 4}},
  };
  for (const Case& c : cases) {
    for (const char* precision : {"FP32", "FP16"}) {
      SCOPED_TRACE(fmt::format("{} {} {}", c.type, c.data, precision));
      std::vector<float> input;
      int count = 1;
      for (const int d : c.in) count *= d;
      for (int i = 1; i <= count; ++i) input.push_back(static_cast<float>(i));
      const auto text = IrText(precision).Input(c.in).Add(c.type, c.data, {c.in}, {c.out}, c.blobs);
      if (c.expected.empty()) {
        // Would give another shape than the file says.
        ExpectError(text, ErrorCode::kBadInput, "layer 'l1'");
        continue;
      }
      const auto outputs = Run(text, input);
      ASSERT_EQ(outputs.size(), 1U);
      ExpectNear(outputs[0], c.expected);
    }
  }
}

TEST_F(OldIrTest, LayersOfSeveralInputsAndOutputs) {
  for (const auto& [operation, expected] :
       std::vector<std::pair<std::string, std::vector<float>>>{{"operation=\"sum\"", {3, 6}},
                                                               {"operation=\"sum\" coeff=\"1,-1\"", {-1, -2}},
                                                               {"operation=\"mul\"", {2, 8}},
                                                               {"operation=\"max\"", {2, 4}},
                                                               {"operation=\"sub\"", {-1, -2}}}) {
    const auto text = IrText()
                          .Input({1, 2})
                          .Add("Power", "power=\"1\" scale=\"2\" shift=\"0\"", {{1, 2}}, {{1, 2}})
                          .Add("Eltwise", operation, {{1, 2}, {1, 2}}, {{1, 2}}, {}, {0, 1});
    const auto outputs = Run(text, {1, 2});
    ASSERT_EQ(outputs.size(), 1U) << operation;
    ExpectNear(outputs[0], expected);
  }
  const auto concat = IrText().Input({1, 2}).Add("Concat", "axis=\"1\"", {{1, 2}, {1, 2}}, {{1, 4}}, {}, {0, 0});
  ExpectNear(Run(concat, {1, 2}).at(0), {1, 2, 1, 2});
  const auto split = IrText().Input({1, 3}).Add("Split", "axis=\"1\"", {{1, 3}}, {{1, 1}, {1, 2}});
  const auto parts = Run(split, {1, 2, 3});
  ASSERT_EQ(parts.size(), 2U);
  ExpectNear(parts[0], {1});
  ExpectNear(parts[1], {2, 3});
  // A shape that goes in as a constant.
  const auto reshape = IrText()
                           .Input({1, 4})
                           .Add("Const", "", {}, {{3}}, {{"custom", {0, -1, 2}}})
                           .Add("Reshape", "axis=\"0\" num_axes=\"-1\"", {{1, 4}, {3}}, {{1, 2, 2}}, {}, {0, 1});
  ExpectNear(Run(reshape, {1, 2, 3, 4}).at(0), {1, 2, 3, 4});
}

TEST_F(OldIrTest, LayersMayStandInAnyOrder) {
  const auto text = IrText()
                        .Add("ReLU", "", {{1, 2}}, {{1, 2}}, {}, {})
                        .Add("Power", "scale=\"-1\"", {{1, 2}}, {{1, 2}}, {}, {})
                        .Input({1, 2})
                        .Edge(2, 0, 1, 0)
                        .Edge(1, 1, 0, 0);
  const auto model = ReadBytes(text.xml(), text.bin());
  ASSERT_TRUE(model.ok()) << model.error().message;
  ASSERT_EQ(model.value()->outputs().size(), 1U);
  EXPECT_EQ(model.value()->output(0).get_any_name(), "l0");
  ExpectNear(Run(text, {-3, 3}).at(0), {3, 0});
}

TEST_F(OldIrTest, MeansAreTakenOff) {
  auto text = IrText().Input({1, 2, 1, 1}).Add("ReLU", "", {{1, 2, 1, 1}}, {{1, 2, 1, 1}});
  text.PreProcess("<channel id=\"0\"><mean value=\"1\"/></channel><channel id=\"1\"><mean value=\"2.5\"/></channel>");
  ExpectNear(Run(text, {4, 4}).at(0), {3, 1.5F});
  text.PreProcess("<channel id=\"0\"><mean offset=\"0\" size=\"4\"/></channel>");
  ExpectError(text, ErrorCode::kUnsupported, "pre-process");
}

TEST_F(OldIrTest, SaysWhatIsWrong) {
  const auto relu = [](const std::string& type, const std::string& data) {
    return IrText().Input({1, 2}).Add(type, data, {{1, 2}}, {{1, 2}});
  };
  ExpectError(relu("TensorIterator", ""), ErrorCode::kUnsupported, "layer 'l1' (TensorIterator)");
  ExpectError(relu("ReLU", "slope=\"2\""), ErrorCode::kUnsupported, "its attribute slope=\"2\" is not read");
  ExpectError(relu("Clamp", "min=\"a\" max=\"1\""), ErrorCode::kBadInput, "is no number");
  ExpectError(IrText("FP32", 3).Input({1, 2}), ErrorCode::kUnsupported, "an IR of version 3");
  ExpectError(IrText().Input({1, 2}), ErrorCode::kBadInput, "has no outputs");
  ExpectError(
      IrText("BIN").Input({1, 2, 1, 1}).Add("ScaleShift", "", {{1, 2, 1, 1}}, {{1, 2, 1, 1}}, {{"weights", {1, 2}}}),
      ErrorCode::kUnsupported, "precision 'BIN'");
  ExpectError(IrText().Input({1, 2}).Add("ReLU", "", {{1, 2}}, {{1, 3}}), ErrorCode::kBadInput,
              "gives [1,2], the file says [1,3]");
  ExpectError(IrText().Input({1, 2}).Add("ReLU", "", {{1, 2}}, {{1, 2}}, {}, {}), ErrorCode::kBadInput,
              "no edge leads to its port 0");
  ExpectError(IrText().Input({1, 2}).Add("ReLU", "", {{1, 2}}, {{1, 2}}).Edge(0, 9, 1, 0), ErrorCode::kBadInput,
              "one of them is not there");
  ExpectError(IrText().Input({1, 2}).Add("ReLU", "", {{1, 2}}, {{1, 2}}).Edge(0, 0, 1, 0), ErrorCode::kBadInput,
              "two edges to port 0");
  ExpectError(IrText()
                  .Input({1, 2})
                  .Add("ReLU", "", {{1, 2}}, {{1, 2}}, {}, {})
                  .Add("ReLU", "", {{1, 2}}, {{1, 2}}, {}, {1})
                  .Edge(2, 1, 1, 0),
              ErrorCode::kBadInput, "circle");
  ExpectError(IrText().Input({60000, 60000}).Add("ReLU", "", {{60000, 60000}}, {{60000, 60000}}), ErrorCode::kBadInput,
              "too large an array");
}

IrText Sample() {
  return IrText()
      .Input({1, 3, 8, 8})
      .Add("Convolution",
           "kernel=\"3,3\" strides=\"1,1\" pads_begin=\"1,1\" pads_end=\"1,1\" dilations=\"1,1\" group=\"1\" "
           "output=\"4\"",
           {{1, 3, 8, 8}}, {{1, 4, 8, 8}}, {{"weights", std::vector<float>(108, 0.5F)}, {"biases", {1, 2, 3, 4}}})
      .Add("ReLU", "negative_slope=\"0.1\"", {{1, 4, 8, 8}}, {{1, 4, 8, 8}})
      .Add("Pooling", "kernel=\"2,2\" strides=\"2,2\" pool-method=\"max\" rounding_type=\"ceil\" exclude-pad=\"true\"",
           {{1, 4, 8, 8}}, {{1, 4, 4, 4}})
      .Add("FullyConnected", "out-size=\"2\"", {{1, 4, 4, 4}}, {{1, 2}}, {{"weights", std::vector<float>(128, 0.25F)}})
      .Add("SoftMax", "axis=\"1\"", {{1, 2}}, {{1, 2}});
}

TEST_F(OldIrTest, SmallFilesStaySmall) {
  // A list of a million axes for each of a thousand layers.
  IrText shapes;
  shapes.Input({1, 4}).Add("Const", "", {}, {{1 << 20}}, {{"custom", std::vector<float>(1 << 20, 0)}});
  for (int i = 0; i < 1000; ++i) shapes.Add("ReduceMax", "", {{1, 4}, {1 << 20}}, {{1, 4}}, {}, {0, 1});
  ExpectCheap([&] { ExpectError(shapes, ErrorCode::kBadInput, "input 1 is of"); });
  // Inputs, each of which looks for what is done to it first.
  IrText inputs;
  for (int i = 0; i < 10'000; ++i) inputs.Input({1, 4});
  inputs.Add("ReLU", "", {{1, 4}}, {{1, 4}});
  ExpectCheap([&] { ExpectError(inputs, ErrorCode::kBadInput, "more than 64 inputs"); });
}

TEST_F(OldIrTest, CutWeightsAreNamed) {
  const IrText text = Sample();
  ASSERT_TRUE(ReadBytes(text.xml(), text.bin()).ok());
  for (size_t length = 0; length < text.bin().size(); length += 7) {
    const auto model = ReadBytes(text.xml(), text.bin().substr(0, length));
    ASSERT_FALSE(model.ok()) << length;
    EXPECT_EQ(model.error().code, ErrorCode::kBadInput);
    EXPECT_NE(model.error().message.find("do not lie in the .bin"), std::string::npos) << model.error().message;
  }
  const std::string xml = text.xml();
  for (size_t length = 0; length < xml.size(); length += 11) {
    ASSERT_FALSE(ReadBytes(xml.substr(0, length), text.bin()).ok()) << length;
  }
}

TEST_F(OldIrTest, ChangedFilesAreAnsweredQuickly) {
  const IrText sample = Sample();
  std::mt19937 random(20262);
  const auto below = [&](size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random); };
  static constexpr std::string_view kPieces[] = {"0",  "-1",    "4000000000", "<",    ">",
                                                 "\"", "&#10;", "1e30",       "ReLU", "</layer>"};
  ExpectAnswersQuickly([&](int) {
    std::string xml = sample.xml();
    for (size_t n = below(3) + 1; n > 0 && !xml.empty(); --n) {
      const size_t at = below(xml.size());
      switch (below(4)) {
        case 0: xml[at] = static_cast<char>(xml[at] ^ (1 << below(8))); break;
        case 1: xml.erase(at, below(20)); break;
        case 2: xml.insert(at, xml.substr(below(xml.size()), below(60))); break;
        default: xml.insert(at, kPieces[below(std::size(kPieces))]); break;
      }
    }
    return [this, xml, bin = sample.bin()] { return ReadBytes(xml, bin); };
  });
}

}  // namespace
}  // namespace deepedge
