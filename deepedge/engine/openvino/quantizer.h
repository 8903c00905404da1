// Makes a graph compute in 8-bit integers: FakeQuantize operations say which range each tensor has, and the engine
// turns what lies between them into integer kernels when it compiles.
//
//   activations   unsigned, one range for each tensor, from the calibration pictures without the rarest values
//   weights       signed, one range for each output channel, within +-63 steps: where a CPU adds pairs of products in
//                 16 bits (AVX2, AVX-512 without VNNI), larger ones overflow and give wrong numbers; a repository moves
//                 between boxes, so the range does not depend on this one
//
// What stays in float grows with `caution`:
//   0  nothing
//   1  depthwise convolutions (they gain no speed and lose most), and the layers that give the answer
//   2  also the layers that see the picture itself
//   3  also the third of the layers whose input is hardest to tell apart in 256 steps
#pragma once

#include <openvino/core/model.hpp>
#include <openvino/runtime/core.hpp>

#include "deepedge/base/file.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

// Changes `model`. Errors: kUnsupported for a graph that is quantized already or has nothing to quantize, kBadInput for
// no pictures or pictures of another size; all name `file`.
Status QuantizeGraph(ov::Core& core, ov::Model& model, const QuantizeOptions& options, const Path& file);

}  // namespace deepedge
