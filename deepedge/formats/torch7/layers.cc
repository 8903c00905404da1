// Torch7 modules that compute number by number, over channels or over whole samples, and those that join tables.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <openvino/opsets/opset9.hpp>

#include "deepedge/formats/torch7/module.h"

namespace deepedge::torch7 {
namespace {

namespace op = ov::opset9;

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }
Error Unsupported(std::string what) { return {ErrorCode::kUnsupported, std::move(what)}; }

GraphValue Scalar(double value) { return FloatConstant(static_cast<float>(value)); }

// ---- Number by number ----

using Activation = GraphValue (*)(const Module&, const GraphValue&);

GraphValue BuildThreshold(const Module& module, const GraphValue& x) {
  const double threshold = module.NumberOr("threshold", 1e-6);
  const double otherwise = module.NumberOr("val", 0);
  // The smallest thresholds are how old files write a plain ReLU, which the engine joins to a convolution.
  if (threshold >= 0 && threshold <= 1e-6 && otherwise == 0) return std::make_shared<op::Relu>(x);
  return std::make_shared<op::Select>(std::make_shared<op::Greater>(x, Scalar(threshold)), x, Scalar(otherwise));
}

GraphValue BuildHardTanh(const Module& module, const GraphValue& x) {
  return std::make_shared<op::Clamp>(x, module.NumberOr("min_val", -1), module.NumberOr("max_val", 1));
}

GraphValue BuildSoftPlus(const Module& module, const GraphValue& x) {
  const double beta = module.NumberOr("beta", 1);
  if (beta == 1) return std::make_shared<op::SoftPlus>(x);
  const auto scaled = std::make_shared<op::SoftPlus>(std::make_shared<op::Multiply>(x, Scalar(beta)));
  return std::make_shared<op::Divide>(scaled, Scalar(beta));
}

// The slope that RReLU has after training.
GraphValue BuildRRelu(const Module& module, const GraphValue& x) {
  const double slope = (module.NumberOr("lower", 1.0 / 8) + module.NumberOr("upper", 1.0 / 3)) / 2;
  return LeakyRelu(x, static_cast<float>(slope));
}

// Old files leave the kept numbers as they are in training and shrink all of them afterwards.
GraphValue BuildDropout(const Module& module, const GraphValue& x) {
  const double p = module.NumberOr("p", 0.5);
  const bool shrinks = module.type == "SpatialDropout" || !module.Flag("v2");
  return shrinks && p > 0 ? std::make_shared<op::Multiply>(x, Scalar(1 - p))->output(0) : x;
}

struct ActivationEntry {
  std::string_view type;
  Activation build;
};
constexpr ActivationEntry kActivations[] = {
    {"Threshold", BuildThreshold},
    {"ReLU", [](const Module&, const GraphValue& x) { return std::make_shared<op::Relu>(x)->output(0); }},
    {"ReLU6", [](const Module&, const GraphValue& x) { return std::make_shared<op::Clamp>(x, 0, 6)->output(0); }},
    {"LeakyReLU",
     [](const Module& m, const GraphValue& x) { return LeakyRelu(x, static_cast<float>(m.NumberOr("negval", 0.01))); }},
    {"RReLU", BuildRRelu},
    {"ELU", [](const Module& m,
               const GraphValue& x) { return std::make_shared<op::Elu>(x, m.NumberOr("alpha", 1))->output(0); }},
    {"Tanh", [](const Module&, const GraphValue& x) { return std::make_shared<op::Tanh>(x)->output(0); }},
    {"Sigmoid", [](const Module&, const GraphValue& x) { return std::make_shared<op::Sigmoid>(x)->output(0); }},
    {"HardTanh", BuildHardTanh},
    {"Clamp", BuildHardTanh},
    {"SoftPlus", BuildSoftPlus},
    {"SoftSign",
     [](const Module&, const GraphValue& x) {
       const auto size = std::make_shared<op::Add>(std::make_shared<op::Abs>(x), Scalar(1));
       return std::make_shared<op::Divide>(x, size)->output(0);
     }},
    {"LogSigmoid",
     [](const Module&, const GraphValue& x) {
       const auto turned = std::make_shared<op::SoftPlus>(std::make_shared<op::Negative>(x));
       return std::make_shared<op::Negative>(turned)->output(0);
     }},
    {"Abs", [](const Module&, const GraphValue& x) { return std::make_shared<op::Abs>(x)->output(0); }},
    {"Exp", [](const Module&, const GraphValue& x) { return std::make_shared<op::Exp>(x)->output(0); }},
    {"Log", [](const Module&, const GraphValue& x) { return std::make_shared<op::Log>(x)->output(0); }},
    {"Sqrt", [](const Module&, const GraphValue& x) { return std::make_shared<op::Sqrt>(x)->output(0); }},
    {"Square", [](const Module&, const GraphValue& x) { return std::make_shared<op::Multiply>(x, x)->output(0); }},
    {"Power",
     [](const Module& m, const GraphValue& x) {
       return std::make_shared<op::Power>(x, Scalar(m.NumberOr("pow", 1)))->output(0);
     }},
    {"MulConstant",
     [](const Module& m, const GraphValue& x) {
       return std::make_shared<op::Multiply>(x, Scalar(m.NumberOr("constant_scalar", 1)))->output(0);
     }},
    {"AddConstant",
     [](const Module& m, const GraphValue& x) {
       return std::make_shared<op::Add>(x, Scalar(m.NumberOr("constant_scalar", 0)))->output(0);
     }},
    {"Dropout", BuildDropout},
    {"SpatialDropout", BuildDropout},
};

// ---- Over channels and samples ----

Result<Flow> BuildPRelu(Run& run, const Module& module, const Flow& in) {
  DE_TRY(const int64_t planes, module.Size("nOutputPlane", 0, 0));
  if (in.dims.empty() || (planes > 0 && in.dims[0] != planes)) return Bad(fmt::format("wants {} channels", planes));
  DE_TRY(const auto slopes, run.Weights(module, "weight", std::max<int64_t>(planes, 1)));
  return run.Make(in.dims, [&]() -> GraphValue {
    return std::make_shared<op::PRelu>(in.value, FloatConstant({slopes.size()}, slopes));
  });
}

Result<Flow> BuildBatchNorm(Run& run, const Module& module, const Flow& in) {
  if (in.dims.empty() || in.dims[0] == kOpen) return Bad("its input is no tensor");
  if (module.item.Find("running_var") == nullptr) return Unsupported("has no 'running_var' (a very old version)");
  BatchNorm norm;
  DE_TRY(norm.mean, run.Weights(module, "running_mean", in.dims[0]));
  DE_TRY(norm.variance, run.Weights(module, "running_var", in.dims[0]));
  DE_TRY(norm.scale, run.WeightsIfAny(module, "weight", in.dims[0]));
  DE_TRY(norm.shift, run.WeightsIfAny(module, "bias", in.dims[0]));
  norm.epsilon = static_cast<float>(module.NumberOr("eps", 1e-5));
  return run.Make(in.dims, [&] { return Normalize(in.value, norm); });
}

Result<Flow> BuildLinear(Run& run, const Module& module, const Flow& in) {
  const auto size = module.SizesOf("weight");
  if (size.size() != 2) return Bad("has no matrix in 'weight'");
  if (in.dims.size() != 1 || in.dims[0] != size[1]) {
    return Bad(fmt::format("wants {} numbers, its input is {}", size[1], ToText(in.dims)));
  }
  DE_TRY(const auto weights, run.Weights(module, "weight", CountOf(size)));
  DE_TRY(const auto bias, run.WeightsIfAny(module, "bias", size[0]));
  return run.Make({size[0]}, [&]() -> GraphValue {
    const auto matrix = FloatConstant({static_cast<size_t>(size[0]), static_cast<size_t>(size[1])}, weights);
    const GraphValue product = std::make_shared<op::MatMul>(in.value, matrix, false, true);
    return bias.empty() ? product : AddPerChannel(product, bias);
  });
}

Result<Flow> BuildSoftmax(Run& run, const Module& module, const Flow& in) {
  if (in.dims.empty()) return Bad("its input is no tensor");
  const bool logarithm = module.type.find("Log") != std::string_view::npos;
  return run.Make(in.dims, [&]() -> GraphValue {
    if (logarithm) return std::make_shared<op::LogSoftmax>(in.value, 1);
    return std::make_shared<op::Softmax>(in.value, size_t{1});
  });
}

// x / sqrt(sum of squares + eps)
Result<Flow> BuildNormalize(Run& run, const Module& module, const Flow& in) {
  const double p = module.NumberOr("p", 2);
  if (p != 2 || in.dims.size() != 1) return Unsupported(fmt::format("norm {} of {}", p, ToText(in.dims)));
  return run.Make(in.dims, [&]() -> GraphValue {
    return std::make_shared<op::NormalizeL2>(in.value, IndexConstant({1}),
                                             static_cast<float>(module.NumberOr("eps", 1e-10)), ov::op::EpsMode::ADD);
  });
}

// Sizes of View and Reshape, of which one may be -1.
Result<Flow> BuildReshape(Run& run, const Module& module, const Flow& in) {
  const Value* sizes = module.item.Find("size");
  if (sizes == nullptr || !module.file.IsNumbers(*sizes)) return Bad("has no 'size'");
  const int64_t axes = CountOf(module.SizesOf("size"));
  if (axes > static_cast<int64_t>(kMaxRank)) return Bad(fmt::format("makes {} axes", axes));
  DE_TRY(const auto numbers, module.file.ReadNumbers(*sizes));
  std::vector<int64_t> dims;
  for (const float size : numbers.values) {
    if (!(std::abs(size) <= static_cast<float>(kMaxElements))) return Bad(fmt::format("makes an axis of {}", size));
    dims.push_back(static_cast<int64_t>(size));
  }
  if (dims.empty() || dims.size() > kMaxRank) return Bad(fmt::format("makes {} axes", dims.size()));
  const int64_t count = CountOf(in.dims);
  if (count == kOpen) return Bad("nothing in the network says how large its input is");
  int64_t known = 1;
  int64_t open = 0;
  for (const int64_t dim : dims) {
    if (dim < -1 || dim == 0 || dim > kMaxElements || known > kMaxElements)
      return Bad(fmt::format("makes {}", ToText(dims)));
    if (dim == -1) ++open;
    if (dim > 0) known *= dim;
  }
  if (open > 1 || count % known != 0 || (open == 0 && known != count)) {
    return Bad(fmt::format("makes {} of {}", ToText(dims), ToText(in.dims)));
  }
  if (open == 1 && dims.size() > 1 && dims[0] == -1 && known == count) {
    dims.erase(dims.begin());  // stood for the batch
  } else {
    std::replace(dims.begin(), dims.end(), int64_t{-1}, count / known);
  }
  std::vector<int64_t> target{0};
  target.insert(target.end(), dims.begin(), dims.end());
  return run.Make(dims,
                  [&]() -> GraphValue { return std::make_shared<op::Reshape>(in.value, IndexConstant(target), true); });
}

// Weights of the shape of a sample, or one number.
Result<Flow> BuildScaleOrAdd(Run& run, const Module& module, const Flow& in) {
  const bool adds = module.type == "Add" || module.type == "CAdd";
  const char* key = adds ? "bias" : "weight";
  auto size = module.SizesOf(key);
  DE_TRY(const auto numbers, run.Weights(module, key, CountOf(size)));
  while (size.size() > in.dims.size() && size.front() == 1) size.erase(size.begin());
  bool fits = size == std::vector<int64_t>{1} || size.size() == in.dims.size();
  for (size_t i = 0; fits && size.size() == in.dims.size() && i < size.size(); ++i) {
    fits = size[i] == 1 || size[i] == in.dims[i];
  }
  if (!fits) return Bad(fmt::format("weights of {} for an input of {}", ToText(size), ToText(in.dims)));
  return run.Make(in.dims, [&]() -> GraphValue {
    ov::Shape shape(size.begin(), size.end());
    if (size.size() == in.dims.size()) shape.insert(shape.begin(), 1);
    const auto weights = FloatConstant(shape, numbers);
    if (adds) return std::make_shared<op::Add>(in.value, weights);
    return std::make_shared<op::Multiply>(in.value, weights);
  });
}

// ---- Tables ----

GraphValue Combine(std::string_view type, const GraphValue& a, const GraphValue& b) {
  if (type == "CAddTable") return std::make_shared<op::Add>(a, b);
  if (type == "CSubTable") return std::make_shared<op::Subtract>(a, b);
  if (type == "CMulTable") return std::make_shared<op::Multiply>(a, b);
  if (type == "CDivTable") return std::make_shared<op::Divide>(a, b);
  if (type == "CMaxTable") return std::make_shared<op::Maximum>(a, b);
  return std::make_shared<op::Minimum>(a, b);
}

Result<Flow> BuildCombine(Run& run, const Module& module, const Flow& in) {
  if (!in.is_table || in.table.empty() || in.table[0].is_table) return Bad("its input is no table of tensors");
  Flow result = in.table[0];
  for (size_t i = 1; i < in.table.size(); ++i) {
    const Flow& next = in.table[i];
    if (next.is_table || next.dims != result.dims) {
      return Bad(fmt::format("combines {} and {}", ToText(result.dims), ToText(next.dims)));
    }
    DE_TRY(result, run.Make(result.dims, [&] { return Combine(module.type, result.value, next.value); }));
  }
  return result;
}

Result<Flow> BuildSelectTable(const Module& module, const Flow& in) {
  if (!in.is_table) return Bad("its input is no table");
  const auto index = static_cast<int64_t>(module.NumberOr("index", 0));
  const auto count = static_cast<int64_t>(in.table.size());
  const int64_t place = index < 0 ? index + count : index - 1;
  if (place < 0 || place >= count) return Bad(fmt::format("takes item {} of {}", index, count));
  return in.table[static_cast<size_t>(place)];
}

Result<Flow> BuildNarrowTable(const Module& module, const Flow& in) {
  DE_TRY(const int64_t first, module.Size("offset"));
  DE_TRY(const int64_t count, module.Size("length", 1));
  if (!in.is_table || static_cast<size_t>(first - 1 + count) > in.table.size())
    return Bad("takes more items than there are");
  const auto begin = in.table.begin() + (first - 1);
  return Flow{.is_table = true, .table = {begin, begin + count}};
}

void Flatten(const Flow& in, std::vector<Flow>& out) {
  if (!in.is_table) out.push_back(in);
  for (const Flow& item : in.table) Flatten(item, out);
}

struct LayerEntry {
  std::string_view type;
  LayerFunction build;
};
constexpr LayerEntry kLayers[] = {
    {"PReLU", BuildPRelu},
    {"SpatialBatchNormalization", BuildBatchNorm},
    {"BatchNormalization", BuildBatchNorm},
    {"Linear", BuildLinear},
    {"SoftMax", BuildSoftmax},
    {"LogSoftMax", BuildSoftmax},
    {"SpatialSoftMax", BuildSoftmax},
    {"SpatialLogSoftMax", BuildSoftmax},
    {"Normalize", BuildNormalize},
    {"View", BuildReshape},
    {"Reshape", BuildReshape},
    {"Mul", BuildScaleOrAdd},
    {"Add", BuildScaleOrAdd},
    {"CMul", BuildScaleOrAdd},
    {"CAdd", BuildScaleOrAdd},
    {"CAddTable", BuildCombine},
    {"CSubTable", BuildCombine},
    {"CMulTable", BuildCombine},
    {"CDivTable", BuildCombine},
    {"CMaxTable", BuildCombine},
    {"CMinTable", BuildCombine},
    {"SelectTable", [](Run&, const Module& m, const Flow& in) { return BuildSelectTable(m, in); }},
    {"NarrowTable", [](Run&, const Module& m, const Flow& in) { return BuildNarrowTable(m, in); }},
    {"FlattenTable",
     [](Run&, const Module&, const Flow& in) -> Result<Flow> {
       Flow flat{.is_table = true};
       Flatten(in, flat.table);
       return flat;
     }},
    {"Identity", [](Run&, const Module&, const Flow& in) -> Result<Flow> { return in; }},
    {"Copy", [](Run&, const Module&, const Flow& in) -> Result<Flow> { return in; }},
    {"Contiguous", [](Run&, const Module&, const Flow& in) -> Result<Flow> { return in; }},
};

}  // namespace

Result<Flow> BuildLayer(Run& run, const Module& module, const Flow& in) {
  const auto is_this = [&](const auto& entry) { return entry.type == module.type; };
  if (const auto* it = std::find_if(std::begin(kLayers), std::end(kLayers), is_this); it != std::end(kLayers)) {
    return it->build(run, module, in);
  }
  const auto* activation = std::find_if(std::begin(kActivations), std::end(kActivations), is_this);
  const LayerFunction window = FindWindowLayer(module.type);
  if (activation == std::end(kActivations) && window == nullptr) return Unsupported("this module is not read");
  if (in.is_table) return Bad("its input is a table");
  if (window != nullptr) return window(run, module, in);
  return run.Make(in.dims, [&] { return activation->build(module, in.value); });
}

}  // namespace deepedge::torch7
