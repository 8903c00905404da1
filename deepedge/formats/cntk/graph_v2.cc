#include "deepedge/formats/cntk/graph_v2.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace deepedge::cntk {
namespace {

constexpr int64_t kCombine = 44;
constexpr int64_t kBlock = 57;
// Blocks within blocks; real ones are a few deep.
constexpr int kMaxDepth = 64;
// From one name to what it stands for.
constexpr int kMaxSteps = 100;

constexpr const char* kOperations[] = {"Negate",
                                       "Sigmoid",
                                       "Tanh",
                                       "ReLU",
                                       "Exp",
                                       "Log",
                                       "Sqrt",
                                       "Floor",
                                       "Abs",
                                       "Reciprocal",
                                       "Softmax",
                                       "Hardmax",
                                       "TransposeAxes",
                                       "Where",
                                       "Slice",
                                       "Dropout",
                                       "Reshape",
                                       "Pooling",
                                       "SumAll",
                                       "Plus",
                                       "Minus",
                                       "ElementTimes",
                                       "Equal",
                                       "NotEqual",
                                       "Less",
                                       "LessEqual",
                                       "Greater",
                                       "GreaterEqual",
                                       "PackedIndex",
                                       "GatherPacked",
                                       "ScatterPacked",
                                       "Times",
                                       "TransposeTimes",
                                       "Convolution",
                                       "SquaredError",
                                       "CrossEntropyWithSoftmax",
                                       "ClassificationError",
                                       "PastValue",
                                       "FutureValue",
                                       "ReduceElements",
                                       "BatchNormalization",
                                       "Clip",
                                       "Select",
                                       "Splice",
                                       "Combine",
                                       "RandomSample",
                                       "RandomSampleInclusionFrequency",
                                       "ROIPooling",
                                       "Logistic",
                                       "OptimizedRNNStack",
                                       "ReconcileDynamicAxis",
                                       "LogSoftmax",
                                       "LogPlus",
                                       "CosDistance",
                                       "Sin",
                                       "Cos",
                                       "Pass",
                                       "Block",
                                       "Unpooling",
                                       "LambdaRank",
                                       "NDCG",
                                       "EditDistanceError",
                                       "NoOp",
                                       "LabelsToGraph",
                                       "StopGradient",
                                       "ELU",
                                       "ForwardBackward",
                                       "CosDistanceWithNegativeSamples",
                                       "OneHot",
                                       "Pow",
                                       "ToSequence",
                                       "ToSequenceLike",
                                       "UnpackSequence",
                                       "Assign",
                                       "Gather",
                                       "StableSigmoid",
                                       "RandomDistribution",
                                       "Sinh",
                                       "Cosh",
                                       "UnpackBatch",
                                       "ToBatch",
                                       "Asin",
                                       "Acos",
                                       "Pad",
                                       "Crop",
                                       "Atanh",
                                       "Asinh",
                                       "TopK",
                                       "Squeeze",
                                       "ConstantOp",
                                       "LatticeSequenceWithSoftmax",
                                       "Cast",
                                       "EyeLikeOp",
                                       "CustomProxyOp",
                                       "StraightThrough",
                                       "Tan",
                                       "Atan",
                                       "ConvolutionSequenceShape"};

// "F_Output_2" is the third value of function F.
struct OutputName {
  std::string_view function;
  size_t index = 0;
};

std::optional<OutputName> ParseOutput(std::string_view uid) {
  static constexpr std::string_view kMark = "_Output_";
  const size_t at = uid.rfind(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  OutputName name{.function = uid.substr(0, at)};
  const std::string_view digits = uid.substr(at + kMark.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), name.index);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return name;
}

std::string OutputOf(std::string_view function, size_t index) { return fmt::format("{}_Output_{}", function, index); }

Error Twice(std::string_view uid) { return {ErrorCode::kBadInput, fmt::format("'{}' occurs twice", uid)}; }

}  // namespace

std::string OperationName(int64_t op) {
  if (op >= 0 && static_cast<size_t>(op) < std::size(kOperations)) return kOperations[op];
  return fmt::format("operation {}", op);
}

Result<GraphV2> GraphV2::Read(std::string_view file) {
  GraphV2 graph;
  DE_TRY_STATUS(graph.AddComposite(file, 0));
  DE_TRY(const Dictionary root, Dictionary::Parse(file));
  DE_TRY(graph.root_, root.Text("root"));
  return graph;
}

// The functions and variables of a whole model, or what older versions put into a block.
Status GraphV2::AddComposite(std::string_view content, int depth) {
  if (depth > kMaxDepth) return Error{ErrorCode::kBadInput, fmt::format("nested more than {} deep", kMaxDepth)};
  DE_TRY(const Dictionary composite, Dictionary::Parse(content));
  for (const char* key : {"inputs", "primitive_functions"}) {
    if (composite.Find(key) == nullptr && depth > 0) continue;
    DE_TRY(const auto items, composite.Vector(key));
    for (const Value& item : items) {
      if (item.type != ValueType::kDictionary) {
        if (depth > 0) continue;  // a block lists the names of its inputs
        return Error{ErrorCode::kBadInput, fmt::format("'{}' holds something else than dictionaries", key)};
      }
      DE_TRY(const Dictionary dictionary, Dictionary::Parse(item.content));
      DE_TRY_STATUS(std::string_view(key) == "inputs" ? AddVariable(dictionary) : AddFunction(dictionary, depth));
    }
  }
  return {};
}

Status GraphV2::AddVariable(const Dictionary& dictionary) {
  Variable variable;
  DE_TRY(variable.uid, dictionary.Text("uid"));
  const auto fail = [&](const Error& error) { return error.Wrap(fmt::format("variable '{}'", variable.uid)); };
  const auto kind = dictionary.Integer("kind");
  if (!kind.ok()) return fail(kind.error());
  if (kind.value() < 0 || kind.value() > 4) {
    return fail({ErrorCode::kBadInput, fmt::format("is of kind {}", kind.value())});
  }
  variable.kind = static_cast<VariableKind>(kind.value());
  auto name = dictionary.TextOr("name", "");
  if (!name.ok()) return fail(name.error());
  variable.name = std::move(name).value();
  auto dims = dictionary.Integers("shape");
  if (!dims.ok()) return fail(dims.error());
  variable.dims = std::move(dims).value();
  if (const Value* value = dictionary.Find("value"); value != nullptr && value->type == ValueType::kArray) {
    variable.array = value->content;
  }
  if (const Value* axes = dictionary.Find("dynamic_axis"); axes != nullptr && axes->type == ValueType::kVector) {
    variable.has_batch = !axes->content.empty();
  }
  const std::string uid = variable.uid;
  // A variable that several blocks use may be listed by each of them.
  variables_.emplace(uid, std::move(variable));
  return {};
}

Status GraphV2::AddFunction(const Dictionary& dictionary, int depth) {
  Function function;
  DE_TRY(function.uid, dictionary.Text("uid"));
  const auto fail = [&](const Error& error) { return error.Wrap(fmt::format("function '{}'", function.uid)); };
  auto name = dictionary.TextOr("name", "");
  auto op = dictionary.IntegerOr("op", -1);
  auto inputs = dictionary.Texts("inputs");
  for (const Status& status : {name.status(), op.status(), inputs.status()}) {
    if (!status.ok()) return fail(status.error());
  }
  function.name = std::move(name).value();
  function.op = op.value();
  function.operation = dictionary.Find("op") == nullptr ? "user code" : OperationName(function.op);
  function.inputs = std::move(inputs).value();
  if (const Value* attributes = dictionary.Find("attributes");
      attributes != nullptr && attributes->type == ValueType::kDictionary) {
    auto parsed = Dictionary::Parse(attributes->content);
    if (!parsed.ok()) return fail(parsed.error());
    function.attributes = std::move(parsed).value();
  }
  if (function.op == kBlock) {
    function.operation = dictionary.TextOr("block_function_op_name", "Block").ok()
                             ? dictionary.TextOr("block_function_op_name", "Block").value()
                             : "Block";
    const Status added = AddBlock(dictionary, function, depth);
    if (!added.ok()) return fail(added.error());
  }
  const std::string uid = function.uid;
  if (!functions_.emplace(uid, std::move(function)).second) return Twice(uid);
  return {};
}

Status GraphV2::AddBlock(const Dictionary& dictionary, const Function& block, int depth) {
  const Value* composite = dictionary.Find("block_function_composite");
  if (composite == nullptr || composite->type != ValueType::kDictionary) {
    return Error{ErrorCode::kBadInput, "is a block without content"};
  }
  DE_TRY_STATUS(AddComposite(composite->content, depth + 1));
  DE_TRY(const Dictionary content, Dictionary::Parse(composite->content));
  DE_TRY(const std::string root, content.Text("root"));
  block_roots_[block.uid] = root;
  DE_TRY(const auto keys, dictionary.Texts("block_function_composite_arguments_map_keys"));
  DE_TRY(const auto values, dictionary.Texts("block_function_composite_arguments_map_values"));
  if (keys.size() != values.size()) {
    return Error{ErrorCode::kBadInput, fmt::format("maps {} arguments to {} values", keys.size(), values.size())};
  }
  for (size_t i = 0; i < keys.size(); ++i) DE_TRY_STATUS(AddAlias(keys[i], values[i]));
  return {};
}

Status GraphV2::AddAlias(const std::string& uid, const std::string& stands_for) {
  if (uid == stands_for) return {};
  const auto [it, is_new] = aliases_.emplace(uid, stands_for);
  if (!is_new && it->second != stands_for) {
    return Error{ErrorCode::kUnsupported, fmt::format("gives '{}' a second value", uid)};
  }
  return {};
}

Result<std::string> GraphV2::Resolve(const std::string& uid) const {
  std::string current = uid;
  for (int steps = 0; steps < kMaxSteps; ++steps) {
    if (const auto alias = aliases_.find(current); alias != aliases_.end()) {
      current = alias->second;
      continue;
    }
    const auto output = ParseOutput(current);
    if (!output) return current;
    const std::string name(output->function);
    if (const auto block = block_roots_.find(name); block != block_roots_.end()) {
      current = OutputOf(block->second, output->index);
      continue;
    }
    const Function* function = FindFunction(name);
    if (function == nullptr || function->op != kCombine || output->index >= function->inputs.size()) return current;
    current = function->inputs[output->index];  // what Combine gives are its inputs
  }
  return Error{ErrorCode::kBadInput, fmt::format("'{}' is part of a circle of blocks, or nested too deeply", uid)};
}

const Variable* GraphV2::FindVariable(const std::string& uid) const {
  const auto it = variables_.find(uid);
  return it == variables_.end() ? nullptr : &it->second;
}

const Function* GraphV2::FindFunction(const std::string& uid) const {
  const auto it = functions_.find(uid);
  return it == functions_.end() ? nullptr : &it->second;
}

const Function* GraphV2::FindProducer(const std::string& uid) const {
  const auto output = ParseOutput(uid);
  return output && output->index == 0 ? FindFunction(std::string(output->function)) : nullptr;
}

std::vector<std::string> GraphV2::Outputs() const {
  std::string name = root_;
  for (int steps = 0; steps < kMaxDepth; ++steps) {
    const auto block = block_roots_.find(name);
    if (block == block_roots_.end()) break;
    const Function* content = FindFunction(block->second);
    // A block that gives one value is known by its own name.
    if (content == nullptr || (content->op != kCombine && !block_roots_.contains(block->second))) break;
    name = block->second;
  }
  const Function* function = FindFunction(name);
  if (function != nullptr && function->op == kCombine) return function->inputs;
  return {OutputOf(name, 0)};
}

}  // namespace deepedge::cntk
