#include "deepedge/formats/onnx/onnx_opset.h"

#include <algorithm>
#include <array>
#include <optional>

namespace deepedge {
namespace {

// Takes an attribute out of a node.
std::optional<OnnxAttribute> TakeAttribute(OnnxNode& node, std::string_view name) {
  const auto found = std::find_if(node.attributes.begin(), node.attributes.end(),
                                  [&](const OnnxAttribute& a) { return a.name == name; });
  if (found == node.attributes.end()) return std::nullopt;
  OnnxAttribute taken = std::move(*found);
  node.attributes.erase(found);
  node.source = {};
  return taken;
}

void SetInput(OnnxNode& node, size_t index, std::string value) {
  if (node.inputs.size() <= index) node.inputs.resize(index + 1);
  node.inputs[index] = std::move(value);
}

// A list of numbers that became the second input.
void MoveList(OnnxNode& node, std::string_view attribute, OnnxEditor& editor) {
  if (const auto list = TakeAttribute(node, attribute)) SetInput(node, 1, editor.Indices(list->numbers));
}

void MoveReal(OnnxNode& node, std::string_view attribute, size_t input, OnnxEditor& editor) {
  const auto value = TakeAttribute(node, attribute);
  if (value && value->real) SetInput(node, input, editor.Real(*value->real));
}

// Up to set 12 all axes from the given one on count as one.
void RaiseSoftmax(OnnxNode node, OnnxEditor& editor) {
  const auto given = TakeAttribute(node, "axis");
  const int64_t axis = given ? given->number.value_or(1) : 1;
  if (axis == -1) {
    editor.AddAs(node.outputs[0], node.type, node.inputs, {OnnxNumber("axis", -1)});
    return;
  }
  const std::string shape = editor.Add("Shape", {node.Input(0)});
  const std::string rows = editor.Add("Flatten", {node.Input(0)}, {OnnxNumber("axis", axis)});
  const std::string result = editor.Add(node.type, {rows}, {OnnxNumber("axis", -1)});
  editor.AddAs(node.outputs[0], "Reshape", {result, shape});
}

void RaiseClip(OnnxNode& node, OnnxEditor& editor) {
  MoveReal(node, "min", 1, editor);
  MoveReal(node, "max", 2, editor);
}

void RaisePad(OnnxNode& node, OnnxEditor& editor) {
  MoveList(node, "pads", editor);
  MoveReal(node, "value", 2, editor);
}

// Set 10 knew one rule for where pixels lie.
void RaiseResize(OnnxNode& node) {
  if (node.inputs.size() == 2) node.inputs.insert(node.inputs.begin() + 1, "");
  node.attributes.push_back(OnnxText("coordinate_transformation_mode", "asymmetric"));
  node.attributes.push_back(OnnxText("nearest_mode", "floor"));
  node.source = {};
}

void DropRatio(OnnxNode& node) {
  TakeAttribute(node, "ratio");
  if (node.outputs.size() > 1) node.outputs.resize(1);
  node.source = {};
}

}  // namespace

Status RaiseNode(OnnxNode node, int64_t from, OnnxEditor& editor) {
  if (!node.domain.empty() || from >= kRaisedOpset) {
    editor.Keep(std::move(node));
    return {};
  }
  if (node.outputs.empty()) return editor.Wrong(node, "has no output");
  const std::string& type = node.type;
  if (type == "Softmax" || type == "LogSoftmax" || type == "Hardmax") {
    RaiseSoftmax(std::move(node), editor);
    return {};
  }
  if (type == "Squeeze" || type == "Unsqueeze" || type == "ReduceSum") MoveList(node, "axes", editor);
  if (type == "Split") MoveList(node, "split", editor);
  if (from < 12 && type == "Dropout") DropRatio(node);
  if (from < 11) {
    if (type == "Clip") RaiseClip(node, editor);
    if (type == "Pad") RaisePad(node, editor);
    if (type == "Resize") RaiseResize(node);
    if (type == "Scatter") {
      node.type = "ScatterElements";
      node.source = {};
    }
  }
  editor.Keep(std::move(node));
  return {};
}

}  // namespace deepedge
