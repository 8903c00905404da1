#include "deepedge/engine/openvino/graph_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <openvino/core/model.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/pass/constant_folding.hpp>
#include <openvino/pass/manager.hpp>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "deepedge/engine/openvino/detection_post_process.h"
#include "deepedge/engine/openvino/graph_facts.h"
#include "deepedge/engine/openvino/ov_types.h"
#include "deepedge/engine/openvino/usable_files.h"
#include "deepedge/formats/foreign_reader.h"

namespace deepedge {
namespace {

std::string NameOf(const ov::Output<const ov::Node>& port, std::string_view kind, size_t index) {
  const auto& names = port.get_names();
  if (names.empty()) return fmt::format("{}_{}", kind, index);
  // Our own readers say which of several names is the first.
  const auto& info = port.get_node()->get_rt_info();
  if (const auto it = info.find("deepedge_name"); it != info.end()) return it->second.as<std::string>();
  return *std::min_element(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
}

// The operation that a result comes from, through those that only change its form.
std::string OperationBehind(const ov::Output<const ov::Node>& result) {
  static constexpr std::array<std::string_view, 4> kFormOnly = {"Convert", "Reshape", "Squeeze", "Unsqueeze"};
  const ov::Node* node = result.get_node();
  for (int steps = 0; steps < 8; ++steps) {
    if (const std::string marked = MarkedOperation(*node); !marked.empty()) return marked;
    const std::string_view type = node->get_type_name();
    const bool look_through =
        type == "Result" || std::find(kFormOnly.begin(), kFormOnly.end(), type) != kFormOnly.end();
    if (!look_through || node->get_input_size() == 0) break;
    node = node->get_input_node_ptr(0);
  }
  return node->get_type_name();
}

// Whether sums of products of 8-bit numbers are exact here: without these instructions they are formed of pairs that
// are added in 16 bits, which overflow where weights use their whole range.
bool MultipliesBytesExactly() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512vnni") != 0;
#else
  return true;
#endif
}

// In TensorFlow "x" is short for "x:0", the first output of x: both names are good.
void AddShortNames(ov::Model& model) {
  const auto add = [](const ov::Output<ov::Node>& port) {
    for (const std::string& name : std::unordered_set<std::string>(port.get_names())) {
      if (name.size() > 2 && name.ends_with(":0")) port.get_tensor().add_names({name.substr(0, name.size() - 2)});
    }
  };
  for (const auto& input : model.inputs()) add(input);
  for (const auto& output : model.outputs()) add(output);
}

}  // namespace

void DequantizeWeights(ov::Model& model) {
  const auto shared = model.shared_from_this();
  ov::pass::Manager passes;
  passes.register_pass<ov::pass::ConstantFolding>();
  passes.run_passes(shared);
}

Result<LoadedGraph> LoadGraph(ov::Core& core, const ModelFiles& files) {
  LoadedGraph loaded;
  DE_TRY(const UsableFiles usable, MakeUsable(files, loaded.folder));
  if (HasOwnReader(files)) {
    DE_TRY(loaded.model, ReadForeignModel(files));
  } else {
    DE_TRY_STATUS(CatchOv(files.graph, ErrorCode::kBadInput, [&]() -> Status {
      loaded.model = core.read_model(usable.files.graph, usable.files.weights);
      const bool tensorflow = files.format == ModelFormat::kTfFrozen || files.format == ModelFormat::kTfSavedModel;
      if (tensorflow) AddShortNames(*loaded.model);
      if (usable.quantized_weights && !MultipliesBytesExactly()) DequantizeWeights(*loaded.model);
      for (const auto& [key, value] : usable.metadata) loaded.model->set_rt_info(value, "deepedge", key);
      return {};
    }));
  }
  if (loaded.model->outputs().empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: the graph has no outputs", files.graph.string())};
  }
  return loaded;
}

Result<std::vector<TensorSpec>> SpecsOf(const std::vector<ov::Output<const ov::Node>>& ports, std::string_view kind,
                                        const Path& file) {
  std::vector<TensorSpec> specs;
  for (size_t i = 0; i < ports.size(); ++i) {
    TensorSpec spec{.name = NameOf(ports[i], kind, i)};
    const auto type = FromOv(ports[i].get_element_type());
    if (!type.ok()) return type.error().Wrap(fmt::format("{}: {} '{}'", file.string(), kind, spec.name));
    spec.type = type.value();
    spec.shape = FromOv(ports[i].get_partial_shape());
    specs.push_back(std::move(spec));
  }
  return specs;
}

int64_t WeightBytes(const ov::Model& model) {
  std::set<const void*> counted;
  size_t bytes = 0;
  for (const auto& node : model.get_ops()) {
    const auto* constant = dynamic_cast<const ov::op::v0::Constant*>(node.get());
    if (constant == nullptr || !counted.insert(constant->get_data_ptr()).second) continue;
    bytes += constant->get_byte_size();
  }
  return static_cast<int64_t>(bytes);
}

Result<GraphInfo> DescribeGraph(const ov::Model& model, const Path& file) {
  GraphInfo info;
  DE_TRY(info.inputs, SpecsOf(model.inputs(), "input", file));
  DE_TRY(info.outputs, SpecsOf(model.outputs(), "output", file));
  for (const auto& output : model.outputs()) info.output_operations.push_back(OperationBehind(output));
  info.weight_bytes = WeightBytes(model);
  info.facts = FindGraphFacts(model);
  info.metadata = FindMetadata(model);
  return info;
}

namespace {

// Whole numbers of a text such as "[320, 416]".
std::vector<int64_t> NumbersIn(const std::string& text) {
  constexpr int64_t kMost = 16384;
  std::vector<int64_t> numbers;
  bool inside = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !inside) numbers.push_back(0);
    if (digit) numbers.back() = std::min(numbers.back() * 10 + (c - '0'), kMost);
    inside = digit;
  }
  return numbers;
}

bool IsOpen(const TensorSpec& tensor) {
  return std::any_of(tensor.shape.begin(), tensor.shape.end(), [](int64_t dimension) { return dimension < 0; });
}

}  // namespace

std::optional<Shape> ShapeOfOnePicture(const GraphInfo& info) {
  constexpr int64_t kUsualSide = 640;
  if (info.inputs.size() != 1 || !IsOpen(info.inputs[0]) || info.inputs[0].shape.size() != 4) return std::nullopt;
  Shape shape = info.inputs[0].shape;
  const InputFacts facts = info.facts.inputs.empty() ? InputFacts{} : info.facts.inputs[0];
  const auto is_channels = [](int64_t dimension) { return dimension == 1 || dimension == 3; };
  const bool nchw = facts.layout ? *facts.layout == TensorLayout::kNchw : is_channels(shape[1]);
  int64_t& channels = shape[nchw ? 1 : 3];
  if (channels < 0) channels = facts.channels;
  if (!is_channels(channels)) return std::nullopt;
  const auto said = info.metadata.find("onnx.imgsz");
  const std::vector<int64_t> sides = said != info.metadata.end() ? NumbersIn(said->second) : std::vector<int64_t>();
  const bool usable = !sides.empty() && sides.front() >= 8 && sides.back() >= 8;
  int64_t& height = shape[nchw ? 2 : 1];
  int64_t& width = shape[nchw ? 3 : 2];
  if (shape[0] < 0) shape[0] = 1;
  if (height < 0) height = usable ? sides.front() : kUsualSide;
  if (width < 0) width = usable ? sides.back() : kUsualSide;
  return shape;
}

std::shared_ptr<const GraphInfo> DescribeForOnePicture(ov::Model& model, const GraphInfo& info, const Path& file) {
  if (std::none_of(info.outputs.begin(), info.outputs.end(), IsOpen)) return nullptr;
  const auto shape = ShapeOfOnePicture(info);
  if (!shape) return nullptr;
  auto sized = CatchOv(file, ErrorCode::kBadInput, [&]() -> Result<GraphInfo> {
    model.reshape(ov::PartialShape(std::vector<ov::Dimension>(shape->begin(), shape->end())));
    return DescribeGraph(model, file);
  });
  if (!sized.ok()) return nullptr;
  sized.value().metadata = info.metadata;
  return std::make_shared<const GraphInfo>(std::move(sized).value());
}

}  // namespace deepedge
