#include "deepedge/engine/openvino/graph_facts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <openvino/core/node.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "deepedge/engine/openvino/detection_post_process.h"

namespace deepedge {
namespace {

using Node = ov::Node;
using Type = std::string_view;

constexpr int kLargestWalk = 4000;  // operations looked at behind one output
constexpr size_t kLongestChain = 24;
// Looks at operations for all outputs together. Graphs in use need a few thousand; one made so that its paths multiply
// has facts as far as these go.
constexpr int64_t kMostLooks = 500'000;
constexpr size_t kMostPlaces = 1'000'000;

template <size_t N>
bool OneOf(Type type, const std::array<Type, N>& types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

Type TypeOf(const Node& node) { return node.get_type_name(); }

bool OnlyForm(Type type) {
  static constexpr std::array<Type, 11> kTypes = {"Result",      "Convert",   "Reshape",      "Squeeze",
                                                  "Unsqueeze",   "Transpose", "FakeQuantize", "Clamp",
                                                  "ConvertLike", "Gather",    "Broadcast"};
  return OneOf(type, kTypes);
}

bool IsConvolution(Type type) {
  static constexpr std::array<Type, 5> kTypes = {"Convolution", "GroupConvolution", "ConvolutionBackpropData",
                                                 "GroupConvolutionBackpropData", "DeformableConvolution"};
  return OneOf(type, kTypes);
}

bool IsElementwise(Type type) {
  static constexpr std::array<Type, 4> kTypes = {"Add", "Subtract", "Multiply", "Divide"};
  return OneOf(type, kTypes);
}

const Node* Behind(const Node& node, size_t input = 0) {
  return node.get_input_size() > input ? node.get_input_node_ptr(input) : nullptr;
}

// The constant that a node is, through conversions of compressed weights.
const ov::op::v0::Constant* AsConstant(const Node* node) {
  for (int steps = 0; node != nullptr && steps < 4; ++steps) {
    if (const auto* constant = dynamic_cast<const ov::op::v0::Constant*>(node)) return constant;
    if (!OnlyForm(TypeOf(*node))) return nullptr;
    node = Behind(*node);
  }
  return nullptr;
}

std::optional<int64_t> Dimension(const ov::PartialShape& shape, size_t index) {
  if (shape.rank().is_dynamic() || index >= shape.size()) return std::nullopt;
  const auto& dimension = shape[static_cast<std::ptrdiff_t>(index)];
  if (dimension.is_dynamic()) return std::nullopt;
  return dimension.get_length();
}

// Nodes whose values depend on what goes in, not only on its shape. One pass over the graph.
std::unordered_set<const Node*> FindDataNodes(const ov::Model& model) {
  std::unordered_set<const Node*> data;
  for (const auto& node : model.get_ordered_ops()) {
    const Type type = TypeOf(*node);
    if (type == "Parameter") data.insert(node.get());
    if (type == "ShapeOf") continue;
    for (size_t i = 0; i < node->get_input_size(); ++i) {
      if (data.contains(node->get_input_node_ptr(i))) data.insert(node.get());
    }
  }
  return data;
}

class OutputWalk {
 public:
  // `looks_left`: shared by the walks of one graph; they end early when it is used up.
  OutputWalk(const std::unordered_set<const Node*>& data, const ov::Output<const Node>& output, int64_t& looks_left)
      : data_(data), output_(output), looks_left_(looks_left), joints_left_(kMostJoints) {}

  OutputFacts Find() {
    const Node* end = output_.get_node();
    facts_.operation = FinalOperation(end, 0);
    facts_.unit_length = EndsInUnitLength(end);
    FindParts(end);
    Visit(end);
    return std::move(facts_);
  }

 private:
  // The activation or other operation that all of the output ends in.
  std::string FinalOperation(const Node* node, int depth) {
    for (size_t steps = 0; node != nullptr && steps < kLongestChain && --looks_left_ >= 0; ++steps) {
      if (const std::string marked = MarkedOperation(*node); !marked.empty()) return marked;
      const Type type = TypeOf(*node);
      if (type == "Concat" && depth < 4 && --joints_left_ >= 0) return OperationOfParts(*node, depth);
      if (type == "Divide" && IsSoftmaxDivision(*node)) return "Softmax";
      if (ChangesNothing(*node)) {
        node = data_.contains(Behind(*node)) ? Behind(*node) : Behind(*node, 1);
        continue;
      }
      if (!OnlyForm(type) || Behind(*node) == nullptr) return std::string(type);
      node = Behind(*node);
    }
    return "";
  }

  std::string OperationOfParts(const Node& concat, int depth) {
    std::string common;
    for (size_t i = 0; i < concat.get_input_size() && i < 64; ++i) {
      const std::string part = FinalOperation(Behind(concat, i), depth + 1);
      if (i > 0 && part != common) return "Concat";
      common = part;
    }
    return common == "Sigmoid" || common == "Softmax" || common == "LogSoftmax" ? common : "Concat";
  }

  // Paddle leaves "scale" operations that add 0 or multiply by 1.
  bool ChangesNothing(const Node& node) const {
    const Type type = TypeOf(node);
    if (type != "Add" && type != "Multiply") return false;
    const auto* constant = AsConstant(Behind(node, data_.contains(Behind(node, 0)) ? 1 : 0));
    if (constant == nullptr || ov::shape_size(constant->get_shape()) != 1) return false;
    return constant->cast_vector<float>()[0] == (type == "Add" ? 0.0F : 1.0F);
  }

  // exp(x) / sum(exp(x)), as graphs without a softmax of their own write it.
  static bool IsSoftmaxDivision(const Node& node) {
    const Node* above = Behind(node, 0);
    const Node* below = Behind(node, 1);
    return above != nullptr && below != nullptr && TypeOf(*above) == "Exp" && TypeOf(*below) == "ReduceSum" &&
           Behind(*below) == above;
  }

  static bool EndsInUnitLength(const Node* node) {
    for (size_t steps = 0; node != nullptr && steps < kLongestChain; ++steps) {
      const Type type = TypeOf(*node);
      if (type == "NormalizeL2") return true;
      if (type == "Divide" || type == "Multiply") return IsLength(Behind(*node, 1), 0) || IsLength(Behind(*node, 0), 0);
      if (!OnlyForm(type)) return false;
      node = Behind(*node);
    }
    return false;
  }

  static bool IsLength(const Node* node, int depth) {
    if (node == nullptr || depth > 7) return false;
    const Type type = TypeOf(*node);
    if (type == "ReduceL2") return true;
    if (type == "ReduceSum") return depth > 0;
    static constexpr std::array<Type, 10> kThrough = {"Sqrt",      "Power", "Maximum",   "Add",     "Clamp",
                                                      "Broadcast", "Tile",  "Unsqueeze", "Reshape", "Divide"};
    if (!OneOf(type, kThrough)) return false;
    return IsLength(Behind(*node, 0), depth + 1) || IsLength(Behind(*node, 1), depth + 1);
  }

  // Everything up to the last layers with weights.
  void Visit(const Node* end) {
    std::vector<const Node*> waiting{end};
    while (!waiting.empty() && visited_.size() < kLargestWalk && --looks_left_ >= 0) {
      const Node* node = waiting.back();
      waiting.pop_back();
      if (!visited_.insert(node).second) continue;
      if (!Look(*node)) continue;
      looks_left_ -= static_cast<int64_t>(node->get_input_size());
      // Last input first on the stack's top, so that parts are met in their order.
      for (size_t i = node->get_input_size(); i-- > 0;) {
        const Node* input = Behind(*node, i);
        if (data_.contains(input)) waiting.push_back(input);
      }
    }
  }

  // Notes what a node tells; false: look no further behind it.
  bool Look(const Node& node) {
    const Type type = TypeOf(node);
    if (IsConvolution(type)) return LookAtConvolution(node);
    if (type == "MatMul") return LookAtProduct(node);
    if (type == "Sigmoid") facts_.sigmoid_inside = true;
    if (type == "Softmax") facts_.softmax_inside = true;
    if (type == "Exp") facts_.exp_inside = true;
    if (type == "Interpolate" || type == "DepthToSpace") facts_.upsampled = true;
    if (type == "NonMaxSuppression" || type == "TopK" || type == "DetectionOutput" || type == "MulticlassNms" ||
        type == "MatrixNms" || type == "ExperimentalDetectronDetectionOutput") {
      facts_.suppressed = true;
    }
    if (IsPoolingOfAll(node)) facts_.pooled = true;
    if (type == "Power" || (type == "Multiply" && Behind(node, 0) == Behind(node, 1))) LookAtSquare(node);
    if (IsElementwise(type)) LookAtGrid(node);
    return type != "Parameter";
  }

  static bool IsPoolingOfAll(const Node& node) {
    const Type type = TypeOf(node);
    if (type != "ReduceMean" && type != "AvgPool" && type != "MaxPool" && type != "ReduceMax") return false;
    const ov::PartialShape before = node.get_input_partial_shape(0);
    const ov::PartialShape& after = node.get_output_partial_shape(0);
    if (before.rank().is_dynamic() || before.size() != 4 || after.rank().is_dynamic()) return false;
    if (after.size() == 2) return true;
    const bool to_one = Dimension(after, after.size() - 1) == 1 && Dimension(after, after.size() - 2) == 1;
    return to_one ||
           (type == "ReduceMean" && after.size() == 4 && Dimension(after, 1) == 1 && Dimension(after, 2) == 1);
  }

  bool LookAtConvolution(const Node& node) {
    const ov::PartialShape& weights = node.get_input_partial_shape(1);
    // The weighted sum of a distribution: one channel out, no weights that were learned.
    if (TypeOf(node) == "Convolution" && Dimension(weights, 0) == 1 && Dimension(weights, 2) == 1 &&
        SoftmaxBehind(Behind(node))) {
      facts_.dfl_bins = static_cast<int>(Dimension(weights, 1).value_or(0));
      return true;
    }
    const ov::PartialShape& shape = node.get_output_partial_shape(0);
    const auto size = [&](size_t index) { return static_cast<int>(Dimension(shape, index).value_or(-1)); };
    if (shape.rank().is_static() && shape.size() == 4 && facts_.maps.size() < 256) {
      facts_.maps.push_back({.rows = size(2), .columns = size(3), .channels = size(1)});
    }
    if (!weights_seen_) LookBeyondWeights(Behind(node));
    weights_seen_ = true;
    return false;
  }

  bool LookAtProduct(const Node& node) {
    const bool constant = !data_.contains(Behind(node, 1)) || !data_.contains(Behind(node, 0));
    if (!constant) return true;
    if (SoftmaxBehind(Behind(node))) {
      const ov::PartialShape& in = node.get_input_partial_shape(0);
      if (in.rank().is_static() && in.size() > 0) {
        const auto bins = Dimension(in, in.size() - 1);
        if (bins && *bins <= 64) {
          facts_.dfl_bins = static_cast<int>(*bins);
          return true;
        }
      }
    }
    facts_.fully_connected = true;
    if (!weights_seen_) LookBeyondWeights(data_.contains(Behind(node, 0)) ? Behind(node, 0) : Behind(node, 1));
    weights_seen_ = true;
    return false;
  }

  static bool SoftmaxBehind(const Node* node) {
    for (int steps = 0; node != nullptr && steps < 6; ++steps) {
      if (TypeOf(*node) == "Softmax") return true;
      if (!OnlyForm(TypeOf(*node))) return false;
      node = Behind(*node);
    }
    return false;
  }

  // Is there a pooling over the whole map in front of the last weights?
  void LookBeyondWeights(const Node* node) {
    for (size_t steps = 0; node != nullptr && steps < kLongestChain; ++steps) {
      if (IsPoolingOfAll(*node)) facts_.pooled = true;
      const Type type = TypeOf(*node);
      if (IsConvolution(type) || type == "MatMul" || type == "Concat") return;
      const Node* next = Behind(*node);
      if (next != nullptr && !data_.contains(next)) next = Behind(*node, 1);
      node = next;
    }
  }

  void LookAtSquare(const Node& node) {
    if (TypeOf(node) == "Multiply") {
      facts_.square_inside = true;
      return;
    }
    const auto* exponent = AsConstant(Behind(node, 1));
    if (exponent == nullptr || ov::shape_size(exponent->get_shape()) != 1) return;
    if (exponent->cast_vector<float>()[0] == 2.0F) facts_.square_inside = true;
  }

  void LookAtGrid(const Node& node) {
    for (size_t i = 0; i < 2; ++i) {
      const Node* input = Behind(node, i);
      if (input == nullptr || !IsPerCell(*input)) continue;
      facts_.grid_inside = true;
      const auto* constant = AsConstant(input);
      if (constant == nullptr || ov::shape_size(constant->get_shape()) > kMostPlaces) continue;
      for (const float value : constant->cast_vector<float>()) {
        facts_.largest_place = std::max(facts_.largest_place, std::abs(value));
      }
    }
  }

  // Numbers that do not depend on the picture and differ from place to place: more than a bias or a scale has.
  bool IsPerCell(const Node& node) const {
    if (data_.contains(&node)) return false;
    const ov::PartialShape& shape = node.get_output_partial_shape(0);
    if (shape.rank().is_dynamic()) return AsConstant(&node) == nullptr;
    if (shape.is_dynamic()) return true;
    int64_t count = 1;
    int wide = 0;
    for (const auto& dimension : shape) {
      count *= dimension.get_length();
      if (dimension.get_length() > 1) ++wide;
    }
    return wide >= 2 && count >= 16;
  }

  void FindParts(const Node* node) {
    for (size_t steps = 0; node != nullptr && steps < 8; ++steps) {
      const Type type = TypeOf(*node);
      if (type == "Concat" && PartsOf(*node)) return;
      if (type == "Concat") {  // joined by rows: every part has the same columns
        node = Behind(*node);
        continue;
      }
      if (!OnlyForm(type)) return;
      node = Behind(*node);
    }
  }

  // The parts of a Concat along what become the output's columns: whose sizes add up to them.
  bool PartsOf(const Node& concat) {
    const ov::PartialShape& wanted = output_.get_partial_shape();
    const ov::PartialShape& shape = concat.get_output_partial_shape(0);
    if (wanted.rank().is_dynamic() || shape.rank().is_dynamic() || wanted.size() < 2 || shape.size() < 2) return false;
    const size_t inputs = concat.get_input_size();
    if (inputs < 2 || inputs > 64) return false;
    std::optional<size_t> axis;
    for (size_t d = 0; d < shape.size(); ++d) {
      int64_t sum = 0;
      bool fixed = true;
      for (size_t i = 0; i < inputs; ++i) {
        const auto part = Dimension(concat.get_input_partial_shape(i), d);
        fixed = fixed && part.has_value();
        sum += part.value_or(0);
      }
      if (fixed && Dimension(shape, d) == sum) axis = d;
    }
    if (!axis) return false;
    const auto joined = Dimension(shape, *axis);
    if (joined != ColumnsOf(wanted) || joined.value_or(0) > 4096) return false;
    for (size_t i = 0; i < inputs; ++i) {
      ColumnPart part{.columns = static_cast<int>(*Dimension(concat.get_input_partial_shape(i), *axis))};
      LookAtPart(Behind(concat, i), &part);
      facts_.parts.push_back(part);
    }
    return true;
  }

  // Of rows and columns the columns are the smaller number: 1x84x8400 has 84. A map's are its channels.
  static std::optional<int64_t> ColumnsOf(const ov::PartialShape& shape) {
    const auto last = Dimension(shape, shape.size() - 1);
    if (shape.size() != 3 && shape.size() != 4) return last;
    const auto second = Dimension(shape, 1);
    if (!last || !second) return last ? last : second;
    if (shape.size() == 4) return *second > 1 && Dimension(shape, 2) == last ? second : last;
    return std::min(*last, *second) > 1 ? std::min(*last, *second) : last;
  }

  // What lies behind one part. Beyond a cut (a slice, a split) operations act on other columns too: only a logistic
  // function or softmax over everything counts there.
  void LookAtPart(const Node* node, ColumnPart* part) const {
    std::vector<std::pair<const Node*, bool>> waiting{{node, false}};
    std::unordered_set<const Node*> seen;
    while (!waiting.empty() && seen.size() < 64 && --looks_left_ >= 0) {
      auto [at, cut] = waiting.back();
      waiting.pop_back();
      if (at == nullptr || !data_.contains(at) || !seen.insert(at).second) continue;
      const Type type = TypeOf(*at);
      if (IsConvolution(type) || type == "MatMul") continue;
      static constexpr std::array<Type, 5> kCuts = {"Slice", "StridedSlice", "Split", "VariadicSplit", "Gather"};
      cut = cut || OneOf(type, kCuts);
      if (type == "Sigmoid") part->sigmoid = true;
      if (type == "Softmax") part->softmax = true;
      if (!cut && (type == "Exp" || type == "Power")) part->boxes = true;
      if (!cut && IsElementwise(type)) {
        part->boxes = part->boxes || IsPerCell(*Behind(*at, 0)) || IsPerCell(*Behind(*at, 1));
      }
      looks_left_ -= static_cast<int64_t>(at->get_input_size());
      for (size_t i = 0; i < at->get_input_size(); ++i) waiting.emplace_back(Behind(*at, i), cut);
    }
  }

  const std::unordered_set<const Node*>& data_;
  // Joints of joints: no network has more, and every way through them is looked at.
  static constexpr int kMostJoints = 256;

  ov::Output<const Node> output_;
  int64_t& looks_left_;
  int joints_left_;
  OutputFacts facts_;
  std::unordered_set<const Node*> visited_;
  bool weights_seen_ = false;
};

// Follows an input forward through what prepares it.
class InputWalk {
 public:
  explicit InputWalk(const ov::Output<const Node>& input) : at_(input) {}

  InputFacts Find() {
    for (size_t steps = 0; steps < kLongestChain; ++steps) {
      const auto readers = at_.get_target_inputs();
      std::vector<ov::Input<Node>> data;
      for (const auto& reader : readers) {
        if (TypeOf(*reader.get_node()) != "ShapeOf") data.push_back(reader);
      }
      if (data.size() != 1) break;
      if (!Step(data.front())) break;
    }
    if (!mean_.empty()) {
      facts_.mean = mean_;
      facts_.std = std_;
    }
    return std::move(facts_);
  }

 private:
  // False: the preparation ends here.
  bool Step(const ov::Input<Node>& reader) {
    const Node& node = *reader.get_node();
    const Type type = TypeOf(node);
    if (IsElementwise(type)) {
      // Behind a quantisation they only undo its steps.
      if (!quantised_ && !Fold(node, reader.get_index())) return false;
    } else if (type == "Transpose") {
      transposed_ = !transposed_;
    } else if (type == "Interpolate") {
      facts_.resizes = true;
    } else if (type == "FakeQuantize") {
      TakeRange(node);
      quantised_ = true;
    } else if (type == "Gather" || type == "Reverse") {
      facts_.swaps_channels = true;
    } else if (type != "Convert" && type != "Pad" && type != "Reshape" && type != "Unsqueeze" && type != "Squeeze") {
      facts_.first_layer = type;
      if (IsConvolution(type)) facts_.layout = transposed_ ? TensorLayout::kNhwc : TensorLayout::kNchw;
      if (type == "Convolution") {
        facts_.channels = static_cast<int>(Dimension(node.get_input_partial_shape(1), 1).value_or(0));
      }
      return false;
    }
    at_ = node.output(0);
    return true;
  }

  void TakeRange(const Node& node) {
    const auto* low = AsConstant(Behind(node, 1));
    const auto* high = AsConstant(Behind(node, 2));
    if (low == nullptr || high == nullptr || ov::shape_size(low->get_shape()) != 1) return;
    if (facts_.range || ov::shape_size(high->get_shape()) != 1 || !mean_.empty()) return;
    facts_.range = {low->cast_vector<float>()[0], high->cast_vector<float>()[0]};
  }

  // One more constant in y = (x - mean) / std.
  bool Fold(const Node& node, size_t data_index) {
    const auto* constant = AsConstant(Behind(node, 1 - data_index));
    if (constant == nullptr) return false;
    const size_t count = ov::shape_size(constant->get_shape());
    if (count == 0 || count > 4) return false;
    const std::vector<float> values = constant->cast_vector<float>();
    if (mean_.empty()) {
      mean_.assign(1, 0.0F);
      std_.assign(1, 1.0F);
    }
    if (count > mean_.size()) {
      if (mean_.size() != 1) return false;
      mean_.assign(count, mean_[0]);
      std_.assign(count, std_[0]);
    }
    const Type type = TypeOf(node);
    for (size_t c = 0; c < mean_.size(); ++c) {
      const float v = values[count == 1 ? 0 : c];
      if (type == "Subtract" && data_index == 0) mean_[c] += v * std_[c];
      if (type == "Subtract" && data_index == 1) {  // v - y
        mean_[c] += v * std_[c];
        std_[c] = -std_[c];
      }
      if (type == "Add") mean_[c] -= v * std_[c];
      if ((type == "Multiply" && v == 0.0F) || (type == "Divide" && (v == 0.0F || data_index == 1))) return false;
      if (type == "Multiply") std_[c] /= v;
      if (type == "Divide") std_[c] *= v;
    }
    return true;
  }

  ov::Output<const Node> at_;
  InputFacts facts_;
  std::vector<float> mean_;
  std::vector<float> std_;
  bool transposed_ = false;
  bool quantised_ = false;
};

void AddMetadata(const ov::Model& model, const std::string& group, const std::string& prefix,
                 std::map<std::string, std::string>* metadata) {
  if (!model.has_rt_info(group)) return;
  try {
    for (const auto& [key, value] : model.get_rt_info<ov::AnyMap>(group)) {
      try {
        metadata->emplace(prefix + key, value.as<std::string>());
      } catch (const std::exception&) {  // a nested group: nobody reads those
      }
    }
  } catch (const std::exception&) {  // not a group
  }
}

}  // namespace

GraphFacts FindGraphFacts(const ov::Model& model) {
  GraphFacts facts;
  for (const auto& node : model.get_ops()) {
    const Type type = TypeOf(*node);
    if (IsConvolution(type) || type == "MatMul") ++facts.layers;
    if (type.starts_with("PriorBox")) facts.prior_boxes = true;
  }
  const std::unordered_set<const Node*> data = FindDataNodes(model);
  for (const auto& input : model.inputs()) facts.inputs.push_back(InputWalk(input).Find());
  int64_t looks_left = kMostLooks;
  for (const auto& output : model.outputs()) facts.outputs.push_back(OutputWalk(data, output, looks_left).Find());
  return facts;
}

std::map<std::string, std::string> FindMetadata(const ov::Model& model) {
  std::map<std::string, std::string> metadata;
  AddMetadata(model, "deepedge", "", &metadata);
  AddMetadata(model, "framework", "onnx.", &metadata);
  AddMetadata(model, "model_info", "ov.model_info.", &metadata);
  return metadata;
}

}  // namespace deepedge
