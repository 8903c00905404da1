#include "deepedge/formats/onnx/onnx_editor.h"

#include <fmt/format.h>

namespace deepedge {

OnnxEditor::OnnxEditor(const OnnxGraph& graph) : graph_(graph), prefix_("deepedge/") {
  const auto taken = [&] {
    const auto next = graph.names.lower_bound(prefix_);
    return next != graph.names.end() && next->starts_with(prefix_);
  };
  while (taken()) prefix_ += "/";
}

std::string OnnxEditor::NewName() { return fmt::format("{}{}", prefix_, named_++); }

std::string OnnxEditor::Add(std::string_view type, std::vector<std::string> inputs,
                            std::vector<OnnxAttribute> attributes) {
  std::string output = NewName();
  AddAs(output, type, std::move(inputs), std::move(attributes));
  return output;
}

void OnnxEditor::AddAs(std::string output, std::string_view type, std::vector<std::string> inputs,
                       std::vector<OnnxAttribute> attributes) {
  OnnxNode node{.type = std::string(type), .domain = {}, .name = {}, .inputs = std::move(inputs)};
  node.outputs.push_back(std::move(output));
  node.attributes = std::move(attributes);
  nodes_.push_back(std::move(node));
}

Error OnnxEditor::Wrong(const OnnxNode& node, std::string_view what) const {
  const std::string& name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs[0];
  return {ErrorCode::kUnsupported,
          fmt::format("{}: node '{:.100}' ({:.60}): {}", graph_.path.string(), name, node.type, what)};
}

}  // namespace deepedge
