#include "deepedge/formats/ir/old_ir_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <openvino/core/model.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/subtract.hpp>
#include <queue>

#include "deepedge/formats/graph/shape_ops.h"
#include "deepedge/formats/ir/ir_layer.h"

namespace deepedge {
namespace {

using ov::op::v0::Constant;
using ov::op::v0::Parameter;

constexpr size_t kMostInputs = 64;  // more than any network has

struct PortKey {
  size_t layer = 0;  // by its place in the file
  size_t port = 0;
  auto operator<=>(const PortKey&) const = default;
};

class GraphBuilder {
 public:
  GraphBuilder(const ModelFiles& files, const IrNet& net, IrWeights& weights)
      : files_(files), net_(net), weights_(weights) {}

  Result<std::shared_ptr<ov::Model>> Build() {
    DE_TRY_STATUS(Connect());
    DE_TRY(const std::vector<size_t> order, Order());
    for (const size_t layer : order) {
      DE_TRY_STATUS(Catch(net_.layers[layer], [&]() -> Status { return AddLayer(layer); }));
    }
    std::shared_ptr<ov::Model> model;
    DE_TRY_STATUS(Catch({.name = net_.name, .type = "the whole network"}, [&]() -> Status {
      model = Finish();
      return {};
    }));
    return model;
  }

 private:
  template <typename F>
  Status Catch(const IrLayer& layer, F&& f) const {
    const LayerName name{files_.graph, layer.name, layer.type};
    return CatchLayer(name, [&]() -> Status {
      try {
        return f();
      } catch (const UnsupportedLayer& e) {
        return LayerError(ErrorCode::kUnsupported, name, fmt::format("{} (not supported)", e.what()));
      }
    });
  }

  Error Bad(std::string_view what) const {
    return {ErrorCode::kBadInput, fmt::format("{}: {}", files_.graph.string(), Shown(what, 1000))};
  }

  static size_t FindPort(const std::vector<IrPort>& ports, int64_t id) {
    const auto found = std::find_if(ports.begin(), ports.end(), [&](const IrPort& port) { return port.id == id; });
    return static_cast<size_t>(found - ports.begin());
  }

  // Which output feeds which input.
  Status Connect() {
    std::map<int64_t, size_t> by_id;
    for (size_t i = 0; i < net_.layers.size(); ++i) {
      if (!by_id.emplace(net_.layers[i].id, i).second)
        return Bad(fmt::format("two layers of id {}", net_.layers[i].id));
    }
    for (const IrEdge& edge : net_.edges) {
      const auto from = by_id.find(edge.from_layer);
      const auto to = by_id.find(edge.to_layer);
      const bool known = from != by_id.end() && to != by_id.end();
      const size_t out = known ? FindPort(net_.layers[from->second].outputs, edge.from_port) : 0;
      const size_t in = known ? FindPort(net_.layers[to->second].inputs, edge.to_port) : 0;
      if (!known || out == net_.layers[from->second].outputs.size() || in == net_.layers[to->second].inputs.size()) {
        return Bad(fmt::format("an edge from port {} of layer {} to port {} of layer {}: one of them is not there",
                               edge.from_port, edge.from_layer, edge.to_port, edge.to_layer));
      }
      if (!sources_.emplace(PortKey{to->second, in}, PortKey{from->second, out}).second) {
        return Bad(fmt::format("two edges to port {} of layer '{}'", edge.to_port, net_.layers[to->second].name));
      }
      read_[{from->second, out}] = true;
    }
    return {};
  }

  // The layers so that each comes after those it reads, otherwise as in the file.
  Result<std::vector<size_t>> Order() const {
    const size_t count = net_.layers.size();
    std::vector<size_t> missing(count, 0);
    std::vector<std::vector<size_t>> readers(count);
    for (const auto& [to, from] : sources_) {
      readers[from.layer].push_back(to.layer);
      ++missing[to.layer];
    }
    std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
    for (size_t i = 0; i < count; ++i) {
      if (missing[i] == 0) ready.push(i);
    }
    std::vector<size_t> order;
    while (!ready.empty()) {
      const size_t layer = ready.top();
      ready.pop();
      order.push_back(layer);
      for (const size_t reader : readers[layer]) {
        if (--missing[reader] == 0) ready.push(reader);
      }
    }
    if (order.size() == count) return order;
    const auto stuck = std::find_if(missing.begin(), missing.end(), [](size_t n) { return n > 0; });
    const IrLayer& layer = net_.layers[static_cast<size_t>(stuck - missing.begin())];
    return Bad(fmt::format("layer '{}' ({}) is part of a circle of edges, or behind one", layer.name, layer.type));
  }

  Status AddLayer(size_t index) {
    const IrLayer& layer = net_.layers[index];
    std::vector<GraphValue> values;
    if (layer.type == "Input") {
      values.push_back(AddInput(layer));
    } else if (layer.type == "Const") {
      values.push_back(MakeConstant(layer));
    } else {
      const IrBuilder build = FindIrBuilder(layer.type);
      if (build == nullptr || layer.attributes.contains("body"))
        throw UnsupportedLayer("layers of this type are not read");
      IrContext context(layer, InputsOf(index), weights_);
      values = build(context);
    }
    if (values.size() < layer.outputs.size() || layer.outputs.empty()) {
      throw std::invalid_argument(fmt::format("has {} outputs, {} are given", layer.outputs.size(), values.size()));
    }
    for (size_t i = 0; i < layer.outputs.size(); ++i) {
      CheckSize(values[i]);
      CheckShape(values[i], layer.outputs[i]);
      values_[{index, i}] = values[i];
    }
    ov::Node& node = *values.front().get_node();
    if (dynamic_cast<Parameter*>(&node) == nullptr) node.set_friendly_name(layer.name);
    return {};
  }

  std::vector<GraphValue> InputsOf(size_t index) const {
    std::vector<GraphValue> inputs;
    for (size_t i = 0; i < net_.layers[index].inputs.size(); ++i) {
      const auto source = sources_.find({index, i});
      if (source == sources_.end()) {
        throw std::invalid_argument(fmt::format("no edge leads to its port {}", net_.layers[index].inputs[i].id));
      }
      inputs.push_back(values_.at(source->second));
    }
    return inputs;
  }

  // The file says what every layer gives: whoever read it otherwise would be wrong.
  static void CheckShape(const GraphValue& value, const IrPort& port) {
    const ov::PartialShape told(std::vector<ov::Dimension>(port.shape.begin(), port.shape.end()));
    if (!value.get_partial_shape().compatible(told)) {
      throw std::invalid_argument(
          fmt::format("gives {}, the file says {}", value.get_partial_shape().to_string(), told.to_string()));
    }
  }

  GraphValue AddInput(const IrLayer& layer) {
    if (layer.outputs.size() != 1) throw std::invalid_argument("an input with other than one output");
    if (inputs_.size() == kMostInputs) throw std::invalid_argument(fmt::format("more than {} inputs", kMostInputs));
    const auto& shape = layer.outputs.front().shape;
    const auto input = std::make_shared<Parameter>(
        ov::element::f32, ov::PartialShape(std::vector<ov::Dimension>(shape.begin(), shape.end())));
    NameValue(input, layer.name);
    inputs_.push_back(input);
    return WithoutMean(layer, input);
  }

  GraphValue WithoutMean(const IrLayer& layer, const GraphValue& input) const {
    for (const IrPreProcess& asked : net_.pre_process) {
      if (!asked.layer.empty() && asked.layer != layer.name) continue;
      if (asked.other) throw UnsupportedLayer("its pre-process asks for more than one mean for each channel");
      if (asked.means.empty()) return input;
      std::vector<float> negative = asked.means;
      for (float& mean : negative) mean = -mean;
      return AddPerChannel(input, negative);
    }
    return input;
  }

  GraphValue MakeConstant(const IrLayer& layer) {
    IrContext context(layer, {}, weights_);
    const auto values = context.BlobOfAnyCount("custom");
    const auto& dims = context.OutputShape();
    ov::Shape shape(dims.begin(), dims.end());
    size_t count = 1;
    for (const size_t dimension : shape) {
      if (count > values.size()) break;
      count *= dimension;
    }
    if (count != values.size()) {
      throw std::invalid_argument(fmt::format("holds {} numbers, its shape is {}", values.size(), shape.to_string()));
    }
    return FloatConstant(shape, values);
  }

  std::shared_ptr<ov::Model> Finish() {
    std::vector<NamedOutput> outputs;
    for (size_t i = 0; i < net_.layers.size(); ++i) {
      const IrLayer& layer = net_.layers[i];
      if (layer.type == "Const" || layer.type == "Input") continue;
      for (size_t port = 0; port < layer.outputs.size(); ++port) {
        if (read_.contains({i, port})) continue;
        const bool several = layer.outputs.size() > 1;
        outputs.push_back({several ? fmt::format("{}.{}", layer.name, port) : layer.name, values_.at({i, port})});
      }
    }
    if (outputs.empty()) throw std::invalid_argument("has no outputs");
    auto model = MakeModel(outputs, inputs_, net_.name.empty() ? "ir" : net_.name);
    SetMetadata(*model, "ir.version", fmt::format("{}", net_.version));
    if (!net_.name.empty()) SetMetadata(*model, "ir.name", net_.name);
    return model;
  }

  const ModelFiles& files_;
  const IrNet& net_;
  IrWeights& weights_;
  std::map<PortKey, PortKey> sources_;  // of inputs, by output
  std::map<PortKey, bool> read_;        // outputs that a layer reads
  std::map<PortKey, GraphValue> values_;
  std::vector<std::shared_ptr<Parameter>> inputs_;
};

Result<IrNet> ReadNet(const Path& file) {
  constexpr int64_t kMaxText = int64_t{16} << 20;
  DE_TRY(const std::string text, ReadFile(file, kMaxText));
  auto net = ParseIrNet(text);
  if (!net.ok()) return net.error().Wrap(file.string());
  return net;
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadOldIr(const ModelFiles& files) {
  DE_TRY(const IrNet net, ReadNet(files.graph));
  DE_TRY(IrWeights weights, IrWeights::Open(files.weights));
  return GraphBuilder(files, net, weights).Build();
}

}  // namespace deepedge
