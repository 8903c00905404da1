// What the builders of Caffe's layers work with: the layer's own text, what goes in, and its trained numbers.
//
// A builder gives one value for each top that a layer of its type can have. It throws what is wrong (Params), inside
// CatchLayer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/caffe/caffe_net.h"
#include "deepedge/formats/caffe/caffe_weights.h"
#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {

class LayerContext {
 public:
  LayerContext(const CaffeLayer& layer, std::vector<GraphValue> bottoms, CaffeWeights& weights);

  const CaffeLayer& layer() const { return layer_; }
  // A message of the layer such as "pooling_param", with defaults only where there is none.
  Params Param(std::string_view field) { return text_.Message(field); }
  // Throws when the layer's text holds more than what was read, the layer's frame and parameters of other types.
  void FinishText();

  // Throws when there are not that many.
  const GraphValue& Bottom(size_t index = 0) const;
  size_t bottom_count() const { return bottoms_.size(); }
  size_t top_count() const { return layer_.tops.size(); }

  size_t blob_count() const { return blobs_.size(); }
  // Array `index` of the layer, which must have `shape`, dimensions of 1 added or dropped. `what` is its name for
  // messages.
  std::vector<float> Blob(size_t index, const std::vector<int64_t>& shape, std::string_view what);
  // Only the count of numbers must be right.
  std::vector<float> BlobOfCount(size_t index, int64_t count, std::string_view what);
  const CaffeBlob& BlobAt(size_t index, std::string_view what) const;

 private:
  const CaffeLayer& layer_;
  std::vector<GraphValue> bottoms_;
  CaffeWeights& weights_;
  const std::vector<CaffeBlob>& blobs_;
  Params text_;
};

using LayerBuilder = std::vector<GraphValue> (*)(LayerContext&);

// The builder of a type; nullptr for one that is not read.
LayerBuilder FindLayerBuilder(std::string_view type);

// Types and their builders, one table for each kind of layers.
struct LayerType {
  std::string_view type;
  LayerBuilder build;
};
const std::vector<LayerType>& FilterLayers();     // with trained weights over windows: layers_filter.cc
const std::vector<LayerType>& NormLayers();       // batch norm, scale, LRN, ..: layers_norm.cc
const std::vector<LayerType>& PointwiseLayers();  // activations, eltwise: layers_pointwise.cc
const std::vector<LayerType>& ShapeLayers();      // concat, reshape, crop, ..: layers_shape.cc
const std::vector<LayerType>& DetectionLayers();  // SSD and Faster R-CNN: layers_detection.cc

}  // namespace deepedge
