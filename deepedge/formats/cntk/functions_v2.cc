#include "deepedge/formats/cntk/functions_v2.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace deepedge::cntk {
namespace {

using Inputs = std::vector<Tensor>;

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }
Error Unsupported(std::string what) { return {ErrorCode::kUnsupported, std::move(what)}; }

// An axis of a sample; `rank` itself stands for the end where `end_allowed`.
Result<size_t> StaticAxis(const Axis& axis, size_t rank, bool end_allowed = false) {
  const auto limit = static_cast<int64_t>(rank) + (end_allowed ? 1 : 0);
  int64_t index = axis.index;
  if (axis.index == kEndOfStaticAxes) index = static_cast<int64_t>(rank);
  if (axis.index < 0) index += static_cast<int64_t>(rank);
  if (axis.index > kEndOfStaticAxes - 8 && axis.index != kEndOfStaticAxes) {
    return Unsupported("works along the batch or a sequence");
  }
  if (index < 0 || index >= limit) return Bad(fmt::format("axis {} of {}", axis.index, rank));
  return static_cast<size_t>(index);
}

Result<Tensor> BuildTranspose(const Function& f, const Tensor& x) {
  std::vector<size_t> order;
  DE_TRY(const auto all, f.attributes.Axes("axisVec"));
  if (!all.empty()) {
    for (const Axis& axis : all) {
      DE_TRY(const size_t index, StaticAxis(axis, x.dims.size()));
      order.push_back(index);
    }
    return Transpose(x, order);
  }
  DE_TRY(const auto first, f.attributes.Axes("axis1"));
  DE_TRY(const auto second, f.attributes.Axes("axis2"));
  if (first.size() != 1 || second.size() != 1) return Bad("has no axes");
  DE_TRY(const size_t a, StaticAxis(first[0], x.dims.size()));
  DE_TRY(const size_t b, StaticAxis(second[0], x.dims.size()));
  order.resize(x.dims.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::swap(order[a], order[b]);
  return Transpose(x, order);
}

Result<Tensor> BuildSlice(const Function& f, const Tensor& x) {
  const bool several = f.attributes.Find("axisVec") != nullptr;
  DE_TRY(const auto axes, f.attributes.Axes(several ? "axisVec" : "axis"));
  DE_TRY(const auto begins, f.attributes.Integers(several ? "beginIndexVec" : "beginIndex"));
  DE_TRY(const auto ends, f.attributes.Integers(several ? "endIndexVec" : "endIndex"));
  DE_TRY(auto steps, f.attributes.Integers(several ? "sliceStridesVec" : "sliceStrides"));
  if (steps.empty()) steps.assign(axes.size(), 1);
  if (axes.empty() || begins.size() != axes.size() || ends.size() != axes.size() || steps.size() != axes.size()) {
    return Bad("its axes and indices are of different numbers");
  }
  std::vector<SliceAxis> slices;
  for (size_t i = 0; i < axes.size(); ++i) {
    DE_TRY(const size_t axis, StaticAxis(axes[i], x.dims.size()));
    slices.push_back({.axis = axis, .begin = begins[i], .end = ends[i], .step = steps[i]});
  }
  return Slice(x, slices);
}

Result<Tensor> BuildReshape(const Function& f, const Tensor& x) {
  const size_t rank = x.dims.size();
  DE_TRY(const Dims dims, f.attributes.Integers("newShape"));
  DE_TRY(const auto begins, f.attributes.Axes("beginAxis"));
  DE_TRY(const auto ends, f.attributes.Axes("endAxis"));
  size_t begin = 0;
  size_t end = rank;
  if (!begins.empty()) {
    DE_TRY(begin, StaticAxis(begins[0], rank, true));
  }
  if (!ends.empty()) {
    DE_TRY(end, StaticAxis(ends[0], rank, true));
  }
  return Reshape(x, begin, end, dims);
}

Result<Tensor> BuildReduce(const Function& f, const Tensor& x) {
  DE_TRY(const std::string operation, f.attributes.Text("reductionOpName"));
  DE_TRY(const int64_t keep, f.attributes.IntegerOr("reductionKeepDimensions", 1));
  DE_TRY(auto axes, f.attributes.Axes("axisVec"));
  if (axes.empty()) {
    DE_TRY(axes, f.attributes.Axes("axis"));
  }
  if (axes.empty()) return Bad("has no axes");
  std::vector<size_t> indices;
  for (const Axis& axis : axes) {
    if (axis.index == kAllStaticAxes) {
      indices.resize(x.dims.size());
      std::iota(indices.begin(), indices.end(), size_t{0});
      break;
    }
    DE_TRY(const size_t index, StaticAxis(axis, x.dims.size()));
    indices.push_back(index);
  }
  return Reduce(x, indices, operation, keep != 0);
}

Result<Tensor> BuildSplice(const Function& f, const Inputs& inputs) {
  DE_TRY(const auto axes, f.attributes.Axes("axis"));
  if (axes.size() != 1) return Bad("has no axis");
  size_t rank = 0;
  for (const Tensor& input : inputs) rank = std::max(rank, input.dims.size());
  DE_TRY(const size_t axis, StaticAxis(axes[0], rank, true));
  return Splice(inputs, axis);
}

Result<WindowSpec> ReadWindow(const Dictionary& attributes) {
  WindowSpec window;
  DE_TRY(window.kernel, attributes.Integers("poolingWindowShape"));
  DE_TRY(window.strides, attributes.Integers("strides"));
  DE_TRY(window.dilation, attributes.Integers("dilation"));
  DE_TRY(window.auto_pad, attributes.Integers("autoPadding"));
  DE_TRY(window.lower_pad, attributes.Integers("lowerPad"));
  DE_TRY(window.upper_pad, attributes.Integers("upperPad"));
  DE_TRY(window.sharing, attributes.Integers("sharing"));
  DE_TRY(const int64_t ceil, attributes.IntegerOr("ceilOutDim", 0));
  window.ceil = ceil != 0;
  return window;
}

Result<Tensor> BuildConvolution(const Function& f, const Inputs& inputs) {
  ConvolutionSpec spec;
  DE_TRY(spec.window, ReadWindow(f.attributes));
  DE_TRY(spec.groups, f.attributes.IntegerOr("groups", 1));
  DE_TRY(const int64_t transpose, f.attributes.IntegerOr("transpose", 0));
  DE_TRY(spec.output, f.attributes.Integers("outputShape"));
  spec.transpose = transpose != 0;
  return Convolve(inputs[0], inputs[1], spec);
}

Result<Tensor> BuildPooling(const Function& f, const Tensor& x) {
  PoolSpec spec;
  DE_TRY(spec.window, ReadWindow(f.attributes));
  DE_TRY(const int64_t type, f.attributes.Integer("poolingType"));
  DE_TRY(const int64_t include_pad, f.attributes.IntegerOr("includePad", 0));
  if (type != 0 && type != 1) return Unsupported(fmt::format("pools in way {} (0 maximum, 1 average)", type));
  spec.average = type == 1;
  spec.include_pad = include_pad != 0;
  spec.window.dilation.clear();
  return Pool(x, spec);
}

Result<Tensor> BuildBatchNormalization(const Function& f, const Inputs& inputs) {
  BatchNormSpec spec;
  DE_TRY(const int64_t spatial, f.attributes.Integer("spatial"));
  DE_TRY(spec.epsilon, f.attributes.RealOr("epsilon", spec.epsilon));
  spec.spatial = spatial != 0;
  return BatchNormalize(inputs, spec);
}

Result<Tensor> BuildPad(const Function& f, const Tensor& x) {
  DE_TRY(const Dims head, f.attributes.Integers("paddingHead"));
  DE_TRY(const Dims foot, f.attributes.Integers("paddingFoot"));
  DE_TRY(const int64_t mode, f.attributes.IntegerOr("paddingMode", 0));
  DE_TRY(const double value, f.attributes.RealOr("paddingConstantValue", 0));
  if (mode < 0 || mode > 2) return Unsupported(fmt::format("pads in way {}", mode));
  return Pad(x, head, foot, static_cast<PadMode>(mode), value);
}

Result<Tensor> BuildCrop(const Function& f, const Inputs& inputs) {
  DE_TRY(const Dims offset, f.attributes.Integers("offset"));
  if (inputs.size() != 2 || offset.size() != 2) return Unsupported("crops by offsets that it works out itself");
  const Dims& size = inputs[1].dims;
  if (inputs[0].dims.size() != size.size() || size.size() < 2) {
    return Bad(fmt::format("crops {} to {}", ToText(inputs[0].dims), ToText(size)));
  }
  std::vector<SliceAxis> slices;
  for (size_t i = 0; i < 2; ++i) {
    if (offset[i] < 0 || offset[i] > kMaxElements) return Bad(fmt::format("crops from {}", offset[i]));
    slices.push_back({.axis = i, .begin = offset[i], .end = offset[i] + size[i]});
  }
  return Slice(inputs[0], slices);
}

Result<Tensor> BuildRoiPooling(const Function& f, const Inputs& inputs) {
  DE_TRY(const Dims size, f.attributes.Integers("roiOutputShape"));
  DE_TRY(const int64_t type, f.attributes.IntegerOr("poolingType", 0));
  if (type != 0) return Unsupported("pools the average of regions");
  if (f.attributes.Find("spatialScale") == nullptr) return Unsupported("its regions are fractions (an old version)");
  DE_TRY(const double scale, f.attributes.RealOr("spatialScale", 1));
  return RoiPool(inputs[0], inputs[1], size, scale);
}

Result<Tensor> BuildSqueeze(const Function& f, const Tensor& x) {
  DE_TRY(const auto axes, f.attributes.Axes("axisVec"));
  Dims dims = x.dims;
  for (const Axis& axis : axes) {
    DE_TRY(const size_t index, StaticAxis(axis, dims.size()));
    if (x.dims[index] != 1) return Bad(fmt::format("removes axis {} of {}", index, ToText(x.dims)));
    dims[index] = 0;
  }
  std::erase(dims, axes.empty() ? 1 : 0);
  return Reshape(x, 0, x.dims.size(), dims);
}

Result<Tensor> BuildCast(const Function& f, const Tensor& x) {
  DE_TRY(const int64_t type, f.attributes.Integer("newDataType"));
  if (type != 1 && type != 2 && type != 4) return Unsupported(fmt::format("turns numbers into type {}", type));
  return x;
}

Result<Tensor> BuildTimes(const Function& f, const Inputs& inputs) {
  DE_TRY(const int64_t rank, f.attributes.IntegerOr("outputRank", 1));
  DE_TRY(const int64_t map, f.attributes.IntegerOr("inferInputRankToMap", -1));
  if (map < -1) return Unsupported("sums over a sequence");
  if (rank < 1 || rank > static_cast<int64_t>(kMaxRank)) return Bad(fmt::format("an output of {} axes", rank));
  return Times(inputs[0], inputs[1], static_cast<size_t>(rank));
}

Result<Tensor> BuildTransposeTimes(const Function& f, const Inputs& inputs) {
  DE_TRY(const int64_t rank, f.attributes.IntegerOr("outputRank", 1));
  if (rank != 1) return Unsupported(fmt::format("an output of {} axes", rank));
  return TransposeTimes(inputs[0], inputs[1]);
}

// A function that needs its attributes, with the number of its inputs (0: any).
struct Builder {
  int64_t op;
  size_t inputs;
  Result<Tensor> (*build)(const Function&, const Inputs&);
};

constexpr Builder kBuilders[] = {
    {10, 1, [](const Function&, const Inputs& in) { return Softmax(in[0], false); }},
    {12, 1, [](const Function& f, const Inputs& in) { return BuildTranspose(f, in[0]); }},
    {14, 1, [](const Function& f, const Inputs& in) { return BuildSlice(f, in[0]); }},
    {16, 1, [](const Function& f, const Inputs& in) { return BuildReshape(f, in[0]); }},
    {17, 1, [](const Function& f, const Inputs& in) { return BuildPooling(f, in[0]); }},
    {31, 2, BuildTimes},
    {32, 2, BuildTransposeTimes},
    {33, 2, BuildConvolution},
    {39, 1, [](const Function& f, const Inputs& in) { return BuildReduce(f, in[0]); }},
    {40, 0, BuildBatchNormalization},
    {41, 3, [](const Function&, const Inputs& in) { return Clip(in[0], in[1], in[2]); }},
    {42, 3, [](const Function&, const Inputs& in) { return Select(in[0], in[1], in[2]); }},
    {43, 0, BuildSplice},
    {47, 2, BuildRoiPooling},
    {51, 1, [](const Function&, const Inputs& in) { return Softmax(in[0], true); }},
    {65, 1,
     [](const Function& f, const Inputs& in) -> Result<Tensor> {
       DE_TRY(const double alpha, f.attributes.RealOr("alpha", 1));
       return Elu(in[0], alpha);
     }},
    {83, 1, [](const Function& f, const Inputs& in) { return BuildPad(f, in[0]); }},
    {84, 0, BuildCrop},
    {88, 1, [](const Function& f, const Inputs& in) { return BuildSqueeze(f, in[0]); }},
    {91, 1, [](const Function& f, const Inputs& in) { return BuildCast(f, in[0]); }},
};

struct UnaryEntry {
  int64_t op;
  UnaryOp operation;
};
constexpr UnaryEntry kUnary[] = {
    {0, UnaryOp::kNegate},   {1, UnaryOp::kSigmoid},    {2, UnaryOp::kTanh},   {3, UnaryOp::kRelu},
    {4, UnaryOp::kExp},      {5, UnaryOp::kLog},        {6, UnaryOp::kSqrt},   {7, UnaryOp::kFloor},
    {8, UnaryOp::kAbs},      {9, UnaryOp::kReciprocal}, {54, UnaryOp::kSin},   {55, UnaryOp::kCos},
    {75, UnaryOp::kSigmoid}, {77, UnaryOp::kSinh},      {78, UnaryOp::kCosh},  {81, UnaryOp::kAsin},
    {82, UnaryOp::kAcos},    {85, UnaryOp::kAtanh},     {86, UnaryOp::kAsinh}, {95, UnaryOp::kTan},
    {96, UnaryOp::kAtan},
};

struct BinaryEntry {
  int64_t op;
  BinaryOp operation;
};
constexpr BinaryEntry kBinary[] = {
    {19, BinaryOp::kPlus},         {20, BinaryOp::kMinus},   {21, BinaryOp::kTimes},     {22, BinaryOp::kEqual},
    {23, BinaryOp::kNotEqual},     {24, BinaryOp::kLess},    {25, BinaryOp::kLessEqual}, {26, BinaryOp::kGreater},
    {27, BinaryOp::kGreaterEqual}, {52, BinaryOp::kLogPlus}, {69, BinaryOp::kPower},
};

// Dropout, Combine of one value, Pass, NoOp, StopGradient: nothing happens.
constexpr std::array<int64_t, 5> kIdentities = {15, 44, 56, 62, 64};

Status CheckCount(const Inputs& inputs, size_t count) {
  if (count == 0 || inputs.size() == count) return {};
  return Bad(fmt::format("has {} inputs, not {}", inputs.size(), count));
}

}  // namespace

Result<Tensor> BuildFunction(const Function& function, const Inputs& inputs) {
  const auto is_this = [&](const auto& entry) { return entry.op == function.op; };
  if (std::find(kIdentities.begin(), kIdentities.end(), function.op) != kIdentities.end()) {
    DE_TRY_STATUS(CheckCount(inputs, 1));
    return inputs[0];
  }
  if (const auto* it = std::find_if(std::begin(kUnary), std::end(kUnary), is_this); it != std::end(kUnary)) {
    DE_TRY_STATUS(CheckCount(inputs, 1));
    return Unary(it->operation, inputs[0]);
  }
  if (const auto* it = std::find_if(std::begin(kBinary), std::end(kBinary), is_this); it != std::end(kBinary)) {
    DE_TRY_STATUS(CheckCount(inputs, 2));
    return Binary(it->operation, inputs[0], inputs[1]);
  }
  const auto* it = std::find_if(std::begin(kBuilders), std::end(kBuilders), is_this);
  if (it == std::end(kBuilders)) return Unsupported("this operation is not read");
  DE_TRY_STATUS(CheckCount(inputs, it->inputs));
  return it->build(function, inputs);
}

bool IsCriterion(const Function& function) {
  static constexpr std::array<std::string_view, 9> kCriteria = {
      "SquaredError",      "CrossEntropyWithSoftmax", "ClassificationError",           "Logistic", "LambdaRank", "NDCG",
      "EditDistanceError", "ForwardBackward",         "CosDistanceWithNegativeSamples"};
  return std::find(kCriteria.begin(), kCriteria.end(), function.operation) != kCriteria.end();
}

}  // namespace deepedge::cntk
