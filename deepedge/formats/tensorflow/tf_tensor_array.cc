#include "deepedge/formats/tensorflow/tf_tensor_array.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/little_endian.h"
#include "deepedge/formats/tensorflow/graph_def.h"

namespace deepedge {
namespace {

constexpr std::string_view kArray = "TensorArrayV3";
constexpr std::string_view kWrite = "TensorArrayWriteV3";
constexpr std::string_view kConcat = "TensorArrayConcatV3";

bool Is(const TfNode* node, std::string_view op, size_t inputs) {
  return node != nullptr && node->op == op && node->inputs.size() >= inputs;
}

struct Use {
  const TfNode* user = nullptr;
  size_t input = 0;
};

// Who uses an output; outputs are named as inputs are: "x", "x:1", and "^x" for one that only has to come later.
class Uses {
 public:
  explicit Uses(const TfGraph& graph) {
    for (const TfNode& node : graph.nodes()) {
      for (size_t i = 0; i < node.inputs.size(); ++i) by_output_[node.inputs[i]].push_back({&node, i});
    }
  }
  const std::vector<Use>& Of(const std::string& output) const {
    static const std::vector<Use> kNone;
    const auto found = by_output_.find(output);
    return found == by_output_.end() ? kNone : found->second;
  }
  bool None(const std::string& output) const { return Of(output).empty(); }
  bool Only(const std::string& output, const TfNode* user, size_t input) const {
    const auto& uses = Of(output);
    return uses.size() == 1 && uses[0].user == user && uses[0].input == input;
  }

 private:
  std::map<std::string, std::vector<Use>> by_output_;
};

// What a loop carries from turn to turn, which TensorFlow writes as a circle of nodes:
//
//   Enter -> Merge -> Switch -> (true)  Identity -> the loop's body -> NextIteration -> Merge
//                            -> (false) Exit
struct LoopVariable {
  const TfNode* enter = nullptr;
  const TfNode* merge = nullptr;
  const TfNode* branch = nullptr;    // the Switch
  const TfNode* identity = nullptr;  // null where the body uses the Switch
  const TfNode* next = nullptr;
};

// The variable of which `value` is what the body sees.
std::optional<LoopVariable> VariableBehind(const TfGraph& graph, std::string value) {
  LoopVariable variable;
  if (const TfNode* node = graph.Find(value); Is(node, "Identity", 1)) {
    variable.identity = node;
    value = node->inputs[0];
  }
  if (!value.ends_with(":1")) return std::nullopt;
  variable.branch = graph.Find(value.substr(0, value.size() - 2));
  if (!Is(variable.branch, "Switch", 2) || !Is(graph.Find(variable.branch->inputs[1]), "LoopCond", 1)) {
    return std::nullopt;
  }
  variable.merge = graph.Find(variable.branch->inputs[0]);
  if (!Is(variable.merge, "Merge", 2) || variable.merge->inputs.size() != 2) return std::nullopt;
  variable.enter = graph.Find(variable.merge->inputs[0]);
  variable.next = graph.Find(variable.merge->inputs[1]);
  if (Is(variable.next, "Enter", 1)) std::swap(variable.enter, variable.next);
  if (!Is(variable.enter, "Enter", 1) || !Is(variable.next, "NextIteration", 1)) return std::nullopt;
  return variable;
}

// Whether an output is this constant number. A constant that cannot be read is no such number: the engine will tell.
bool IsNumber(TfGraph& graph, const std::string& output, int64_t number) {
  const TfNode* node = graph.Find(output);
  if (node == nullptr || node->op != "Const") return false;
  const auto read = graph.ReadConstant(*node);
  if (!read.ok()) return false;
  const TfConstant& constant = read.value();
  if (constant.type != kTfInt32 || !constant.dims.empty()) return false;
  if (constant.content) {
    const auto bytes = graph.Text(*constant.content, 4);
    return bytes.ok() && bytes.value().size() == 4 && static_cast<int32_t>(Little32(bytes.value())) == number;
  }
  return constant.numbers.empty() ? number == 0 : constant.numbers.size() == 1 && constant.numbers[0] == number;
}

// Whether a variable is the number of the turn: 0, 1, 2 and so on.
bool CountsTurns(TfGraph& graph, const LoopVariable& counter) {
  const TfNode* add = graph.Find(counter.next->inputs[0]);
  if ((!Is(add, "Add", 2) && !Is(add, "AddV2", 2)) || !IsNumber(graph, counter.enter->inputs[0], 0)) return false;
  for (const size_t own : {size_t{0}, size_t{1}}) {
    const auto summand = VariableBehind(graph, add->inputs[own]);
    if (summand && summand->merge == counter.merge) return IsNumber(graph, add->inputs[1 - own], 1);
  }
  return false;
}

struct JoinedArray {
  const TfNode* array = nullptr;
  const TfNode* handle = nullptr;  // as the body sees it: an Enter
  const TfNode* write = nullptr;
  LoopVariable flow;  // by which TensorFlow orders what is done to an array
  const TfNode* exit = nullptr;
  std::vector<const TfNode*> concats;
  int64_t type = 0;
  std::vector<int64_t> element;  // its dimensions but for the first
};

// The users of the array itself: one write in one loop, and what joins it. Its elements are never read.
bool FindUsers(const TfGraph& graph, const Uses& uses, JoinedArray& joined) {
  for (const Use& use : uses.Of(joined.array->name)) {
    if (Is(use.user, kConcat, 2) && use.input == 0) {
      joined.concats.push_back(use.user);
    } else if (Is(use.user, "Enter", 1) && joined.handle == nullptr) {
      joined.handle = use.user;
    } else {
      return false;
    }
  }
  if (joined.concats.empty() || joined.handle == nullptr || !uses.None("^" + joined.handle->name)) return false;
  const auto& writes = uses.Of(joined.handle->name);
  if (writes.size() != 1 || !Is(writes[0].user, kWrite, 4) || writes[0].input != 0) return false;
  joined.write = writes[0].user;
  const auto flow = VariableBehind(graph, joined.write->inputs[3]);
  if (!flow) return false;
  joined.flow = *flow;
  const auto& exits = uses.Of(joined.flow.branch->name);
  if (exits.size() != 1 || !Is(exits[0].user, "Exit", 1)) return false;
  joined.exit = exits[0].user;
  return true;
}

// Whether nothing but the write and what joins the array uses what the loop carries for it.
bool IsItsOwn(const Uses& uses, const JoinedArray& joined) {
  const LoopVariable& flow = joined.flow;
  const std::string body = flow.branch->name + ":1";
  const bool circle = uses.Only(joined.array->name + ":1", flow.enter, 0) && uses.Of(flow.enter->name).size() == 1 &&
                      uses.Only(flow.merge->name, flow.branch, 0) && uses.None(flow.merge->name + ":1") &&
                      (flow.identity == nullptr
                           ? uses.Only(body, joined.write, 3)
                           : uses.Only(body, flow.identity, 0) && uses.Only(flow.identity->name, joined.write, 3)) &&
                      uses.Only(joined.write->name, flow.next, 0) && uses.Of(flow.next->name).size() == 1;
  if (!circle || uses.Of(joined.exit->name).size() != joined.concats.size()) return false;
  return std::all_of(joined.concats.begin(), joined.concats.end(), [&](const TfNode* concat) {
    return concat->inputs[1] == joined.exit->name && uses.None(concat->name + ":1");  // which is the elements' lengths
  });
}

// The dimensions in an attribute from the `skip`th on, when all are known.
Result<std::optional<std::vector<int64_t>>> KnownShape(TfGraph& graph, const TfNode& node, std::string_view key,
                                                       size_t skip) {
  constexpr int64_t kMost = int64_t{1} << 31;
  const TfAttribute* attribute = node.Find(key);
  if (attribute == nullptr || !attribute->shape) return std::optional<std::vector<int64_t>>();
  DE_TRY(auto shape, graph.ReadShape(*attribute->shape));
  if (!shape || shape->size() < skip) return std::optional<std::vector<int64_t>>();
  shape->erase(shape->begin(), shape->begin() + static_cast<ptrdiff_t>(skip));
  const bool known = std::all_of(shape->begin(), shape->end(), [](int64_t d) { return d >= 0 && d <= kMost; });
  return known ? shape : std::optional<std::vector<int64_t>>();
}

// Whether joining gives what was written and nothing else. Places that an array has from the start and that nobody
// writes are zeros where TensorFlow knows the whole shape of an element, else it refuses to join.
Result<bool> HoldsOnlyWhatIsWritten(TfGraph& graph, const TfNode& array) {
  if (IsNumber(graph, array.inputs[0], 0)) return true;
  const TfAttribute* identical = array.Find("identical_element_shapes");
  if (identical != nullptr && identical->number != 0) return false;
  DE_TRY(const auto element, KnownShape(graph, array, "element_shape", 0));
  return !element;
}

// Whether the size of an array may lose it as a user: a constant goes with it, but what is computed would become an
// output of the graph if nobody else used it.
bool CanLoseItsUser(const TfGraph& graph, const Uses& uses, const std::string& size) {
  if (Is(graph.Find(size), "Const", 0)) return true;
  const auto& users = uses.Of(size);
  return std::any_of(users.begin(), users.end(), [](const Use& use) { return use.user->op != kArray; });
}

// The array when it can be replaced.
Result<std::optional<JoinedArray>> Recognise(TfGraph& graph, const Uses& uses, const TfNode& array) {
  JoinedArray joined{.array = &array};
  const TfAttribute* type = array.Find("dtype");
  if (type == nullptr || array.inputs.empty() || !CanLoseItsUser(graph, uses, array.inputs[0])) {
    return std::optional<JoinedArray>();
  }
  joined.type = type->number;
  DE_TRY(const bool written, HoldsOnlyWhatIsWritten(graph, array));
  if (!written) return std::optional<JoinedArray>();
  if (!FindUsers(graph, uses, joined) || !IsItsOwn(uses, joined)) return std::optional<JoinedArray>();
  const auto turn = VariableBehind(graph, joined.write->inputs[1]);
  const bool each_turn = turn && turn->branch->inputs[1] == joined.flow.branch->inputs[1] && CountsTurns(graph, *turn);
  if (!each_turn) return std::optional<JoinedArray>();
  DE_TRY(auto element, KnownShape(graph, *joined.concats[0], "element_shape_except0", 0));
  if (!element) {
    DE_TRY(element, KnownShape(graph, array, "element_shape", 1));
  }
  if (!element) return std::optional<JoinedArray>();
  joined.element = *std::move(element);
  return std::optional(std::move(joined));
}

std::string Attribute(std::string_view key, std::string_view value) {
  return WireBytes(tf_node_field::kAttribute, WireBytes(1, key) + WireBytes(2, value));
}

std::string TypeAttribute(std::string_view key, int64_t type) {
  return Attribute(key, WireNumber(tf_value_field::kType, static_cast<uint64_t>(type)));
}

std::string Head(const std::string& name, std::string_view op, const std::vector<std::string>& inputs) {
  std::string head = WireBytes(tf_node_field::kName, name) + WireBytes(tf_node_field::kOp, op);
  for (const std::string& input : inputs) head += WireBytes(tf_node_field::kInput, input);
  return head;
}

// A constant of which the file holds no numbers: none, or zero.
std::string ZeroNode(const std::string& name, int64_t type, const std::vector<int64_t>& dims,
                     const std::vector<std::string>& inputs) {
  std::string shape;
  for (const int64_t dim : dims) shape += WireBytes(2, WireNumber(1, static_cast<uint64_t>(dim)));
  std::string tensor = WireNumber(tf_tensor_field::kType, static_cast<uint64_t>(type));
  tensor += WireBytes(tf_tensor_field::kShape, shape);
  if (dims.empty()) tensor += WireNumber(tf_tensor_field::kInts, 0);
  return Head(name, "Const", inputs) + TypeAttribute("dtype", type) +
         Attribute("value", WireBytes(tf_value_field::kTensor, tensor));
}

// A node of the loop as it is, but for the type of what it passes on and where that comes from.
WirePieces Retyped(BoundedFile& file, const TfNode& node, const std::vector<std::string>& inputs, int64_t type) {
  WirePieces pieces;
  pieces.Add(Head(node.name, node.op, inputs) + TypeAttribute("T", type));
  WireScanner parts(file, node.field.offset, node.field.end());
  while (const auto part = parts.Next()) {
    if (part->number <= tf_node_field::kInput) continue;
    bool is_type = false;
    if (part->number == tf_node_field::kAttribute && part->type == WireType::kLength) {
      WireScanner entry(file, part->offset, part->end());
      const auto key = entry.Next();
      is_type = key && key->number == 1 && key->type == WireType::kLength && PrintableText(file, *key) == "T";
    }
    if (!is_type) pieces.Copy(part->begin, part->end());
  }
  return pieces;
}

WirePieces Pieces(const std::string& bytes) {
  WirePieces pieces;
  pieces.Add(bytes);
  return pieces;
}

std::string UnusedName(const TfGraph& graph, std::string name) {
  while (graph.Find(name) != nullptr) name += "_";
  return name;
}

// What stands in the place of nodes; nothing for one that goes.
using Replacements = std::map<const TfNode*, std::vector<WirePieces>>;

void Replace(const TfGraph& graph, BoundedFile& file, const JoinedArray& joined, Replacements& replaced) {
  const LoopVariable& flow = joined.flow;
  const TfNode& write = *joined.write;
  std::vector<int64_t> empty = {0};
  empty.insert(empty.end(), joined.element.begin(), joined.element.end());
  replaced[joined.array] = {Pieces(ZeroNode(joined.array->name, joined.type, empty, {}))};
  replaced[joined.handle] = {};
  // The constant belongs to the loop by coming after something in it.
  const std::string axis = UnusedName(graph, write.name + "/axis");
  const std::string concat = Head(write.name, "ConcatV2", {write.inputs[3], write.inputs[2], axis}) +
                             TypeAttribute("T", joined.type) + TypeAttribute("Tidx", kTfInt32) +
                             Attribute("N", WireNumber(tf_value_field::kNumber, 2));
  const TfNode& after = flow.identity != nullptr ? *flow.identity : *flow.merge;
  replaced[&write] = {Pieces(ZeroNode(axis, kTfInt32, {}, {"^" + after.name})), Pieces(concat)};
  for (const TfNode* node : joined.concats) {
    replaced[node] = {Pieces(Head(node->name, "Identity", {joined.exit->name}) + TypeAttribute("T", joined.type))};
  }
  replaced[flow.enter] = {Retyped(file, *flow.enter, {joined.array->name}, joined.type)};
  for (const TfNode* node : {flow.merge, flow.branch, flow.identity, flow.next, joined.exit}) {
    if (node != nullptr) replaced[node] = {Retyped(file, *node, node->inputs, joined.type)};
  }
}

// Constants for the size of an array that nobody asks for any more would be taken for outputs of the graph.
void DropSizes(const TfGraph& graph, const Uses& uses, const std::vector<JoinedArray>& arrays, Replacements& replaced) {
  for (const JoinedArray& joined : arrays) {
    const TfNode* size = graph.Find(joined.array->inputs[0]);
    if (!Is(size, "Const", 0) || !uses.None("^" + size->name)) continue;
    const auto& users = uses.Of(size->name);
    const bool unused = std::all_of(users.begin(), users.end(), [&](const Use& use) {
      return std::any_of(arrays.begin(), arrays.end(), [&](const JoinedArray& a) { return a.array == use.user; });
    });
    if (unused) replaced[size] = {};
  }
}

}  // namespace

Result<bool> HasJoinedArrays(const Path& graph) { return HasTfOperation(graph, kConcat); }

Result<ModelFiles> RewriteJoinedArrays(const ModelFiles& files, const Path& folder) {
  DE_TRY(BoundedFile file, BoundedFile::Open(files.graph));
  TfGraph graph(file, files.graph);
  DE_TRY_STATUS(graph.Read());
  const Uses uses(graph);
  std::vector<JoinedArray> arrays;
  for (const TfNode& node : graph.nodes()) {
    if (node.op != kArray) continue;
    DE_TRY(std::optional<JoinedArray> joined, Recognise(graph, uses, node));
    if (joined) arrays.push_back(*std::move(joined));
  }
  if (arrays.empty()) return files;
  Replacements replaced;
  for (const JoinedArray& joined : arrays) Replace(graph, file, joined, replaced);
  DropSizes(graph, uses, arrays, replaced);
  WirePieces rewritten;
  for (const TfNode& node : graph.nodes()) {
    const auto found = replaced.find(&node);
    if (found == replaced.end()) {
      rewritten.Copy(node.field.begin, node.field.end());
    } else {
      for (const WirePieces& pieces : found->second) rewritten.AddMessage(kTfNodeField, pieces);
    }
  }
  WireScanner fields(file, 0, file.size());
  while (const auto field = fields.Next()) {
    if (field->number != kTfNodeField) rewritten.Copy(field->begin, field->end());
  }
  ModelFiles result{.format = files.format, .graph = folder / "arrays.pb"};
  DE_TRY_STATUS(rewritten.Write(files.graph, result.graph));
  return result;
}

}  // namespace deepedge
