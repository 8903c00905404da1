#include "deepedge/formats/onnx/onnx_rewrite.h"

#include <fmt/format.h>

#include <algorithm>

#include "deepedge/formats/onnx/onnx_editor.h"
#include "deepedge/formats/onnx/onnx_external.h"
#include "deepedge/formats/onnx/onnx_opset.h"
#include "deepedge/formats/onnx/onnx_quantized.h"

namespace deepedge {
namespace {

// The new list of nodes.
Result<std::vector<OnnxNode>> RewriteNodes(const OnnxGraph& graph) {
  OnnxEditor editor(graph);
  for (const OnnxNode& node : graph.nodes) {
    if (IsQuantizedOperation(node.type)) {
      DE_TRY_STATUS(TakeApart(node, editor));
      continue;
    }
    if (node.has_subgraph && graph.opset < kRaisedOpset) {
      return editor.Wrong(
          node, fmt::format("graphs inside of a quantized network of operator set {} are not read", graph.opset));
    }
    DE_TRY_STATUS(RaiseNode(node, graph.opset, editor));
  }
  return editor.Take();
}

// The graph's fields in their order, nodes where the first one stood.
Result<WirePieces> RewriteGraph(BoundedFile& file, const OnnxGraph& graph, const WireField& field,
                                const std::vector<OnnxNode>& nodes) {
  std::set<int64_t> dropped;  // where input declarations start that are initialisers
  for (const auto& [name, declarations] : graph.inputs) {
    if (!graph.initializers.contains(name)) continue;
    for (const FileRange& range : declarations) dropped.insert(range.begin);
  }
  WirePieces pieces;
  bool placed = false;
  WireScanner fields(file, field.offset, field.end());
  while (const auto part = fields.Next()) {
    if (part->number == kOnnxNodeField) {
      for (size_t i = 0; i < nodes.size() && !placed; ++i) {
        const OnnxNode& node = nodes[i];
        if (node.source.begin < node.source.end) {
          pieces.Copy(node.source.begin, node.source.end);
        } else {
          pieces.AddMessage(kOnnxNodeField, EncodeOnnxNode(node));
        }
      }
      placed = true;
    } else if (part->number != kOnnxInputField || !dropped.contains(part->begin)) {
      pieces.Copy(part->begin, part->end());
    }
  }
  if (fields.broken()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: changed while it was read", graph.path.string())};
  }
  return pieces;
}

Result<bool> IsOwnOpset(BoundedFile& file, const Path& path, const WireField& field) {
  WireScanner inner(file, field.offset, field.end());
  std::string domain;
  while (const auto part = inner.Next()) {
    if (part->number != 1) continue;
    DE_TRY(domain, WireText(file, path, *part));
  }
  return domain.empty() || domain == "ai.onnx";
}

}  // namespace

bool NeedsRewriting(const OnnxOutline& outline) {
  return std::any_of(outline.node_types.begin(), outline.node_types.end(),
                     [](const std::string& type) { return IsQuantizedOperation(type); });
}

Result<ModelFiles> RewriteOnnx(const ModelFiles& files, const Path& folder) {
  DE_TRY(const OnnxGraph graph, ReadOnnxGraph(files.graph));
  if (graph.opset < kOldestRaisedOpset) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: a quantized network of operator set {}; {} is the first that is read",
                             files.graph.string(), graph.opset, kOldestRaisedOpset)};
  }
  DE_TRY(const std::vector<OnnxNode> nodes, RewriteNodes(graph));
  DE_TRY(BoundedFile file, BoundedFile::Open(files.graph));
  WirePieces model;
  WireScanner fields(file, 0, file.size());
  while (const auto field = fields.Next()) {
    if (field->number == kOnnxGraphField) {
      DE_TRY(const WirePieces rewritten, RewriteGraph(file, graph, *field, nodes));
      model.AddMessage(kOnnxGraphField, rewritten);
      continue;
    }
    if (field->number == kOnnxOpsetField && graph.opset < kRaisedOpset) {
      DE_TRY(const bool own, IsOwnOpset(file, files.graph, *field));
      if (own) {
        model.Add(WireBytes(kOnnxOpsetField, WireBytes(1, "") + WireNumber(2, kRaisedOpset)));
        continue;
      }
    }
    model.Copy(field->begin, field->end());
  }
  if (fields.broken()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: changed while it was read", files.graph.string())};
  }
  DE_TRY_STATUS(PlaceOnnxExternalFiles(files.graph, folder));
  ModelFiles rewritten{.format = files.format, .graph = folder / "model.onnx"};
  DE_TRY_STATUS(model.Write(files.graph, rewritten.graph));
  return rewritten;
}

}  // namespace deepedge
