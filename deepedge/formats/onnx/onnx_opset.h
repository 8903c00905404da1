// Brings single nodes from ONNX operator sets 10 to 12 to set 13, which is the first whose DequantizeLinear knows a
// scale for each channel: what moved from attributes to inputs is moved, what changed its meaning is written out.
#pragma once

#include "deepedge/formats/onnx/onnx_editor.h"

namespace deepedge {

constexpr int64_t kOldestRaisedOpset = 10;
constexpr int64_t kRaisedOpset = 13;

// Adds what stands in set 13 for a node of set `from`. Errors: kUnsupported for a node that has no counterpart.
Status RaiseNode(OnnxNode node, int64_t from, OnnxEditor& editor);

}  // namespace deepedge
