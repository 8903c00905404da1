// The layers of CNTK, built from the engine's operations; shared by the readers of both file formats.
//
// A tensor keeps its shape in CNTK's order, first axis fastest and no batch; in the graph the same shape stands
// reversed, with the batch in front where the tensor depends on an input: a picture of WxHxC is [N, C, H, W] there.
//
// Functions return errors that say what does not fit, without the layer's name, and throw what the engine throws: a
// reader calls them inside CatchLayer. Threads: any; one graph by one thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/formats/cntk/array.h"
#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge::cntk {

struct Tensor {
  GraphValue value;              // empty for weights
  std::optional<Array> weights;  // numbers of the file
  Dims dims;
  bool batched = false;

  static Tensor Weights(Array array);
};

// A tensor of the graph, checked: the engine must see the same shape, and its size is bounded.
Result<Tensor> MakeTensor(GraphValue value, Dims dims, bool batched);

// The value with as many axes as `rank` and the batch's, weights as a constant.
GraphValue ValueOf(const Tensor& tensor, size_t rank);
GraphValue ValueOf(const Tensor& tensor);
// The numbers of weights. Errors: kUnsupported where the tensor is computed.
Result<std::vector<float>> NumbersOf(const Tensor& tensor, std::string_view what);
// The only number of weights that hold one.
std::optional<float> NumberOf(const Tensor& tensor);

// The factor of a product whose inputs are an input of the model and a number: what the model does to its pixels first.
std::optional<float> InputScale(bool is_product, const std::vector<Tensor>& inputs);

// Shape of a result of numbers computed one by one, axes of one element spread. Errors: they do not fit.
Result<Dims> Broadcast(const Dims& a, const Dims& b);

enum class BinaryOp {
  kPlus,
  kMinus,
  kTimes,
  kDivide,
  kPower,
  kMaximum,
  kMinimum,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kLogPlus,
};
Result<Tensor> Binary(BinaryOp op, const Tensor& a, const Tensor& b);
// Where `condition` is not zero a, else b.
Result<Tensor> Select(const Tensor& condition, const Tensor& a, const Tensor& b);
Result<Tensor> Clip(const Tensor& x, const Tensor& low, const Tensor& high);

enum class UnaryOp {
  kNegate,
  kSigmoid,
  kTanh,
  kRelu,
  kExp,
  kLog,
  kSqrt,
  kFloor,
  kAbs,
  kReciprocal,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kAsinh,
  kAtanh,
};
Result<Tensor> Unary(UnaryOp op, const Tensor& x);
Result<Tensor> Elu(const Tensor& x, double alpha);
// Over all numbers of a sample.
Result<Tensor> Softmax(const Tensor& x, bool logarithm);

// Axes [begin, end) replaced by `dims`, of which one may be 0 or -1: what is left.
Result<Tensor> Reshape(const Tensor& x, size_t begin, size_t end, Dims dims);
// Axis i of the result is axis order[i].
Result<Tensor> Transpose(const Tensor& x, const std::vector<size_t>& order);
Result<Tensor> Splice(const std::vector<Tensor>& inputs, size_t axis);

struct SliceAxis {
  size_t axis = 0;
  int64_t begin = 0;  // negative: from the end
  int64_t end = 0;    // not positive: from the end
  int64_t step = 1;
};
Result<Tensor> Slice(const Tensor& x, const std::vector<SliceAxis>& slices);

// `operation` is CNTK's word: Sum, Mean, Max, Min, Prod, LogSum, Argmax, Argmin.
Result<Tensor> Reduce(const Tensor& x, const std::vector<size_t>& axes, std::string_view operation, bool keep_axes);

enum class PadMode { kConstant = 0, kReflect = 1, kSymmetric = 2 };
Result<Tensor> Pad(const Tensor& x, const Dims& head, const Dims& foot, PadMode mode, double value);

// The first `output_rank` axes of `w` are the result's, the rest are summed over with the first axes of `x`.
Result<Tensor> Times(const Tensor& w, const Tensor& x, size_t output_rank);
// `w` is a matrix or a vector and is turned over first.
Result<Tensor> TransposeTimes(const Tensor& w, const Tensor& x);

struct BatchNormSpec {
  bool spatial = true;  // one number for each channel (the last axis), else for each element
  double epsilon = 1e-5;
  bool inverse_deviation = false;  // the 4th parameter is 1 / sqrt(variance + epsilon)
};
// Inputs: x, scale, bias, mean, variance and perhaps the count of samples, which says nothing here.
Result<Tensor> BatchNormalize(const std::vector<Tensor>& inputs, const BatchNormSpec& spec);

// How a window moves over axes. Lists may be short: one entry counts for all axes of the window, missing ones are 1 for
// strides and dilation and 0 for padding.
struct WindowSpec {
  Dims kernel;  // of Pool; empty: everything. Convolutions have it in their weights.
  Dims strides;
  Dims dilation;
  Dims auto_pad;  // 0 or 1
  Dims lower_pad;
  Dims upper_pad;
  Dims sharing;  // 0 or 1; missing: 1
  bool ceil = false;
};

// One axis under a window.
struct WindowAxis {
  int64_t out = 1;
  int64_t lower = 0;  // padding; negative: cropped
  int64_t upper = 0;
};
struct WindowOnAxis {
  int64_t size = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  bool auto_pad = false;
  int64_t lower = 0;
  int64_t upper = 0;
  bool ceil = false;
};
// CNTK's automatic padding is its own: see the .cc. Errors: the window does not fit.
Result<WindowAxis> PlaceWindow(const WindowOnAxis& window);

struct ConvolutionSpec {
  WindowSpec window;
  int64_t groups = 1;
  bool transpose = false;
  Dims output;  // of a transposed convolution; empty or zeros: the smallest
};
Result<Tensor> Convolve(const Tensor& weights, const Tensor& x, const ConvolutionSpec& spec);

struct PoolSpec {
  WindowSpec window;
  bool average = false;
  bool include_pad = false;
};
Result<Tensor> Pool(const Tensor& x, const PoolSpec& spec);

// Regions of `rois` (4xR: x1, y1, x2, y2 on the scale of the picture) of a map, the largest number of each cell.
Result<Tensor> RoiPool(const Tensor& map, const Tensor& rois, const Dims& size, double scale);

}  // namespace deepedge::cntk
