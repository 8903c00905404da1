#include "deepedge/engine/openvino/layer_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/util/variable_extension.hpp>
#include <openvino/pass/constant_folding.hpp>
#include <openvino/pass/manager.hpp>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "deepedge/engine/openvino/layer_facts.h"
#include "deepedge/engine/openvino/ov_types.h"

namespace deepedge {
namespace {

constexpr int kNone = -1;

bool IsIn(std::string_view type, const std::set<std::string_view>& types) { return types.contains(type); }

// What a graph is while its layers are found.
struct Sorted {
  std::vector<std::shared_ptr<ov::Node>> ops;
  std::unordered_map<const ov::Node*, int> place;
  std::vector<bool> data;         // depends on an input's numbers
  std::vector<int> layer;         // of each operation; kNone: in none
  std::vector<int> anchor;        // of each layer: the operation that gives it its name and cost
  std::vector<int> last;          // of each layer
  std::vector<int> fused;         // of each layer
  std::vector<int> exponentials;  // of each layer, among those
  std::vector<int64_t> extra;     // of each layer: bytes that fused operations read beside its result

  int PlaceOf(const ov::Node* node) const { return place.at(node); }
  int LayerOf(const ov::Node* node) const { return layer[static_cast<size_t>(PlaceOf(node))]; }
};

Sorted Sort(const ov::Model& model) {
  Sorted graph{.ops = model.get_ordered_ops()};
  for (const auto& op : graph.ops) {
    graph.place.emplace(op.get(), static_cast<int>(graph.place.size()));
    const std::string_view type = op->get_type_info().name;
    bool data = type == "Parameter" || type == "ReadValue";
    for (size_t i = 0; i < op->get_input_size() && !data && type != "ShapeOf"; ++i) {
      data = graph.data[static_cast<size_t>(graph.PlaceOf(op->get_input_node_ptr(i)))];
    }
    graph.data.push_back(data);
  }
  graph.layer.assign(graph.ops.size(), kNone);
  return graph;
}

bool SameCount(const ov::Output<const ov::Node>& a, const ov::Output<const ov::Node>& b) {
  return ElementsOf(a) == ElementsOf(b) && ElementsOf(a) > 1;
}

// Whether all that read this tensor compute on each of its numbers: only then can they be computed before it is stored.
bool OnlyElementwiseReaders(const ov::Output<const ov::Node>& tensor) {
  const auto targets = tensor.get_target_inputs();
  return std::all_of(targets.begin(), targets.end(), [&](const ov::Input<ov::Node>& target) {
    return ClassOf(*target.get_node()) == OpClass::kElementwise &&
           SameCount(tensor, std::as_const(*target.get_node()).output(0));
  });
}

// The layer that an element-wise operation becomes a part of; kNone where it is one of its own.
int LayerToJoin(const Sorted& graph, const ov::Node& op) {
  int found = kNone;
  for (const ov::Output<ov::Node>& input : op.input_values()) {
    const int layer = graph.LayerOf(input.get_node());
    if (layer == kNone || !SameCount(input, op.outputs().front())) continue;
    const ov::Node& anchor = *graph.ops[static_cast<size_t>(graph.anchor[static_cast<size_t>(layer)])];
    if (TakesAlong(anchor, op) && OnlyElementwiseReaders(input)) found = std::max(found, layer);
  }
  return found;
}

void Join(Sorted& graph, int layer, size_t place) {
  const ov::Node& op = *graph.ops[place];
  const auto l = static_cast<size_t>(layer);
  graph.layer[place] = layer;
  graph.last[l] = static_cast<int>(place);
  ++graph.fused[l];
  graph.exponentials[l] += NeedsExponential(op) ? 1 : 0;
  for (const ov::Output<ov::Node>& input : op.input_values()) {
    const auto from = static_cast<size_t>(graph.PlaceOf(input.get_node()));
    if (graph.data[from] && graph.layer[from] != layer) graph.extra[l] += BytesOf(input);
  }
}

void FormLayers(Sorted& graph) {
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const ov::Node& op = *graph.ops[i];
    const OpClass kind = ClassOf(op);
    if (!graph.data[i] || kind == OpClass::kFree || op.get_output_size() == 0) continue;
    const int joined = kind == OpClass::kElementwise ? LayerToJoin(graph, op) : kNone;
    if (joined != kNone) {
      Join(graph, joined, i);
      continue;
    }
    graph.layer[i] = static_cast<int>(graph.anchor.size());
    graph.anchor.push_back(static_cast<int>(i));
    graph.last.push_back(static_cast<int>(i));
    graph.fused.push_back(0);
    graph.exponentials.push_back(0);
    graph.extra.push_back(0);
  }
}

// First and last operation, in the graph's order, between which a tensor must exist; operations that only give it
// another form share it.
struct Life {
  int from = 0;
  int to = 0;
  int64_t bytes = 0;
};

// The last operation that reads the tensor or another form of it; Results do not count, for they read where it lies.
int LastReader(const Sorted& graph, const ov::Output<const ov::Node>& tensor, int depth = 0) {
  constexpr int kMostForms = 32;
  int last = 0;
  for (const auto& target : tensor.get_target_inputs()) {
    const ov::Node& reader = *target.get_node();
    if (std::string_view(reader.get_type_info().name) == "Result") continue;
    last = std::max(last, graph.PlaceOf(&reader));
    if (ClassOf(reader) == OpClass::kFree && depth < kMostForms) {
      for (const auto& form : std::as_const(reader).outputs())
        last = std::max(last, LastReader(graph, form, depth + 1));
    }
  }
  return last;
}

int FirstReader(const Sorted& graph, const ov::Output<const ov::Node>& tensor) {
  int first = static_cast<int>(graph.ops.size());
  for (const auto& target : tensor.get_target_inputs()) first = std::min(first, graph.PlaceOf(target.get_node()));
  return first;
}

// Tensors that are stored: inputs of the graph and results of layers.
std::vector<Life> StoredTensors(const Sorted& graph) {
  std::vector<Life> lives;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    if (!graph.data[i] || ClassOf(*graph.ops[i]) == OpClass::kFree) {
      if (std::string_view(graph.ops[i]->get_type_info().name) != "Parameter") continue;
    }
    for (const auto& output : std::as_const(*graph.ops[i]).outputs()) {
      const bool parameter = std::string_view(graph.ops[i]->get_type_info().name) == "Parameter";
      const int from = parameter ? FirstReader(graph, output) : static_cast<int>(i);
      const int to = LastReader(graph, output);
      // What is computed on and inside a layer is never stored.
      const int layer = graph.layer[i];
      const bool inside = layer != kNone && graph.last[static_cast<size_t>(layer)] > static_cast<int>(i) &&
                          to <= graph.last[static_cast<size_t>(layer)] && OnlyElementwiseReaders(output);
      if (to >= from && !inside) lives.push_back({from, to, BytesOf(output)});
    }
  }
  return lives;
}

// Where a cut would lie inside something that must stay whole.
std::vector<bool> TornPlaces(const Sorted& graph) {
  std::vector<bool> torn(graph.ops.size() + 1, false);
  const auto keep = [&](int first, int last) {
    for (int i = first; i < last; ++i) torn[static_cast<size_t>(i)] = true;
  };
  for (size_t l = 0; l < graph.anchor.size(); ++l) keep(graph.anchor[l], graph.last[l]);
  // A state is read and written by the same stage.
  std::map<std::string, std::pair<int, int>> states;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const auto* const state = dynamic_cast<const ov::op::util::VariableExtension*>(graph.ops[i].get());
    if (state == nullptr) continue;
    const auto place = static_cast<int>(i);
    const auto [entry, is_new] = states.emplace(state->get_variable_id(), std::pair(place, place));
    entry->second.second = place;
  }
  for (const auto& [id, places] : states) keep(places.first, places.second);
  return torn;
}

std::vector<CutPoint> FindCuts(const Sorted& graph, const std::vector<Life>& lives) {
  const size_t n = graph.ops.size();
  std::vector<int64_t> bytes(n + 1);
  std::vector<int> tensors(n + 1);
  for (const Life& life : lives) {
    for (int i = life.from; i < life.to; ++i) {
      bytes[static_cast<size_t>(i)] += life.bytes;
      ++tensors[static_cast<size_t>(i)];
    }
  }
  const std::vector<bool> torn = TornPlaces(graph);
  std::vector<CutPoint> cuts;
  int layers_before = 0;
  for (size_t i = 0; i < n; ++i) {
    const int layer = graph.layer[i];
    if (layer == kNone || graph.last[static_cast<size_t>(layer)] != static_cast<int>(i)) continue;
    ++layers_before;
    const bool last = layers_before == static_cast<int>(graph.anchor.size());
    if (torn[i] || last || tensors[i] == 0) continue;
    cuts.push_back({static_cast<int>(i), bytes[i], tensors[i], layers_before});
  }
  return cuts;
}

// Layers in the order in which their last operations stand.
std::vector<size_t> OrderOfLayers(const Sorted& graph) {
  std::vector<size_t> order(graph.anchor.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return graph.last[a] < graph.last[b]; });
  return order;
}

Layer Describe(const Sorted& graph, size_t l, const std::vector<Life>& lives) {
  Layer layer = DescribeOperation(*graph.ops[static_cast<size_t>(graph.anchor[l])]);
  layer.fused = graph.fused[l];
  layer.exponentials += graph.exponentials[l];
  layer.last_op = graph.last[l];
  layer.input_bytes += graph.extra[l];
  for (const Life& life : lives) {
    if (life.from <= graph.last[l] && life.to >= graph.anchor[l]) layer.live_bytes += life.bytes;
  }
  return layer;
}

}  // namespace

void FoldShapes(const std::shared_ptr<ov::Model>& model) {
  std::vector<std::shared_ptr<ov::Node>> kept;
  for (const auto& op : model->get_ops()) {
    const std::string_view type = op->get_type_info().name;
    if (!IsIn(type, {"FakeQuantize", "Convert", "Subtract", "Multiply"})) continue;
    // Numbers that a file keeps in few bits, and how they become floats.
    if (type != "FakeQuantize" && !ComesFromNarrowConstant(*op)) continue;
    if (ov::pass::constant_folding_is_disabled(op)) continue;
    ov::pass::disable_constant_folding(op);
    kept.push_back(op);
  }
  ov::pass::Manager passes;
  passes.register_pass<ov::pass::ConstantFolding>();
  passes.run_passes(model);
  for (const auto& op : kept) ov::pass::enable_constant_folding(op);
}

void NameOperations(const std::shared_ptr<ov::Model>& model) {
  std::set<std::string> taken;
  std::vector<std::shared_ptr<ov::Node>> unnamed;
  for (const auto& op : model->get_ordered_ops()) {
    if (op->get_friendly_name() == op->get_name()) {
      unnamed.push_back(op);
    } else {
      taken.insert(op->get_friendly_name());
    }
  }
  std::map<std::string, int> counts;
  for (const auto& op : unnamed) {
    const std::string type = op->get_type_info().name;
    std::string name;
    do {
      name = fmt::format("{} {}", type, ++counts[type]);
    } while (taken.contains(name));
    op->set_friendly_name(name);
  }
}

Result<LayerGraph> FindLayers(const ov::Model& model, const Path& file) {
  for (const auto& input : model.inputs()) {
    if (input.get_partial_shape().is_static()) continue;
    const std::string name = input.get_names().empty() ? "input" : *input.get_names().begin();
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: what it costs depends on the size of '{}', which is open: {}", file.string(), name,
                             ToString(FromOv(input.get_partial_shape())))};
  }
  Sorted graph = Sort(model);
  FormLayers(graph);
  const std::vector<Life> lives = StoredTensors(graph);
  LayerGraph result{.cuts = FindCuts(graph, lives), .operations = static_cast<int>(graph.ops.size())};
  for (const size_t l : OrderOfLayers(graph)) result.layers.push_back(Describe(graph, l, lives));
  for (const auto& op : graph.ops) {
    if (const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(op)) {
      result.weight_bytes += static_cast<int64_t>(constant->get_byte_size());
    }
  }
  for (const auto& input : model.inputs()) result.input_bytes += BytesOf(input);
  for (const auto& output : model.outputs()) result.output_bytes += BytesOf(output);
  return result;
}

std::map<std::string, std::string> LayersOfOperations(const ov::Model& model) {
  Sorted graph = Sort(model);
  FormLayers(graph);
  std::map<std::string, std::string> layers;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    if (graph.layer[i] == kNone) continue;
    const auto anchor = static_cast<size_t>(graph.anchor[static_cast<size_t>(graph.layer[i])]);
    layers.emplace(graph.ops[i]->get_friendly_name(), graph.ops[anchor]->get_friendly_name());
  }
  return layers;
}

std::map<std::string, std::string> LayersOfKernels(const ov::Model& runtime,
                                                   const std::map<std::string, std::string>& layers_of_operations) {
  std::map<std::string, std::string> layers;
  for (const auto& kernel : runtime.get_ops()) {
    const std::string& name = kernel->get_friendly_name();
    const auto& facts = kernel->get_rt_info();
    const auto originals = facts.find("originalLayersNames");
    std::string_view names = name;
    std::string listed;
    if (originals != facts.end() && originals->second.is<std::string>()) {
      listed = originals->second.as<std::string>();
      names = listed;
    }
    while (!names.empty() && !layers.contains(name)) {
      const size_t comma = names.find(',');
      const auto layer = layers_of_operations.find(std::string(names.substr(0, comma)));
      if (layer != layers_of_operations.end()) layers.emplace(name, layer->second);
      names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
    }
  }
  return layers;
}

}  // namespace deepedge
