#include "deepedge/formats/tensorflow/opencv_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <openvino/op/add.hpp>
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/batch_to_space.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/detection_output.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/normalize_l2.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/prior_box.hpp>
#include <openvino/op/prior_box_clustered.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/space_to_batch.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/unsqueeze.hpp>
#include <set>
#include <stdexcept>

#include "deepedge/formats/graph/graph_ops.h"
#include "deepedge/formats/graph/shape_ops.h"
#include "deepedge/formats/tensorflow/opencv_text.h"
#include "deepedge/formats/tensorflow/tf_dequantize.h"

namespace deepedge {
namespace {

using Numbers = std::vector<int64_t>;

template <typename Op, typename... Args>
GraphValue Make(Args&&... args) {
  return std::make_shared<Op>(std::forward<Args>(args)...);
}

bool IsPicture(const GraphValue& value) { return RankOf(value) == 4; }

// The text counts axes of channels-last pictures; here they are planar.
GraphValue ChannelsLast(const GraphValue& value) {
  return Make<ov::op::v1::Transpose>(value, IndexConstant({0, 2, 3, 1}));
}
GraphValue Planar(const GraphValue& value) { return Make<ov::op::v1::Transpose>(value, IndexConstant({0, 3, 1, 2})); }

class Reader {
 public:
  Reader(const std::vector<OpenCvNode>& nodes, TfGraph& weights, int64_t file_bytes)
      : nodes_(nodes), weights_(weights), numbers_left_(kMostUses * file_bytes + kFreeNumbers) {
    for (const OpenCvNode& node : nodes) by_name_.emplace(node.name, &node);
  }

  // Adds what a node computes. Throws what the engine throws, and std::invalid_argument.
  Status Add(const OpenCvNode& node);
  // What no other node uses.
  std::vector<NamedOutput> Outputs() const;
  const ov::ParameterVector& inputs() const { return inputs_; }

 private:
  Result<TfValues> Constant(const OpenCvNode& node, size_t input);
  Result<TfValues> Held(const TfNode& held);
  void Charge(const TfValues& values);
  Result<Numbers> Integers(const OpenCvNode& node, size_t input);
  bool IsComputed(const OpenCvNode& node, size_t input) const {
    return input < node.inputs.size() && values_.contains(node.inputs[input]);
  }
  GraphValue In(const OpenCvNode& node, size_t input = 0);
  int64_t InputChannels(const OpenCvNode& placeholder);

  Result<GraphValue> Placeholder(const OpenCvNode& node);
  Result<GraphValue> Convolution(const OpenCvNode& node);
  Result<GraphValue> Arithmetic(const OpenCvNode& node);
  Result<GraphValue> BatchNormalization(const OpenCvNode& node);
  Result<GraphValue> Activation(const OpenCvNode& node);
  Result<GraphValue> Pooling(const OpenCvNode& node);
  Result<GraphValue> ToBatch(const OpenCvNode& node);
  Result<GraphValue> ToSpace(const OpenCvNode& node);
  Result<GraphValue> Flatten(const OpenCvNode& node);
  Result<GraphValue> Reshape(const OpenCvNode& node);
  Result<GraphValue> Concat(const OpenCvNode& node);
  Result<GraphValue> L2Normalize(const OpenCvNode& node);
  Result<GraphValue> PriorBox(const OpenCvNode& node);
  Result<GraphValue> DetectionOutput(const OpenCvNode& node);

  // Layers may share weights, and one number may stand for a million: what is read has a limit, counted in numbers. A
  // byte of the file is a number at most.
  static constexpr int64_t kMostUses = 2;
  static constexpr int64_t kFreeNumbers = 16 << 20;
  // More pictures than any network takes.
  static constexpr size_t kMostInputs = 64;

  const std::vector<OpenCvNode>& nodes_;
  TfGraph& weights_;
  int64_t numbers_left_;
  std::map<std::string, const OpenCvNode*> by_name_;
  std::map<std::string, GraphValue> values_;
  std::set<std::string> priors_;  // values that are prior boxes, [1, 2, numbers]
  ov::ParameterVector inputs_;
};

GraphValue Reader::In(const OpenCvNode& node, size_t input) {
  if (input >= node.inputs.size()) throw std::invalid_argument(fmt::format("has no input {}", input));
  const auto found = values_.find(node.inputs[input]);
  if (found == values_.end()) {
    throw std::invalid_argument(fmt::format("takes '{:.100}', which no node before it computes", node.inputs[input]));
  }
  return found->second;
}

// A constant of the text, else of the .pb.
Result<TfValues> Reader::Constant(const OpenCvNode& node, size_t input) {
  if (input >= node.inputs.size()) throw std::invalid_argument(fmt::format("has no input {}", input));
  const std::string& name = node.inputs[input];
  if (const auto text = by_name_.find(name); text != by_name_.end() && text->second->op == "Const") {
    TfValues values;
    for (const double number : text->second->Numbers("value")) {
      values.floats.push_back(static_cast<float>(number));
      values.numbers.push_back(std::abs(number) < 1e9 ? static_cast<int64_t>(number) : 0);
    }
    values.dims = {static_cast<int64_t>(values.floats.size())};
    Charge(values);
    return values;
  }
  const TfNode* held = weights_.Find(name);
  if (held == nullptr) throw std::invalid_argument(fmt::format("takes '{:.100}', which neither file holds", name));
  return Held(*held);
}

Result<TfValues> Reader::Held(const TfNode& held) {
  DE_TRY(TfValues values, ReadTfValues(weights_, held));
  Charge(values);
  return values;
}

void Reader::Charge(const TfValues& values) {
  numbers_left_ -= static_cast<int64_t>(std::max(values.floats.size(), values.numbers.size()));
  if (numbers_left_ < 0) throw std::invalid_argument("uses the same constants too often");
}

Result<Numbers> Reader::Integers(const OpenCvNode& node, size_t input) {
  DE_TRY(TfValues values, Constant(node, input));
  if (values.numbers.empty()) throw std::invalid_argument(fmt::format("input {} is no list of whole numbers", input));
  return std::move(values.numbers);
}

// The text does not say how many channels a picture has; the weights of the first layer do.
int64_t Reader::InputChannels(const OpenCvNode& placeholder) {
  constexpr int64_t kColour = 3;
  for (const OpenCvNode& node : nodes_) {
    if (node.inputs.size() < 2 || node.inputs[0] != placeholder.name) continue;
    const TfNode* held = weights_.Find(node.inputs[1]);
    if (held == nullptr) continue;
    const auto values = Held(*held);
    if (!values.ok() || values.value().dims.empty()) continue;
    const Numbers& dims = values.value().dims;
    return dims.size() == 4 ? dims[2] : dims.back();
  }
  return kColour;
}

Result<GraphValue> Reader::Placeholder(const OpenCvNode& node) {
  if (inputs_.size() == kMostInputs) throw std::invalid_argument(fmt::format("more than {} inputs", kMostInputs));
  ov::PartialShape shape{1, InputChannels(node), ov::Dimension::dynamic(), ov::Dimension::dynamic()};
  auto input = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, shape);
  NameValue(input, node.name);
  inputs_.push_back(input);
  return GraphValue(input);
}

size_t Side(double value) {
  if (!(value >= 1 && value <= 65536)) throw std::invalid_argument("a size, stride or dilation that makes no sense");
  return static_cast<size_t>(value);
}

// Rows and columns of a list that counts [1, rows, columns, 1].
std::array<size_t, 2> RowsAndColumns(const OpenCvNode& node, const std::string& key) {
  const std::vector<double> list = node.Numbers(key);
  if (list.empty()) return {1, 1};
  if (list.size() != 4 || list[0] != 1 || list[3] != 1)
    throw std::invalid_argument(key + " over other axes than rows and columns");
  return {Side(list[1]), Side(list[2])};
}

ov::op::PadType Padding(const OpenCvNode& node) {
  const std::string padding = node.Text("padding", "");
  if (node.Text("data_format", "NHWC") != "NHWC") throw std::invalid_argument("is of another layout than NHWC");
  if (padding == "SAME") return ov::op::PadType::SAME_UPPER;
  if (padding == "VALID") return ov::op::PadType::VALID;
  throw std::invalid_argument(fmt::format("padding '{:.40}'", padding));
}

// Weights [rows, columns, in, out] in the order [out, in, rows, columns], or of a depthwise layer in [in, out, ...].
std::vector<float> Reorder(const TfValues& weights, bool depthwise) {
  const auto area = static_cast<size_t>(weights.dims[0] * weights.dims[1]);
  const auto in = static_cast<size_t>(weights.dims[2]);
  const auto out = static_cast<size_t>(weights.dims[3]);
  std::vector<float> ordered(weights.floats.size());
  for (size_t p = 0; p < area; ++p) {
    for (size_t i = 0; i < in; ++i) {
      for (size_t o = 0; o < out; ++o) {
        const size_t to = depthwise ? (i * out + o) * area + p : (o * in + i) * area + p;
        ordered[to] = weights.floats[(p * in + i) * out + o];
      }
    }
  }
  return ordered;
}

Result<GraphValue> Reader::Convolution(const OpenCvNode& node) {
  const GraphValue x = In(node);
  DE_TRY(const TfValues weights, Constant(node, 1));
  if (weights.dims.size() != 4 || weights.floats.empty() || !IsPicture(x)) {
    throw std::invalid_argument("needs a picture and weights of four dimensions");
  }
  const bool depthwise = node.op == "DepthwiseConv2dNative";
  const auto [stride_h, stride_w] = RowsAndColumns(node, "strides");
  const auto [dilation_h, dilation_w] = RowsAndColumns(node, "dilations");
  const ov::Strides strides{stride_h, stride_w};
  const ov::Strides dilations{dilation_h, dilation_w};
  const ov::CoordinateDiff none{0, 0};
  const auto h = static_cast<size_t>(weights.dims[0]);
  const auto w = static_cast<size_t>(weights.dims[1]);
  const auto in = static_cast<size_t>(weights.dims[2]);
  const auto out = static_cast<size_t>(weights.dims[3]);
  const auto channels = static_cast<size_t>(DimensionOf(x, 1));
  if (depthwise || channels != in) {
    const bool whole = in > 0 && channels > 0 && channels % in == 0 && (!depthwise || channels == in);
    const size_t groups = depthwise ? in : whole ? channels / in : 0;
    const size_t filters = depthwise ? in * out : out;
    if (!whole || filters % groups != 0) {
      throw std::invalid_argument(fmt::format("weights over {} channels do not fit {}", in, channels));
    }
    const GraphValue kernel =
        FloatConstant({groups, filters / groups, channels / groups, h, w}, Reorder(weights, depthwise));
    return Make<ov::op::v1::GroupConvolution>(x, kernel, strides, none, none, dilations, Padding(node));
  }
  const GraphValue kernel = FloatConstant({out, in, h, w}, Reorder(weights, false));
  return Make<ov::op::v1::Convolution>(x, kernel, strides, none, none, dilations, Padding(node));
}

// BiasAdd, Add and Mul: with a constant for each channel, one number, or another value.
Result<GraphValue> Reader::Arithmetic(const OpenCvNode& node) {
  const bool times = node.op == "Mul";
  const auto combine = [&](const GraphValue& a, const GraphValue& b) {
    return times ? Make<ov::op::v1::Multiply>(a, b) : Make<ov::op::v1::Add>(a, b);
  };
  if (IsComputed(node, 0) && IsComputed(node, 1)) return combine(In(node, 0), In(node, 1));
  const size_t value = IsComputed(node, 0) ? 0 : 1;
  const GraphValue x = In(node, value);
  DE_TRY(const TfValues constant, Constant(node, 1 - value));
  if (constant.floats.size() == 1) return combine(x, FloatConstant(constant.floats[0]));
  if (IsPicture(x)) return times ? ScalePerChannel(x, constant.floats) : AddPerChannel(x, constant.floats);
  return combine(x, FloatConstant({constant.floats.size()}, constant.floats));
}

Result<GraphValue> Reader::BatchNormalization(const OpenCvNode& node) {
  DE_TRY(TfValues scale, Constant(node, 1));
  DE_TRY(TfValues shift, Constant(node, 2));
  DE_TRY(TfValues mean, Constant(node, 3));
  DE_TRY(TfValues variance, Constant(node, 4));
  return Normalize(In(node), {.mean = std::move(mean.floats),
                              .variance = std::move(variance.floats),
                              .scale = std::move(scale.floats),
                              .shift = std::move(shift.floats),
                              .epsilon = static_cast<float>(node.Number("epsilon", 1e-4))});
}

Result<GraphValue> Reader::Activation(const OpenCvNode& node) {
  const GraphValue x = In(node);
  if (node.op == "Relu") return Make<ov::op::v0::Relu>(x);
  if (node.op == "Relu6") return Make<ov::op::v0::Clamp>(x, 0, 6);
  if (node.op == "Sigmoid") return Make<ov::op::v0::Sigmoid>(x);
  if (node.op == "Softmax") return Make<ov::op::v8::Softmax>(x, IsPicture(x) ? 1 : -1);
  return x;  // Identity, Dropout
}

Result<GraphValue> Reader::Pooling(const OpenCvNode& node) {
  const auto [stride_h, stride_w] = RowsAndColumns(node, "strides");
  const auto [size_h, size_w] = RowsAndColumns(node, "ksize");
  const ov::Strides strides{stride_h, stride_w};
  const ov::Shape size{size_h, size_w};
  const ov::Shape none{0, 0};
  const auto floor = ov::op::RoundingType::FLOOR;
  if (node.op == "MaxPool") {
    return Make<ov::op::v1::MaxPool>(In(node), strides, none, none, size, floor, Padding(node));
  }
  return Make<ov::op::v1::AvgPool>(In(node), strides, none, none, size, true, floor, Padding(node));
}

// Margins or crops [rows, columns] x [before, after], and the block.
void CheckBlocks(const Numbers& block, const Numbers& margins) {
  const auto small = [](int64_t value) { return value >= 0 && value <= 65536; };
  const auto is_block = [](int64_t value) { return value >= 1 && value <= 256; };
  if (block.empty() || block.size() > 2 || !std::all_of(block.begin(), block.end(), is_block) || margins.size() != 4 ||
      !std::all_of(margins.begin(), margins.end(), small)) {
    throw std::invalid_argument("blocks or margins that make no sense");
  }
}

Result<GraphValue> Reader::ToBatch(const OpenCvNode& node) {
  DE_TRY(Numbers block, Integers(node, 1));
  DE_TRY(const Numbers margins, Integers(node, 2));
  CheckBlocks(block, margins);
  if (block.size() == 1) block.push_back(block[0]);
  const GraphValue before = IndexConstant({0, 0, margins[0], margins[2]});
  const GraphValue after = IndexConstant({0, 0, margins[1], margins[3]});
  if (block[0] == 1 && block[1] == 1) {
    return Make<ov::op::v1::Pad>(In(node), before, after, FloatConstant(0), ov::op::PadMode::CONSTANT);
  }
  return Make<ov::op::v1::SpaceToBatch>(In(node), IndexConstant({1, 1, block[0], block[1]}), before, after);
}

Result<GraphValue> Reader::ToSpace(const OpenCvNode& node) {
  if (node.inputs.size() < 3) return In(node);  // written so for blocks of one pixel, which change nothing
  DE_TRY(Numbers block, Integers(node, 1));
  DE_TRY(const Numbers crops, Integers(node, 2));
  CheckBlocks(block, crops);
  if (block.size() == 1) block.push_back(block[0]);
  return Make<ov::op::v1::BatchToSpace>(In(node), IndexConstant({1, 1, block[0], block[1]}),
                                        IndexConstant({0, 0, crops[0], crops[2]}),
                                        IndexConstant({0, 0, crops[1], crops[3]}));
}

Result<GraphValue> Reader::Flatten(const OpenCvNode& node) {
  const GraphValue x = In(node);
  return FlattenValue(IsPicture(x) ? ChannelsLast(x) : x);
}

Result<GraphValue> Reader::Reshape(const OpenCvNode& node) {
  DE_TRY(const Numbers shape, Integers(node, 1));
  const GraphValue x = In(node);
  const GraphValue reshaped = Make<ov::op::v1::Reshape>(IsPicture(x) ? ChannelsLast(x) : x, IndexConstant(shape), true);
  return shape.size() == 4 ? Planar(reshaped) : reshaped;
}

Result<GraphValue> Reader::Concat(const OpenCvNode& node) {
  if (node.inputs.size() < 2) throw std::invalid_argument("joins nothing");
  const size_t count = node.inputs.size() - 1;
  DE_TRY(const Numbers axis, Integers(node, count));
  ov::OutputVector parts;
  bool priors = true;
  for (size_t i = 0; i < count; ++i) {
    parts.push_back(In(node, i));
    priors = priors && priors_.contains(node.inputs[i]);
  }
  auto at = static_cast<int64_t>(AxisOf(axis[0], RankOf(parts[0])));
  static constexpr std::array<int64_t, 4> kPlanarAxes = {0, 2, 3, 1};
  if (IsPicture(parts[0])) at = kPlanarAxes[static_cast<size_t>(at)];
  if (priors) {
    at = 2;  // the text counts their axis as if they were pictures
    priors_.insert(node.name);
  }
  return Make<ov::op::v0::Concat>(parts, at);
}

Result<GraphValue> Reader::L2Normalize(const OpenCvNode& node) {
  const GraphValue x = In(node);
  return Make<ov::op::v0::NormalizeL2>(x, IndexConstant({IsPicture(x) ? 1 : -1}), 1e-12F, ov::op::EpsMode::MAX);
}

std::vector<float> Positive(const OpenCvNode& node, const std::string& key) {
  std::vector<float> floats;
  for (const double number : node.Numbers(key)) {
    if (!(number > 0 && number < 1e6)) throw std::invalid_argument(fmt::format("{}: {} makes no sense", key, number));
    floats.push_back(static_cast<float>(number));
  }
  return floats;
}

Result<GraphValue> Reader::PriorBox(const OpenCvNode& node) {
  const GraphValue feature = In(node, 0);
  const GraphValue picture = In(node, 1);
  if (!IsPicture(feature) || !IsPicture(picture)) throw std::invalid_argument("needs two pictures");
  const GraphValue cells = DimensionsOf(feature, 2, 4);
  const GraphValue size = DimensionsOf(picture, 2, 4);
  priors_.insert(node.name);
  const auto finish = [](const GraphValue& boxes) { return Make<ov::op::v0::Unsqueeze>(boxes, IndexConstant({0})); };
  const auto step = static_cast<float>(node.Number("step", 0));
  std::vector<float> variance = Positive(node, "variance");
  if (variance.empty()) variance = {0.1F};
  if ((variance.size() != 1 && variance.size() != 4) || step < 0)
    throw std::invalid_argument("variance or step makes no sense");
  if (node.Has("width")) {
    ov::op::v0::PriorBoxClustered::Attributes a;
    a.widths = Positive(node, "width");
    a.heights = Positive(node, "height");
    a.clip = node.Flag("clip", false);
    a.step = step;
    a.step_widths = static_cast<float>(node.Number("step_w", 0));
    a.step_heights = static_cast<float>(node.Number("step_h", 0));
    a.offset = static_cast<float>(node.Number("offset", 0.5));
    a.variances = variance;
    if (a.widths.size() != a.heights.size()) throw std::invalid_argument("has more widths than heights, or fewer");
    return finish(Make<ov::op::v0::PriorBoxClustered>(cells, size, a));
  }
  ov::op::v8::PriorBox::Attributes a;
  a.min_size = Positive(node, "min_size");
  a.max_size = Positive(node, "max_size");
  a.aspect_ratio = Positive(node, "aspect_ratio");
  a.flip = node.Flag("flip", true);
  a.clip = node.Flag("clip", false);
  a.step = step;
  a.offset = static_cast<float>(node.Number("offset", 0.5));
  a.variance = variance;
  if (a.min_size.empty() || (!a.max_size.empty() && a.max_size.size() != a.min_size.size())) {
    throw std::invalid_argument("has no min_size, or another number of max_size");
  }
  return finish(Make<ov::op::v8::PriorBox>(cells, size, a));
}

int SmallInt(const OpenCvNode& node, const std::string& key, int otherwise) {
  const double number = node.Number(key, otherwise);
  if (!(number >= -1 && number <= 1 << 20))
    throw std::invalid_argument(fmt::format("{}={} makes no sense", key, number));
  return static_cast<int>(number);
}

Result<GraphValue> Reader::DetectionOutput(const OpenCvNode& node) {
  ov::op::v8::DetectionOutput::Attributes a;
  const std::string code = node.Text("code_type", "CORNER");
  if (code != "CENTER_SIZE" && code != "CORNER") throw std::invalid_argument(fmt::format("code_type '{:.40}'", code));
  a.code_type = "caffe.PriorBoxParameter." + code;
  a.background_label_id = SmallInt(node, "background_label_id", 0);
  a.share_location = node.Flag("share_location", true);
  a.nms_threshold = static_cast<float>(node.Number("nms_threshold", 0.3));
  a.confidence_threshold = static_cast<float>(node.Number("confidence_threshold", 0));
  a.top_k = SmallInt(node, "top_k", -1);
  a.keep_top_k = {SmallInt(node, "keep_top_k", -1)};
  a.variance_encoded_in_target = node.Flag("variance_encoded_in_target", false);
  a.clip_after_nms = node.Flag("clip", false);
  a.normalized = true;
  GraphValue boxes = In(node, 0);
  if (node.Flag("loc_pred_transposed", false)) {  // y, x, height, width
    const GraphValue rows = Make<ov::op::v1::Reshape>(boxes, IndexConstant({0, -1, 4}), true);
    boxes = FlattenValue(Make<ov::op::v8::Gather>(rows, IndexConstant({1, 0, 3, 2}), IndexConstant({2})));
  }
  return Make<ov::op::v8::DetectionOutput>(boxes, In(node, 1), In(node, 2), a);
}

Status Reader::Add(const OpenCvNode& node) {
  struct Operation {
    std::string_view op;
    Result<GraphValue> (Reader::*build)(const OpenCvNode&);
  };
  static constexpr std::array kOperations = {
      Operation{"Placeholder", &Reader::Placeholder},
      Operation{"Conv2D", &Reader::Convolution},
      Operation{"DepthwiseConv2dNative", &Reader::Convolution},
      Operation{"BiasAdd", &Reader::Arithmetic},
      Operation{"Add", &Reader::Arithmetic},
      Operation{"AddV2", &Reader::Arithmetic},
      Operation{"Mul", &Reader::Arithmetic},
      Operation{"FusedBatchNorm", &Reader::BatchNormalization},
      Operation{"FusedBatchNormV3", &Reader::BatchNormalization},
      Operation{"Relu", &Reader::Activation},
      Operation{"Relu6", &Reader::Activation},
      Operation{"Sigmoid", &Reader::Activation},
      Operation{"Softmax", &Reader::Activation},
      Operation{"Identity", &Reader::Activation},
      Operation{"Dropout", &Reader::Activation},
      Operation{"MaxPool", &Reader::Pooling},
      Operation{"AvgPool", &Reader::Pooling},
      Operation{"SpaceToBatchND", &Reader::ToBatch},
      Operation{"BatchToSpaceND", &Reader::ToSpace},
      Operation{"Flatten", &Reader::Flatten},
      Operation{"Reshape", &Reader::Reshape},
      Operation{"ConcatV2", &Reader::Concat},
      Operation{"L2Normalize", &Reader::L2Normalize},
      Operation{"PriorBox", &Reader::PriorBox},
      Operation{"DetectionOutput", &Reader::DetectionOutput},
  };
  if (node.op == "Const") return {};
  const auto* known =
      std::find_if(kOperations.begin(), kOperations.end(), [&](const auto& o) { return o.op == node.op; });
  if (known == kOperations.end()) {
    return Error{ErrorCode::kUnsupported, "operations of this type are not read from OpenCV's text"};
  }
  DE_TRY(GraphValue value, (this->*known->build)(node));
  CheckSize(value);
  values_.insert_or_assign(node.name, std::move(value));
  return {};
}

std::vector<NamedOutput> Reader::Outputs() const {
  std::set<std::string> used;
  for (const OpenCvNode& node : nodes_) used.insert(node.inputs.begin(), node.inputs.end());
  std::vector<NamedOutput> outputs;
  for (const OpenCvNode& node : nodes_) {
    const auto value = values_.find(node.name);
    if (value != values_.end() && used.insert(node.name).second) outputs.push_back({node.name, value->second});
  }
  return outputs;
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadOpenCvGraph(const ModelFiles& files) {
  constexpr int64_t kMaxText = 4 << 20;
  DE_TRY(const std::string text, ReadFile(files.graph, kMaxText));
  DE_TRY(const std::vector<OpenCvNode> nodes, ParseOpenCvText(files.graph, text));
  DE_TRY(BoundedFile file, BoundedFile::Open(files.weights));
  TfGraph weights(file, files.weights);
  DE_TRY_STATUS(weights.Read());
  Reader reader(nodes, weights, file.size());
  for (const OpenCvNode& node : nodes) {
    const LayerName layer{files.graph, node.name, node.op};
    DE_TRY_STATUS(CatchLayer(layer, [&]() -> Status {
      const Status added = reader.Add(node);
      const bool named = added.ok() || added.error().message.starts_with(files.weights.string());
      return named ? added : Status(LayerError(added.error().code, layer, added.error().message));
    }));
  }
  const LayerName layer{files.graph, "graph", "graph"};
  return CatchLayer(layer, [&]() -> Result<std::shared_ptr<ov::Model>> {
    const std::vector<NamedOutput> outputs = reader.Outputs();
    if (outputs.empty()) return Error{ErrorCode::kBadInput, fmt::format("{}: has no outputs", files.graph.string())};
    std::vector<std::shared_ptr<ov::op::v0::Parameter>> inputs(reader.inputs().begin(), reader.inputs().end());
    return MakeModel(outputs, inputs, files.graph.stem().string());
  });
}

}  // namespace deepedge
