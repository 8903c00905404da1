// OnnxEditor collects the new list of nodes while an old one is gone through, and finds names for values in between.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "deepedge/formats/onnx/onnx_graph.h"

namespace deepedge {

// Thread-compatible. Borrows the graph, whose nodes it does not touch.
class OnnxEditor {
 public:
  explicit OnnxEditor(const OnnxGraph& graph);

  const OnnxGraph& graph() const { return graph_; }
  void Keep(OnnxNode node) { nodes_.push_back(std::move(node)); }
  // Adds an operation of ONNX's own with one output of a new name, which it returns.
  std::string Add(std::string_view type, std::vector<std::string> inputs, std::vector<OnnxAttribute> attributes = {});
  // The same with a given name for its output.
  void AddAs(std::string output, std::string_view type, std::vector<std::string> inputs,
             std::vector<OnnxAttribute> attributes = {});
  std::string Indices(const std::vector<int64_t>& values) { return Add("Constant", {}, {OnnxIndices(values)}); }
  std::string Real(float value) { return Add("Constant", {}, {OnnxReal(value)}); }

  std::vector<OnnxNode> Take() { return std::move(nodes_); }

  Error Wrong(const OnnxNode& node, std::string_view what) const;

 private:
  std::string NewName();

  const OnnxGraph& graph_;
  std::string prefix_;  // no name of the graph starts with it
  size_t named_ = 0;
  std::vector<OnnxNode> nodes_;
};

}  // namespace deepedge
