#include "deepedge/formats/cntk/cntk_v1_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <openvino/core/model.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/formats/cntk/file_v1.h"
#include "deepedge/formats/cntk/layers.h"
#include "deepedge/formats/cntk/walk.h"
#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

using cntk::Dims;
using cntk::FileV1;
using cntk::NodeV1;
using cntk::Tensor;
using cntk::ToText;
using Inputs = std::vector<Tensor>;

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }

Result<Tensor> BuildConvolution(const NodeV1& node, const Inputs& in) {
  // The node says the size of its kernel too.
  const size_t rank = std::min(node.kernel.size(), in[1].dims.size());
  if (in[0].dims.size() < rank ||
      !std::equal(node.kernel.begin(), node.kernel.begin() + static_cast<std::ptrdiff_t>(rank), in[0].dims.begin())) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("weights of {} for a kernel of {}", ToText(in[0].dims), ToText(node.kernel))};
  }
  return Convolve(in[0], in[1], node.convolution);
}

Result<Tensor> BuildReshape(const NodeV1& node, const Tensor& x) {
  const auto rank = static_cast<int64_t>(x.dims.size());
  const int64_t begin = node.begin_axis > 0 ? node.begin_axis - 1 : 0;
  const int64_t end = node.end_axis > 0 ? node.end_axis - 1 : rank;
  if (begin > end || end > rank) return Bad(fmt::format("reshapes axes {} to {} of {}", begin, end, ToText(x.dims)));
  return Reshape(x, static_cast<size_t>(begin), static_cast<size_t>(end), node.dims);
}

Result<Tensor> BuildReduce(const NodeV1& node, const Tensor& x) {
  std::vector<size_t> axes;
  for (const int64_t axis : node.axes) {
    if (axis < 0) return Error{ErrorCode::kUnsupported, "works along the batch or a sequence"};
    if (axis == 0) {
      // All of a sample to one number.
      DE_TRY(const int64_t count, cntk::CountOf(x.dims));
      DE_TRY(const Tensor flat, Reshape(x, 0, x.dims.size(), {count}));
      return Reduce(flat, {0}, node.operation, true);
    }
    axes.push_back(static_cast<size_t>(axis) - 1);
  }
  return Reduce(x, axes, node.operation, node.keep_axes);
}

Result<Tensor> BuildSlice(const NodeV1& node, const Tensor& x) {
  auto slices = node.slices;
  for (auto& slice : slices) slice.axis -= 1;
  return Slice(x, slices);
}

Result<Tensor> BuildTimes(const NodeV1& node, const Inputs& in) {
  if (node.output_rank < 1 || node.output_rank > static_cast<int64_t>(cntk::kMaxRank)) {
    return Bad(fmt::format("an output of {} axes", node.output_rank));
  }
  // Weights that are a vector are a matrix of one column.
  return Times(in[0], in[1], static_cast<size_t>(node.output_rank));
}

struct Builder {
  std::string_view op;
  size_t inputs;  // 0: any number
  Result<Tensor> (*build)(const NodeV1&, const Inputs&);
};

template <cntk::UnaryOp kOp>
Result<Tensor> BuildUnary(const NodeV1& /*node*/, const Inputs& in) {
  return Unary(kOp, in[0]);
}
template <cntk::BinaryOp kOp>
Result<Tensor> BuildBinary(const NodeV1& /*node*/, const Inputs& in) {
  return Binary(kOp, in[0], in[1]);
}

constexpr Builder kBuilders[] = {
    {"LearnableParameter", 0,
     [](const NodeV1& n, const Inputs&) -> Result<Tensor> { return Tensor::Weights(*n.weights); }},
    {"Convolution", 2, BuildConvolution},
    {"Pooling", 1, [](const NodeV1& n, const Inputs& in) { return Pool(in[0], n.pool); }},
    {"BatchNormalization", 0, [](const NodeV1& n, const Inputs& in) { return BatchNormalize(in, n.norm); }},
    {"Times", 2, BuildTimes},
    {"TransposeTimes", 2, [](const NodeV1&, const Inputs& in) { return TransposeTimes(in[0], in[1]); }},
    {"Reshape", 1, [](const NodeV1& n, const Inputs& in) { return BuildReshape(n, in[0]); }},
    {"RowStack", 0,
     [](const NodeV1& n, const Inputs& in) -> Result<Tensor> {
       if (n.axes[0] < 1 || n.axes[0] > static_cast<int64_t>(cntk::kMaxRank)) return Bad("joins along time");
       return Splice(in, static_cast<size_t>(n.axes[0]) - 1);
     }},
    {"Slice", 1, [](const NodeV1& n, const Inputs& in) { return BuildSlice(n, in[0]); }},
    {"ReduceElements", 1, [](const NodeV1& n, const Inputs& in) { return BuildReduce(n, in[0]); }},
    {"Dropout", 1, [](const NodeV1&, const Inputs& in) -> Result<Tensor> { return in[0]; }},
    {"Pass", 1, [](const NodeV1&, const Inputs& in) -> Result<Tensor> { return in[0]; }},
    {"Softmax", 1, [](const NodeV1&, const Inputs& in) { return Softmax(in[0], false); }},
    {"LogSoftmax", 1, [](const NodeV1&, const Inputs& in) { return Softmax(in[0], true); }},
    // Bounds first in these files.
    {"Clip", 3, [](const NodeV1&, const Inputs& in) { return Clip(in[2], in[0], in[1]); }},
    {"Plus", 2, BuildBinary<cntk::BinaryOp::kPlus>},
    {"Minus", 2, BuildBinary<cntk::BinaryOp::kMinus>},
    {"ElementTimes", 2, BuildBinary<cntk::BinaryOp::kTimes>},
    {"RectifiedLinear", 1, BuildUnary<cntk::UnaryOp::kRelu>},
    {"Sigmoid", 1, BuildUnary<cntk::UnaryOp::kSigmoid>},
    {"Tanh", 1, BuildUnary<cntk::UnaryOp::kTanh>},
    {"Exp", 1, BuildUnary<cntk::UnaryOp::kExp>},
    {"Log", 1, BuildUnary<cntk::UnaryOp::kLog>},
    {"Sqrt", 1, BuildUnary<cntk::UnaryOp::kSqrt>},
    {"Abs", 1, BuildUnary<cntk::UnaryOp::kAbs>},
    {"Negate", 1, BuildUnary<cntk::UnaryOp::kNegate>},
    {"Reciprocal", 1, BuildUnary<cntk::UnaryOp::kReciprocal>},
    {"Floor", 1, BuildUnary<cntk::UnaryOp::kFloor>},
    {"Cosine", 1, BuildUnary<cntk::UnaryOp::kCos>},
    {"Sin", 1, BuildUnary<cntk::UnaryOp::kSin>},
};

Result<Tensor> BuildNode(const NodeV1& node, const Inputs& inputs) {
  const auto* it =
      std::find_if(std::begin(kBuilders), std::end(kBuilders), [&](const Builder& b) { return b.op == node.op; });
  if (it == std::end(kBuilders)) return Error{ErrorCode::kUnsupported, "is of no use for inference"};
  if (it->inputs != 0 && inputs.size() != it->inputs) {
    return Bad(fmt::format("has {} inputs, not {}", inputs.size(), it->inputs));
  }
  return it->build(node, inputs);
}

// Builds the nodes of one network.
class NetworkBuilder {
 public:
  NetworkBuilder(const Path& path, const FileV1& file, size_t file_bytes)
      : path_(path),
        file_(file),
        uses_(file_bytes),
        walk_(
            path, [this](const std::string& name) { return Needs(name); },
            [this](const std::string& name, const Inputs& inputs) { return Make(name, inputs); }) {}
  NetworkBuilder(const NetworkBuilder&) = delete;
  NetworkBuilder& operator=(const NetworkBuilder&) = delete;

  Result<Tensor> Build(const std::string& name) { return walk_.Build(name); }
  const std::vector<std::shared_ptr<ov::op::v0::Parameter>>& parameters() const { return parameters_; }
  std::optional<float> input_scale() const { return input_scale_; }

 private:
  Result<std::vector<std::string>> Needs(const std::string& name) const {
    const auto it = file_.nodes.find(name);
    if (it != file_.nodes.end()) return it->second.inputs;
    return LayerError(ErrorCode::kBadInput, {path_, name, "node"}, "is used, but the file has no such node");
  }
  Result<Tensor> Make(const std::string& name, const Inputs& inputs);
  Result<Tensor> MakeInput(const NodeV1& node);

  const Path& path_;
  const FileV1& file_;
  cntk::WeightUses uses_;
  cntk::Walk walk_;
  std::vector<std::shared_ptr<ov::op::v0::Parameter>> parameters_;
  std::optional<float> input_scale_;
};

Result<Tensor> NetworkBuilder::Make(const std::string& name, const Inputs& inputs) {
  const NodeV1& node = file_.nodes.at(name);
  const LayerName layer{path_, node.name, node.op};
  auto made = CatchLayer(layer, [&]() -> Result<Tensor> {
    auto result = node.op == "InputValue" ? MakeInput(node) : BuildNode(node, inputs);
    if (!result.ok()) return LayerError(result.error().code, layer, result.error().message);
    return result;
  });
  if (!made.ok()) return made;
  if (made.value().weights) {
    made.value().weights->uses = &uses_;
    return made;
  }
  made.value().value.get_node()->set_friendly_name(node.name);
  if (const auto scale = cntk::InputScale(node.op == "ElementTimes", inputs)) input_scale_ = scale;
  return made;
}

Result<Tensor> NetworkBuilder::MakeInput(const NodeV1& node) {
  DE_TRY_STATUS(cntk::CountOf(node.dims).status());
  ov::Shape shape{1};
  for (auto it = node.dims.rbegin(); it != node.dims.rend(); ++it) shape.push_back(static_cast<size_t>(*it));
  auto parameter = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, shape);
  NameValue(parameter, node.name);
  parameters_.push_back(parameter);
  return cntk::MakeTensor(parameter, node.dims, true);
}

// The group of outputs without criteria; of a network that has none what its first criterion measures.
std::vector<std::string> ChooseOutputs(const FileV1& file) {
  std::vector<std::string> outputs;
  std::set<std::string_view> seen;
  const auto find = [&](const std::string& name) {
    const auto it = file.nodes.find(name);
    return it == file.nodes.end() ? nullptr : &it->second;
  };
  for (const std::string& name : file.outputs) {
    const NodeV1* node = find(name);
    if (seen.insert(name).second && (node == nullptr || !cntk::IsCriterionV1(node->op))) outputs.push_back(name);
  }
  for (const std::string& name : file.criteria) {
    const NodeV1* node = find(name);
    if (!outputs.empty() || node == nullptr) break;
    if (cntk::IsCriterionV1(node->op) && node->inputs.size() >= 2) outputs.push_back(node->inputs[1]);
  }
  return outputs;
}

Result<std::shared_ptr<ov::Model>> BuildModel(const Path& path, const FileV1& file, size_t file_bytes) {
  NetworkBuilder builder(path, file, file_bytes);
  std::vector<NamedOutput> outputs;
  int64_t classes = 0;
  for (const std::string& name : ChooseOutputs(file)) {
    DE_TRY(const Tensor tensor, builder.Build(name));
    DE_TRY(const GraphValue value,
           CatchLayer({path, name, "output"}, [&]() -> Result<GraphValue> { return cntk::ValueOf(tensor); }));
    outputs.push_back({name, value});
    Dims long_axes = tensor.dims;
    std::erase(long_axes, 1);
    if (long_axes.size() == 1) classes = long_axes[0];
  }
  if (outputs.empty() || builder.parameters().empty()) {
    return Bad(fmt::format("{}: {}", path.string(),
                           outputs.empty() ? "the network has no outputs" : "its result does not depend on an input"));
  }
  return CatchLayer({path, outputs[0].name, "CNTK v1 network"}, [&]() -> Result<std::shared_ptr<ov::Model>> {
    auto model = MakeModel(outputs, builder.parameters(), path.stem().string());
    if (outputs.size() == 1 && classes > 1) SetMetadata(*model, "class_count", std::to_string(classes));
    if (const auto scale = builder.input_scale()) SetMetadata(*model, "input_scale", fmt::format("{}", *scale));
    return model;
  });
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadCntkV1(const Path& name, std::string_view bytes) {
  const auto file = cntk::ReadFileV1(bytes);
  if (!file.ok()) return file.error().Wrap(name.string());
  return BuildModel(name, file.value(), bytes.size());
}

Result<std::shared_ptr<ov::Model>> ReadCntkV1(const ModelFiles& files) {
  DE_TRY(const std::string bytes, ReadFile(files.graph));
  return ReadCntkV1(files.graph, bytes);
}

}  // namespace deepedge
