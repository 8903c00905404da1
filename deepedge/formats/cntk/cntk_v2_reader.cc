#include "deepedge/formats/cntk/cntk_v2_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <openvino/core/model.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/formats/cntk/functions_v2.h"
#include "deepedge/formats/cntk/graph_v2.h"
#include "deepedge/formats/cntk/layers.h"
#include "deepedge/formats/cntk/walk.h"
#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

using cntk::Function;
using cntk::GraphV2;
using cntk::Tensor;
using cntk::Variable;
using cntk::VariableKind;

// Builds the values of one model.
class Builder {
 public:
  Builder(const Path& file, const GraphV2& graph, size_t file_bytes)
      : file_(file),
        graph_(graph),
        uses_(file_bytes),
        walk_(
            file, [this](const std::string& uid) { return Needs(uid); },
            [this](const std::string& uid, const std::vector<Tensor>& inputs) { return Make(uid, inputs); }) {}
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  Result<Tensor> Build(const std::string& wanted) { return walk_.Build(wanted); }
  const std::vector<std::shared_ptr<ov::op::v0::Parameter>>& parameters() const { return parameters_; }
  // By what the input is multiplied first, where it is.
  std::optional<float> input_scale() const { return input_scale_; }

 private:
  Result<std::vector<std::string>> Needs(const std::string& uid) const;
  Result<Tensor> Make(const std::string& uid, const std::vector<Tensor>& inputs);
  Result<Tensor> MakeVariable(const Variable& variable);
  Result<Tensor> MakeInput(const Variable& variable);

  const Path& file_;
  const GraphV2& graph_;
  cntk::WeightUses uses_;
  cntk::Walk walk_;
  std::vector<std::shared_ptr<ov::op::v0::Parameter>> parameters_;
  std::optional<float> input_scale_;
};

Result<std::vector<std::string>> Builder::Needs(const std::string& uid) const {
  std::vector<std::string> needed;
  if (graph_.FindVariable(uid) != nullptr) return needed;
  const Function* function = graph_.FindProducer(uid);
  if (function == nullptr) {
    return LayerError(ErrorCode::kBadInput, {file_, uid, "value"}, "is used, but nothing in the file gives it");
  }
  for (const std::string& name : function->inputs) {
    auto input = graph_.Resolve(name);
    if (!input.ok()) {
      return LayerError(ErrorCode::kBadInput, {file_, function->uid, function->operation}, input.error().message);
    }
    needed.push_back(std::move(input).value());
  }
  return needed;
}

Result<Tensor> Builder::Make(const std::string& uid, const std::vector<Tensor>& inputs) {
  const Variable* variable = graph_.FindVariable(uid);
  const Function* function = graph_.FindProducer(uid);
  const LayerName layer =
      variable != nullptr ? LayerName{file_, uid, "variable"} : LayerName{file_, function->uid, function->operation};
  auto made = CatchLayer(layer, [&]() -> Result<Tensor> {
    auto result = variable != nullptr ? MakeVariable(*variable) : cntk::BuildFunction(*function, inputs);
    if (!result.ok()) return LayerError(result.error().code, layer, result.error().message);
    return result;
  });
  if (!made.ok()) return made;
  if (made.value().weights) made.value().weights->uses = &uses_;
  if (variable != nullptr || made.value().weights) return made;
  made.value().value.get_node()->set_friendly_name(function->name.empty() ? function->uid : function->name);
  if (const auto scale = cntk::InputScale(function->operation == "ElementTimes", inputs)) input_scale_ = scale;
  return made;
}

Result<Tensor> Builder::MakeVariable(const Variable& variable) {
  switch (variable.kind) {
    case VariableKind::kInput: return MakeInput(variable);
    case VariableKind::kParameter:
    case VariableKind::kConstant: {
      if (variable.array.empty()) return Error{ErrorCode::kBadInput, "has no value"};
      DE_TRY(auto array, cntk::ParseArray(variable.array));
      if (array.dims != variable.dims) {
        return Error{ErrorCode::kBadInput,
                     fmt::format("is of {}, its value of {}", cntk::ToText(variable.dims), cntk::ToText(array.dims))};
      }
      return Tensor::Weights(std::move(array));
    }
    case VariableKind::kPlaceholder: return Error{ErrorCode::kBadInput, "is a placeholder that stands for nothing"};
    case VariableKind::kOutput: break;
  }
  return Error{ErrorCode::kBadInput, "is listed among the inputs, but is an output"};
}

Result<Tensor> Builder::MakeInput(const Variable& variable) {
  for (const int64_t dim : variable.dims) {
    if (dim < 0) return Error{ErrorCode::kUnsupported, "is an input whose size is left open"};
  }
  DE_TRY_STATUS(cntk::CountOf(variable.dims).status());
  ov::Shape shape{1};
  for (auto it = variable.dims.rbegin(); it != variable.dims.rend(); ++it) shape.push_back(static_cast<size_t>(*it));
  auto parameter = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, shape);
  NameValue(parameter, variable.uid);
  if (!variable.name.empty()) {
    parameter->get_output_tensor(0).add_names({variable.name});
    parameter->get_rt_info()["deepedge_name"] = variable.uid;
  }
  parameters_.push_back(parameter);
  return cntk::MakeTensor(parameter, variable.dims, true);
}

struct WantedOutput {
  std::string uid;       // of the value
  std::string name;      // under which it is given
  std::string own_name;  // that the author of the model chose; may be empty
};

// What the model gives, without the criteria of its training; of a model that gives nothing else what they measure.
Result<std::vector<WantedOutput>> ChooseOutputs(const GraphV2& graph) {
  std::vector<WantedOutput> outputs;
  std::vector<WantedOutput> measured;
  std::vector<std::string> open = graph.Outputs();
  std::set<std::string> seen;
  for (const std::string& uid : open) {
    if (!seen.insert(uid).second) continue;
    const Function* function = graph.FindProducer(uid);
    const bool criterion = function != nullptr && cntk::IsCriterion(*function) && !function->inputs.empty();
    const std::string& name = criterion ? function->inputs[0] : uid;
    DE_TRY(std::string resolved, graph.Resolve(name));
    const Function* named = graph.FindProducer(name);
    WantedOutput output{std::move(resolved), name, named == nullptr ? "" : named->name};
    const bool twice =
        std::any_of(measured.begin(), measured.end(), [&](const auto& m) { return m.uid == output.uid; });
    if (!criterion) {
      outputs.push_back(std::move(output));
    } else if (!twice) {
      measured.push_back(std::move(output));
    }
  }
  return outputs.empty() ? measured : outputs;
}

Result<std::shared_ptr<ov::Model>> BuildModel(const Path& file, const GraphV2& graph, size_t file_bytes) {
  const auto wanted = ChooseOutputs(graph);
  if (!wanted.ok()) return wanted.error().Wrap(file.string());
  Builder builder(file, graph, file_bytes);
  std::vector<NamedOutput> outputs;
  int64_t classes = 0;
  for (const WantedOutput& output : wanted.value()) {
    DE_TRY(const Tensor tensor, builder.Build(output.uid));
    DE_TRY(const GraphValue value,
           CatchLayer({file, output.name, "output"}, [&]() -> Result<GraphValue> { return cntk::ValueOf(tensor); }));
    outputs.push_back({output.name, value});
    if (tensor.dims.size() == 1) classes = tensor.dims[0];
  }
  if (builder.parameters().empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: its result does not depend on an input", file.string())};
  }
  return CatchLayer({file, graph.root(), "CNTK v2 model"}, [&]() -> Result<std::shared_ptr<ov::Model>> {
    auto model = MakeModel(outputs, builder.parameters(), graph.root());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::string& own = wanted.value()[i].own_name;
      if (own.empty()) continue;
      outputs[i].value.get_tensor().add_names({own});
      model->output(i).get_node()->get_rt_info()["deepedge_name"] = outputs[i].name;
    }
    if (outputs.size() == 1 && classes > 1) SetMetadata(*model, "class_count", std::to_string(classes));
    if (const auto scale = builder.input_scale()) SetMetadata(*model, "input_scale", fmt::format("{}", *scale));
    return model;
  });
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadCntkV2(const Path& name, std::string_view bytes) {
  const auto graph = GraphV2::Read(bytes);
  if (!graph.ok()) return graph.error().Wrap(name.string());
  return BuildModel(name, graph.value(), bytes.size());
}

Result<std::shared_ptr<ov::Model>> ReadCntkV2(const ModelFiles& files) {
  DE_TRY(const std::string bytes, ReadFile(files.graph));
  return ReadCntkV2(files.graph, bytes);
}

}  // namespace deepedge
