#include "deepedge/formats/cntk/cntk_v2_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <openvino/core/model.hpp>
#include <set>
#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/formats/cntk/functions_v2.h"
#include "deepedge/formats/cntk/graph_v2.h"
#include "deepedge/formats/cntk/layers.h"
#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

using cntk::Function;
using cntk::GraphV2;
using cntk::Tensor;
using cntk::Variable;
using cntk::VariableKind;

// Builds values from what they need first; nothing recurses, so that a long network needs no deep stack.
class Builder {
 public:
  Builder(const Path& file, const GraphV2& graph) : file_(file), graph_(graph) {}

  Result<Tensor> Build(const std::string& wanted);
  const std::vector<std::shared_ptr<ov::op::v0::Parameter>>& parameters() const { return parameters_; }

 private:
  // Builds `uid` when all that it needs is there, else puts that on `open`.
  Status Visit(const std::string& uid, std::vector<std::string>& open);
  Result<Tensor> MakeVariable(const Variable& variable);
  Result<Tensor> MakeInput(const Variable& variable);
  Error Fail(const std::string& uid, std::string_view type, const Error& error) const {
    return LayerError(error.code, {file_, uid, type}, error.message);
  }

  const Path& file_;
  const GraphV2& graph_;
  std::map<std::string, Tensor> built_;
  std::set<std::string> started_;
  std::vector<std::shared_ptr<ov::op::v0::Parameter>> parameters_;
};

Result<Tensor> Builder::Build(const std::string& wanted) {
  std::vector<std::string> open{wanted};
  while (!open.empty()) {
    const std::string uid = open.back();
    if (built_.contains(uid)) {
      open.pop_back();
      continue;
    }
    DE_TRY_STATUS(Visit(uid, open));
  }
  return built_.at(wanted);
}

Status Builder::Visit(const std::string& uid, std::vector<std::string>& open) {
  if (const Variable* variable = graph_.FindVariable(uid); variable != nullptr) {
    auto made = CatchLayer({file_, uid, "variable"}, [&] { return MakeVariable(*variable); });
    if (!made.ok()) return Fail(uid, "variable", made.error());
    built_.emplace(uid, std::move(made).value());
    return {};
  }
  const Function* function = graph_.FindProducer(uid);
  if (function == nullptr) {
    return Fail(uid, "value", {ErrorCode::kBadInput, "is used, but nothing in the file gives it"});
  }
  std::vector<Tensor> inputs;
  const size_t before = open.size();
  for (const std::string& name : function->inputs) {
    const auto input = graph_.Resolve(name);
    if (!input.ok()) return Fail(function->uid, function->operation, input.error());
    const auto it = built_.find(input.value());
    if (it == built_.end()) {
      open.push_back(input.value());
    } else if (open.size() == before) {
      inputs.push_back(it->second);
    }
  }
  if (open.size() > before) {
    if (started_.insert(uid).second) return {};
    return Fail(function->uid, function->operation, {ErrorCode::kBadInput, "needs its own result"});
  }
  const LayerName layer{file_, function->uid, function->operation};
  const auto made = CatchLayer(layer, [&]() -> Result<Tensor> {
    auto result = cntk::BuildFunction(*function, inputs);
    if (!result.ok()) return LayerError(result.error().code, layer, result.error().message);
    return result;
  });
  if (!made.ok()) return made.error();
  if (made.value().value.get_node_shared_ptr() != nullptr) {
    made.value().value.get_node()->set_friendly_name(function->name.empty() ? function->uid : function->name);
  }
  built_.emplace(uid, made.value());
  return {};
}

Result<Tensor> Builder::MakeVariable(const Variable& variable) {
  switch (variable.kind) {
    case VariableKind::kInput: return MakeInput(variable);
    case VariableKind::kParameter:
    case VariableKind::kConstant: {
      if (variable.array.empty()) return Error{ErrorCode::kBadInput, "has no value"};
      DE_TRY(auto array, cntk::ParseArray(variable.array));
      if (array.dims != variable.dims) {
        return Error{ErrorCode::kBadInput, fmt::format("is of {}, its value of {}", cntk::ToText(variable.dims),
                                                       cntk::ToText(array.dims))};
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
  if (!variable.name.empty()) parameter->get_output_tensor(0).add_names({variable.name});
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
    const bool twice = std::any_of(measured.begin(), measured.end(), [&](const auto& m) { return m.uid == output.uid; });
    if (!criterion) {
      outputs.push_back(std::move(output));
    } else if (!twice) {
      measured.push_back(std::move(output));
    }
  }
  return outputs.empty() ? measured : outputs;
}

Result<std::shared_ptr<ov::Model>> BuildModel(const Path& file, const GraphV2& graph) {
  const auto wanted = ChooseOutputs(graph);
  if (!wanted.ok()) return wanted.error().Wrap(file.string());
  Builder builder(file, graph);
  std::vector<NamedOutput> outputs;
  int64_t classes = 0;
  for (const WantedOutput& output : wanted.value()) {
    DE_TRY(const Tensor tensor, builder.Build(output.uid));
    outputs.push_back({output.name, cntk::ValueOf(tensor)});
    if (tensor.dims.size() == 1) classes = tensor.dims[0];
  }
  if (builder.parameters().empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: its result does not depend on an input", file.string())};
  }
  return CatchLayer({file, graph.root(), "CNTK v2 model"}, [&]() -> Result<std::shared_ptr<ov::Model>> {
    auto model = MakeModel(outputs, builder.parameters(), graph.root());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::string& own = wanted.value()[i].own_name;
      if (!own.empty()) outputs[i].value.get_tensor().add_names({own});
    }
    if (outputs.size() == 1 && classes > 1) SetMetadata(*model, "class_count", std::to_string(classes));
    return model;
  });
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadCntkV2(const ModelFiles& files) {
  DE_TRY(const std::string content, ReadFile(files.graph));
  const auto graph = GraphV2::Read(content);
  if (!graph.ok()) return graph.error().Wrap(files.graph.string());
  return BuildModel(files.graph, graph.value());
}

}  // namespace deepedge
