#include "deepedge/formats/torch7/torch7_reader.h"

#include <fmt/format.h>

#include <openvino/core/model.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/formats/graph/graph_ops.h"
#include "deepedge/formats/torch7/network.h"
#include "deepedge/formats/torch7/object.h"

namespace deepedge {
namespace {

using torch7::Flow;
using torch7::kOpen;

// The file names neither input nor outputs.
void CollectOutputs(const Flow& flow, std::vector<NamedOutput>& outputs) {
  if (!flow.is_table) {
    outputs.push_back({outputs.empty() ? "output" : fmt::format("output_{}", outputs.size() + 1), flow.value});
  }
  for (const Flow& item : flow.table) CollectOutputs(item, outputs);
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadTorch7(const Path& name, std::string_view bytes) {
  const auto file = torch7::File::Parse(bytes);
  if (!file.ok()) return file.error().Wrap(name.string());
  const torch7::Network network(name, file.value(), bytes.size());
  DE_TRY(const auto dims, network.FindInput());
  return CatchLayer({name, "1", "Torch7 network"}, [&]() -> Result<std::shared_ptr<ov::Model>> {
    ov::PartialShape shape{1};
    for (const int64_t dim : dims) shape.push_back(dim == kOpen ? ov::Dimension::dynamic() : ov::Dimension(dim));
    auto parameter = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, shape);
    NameValue(parameter, "input");
    DE_TRY(const Flow result, network.Build(Flow{.dims = dims, .value = parameter}));
    std::vector<NamedOutput> outputs;
    CollectOutputs(result, outputs);
    if (outputs.empty()) {
      return Error{ErrorCode::kBadInput, fmt::format("{}: the network has no outputs", name.string())};
    }
    auto model = MakeModel(outputs, parameter, name.stem().string());
    const bool classifies = !result.is_table && result.dims.size() == 1 && result.dims[0] > 1;
    if (classifies) SetMetadata(*model, "class_count", std::to_string(result.dims[0]));
    return model;
  });
}

Result<std::shared_ptr<ov::Model>> ReadTorch7(const ModelFiles& files) {
  DE_TRY(const std::string bytes, ReadFile(files.graph));
  return ReadTorch7(files.graph, bytes);
}

}  // namespace deepedge
