#include "deepedge/formats/cntk/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <openvino/opsets/opset8.hpp>

namespace deepedge::cntk {
namespace {

namespace op = ov::opset8;

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }

ov::Shape Reversed(const Dims& dims) {
  ov::Shape shape;
  for (auto it = dims.rbegin(); it != dims.rend(); ++it) shape.push_back(static_cast<size_t>(*it));
  return shape;
}

// What a Reshape to `dims` is told; 0 keeps the batch, whatever it is.
GraphValue Target(const Dims& dims, bool batched) {
  std::vector<int64_t> target;
  if (batched) target.push_back(0);
  target.insert(target.end(), dims.rbegin(), dims.rend());
  return IndexConstant(target);
}

GraphValue ReshapeTo(const GraphValue& value, const Dims& dims, bool batched) {
  return std::make_shared<op::Reshape>(value, Target(dims, batched), batched);
}

// Where axis `axis` of CNTK stands in the graph.
int64_t PositionOf(const Tensor& x, size_t axis) {
  return static_cast<int64_t>((x.batched ? 1 : 0) + x.dims.size() - 1 - axis);
}

GraphValue FromCondition(const GraphValue& condition) {
  return std::make_shared<op::Convert>(condition, ov::element::f32);
}

// log(exp(a) + exp(b)) without overflow.
GraphValue LogPlus(const GraphValue& a, const GraphValue& b) {
  const auto larger = std::make_shared<op::Maximum>(a, b);
  const auto distance = std::make_shared<op::Abs>(std::make_shared<op::Subtract>(a, b));
  const auto rest = std::make_shared<op::Exp>(std::make_shared<op::Negative>(distance));
  return std::make_shared<op::Add>(larger,
                                   std::make_shared<op::Log>(std::make_shared<op::Add>(rest, FloatConstant(1.0F))));
}

GraphValue BinaryValue(BinaryOp operation, const GraphValue& a, const GraphValue& b) {
  switch (operation) {
    case BinaryOp::kPlus: return std::make_shared<op::Add>(a, b);
    case BinaryOp::kMinus: return std::make_shared<op::Subtract>(a, b);
    case BinaryOp::kTimes: return std::make_shared<op::Multiply>(a, b);
    case BinaryOp::kDivide: return std::make_shared<op::Divide>(a, b);
    case BinaryOp::kPower: return std::make_shared<op::Power>(a, b);
    case BinaryOp::kMaximum: return std::make_shared<op::Maximum>(a, b);
    case BinaryOp::kMinimum: return std::make_shared<op::Minimum>(a, b);
    case BinaryOp::kEqual: return FromCondition(std::make_shared<op::Equal>(a, b));
    case BinaryOp::kNotEqual: return FromCondition(std::make_shared<op::NotEqual>(a, b));
    case BinaryOp::kLess: return FromCondition(std::make_shared<op::Less>(a, b));
    case BinaryOp::kLessEqual: return FromCondition(std::make_shared<op::LessEqual>(a, b));
    case BinaryOp::kGreater: return FromCondition(std::make_shared<op::Greater>(a, b));
    case BinaryOp::kGreaterEqual: return FromCondition(std::make_shared<op::GreaterEqual>(a, b));
    case BinaryOp::kLogPlus: return LogPlus(a, b);
  }
  return {};
}

GraphValue UnaryValue(UnaryOp operation, const GraphValue& x) {
  switch (operation) {
    case UnaryOp::kNegate: return std::make_shared<op::Negative>(x);
    case UnaryOp::kSigmoid: return std::make_shared<op::Sigmoid>(x);
    case UnaryOp::kTanh: return std::make_shared<op::Tanh>(x);
    case UnaryOp::kRelu: return std::make_shared<op::Relu>(x);
    case UnaryOp::kExp: return std::make_shared<op::Exp>(x);
    case UnaryOp::kLog: return std::make_shared<op::Log>(x);
    case UnaryOp::kSqrt: return std::make_shared<op::Sqrt>(x);
    case UnaryOp::kFloor: return std::make_shared<op::Floor>(x);
    case UnaryOp::kAbs: return std::make_shared<op::Abs>(x);
    case UnaryOp::kReciprocal: return std::make_shared<op::Divide>(FloatConstant(1.0F), x);
    case UnaryOp::kSin: return std::make_shared<op::Sin>(x);
    case UnaryOp::kCos: return std::make_shared<op::Cos>(x);
    case UnaryOp::kTan: return std::make_shared<op::Tan>(x);
    case UnaryOp::kAsin: return std::make_shared<op::Asin>(x);
    case UnaryOp::kAcos: return std::make_shared<op::Acos>(x);
    case UnaryOp::kAtan: return std::make_shared<op::Atan>(x);
    case UnaryOp::kSinh: return std::make_shared<op::Sinh>(x);
    case UnaryOp::kCosh: return std::make_shared<op::Cosh>(x);
    case UnaryOp::kAsinh: return std::make_shared<op::Asinh>(x);
    case UnaryOp::kAtanh: return std::make_shared<op::Atanh>(x);
  }
  return {};
}

GraphValue ReduceValue(std::string_view operation, const GraphValue& x, const GraphValue& axes, bool keep) {
  if (operation == "Sum") return std::make_shared<op::ReduceSum>(x, axes, keep);
  if (operation == "Mean") return std::make_shared<op::ReduceMean>(x, axes, keep);
  if (operation == "Max") return std::make_shared<op::ReduceMax>(x, axes, keep);
  if (operation == "Min") return std::make_shared<op::ReduceMin>(x, axes, keep);
  if (operation == "Prod") return std::make_shared<op::ReduceProd>(x, axes, keep);
  if (operation != "LogSum") return {};
  const auto largest = std::make_shared<op::ReduceMax>(x, axes, true);
  const auto rest = std::make_shared<op::Exp>(std::make_shared<op::Subtract>(x, largest));
  const auto log = std::make_shared<op::Log>(std::make_shared<op::ReduceSum>(rest, axes, keep));
  return std::make_shared<op::Add>(log, std::make_shared<op::ReduceMax>(x, axes, keep));
}

// The index of the largest or smallest number along one axis, as a float.
GraphValue ArgValue(const GraphValue& x, int64_t axis, bool largest, bool keep) {
  const auto top = std::make_shared<op::TopK>(x, op::Constant::create(ov::element::i64, ov::Shape{}, {1}), axis,
                                              largest ? op::TopK::Mode::MAX : op::TopK::Mode::MIN,
                                              op::TopK::SortType::SORT_VALUES, ov::element::i64);
  const GraphValue index = std::make_shared<op::Convert>(top->output(1), ov::element::f32);
  return keep ? index : std::make_shared<op::Squeeze>(index, IndexConstant({axis}))->output(0);
}

// The dims that Reshape puts in the place of `count` numbers.
Result<Dims> FillIn(Dims dims, int64_t count) {
  int64_t known = 1;
  int64_t* open = nullptr;
  for (int64_t& dim : dims) {
    if (dim == 0 || dim == -1) {
      if (open != nullptr) return Bad("its new shape leaves more than one axis open");
      open = &dim;
      continue;
    }
    if (dim < 0 || dim > kMaxElements / known) return Bad(fmt::format("its new shape is {}", ToText(dims)));
    known *= dim;
  }
  if (open != nullptr) *open = count / known;
  if (known * (open != nullptr ? *open : 1) != count) {
    return Bad(fmt::format("{} numbers do not make the shape {}", count, ToText(dims)));
  }
  return dims;
}

}  // namespace

Tensor Tensor::Weights(Array array) {
  Tensor tensor;
  tensor.dims = array.dims;
  tensor.weights = std::move(array);
  return tensor;
}

Result<Tensor> MakeTensor(GraphValue value, Dims dims, bool batched) {
  DE_TRY(const int64_t count, CountOf(dims));
  // What is computed from weights only is computed while the model is compiled: it may not grow out of nothing.
  constexpr int64_t kMaxConstant = int64_t{1} << 25;
  constexpr int64_t kMaxValue = int64_t{1} << 26;  // more than any network of this kind computes at once
  if (count > kMaxValue) return Bad(fmt::format("gives a tensor of {}", ToText(dims)));
  if (!batched && count > kMaxConstant) return Bad(fmt::format("a constant of shape {}", ToText(dims)));
  ov::PartialShape expected;
  if (batched)
    expected.push_back(value.get_partial_shape().rank().is_static() && value.get_partial_shape().size() > 0
                           ? value.get_partial_shape()[0]
                           : ov::Dimension::dynamic());
  for (const size_t dim : Reversed(dims)) expected.push_back(static_cast<int64_t>(dim));
  if (!value.get_partial_shape().same_scheme(expected)) {
    return Bad(
        fmt::format("gives {} where {} is expected", value.get_partial_shape().to_string(), expected.to_string()));
  }
  Tensor tensor;
  tensor.value = std::move(value);
  tensor.dims = std::move(dims);
  tensor.batched = batched;
  return tensor;
}

GraphValue ValueOf(const Tensor& tensor, size_t rank) {
  Dims dims = tensor.dims;
  if (dims.size() < rank) dims.resize(rank, 1);
  if (tensor.weights) return tensor.weights->Constant(Reversed(dims));
  if (dims.size() == tensor.dims.size()) return tensor.value;
  return ReshapeTo(tensor.value, dims, tensor.batched);
}

GraphValue ValueOf(const Tensor& tensor) { return ValueOf(tensor, tensor.dims.size()); }

Result<std::vector<float>> NumbersOf(const Tensor& tensor, std::string_view what) {
  if (tensor.weights) return tensor.weights->Floats();
  return Error{ErrorCode::kUnsupported, fmt::format("its {} is not a constant", what)};
}

std::optional<float> NumberOf(const Tensor& tensor) {
  if (!tensor.weights || tensor.weights->count != 1) return std::nullopt;
  return tensor.weights->Floats()[0];
}

std::optional<float> InputScale(bool is_product, const std::vector<Tensor>& inputs) {
  if (!is_product || inputs.size() != 2) return std::nullopt;
  for (const size_t i : {0U, 1U}) {
    const GraphValue& value = inputs[i].value;
    const bool is_input = value.get_node_shared_ptr() != nullptr &&
                          dynamic_cast<const ov::op::v0::Parameter*>(value.get_node()) != nullptr;
    if (is_input) return NumberOf(inputs[1 - i]);
  }
  return std::nullopt;
}

Result<Dims> Broadcast(const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t left = i < a.size() ? a[i] : 1;
    const int64_t right = i < b.size() ? b[i] : 1;
    if (left != right && left != 1 && right != 1) {
      return Bad(fmt::format("shapes {} and {} do not fit", ToText(a), ToText(b)));
    }
    result[i] = std::max(left, right);
  }
  return result;
}

Result<Tensor> Binary(BinaryOp operation, const Tensor& a, const Tensor& b) {
  DE_TRY(const Dims dims, Broadcast(a.dims, b.dims));
  const bool batched = a.batched || b.batched;
  // A constant beside a batch gets an axis for it, as the engine joins it to a convolution only then.
  const size_t rank = dims.size();
  const auto value = [&](const Tensor& t) {
    return ValueOf(t, t.weights && batched && t.weights->count > 1 ? rank + 1 : rank);
  };
  return MakeTensor(BinaryValue(operation, value(a), value(b)), dims, batched);
}

Result<Tensor> Select(const Tensor& condition, const Tensor& a, const Tensor& b) {
  DE_TRY(const Dims both, Broadcast(a.dims, b.dims));
  DE_TRY(const Dims dims, Broadcast(both, condition.dims));
  const auto is_set = std::make_shared<op::NotEqual>(ValueOf(condition, dims.size()), FloatConstant(0.0F));
  const auto value = std::make_shared<op::Select>(is_set, ValueOf(a, dims.size()), ValueOf(b, dims.size()));
  return MakeTensor(value, dims, condition.batched || a.batched || b.batched);
}

Result<Tensor> Clip(const Tensor& x, const Tensor& low, const Tensor& high) {
  const auto min = NumberOf(low);
  const auto max = NumberOf(high);
  if (min && max) {
    if (!(*min <= *max)) return Bad(fmt::format("clips to {} .. {}", *min, *max));
    return MakeTensor(std::make_shared<op::Clamp>(ValueOf(x), static_cast<double>(*min), static_cast<double>(*max)),
                      x.dims, x.batched);
  }
  DE_TRY(const Tensor above, Binary(BinaryOp::kMaximum, x, low));
  return Binary(BinaryOp::kMinimum, above, high);
}

Result<Tensor> Unary(UnaryOp operation, const Tensor& x) {
  return MakeTensor(UnaryValue(operation, ValueOf(x)), x.dims, x.batched);
}

Result<Tensor> Elu(const Tensor& x, double alpha) {
  return MakeTensor(std::make_shared<op::Elu>(ValueOf(x), alpha), x.dims, x.batched);
}

Result<Tensor> Softmax(const Tensor& x, bool logarithm) {
  DE_TRY(const int64_t count, CountOf(x.dims));
  const bool flat = x.dims.size() == 1;
  GraphValue value = flat ? ValueOf(x) : ReshapeTo(ValueOf(x), {count}, x.batched);
  const int64_t axis = x.batched ? 1 : 0;
  if (logarithm) {
    value = std::make_shared<op::LogSoftmax>(value, axis);
  } else {
    value = std::make_shared<op::Softmax>(value, axis);
  }
  return MakeTensor(flat ? value : ReshapeTo(value, x.dims, x.batched), x.dims, x.batched);
}

Result<Tensor> Reshape(const Tensor& x, size_t begin, size_t end, Dims dims) {
  if (begin > end || end > x.dims.size()) {
    return Bad(fmt::format("reshapes axes {} to {} of {}", begin, end, ToText(x.dims)));
  }
  const auto first = x.dims.begin();
  const auto from = first + static_cast<std::ptrdiff_t>(begin);
  const auto to = first + static_cast<std::ptrdiff_t>(end);
  DE_TRY(const int64_t count, CountOf(Dims(from, to)));
  DE_TRY(const Dims middle, FillIn(std::move(dims), count));
  Dims all(first, from);
  all.insert(all.end(), middle.begin(), middle.end());
  all.insert(all.end(), to, x.dims.end());
  DE_TRY_STATUS(CountOf(all).status());
  if (x.weights) {  // the same bytes
    Tensor result = x;
    result.dims = all;
    result.weights->dims = std::move(all);
    return result;
  }
  return MakeTensor(ReshapeTo(ValueOf(x), all, x.batched), all, x.batched);
}

Result<Tensor> Transpose(const Tensor& x, const std::vector<size_t>& order) {
  const size_t rank = x.dims.size();
  std::vector<bool> seen(rank);
  for (const size_t axis : order) {
    if (axis >= rank || seen[axis]) return Bad("its axes are not a new order of those of its input");
    seen[axis] = true;
  }
  if (order.size() != rank) return Bad(fmt::format("orders {} axes of {}", order.size(), rank));
  Dims dims;
  std::vector<int64_t> positions;
  if (x.batched) positions.push_back(0);
  for (size_t i = 0; i < rank; ++i) {
    dims.push_back(x.dims[order[i]]);
    positions.push_back(PositionOf(x, order[rank - 1 - i]));
  }
  return MakeTensor(std::make_shared<op::Transpose>(ValueOf(x), IndexConstant(positions)), dims, x.batched);
}

Result<Tensor> Splice(const std::vector<Tensor>& inputs, size_t axis) {
  if (inputs.empty()) return Bad("has no inputs");
  size_t rank = axis + 1;
  for (const Tensor& input : inputs) rank = std::max(rank, input.dims.size());
  DE_TRY_STATUS(CountOf(Dims(rank, 1)).status());
  Dims dims;
  ov::OutputVector values;
  for (const Tensor& input : inputs) {
    if (input.batched != inputs[0].batched) {
      return Error{ErrorCode::kUnsupported, "joins constants to values that depend on the input"};
    }
    Dims own = input.dims;
    own.resize(rank, 1);
    if (dims.empty()) {
      dims = own;
    } else {
      for (size_t i = 0; i < rank; ++i) {
        if (i != axis && own[i] != dims[i]) {
          return Bad(fmt::format("shapes {} and {} do not fit", ToText(dims), ToText(own)));
        }
      }
      dims[axis] += own[axis];
    }
    DE_TRY_STATUS(CountOf(dims).status());
    values.push_back(ValueOf(input, rank));
  }
  const auto position = static_cast<int64_t>((inputs[0].batched ? 1 : 0) + rank - 1 - axis);
  return MakeTensor(std::make_shared<op::Concat>(values, position), dims, inputs[0].batched);
}

Result<Tensor> Slice(const Tensor& x, const std::vector<SliceAxis>& slices) {
  Dims dims = x.dims;
  std::vector<int64_t> begins;
  std::vector<int64_t> ends;
  std::vector<int64_t> steps;
  std::vector<int64_t> axes;
  for (const SliceAxis& slice : slices) {
    if (slice.axis >= dims.size()) return Bad(fmt::format("cuts axis {} of {}", slice.axis, ToText(x.dims)));
    const int64_t size = x.dims[slice.axis];
    if (slice.begin < -size || slice.end < -size || slice.begin > size || slice.end > size || slice.step < 1) {
      return Bad(fmt::format("cuts {} to {} by {} of {}", slice.begin, slice.end, slice.step, size));
    }
    begins.push_back(slice.begin < 0 ? slice.begin + size : slice.begin);
    ends.push_back(slice.end <= 0 ? slice.end + size : slice.end);
    if (begins.back() >= ends.back()) return Bad(fmt::format("cuts {} to {}", begins.back(), ends.back()));
    steps.push_back(slice.step);
    axes.push_back(PositionOf(x, slice.axis));
    dims[slice.axis] = (ends.back() - begins.back() + slice.step - 1) / slice.step;
  }
  const auto value = std::make_shared<op::Slice>(ValueOf(x), IndexConstant(begins), IndexConstant(ends),
                                                 IndexConstant(steps), IndexConstant(axes));
  return MakeTensor(value, dims, x.batched);
}

Result<Tensor> Reduce(const Tensor& x, const std::vector<size_t>& axes, std::string_view operation, bool keep_axes) {
  Dims dims = x.dims;
  std::vector<int64_t> positions;
  for (const size_t axis : axes) {
    if (axis >= dims.size() || dims[axis] == 0) return Bad(fmt::format("reduces axis {} of {}", axis, ToText(x.dims)));
    dims[axis] = keep_axes ? 1 : 0;
    positions.push_back(PositionOf(x, axis));
  }
  std::erase(dims, 0);
  if (axes.empty()) return MakeTensor(ValueOf(x), x.dims, x.batched);
  const bool index = operation == "Argmax" || operation == "Argmin";
  if (index && axes.size() > 1) return Error{ErrorCode::kUnsupported, "an index over more than one axis"};
  const GraphValue value = index ? ArgValue(ValueOf(x), positions[0], operation == "Argmax", keep_axes)
                                 : ReduceValue(operation, ValueOf(x), IndexConstant(positions), keep_axes);
  if (value.get_node_shared_ptr() == nullptr) {
    return Error{ErrorCode::kUnsupported, fmt::format("reduces by '{}', which is not read", operation)};
  }
  return MakeTensor(value, dims, x.batched);
}

Result<Tensor> Pad(const Tensor& x, const Dims& head, const Dims& foot, PadMode mode, double value) {
  const size_t rank = x.dims.size();
  if (head.size() != rank || foot.size() != rank) {
    return Bad(fmt::format("pads {} axes of {}", std::max(head.size(), foot.size()), rank));
  }
  Dims dims = x.dims;
  std::vector<int64_t> begins(x.batched ? 1 : 0);
  std::vector<int64_t> ends = begins;
  for (size_t i = 0; i < rank; ++i) {
    if (head[i] < 0 || foot[i] < 0 || head[i] > kMaxElements || foot[i] > kMaxElements) {
      return Bad(fmt::format("pads axis {} by {} and {}", i, head[i], foot[i]));
    }
    dims[i] += head[i] + foot[i];
    begins.push_back(head[rank - 1 - i]);
    ends.push_back(foot[rank - 1 - i]);
  }
  DE_TRY_STATUS(CountOf(dims).status());
  const auto how = mode == PadMode::kReflect     ? ov::op::PadMode::REFLECT
                   : mode == PadMode::kSymmetric ? ov::op::PadMode::SYMMETRIC
                                                 : ov::op::PadMode::CONSTANT;
  const auto padded = std::make_shared<op::Pad>(ValueOf(x), IndexConstant(begins), IndexConstant(ends),
                                                FloatConstant(static_cast<float>(value)), how);
  return MakeTensor(padded, dims, x.batched);
}

namespace {

// w: [I, O], or [O, I] where it is turned over; x: [.., R, I]. The result is [.., R, O].
Result<Tensor> MatrixProduct(const Tensor& w, const Tensor& x, int64_t inner, int64_t outer, bool turn_over,
                             const Dims& dims) {
  DE_TRY(const int64_t count, CountOf(x.dims));
  const int64_t rows = count / inner;
  const bool batched = w.batched || x.batched;
  const Dims w_dims = turn_over ? Dims{inner, outer} : Dims{outer, inner};
  // A single row with a batch is a plain matrix, which the engine multiplies best.
  const bool plain = rows == 1 && x.batched && !w.batched;
  const Dims x_dims = plain ? Dims{inner} : Dims{inner, rows};
  const GraphValue right =
      w.weights ? w.weights->Constant(Reversed(w_dims))->output(0) : ReshapeTo(w.value, w_dims, w.batched);
  const GraphValue left = x.dims == x_dims ? ValueOf(x) : ReshapeTo(ValueOf(x), x_dims, x.batched);
  const GraphValue product = std::make_shared<op::MatMul>(left, right, false, turn_over);
  if (plain && dims == Dims{outer}) return MakeTensor(product, dims, batched);
  return MakeTensor(ReshapeTo(product, dims, batched), dims, batched);
}

}  // namespace

Result<Tensor> Times(const Tensor& w, const Tensor& x, size_t output_rank) {
  if (output_rank == 0 || output_rank > w.dims.size()) {
    return Bad(fmt::format("an output of {} axes from weights of {}", output_rank, ToText(w.dims)));
  }
  const auto split = w.dims.begin() + static_cast<std::ptrdiff_t>(output_rank);
  Dims dims(w.dims.begin(), split);
  DE_TRY(const int64_t outer, CountOf(dims));
  DE_TRY(const int64_t inner, CountOf(Dims(split, w.dims.end())));
  // Weights may see the first axes of the input as one.
  int64_t reached = 1;
  size_t used = 0;
  while (used < x.dims.size() && reached < inner) reached *= x.dims[used++];
  const size_t own = w.dims.size() - output_rank;
  const bool same_axes = own <= x.dims.size() && std::equal(split, w.dims.end(), x.dims.begin());
  if (same_axes) used = own;
  if (!same_axes && (reached != inner || own > 1)) {
    return Bad(fmt::format("weights of {} do not fit an input of {}", ToText(w.dims), ToText(x.dims)));
  }
  dims.insert(dims.end(), x.dims.begin() + static_cast<std::ptrdiff_t>(used), x.dims.end());
  return MatrixProduct(w, x, inner, outer, false, dims);
}

Result<Tensor> TransposeTimes(const Tensor& w, const Tensor& x) {
  if (w.dims.empty() || w.dims.size() > 2 || x.dims.empty() || x.dims[0] != w.dims[0]) {
    return Bad(fmt::format("weights of {} do not fit an input of {}", ToText(w.dims), ToText(x.dims)));
  }
  const int64_t outer = w.dims.size() == 2 ? w.dims[1] : 1;
  Dims dims = x.dims;
  dims[0] = outer;
  return MatrixProduct(w, x, w.dims[0], outer, true, dims);
}

Result<Tensor> BatchNormalize(const std::vector<Tensor>& inputs, const BatchNormSpec& spec) {
  if (inputs.size() != 5 && inputs.size() != 6) return Bad(fmt::format("has {} inputs, not 5 or 6", inputs.size()));
  const Tensor& x = inputs[0];
  if (!x.batched || x.dims.empty()) return Error{ErrorCode::kUnsupported, "normalises a constant"};
  DE_TRY(const auto scale, NumbersOf(inputs[1], "scale"));
  DE_TRY(const auto bias, NumbersOf(inputs[2], "bias"));
  DE_TRY(const auto mean, NumbersOf(inputs[3], "mean"));
  DE_TRY(const auto variance, NumbersOf(inputs[4], "variance"));
  DE_TRY(const int64_t elements, CountOf(x.dims));
  const auto count = static_cast<size_t>(spec.spatial ? x.dims.back() : elements);
  for (const auto* numbers : {&scale, &bias, &mean, &variance}) {
    if (numbers->size() == count) continue;
    return Bad(
        fmt::format("holds {} numbers where {} are needed for an input of {}", numbers->size(), count, ToText(x.dims)));
  }
  std::vector<float> factor(count);
  std::vector<float> offset(count);
  for (size_t i = 0; i < count; ++i) {
    const auto v = static_cast<double>(variance[i]);
    const double f = static_cast<double>(scale[i]) * (spec.inverse_deviation ? v : 1.0 / std::sqrt(v + spec.epsilon));
    factor[i] = static_cast<float>(f);
    offset[i] = static_cast<float>(static_cast<double>(bias[i]) - static_cast<double>(mean[i]) * f);
  }
  if (spec.spatial) return MakeTensor(AddPerChannel(ScalePerChannel(ValueOf(x), factor), offset), x.dims, true);
  ov::Shape shape = Reversed(x.dims);
  shape.insert(shape.begin(), 1);
  const auto scaled = std::make_shared<op::Multiply>(ValueOf(x), FloatConstant(shape, factor));
  return MakeTensor(std::make_shared<op::Add>(scaled, FloatConstant(shape, offset)), x.dims, true);
}

}  // namespace deepedge::cntk
