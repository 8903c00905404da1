// Operations on quantized numbers (QLinearConv and its kin, as static quantization writes them) taken apart into
// DequantizeLinear, the plain operation and QuantizeLinear: the form that the engine computes right, also with a scale
// for each channel, and runs in 8 bits where the CPU can.
#pragma once

#include "deepedge/formats/onnx/onnx_editor.h"

namespace deepedge {

// Whether a node of this type is taken apart.
bool IsQuantizedOperation(std::string_view type);

// Adds what stands in for `node`, of such a type. The new nodes are of operator set 13. Errors: kUnsupported for a form
// of the operation that is not read, naming file and node.
Status TakeApart(OnnxNode node, OnnxEditor& editor);

}  // namespace deepedge
