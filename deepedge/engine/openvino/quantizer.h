// Makes a graph compute in 8-bit integers: FakeQuantize operations say which range each tensor has (quantize_graph.h),
// and the engine turns what lies between them into integer kernels when it compiles.
//
// Forms are tried from the fastest to the most exact:
//   1  every convolution and matrix product
//   2  depthwise convolutions stay in float (they gain no speed and lose most), and so do the layers that give the
//   answer 3  so does a quarter of the other layers, then a half, then three quarters: those first whose quantization
//   alone
//      changes the outputs most, measured one layer at a time
#pragma once

#include <openvino/core/model.hpp>
#include <openvino/runtime/core.hpp>
#include <optional>

#include "deepedge/base/file.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

// As Engine::Quantize. `file` is the model's, for error messages; `model` may be changed.
Result<std::optional<ModelFiles>> QuantizeGraph(ov::Core& core, ov::Model& model, const QuantizeOptions& options,
                                                const Path& file, const Path& graph_file);

}  // namespace deepedge
