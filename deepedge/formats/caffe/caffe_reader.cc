#include "deepedge/formats/caffe/caffe_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <openvino/core/model.hpp>
#include <openvino/op/parameter.hpp>
#include <set>
#include <string_view>

#include "deepedge/formats/caffe/layer_context.h"
#include "deepedge/formats/graph/shape_ops.h"

namespace deepedge {
namespace {

using ov::op::v0::Parameter;

// A blob by its latest content: layers may write over the blob they read.
struct Blob {
  GraphValue value;
  bool consumed = false;
  bool is_input = false;
  size_t order = 0;  // of writing
};

bool IsDataLayer(const std::string& type) {
  static constexpr std::array<std::string_view, 9> kTypes = {"Input",      "Data",           "ImageData",
                                                             "MemoryData", "AnnotatedData",  "HDF5Data",
                                                             "WindowData", "DenseImageData", "VideoData"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// Layers that compare with labels or write files: nothing that a network in use gives.
bool IsDropped(const std::string& type) {
  if (type == "SoftmaxWithLoss" || type == "SigmoidCrossEntropyLoss") return false;
  return type.ends_with("Loss") || type == "Accuracy" || type == "Silence" || type == "HDF5Output" ||
         type == "DetectionEvaluate";
}

class GraphBuilder {
 public:
  GraphBuilder(const ModelFiles& files, const CaffeNet& net, CaffeWeights& weights)
      : files_(files), net_(net), weights_(weights) {}

  Result<std::shared_ptr<ov::Model>> Build() {
    for (const CaffeLayer& layer : net_.layers) {
      DE_TRY_STATUS(Catch(layer, [&]() -> Status {
        if (FixesBatch(layer)) free_batch_ = false;
        if (layer.type == "Softmax" && !layer.bottoms.empty()) softmax_bottoms_.insert(layer.bottoms[0]);
        return {};
      }));
    }
    for (const CaffeInput& input : net_.inputs) {
      const CaffeLayer layer{.name = input.name, .type = "input"};
      DE_TRY_STATUS(Catch(layer, [&]() -> Status { return AddInput(input.name, input.shape); }));
    }
    for (const CaffeLayer& layer : net_.layers) {
      DE_TRY_STATUS(Catch(layer, [&]() -> Status { return AddLayer(layer); }));
    }
    const CaffeLayer whole{.name = net_.name, .type = "the whole network"};
    std::shared_ptr<ov::Model> model;
    DE_TRY_STATUS(Catch(whole, [&]() -> Status {
      model = Finish();
      return {};
    }));
    return model;
  }

 private:
  template <typename F>
  Status Catch(const CaffeLayer& layer, F&& f) const {
    const LayerName name{files_.graph, layer.name, layer.type};
    return CatchLayer(name, [&]() -> Status {
      try {
        return f();
      } catch (const Unsupported& e) {
        return LayerError(ErrorCode::kUnsupported, name, fmt::format("{} (not supported)", e.what()));
      }
    });
  }

  // Whether a layer says how many pictures there are, as only the shape of an input should.
  static bool FixesBatch(const CaffeLayer& layer) {
    if (layer.type != "Reshape") return false;
    Params text("the layer", layer.message);
    Params param = text.Message("reshape_param");
    if (param.Int("axis", 0, -8, 8) != 0) return false;
    const auto dims = param.Message("shape").Ints("dim", -1, INT64_MAX / 2);
    return !dims.empty() && dims.front() > 0;
  }

  Status AddInput(const std::string& name, const std::vector<int64_t>& shape) {
    if (shape.empty()) throw std::invalid_argument("an input without a shape");
    if (inputs_.size() == kMaxCaffeInputs) {
      throw std::invalid_argument(fmt::format("the network has more than {} inputs", kMaxCaffeInputs));
    }
    ov::PartialShape dims(std::vector<ov::Dimension>(shape.begin(), shape.end()));
    // One picture is what most are written for; any other number is only what its author had at hand.
    if (free_batch_ && shape.size() > 1 && shape.front() > 1) dims[0] = ov::Dimension::dynamic();
    auto input = std::make_shared<Parameter>(ov::element::f32, dims);
    CheckSize(input->output(0));
    NameValue(input, name);
    inputs_.push_back(input);
    DE_TRY_STATUS(Write(name, input, false));
    blobs_[name].is_input = true;
    return {};
  }

  // `in_place`: the layer reads what it writes over.
  Status Write(const std::string& name, const GraphValue& value, bool in_place) {
    if (blobs_.contains(name) && !in_place) {
      throw std::invalid_argument(fmt::format("its top '{}' is the top of another layer too", name));
    }
    blobs_[name] = Blob{.value = value, .order = order_++};
    return {};
  }

  Status AddLayer(const CaffeLayer& layer) {
    if (IsDataLayer(layer.type)) return AddDataLayer(layer);
    if (IsDropped(layer.type) || IsLossBesideSoftmax(layer)) {
      if (layer.type == "Silence") MarkConsumed(layer.bottoms);
      return {};
    }
    const LayerBuilder build = FindLayerBuilder(layer.type);
    if (build == nullptr) throw Unsupported("layers of this type are not read");
    const bool is_loss = layer.type.ends_with("Loss");  // its second bottom is the labels
    std::vector<GraphValue> bottoms;
    for (size_t i = 0; i < (is_loss ? std::min<size_t>(1, layer.bottoms.size()) : layer.bottoms.size()); ++i) {
      const auto found = blobs_.find(layer.bottoms[i]);
      if (found == blobs_.end()) {
        throw std::invalid_argument(fmt::format("its bottom '{}' is the top of no layer before it", layer.bottoms[i]));
      }
      found->second.consumed = true;
      bottoms.push_back(found->second.value);
    }
    LayerContext context(layer, std::move(bottoms), weights_);
    const std::vector<GraphValue> values = build(context);
    return WriteTops(layer, values);
  }

  Status WriteTops(const CaffeLayer& layer, const std::vector<GraphValue>& values) {
    std::vector<std::string> tops = layer.tops;
    if (tops.empty()) tops.push_back(layer.name);  // a loss whose top Caffe names itself
    if (layer.type.ends_with("Loss")) tops.resize(1);
    if (values.size() < tops.size()) {
      throw std::invalid_argument(fmt::format("has {} tops, {} are given", tops.size(), values.size()));
    }
    for (size_t i = 0; i < tops.size(); ++i) {
      CheckSize(values[i]);
      const bool in_place = std::find(layer.bottoms.begin(), layer.bottoms.end(), tops[i]) != layer.bottoms.end();
      DE_TRY_STATUS(Write(tops[i], values[i], in_place));
    }
    ov::Node& node = *values.front().get_node();
    if (dynamic_cast<Parameter*>(&node) == nullptr) node.set_friendly_name(layer.name);
    return {};
  }

  // A training net that ends in a loss and, for use, in Softmax too: the loss is one output too many.
  bool IsLossBesideSoftmax(const CaffeLayer& layer) const {
    if (layer.type != "SoftmaxWithLoss" || layer.bottoms.empty()) return false;
    return softmax_bottoms_.contains(layer.bottoms[0]);
  }

  void MarkConsumed(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (const auto found = blobs_.find(name); found != blobs_.end()) found->second.consumed = true;
    }
  }

  Status AddDataLayer(const CaffeLayer& layer) {
    if (layer.tops.empty()) return {};
    Params text("the layer", layer.message);
    if (layer.type != "Input") return AddInput(layer.tops[0], ShapeOfData(layer, text));
    Params param = text.Message("input_param");
    auto shapes = param.Messages("shape");
    param.Finish();
    if (shapes.size() != layer.tops.size() && shapes.size() != 1) {
      throw std::invalid_argument(fmt::format("{} shapes for {} tops", shapes.size(), layer.tops.size()));
    }
    for (size_t i = 0; i < layer.tops.size(); ++i) {
      DE_TRY_STATUS(AddInput(layer.tops[i], ShapeFrom(shapes.size() == 1 ? shapes[0] : shapes[i])));
    }
    return {};
  }

  // Pictures of a training net: told by the layer itself, or as large as they are cropped to and with as many channels
  // as the first filter looks at.
  std::vector<int64_t> ShapeOfData(const CaffeLayer& layer, Params& text) const {
    if (layer.type == "MemoryData") {
      Params p = text.Message("memory_data_param");
      const auto size = [&](const char* field) { return p.Int(field, 0, 1, INT32_MAX); };
      return {1, size("channels"), size("height"), size("width")};
    }
    const int64_t crop = text.Message("transform_param").Int("crop_size", 0, 0, INT32_MAX);
    if (crop == 0) throw Unsupported("the size of its pictures is not in the file; a Data layer tells it by crop_size");
    for (const CaffeLayer& user : net_.layers) {
      if (user.type != "Convolution" || user.bottoms.empty() || user.bottoms[0] != layer.tops[0]) continue;
      Params user_text("the layer", user.message);
      const int64_t groups = user_text.Message("convolution_param").Int("group", 1, 1, INT32_MAX);
      const auto& blobs = weights_.Blobs(user.name);
      if (blobs.empty() || blobs[0].shape.size() != 4) break;
      const int64_t channels = blobs[0].shape[1];
      if (channels < 1 || channels > INT32_MAX) break;
      return {1, channels * groups, crop, crop};
    }
    throw Unsupported("the channels of its pictures are not in the file");
  }

  std::shared_ptr<ov::Model> Finish() {
    std::vector<std::pair<size_t, NamedOutput>> outputs;
    for (const auto& [name, blob] : blobs_) {
      if (!blob.consumed && !blob.is_input) outputs.emplace_back(blob.order, NamedOutput{name, blob.value});
    }
    if (outputs.empty()) throw std::invalid_argument("has no outputs: every top is read by another layer");
    std::stable_sort(outputs.begin(), outputs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<NamedOutput> named;
    for (auto& [order, output] : outputs) named.push_back(std::move(output));
    auto model = MakeModel(named, UsedInputs(), net_.name.empty() ? "caffe" : net_.name);
    if (!net_.name.empty()) SetMetadata(*model, "caffe.name", net_.name);
    if (!net_.transform.empty()) SetMetadata(*model, "caffe.transform", net_.transform);
    return model;
  }

  // Not those that no layer reads, such as labels.
  std::vector<std::shared_ptr<Parameter>> UsedInputs() const {
    std::vector<std::shared_ptr<Parameter>> used;
    for (const auto& input : inputs_) {
      const bool leaves = std::any_of(blobs_.begin(), blobs_.end(), [&](const auto& entry) {
        return !entry.second.consumed && !entry.second.is_input && entry.second.value == input->output(0);
      });
      if (leaves || !input->output(0).get_target_inputs().empty()) used.push_back(input);
    }
    return used;
  }

  const ModelFiles& files_;
  const CaffeNet& net_;
  CaffeWeights& weights_;
  bool free_batch_ = true;
  std::set<std::string_view> softmax_bottoms_;
  std::vector<std::shared_ptr<Parameter>> inputs_;
  std::map<std::string, Blob> blobs_;
  size_t order_ = 0;  // of what is written next
};

Result<CaffeNet> ReadNet(const Path& file) {
  constexpr int64_t kMaxText = int64_t{4} << 20;
  DE_TRY(const std::string text, ReadFile(file, kMaxText));
  auto net = ParseCaffeNet(text);
  if (!net.ok()) return net.error().Wrap(file.string());
  return net;
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadCaffe(const ModelFiles& files) {
  DE_TRY(const CaffeNet net, ReadNet(files.graph));
  DE_TRY(CaffeWeights weights, CaffeWeights::Open(files.weights));
  return GraphBuilder(files, net, weights).Build();
}

}  // namespace deepedge
