// What the readers of foreign formats share: the layers that every one of them has, built from the engine's operations,
// and the exceptions of the engine turned into errors that name the layer.
//
// Values are planar pictures [N, C, H, W] unless said otherwise; weights are OIHW. Functions throw what the engine
// throws (ov::Exception); a reader builds each layer inside CatchLayer. Threads: any; one graph by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <openvino/core/model.hpp>
#include <openvino/core/node_output.hpp>
#include <openvino/op/parameter.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

using GraphValue = ov::Output<ov::Node>;

// A layer of a file, for messages: "net.prototxt: layer 'conv1' (Convolution): ...".
struct LayerName {
  const Path& file;
  std::string_view name;
  std::string_view type;
};

// Text from a file, fit for a message: what is not printable is shown as '?', the rest of a long one as "...".
std::string Shown(std::string_view text, size_t max_length = 120);

Error LayerError(ErrorCode code, const LayerName& layer, std::string_view what);

// Runs `f`, which returns a Result or Status, and turns what the engine throws into a kBadInput that names the layer.
template <typename F>
auto CatchLayer(const LayerName& layer, F&& f) -> decltype(f()) {
  try {
    return std::forward<F>(f)();
  } catch (const std::bad_alloc&) {
    return LayerError(ErrorCode::kExhausted, layer, "not enough memory");
  } catch (const std::exception& e) {
    return LayerError(ErrorCode::kBadInput, layer, e.what());
  }
}

// A constant of floats. Throws std::invalid_argument where `values` are not as many as the shape says.
GraphValue FloatConstant(const ov::Shape& shape, const std::vector<float>& values);
GraphValue FloatConstant(float value);  // a scalar
GraphValue IndexConstant(const std::vector<int64_t>& values);

struct Convolution2d {
  size_t out_channels = 0;
  size_t kernel_h = 0;
  size_t kernel_w = 0;
  size_t groups = 1;
  size_t stride_h = 1;
  size_t stride_w = 1;
  size_t dilation_h = 1;
  size_t dilation_w = 1;
  // Rows and columns added before and after; negative ones crop.
  std::ptrdiff_t pad_top = 0;
  std::ptrdiff_t pad_bottom = 0;
  std::ptrdiff_t pad_left = 0;
  std::ptrdiff_t pad_right = 0;
};

// `weights` holds out_channels x (in / groups) x kernel_h x kernel_w numbers, where the input has a known number of
// channels that `groups` divides. Throws when they do not fit.
GraphValue Convolve(const GraphValue& input, const Convolution2d& layer, const std::vector<float>& weights);

// One number for each channel (dimension 1 of an input of any rank above 1).
GraphValue AddPerChannel(const GraphValue& input, const std::vector<float>& bias);
GraphValue ScalePerChannel(const GraphValue& input, const std::vector<float>& scale);

struct BatchNorm {
  std::vector<float> mean;
  std::vector<float> variance;
  std::vector<float> scale;  // empty: 1
  std::vector<float> shift;  // empty: 0
  float epsilon = 1e-5F;
};

// (x - mean) / sqrt(variance + epsilon) * scale + shift for each channel, as one multiplication and one addition.
GraphValue Normalize(const GraphValue& input, const BatchNorm& norm);

// x > 0 ? x : slope * x
GraphValue LeakyRelu(const GraphValue& input, float slope);

// [N, ...] to [N, everything else].
GraphValue FlattenValue(const GraphValue& input);

// Gives an input or a value that becomes an output the name by which `infer` and cards know it.
void NameValue(const GraphValue& value, const std::string& name);

struct NamedOutput {
  std::string name;
  GraphValue value;
};

// The finished model: outputs in the order given, under their names. Throws what the engine throws.
std::shared_ptr<ov::Model> MakeModel(const std::vector<NamedOutput>& outputs,
                                     const std::shared_ptr<ov::op::v0::Parameter>& input, const std::string& name);
std::shared_ptr<ov::Model> MakeModel(const std::vector<NamedOutput>& outputs,
                                     const std::vector<std::shared_ptr<ov::op::v0::Parameter>>& inputs,
                                     const std::string& name);

// Says something about the model beyond its operations, for whoever writes its card: GraphInfo::metadata has it under
// the same key.
void SetMetadata(ov::Model& model, const std::string& key, const std::string& value);

}  // namespace deepedge
