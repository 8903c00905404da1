#include "deepedge/formats/caffe/layer_context.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

namespace deepedge {
namespace {

// Parameters that a type reads; Caffe takes no notice of them in layers of another type.
constexpr std::array<std::string_view, 42> kKnownParams = {"accuracy_param",
                                                           "argmax_param",
                                                           "batch_norm_param",
                                                           "bias_param",
                                                           "clip_param",
                                                           "concat_param",
                                                           "contrastive_loss_param",
                                                           "convolution_param",
                                                           "crop_param",
                                                           "data_param",
                                                           "detection_output_param",
                                                           "dropout_param",
                                                           "eltwise_param",
                                                           "elu_param",
                                                           "exp_param",
                                                           "flatten_param",
                                                           "hinge_loss_param",
                                                           "image_data_param",
                                                           "infogain_loss_param",
                                                           "inner_product_param",
                                                           "input_param",
                                                           "interp_param",
                                                           "log_param",
                                                           "lrn_param",
                                                           "memory_data_param",
                                                           "mvn_param",
                                                           "norm_param",
                                                           "permute_param",
                                                           "pooling_param",
                                                           "power_param",
                                                           "prelu_param",
                                                           "prior_box_param",
                                                           "reduction_param",
                                                           "relu_param",
                                                           "reshape_param",
                                                           "scale_param",
                                                           "sigmoid_param",
                                                           "slice_param",
                                                           "softmax_param",
                                                           "tanh_param",
                                                           "threshold_param",
                                                           "tile_param"};

std::vector<int64_t> WithoutOnes(std::vector<int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

bool AnyZero(const std::vector<int64_t>& shape) { return std::find(shape.begin(), shape.end(), 0) != shape.end(); }

std::string Shown(const std::vector<int64_t>& shape) {
  return shape.empty() ? std::string("1") : fmt::format("{}", fmt::join(shape, "x"));
}

int64_t Product(const std::vector<int64_t>& shape) {
  int64_t product = 1;
  for (const int64_t dimension : shape) {
    if (dimension <= 0 || product > INT64_MAX / dimension) return -1;
    product *= dimension;
  }
  return product;
}

}  // namespace

LayerContext::LayerContext(const CaffeLayer& layer, std::vector<GraphValue> bottoms, CaffeWeights& weights)
    : layer_(layer),
      bottoms_(std::move(bottoms)),
      weights_(weights),
      blobs_(weights.Blobs(layer.name)),
      text_("the layer", layer.message) {}

void LayerContext::FinishText() {
  text_.Ignore({"name", "type", "bottom", "top", "include", "exclude", "param", "blobs_lr", "weight_decay",
                "propagate_down", "loss_weight", "loss_param", "phase", "transform_param", "blob_share_mode"});
  for (const std::string_view known : kKnownParams) text_.Ignore({known});
  text_.Finish();
}

const GraphValue& LayerContext::Bottom(size_t index) const {
  if (index < bottoms_.size()) return bottoms_[index];
  throw std::invalid_argument(fmt::format("has {} bottoms, {} are needed", bottoms_.size(), index + 1));
}

const CaffeBlob& LayerContext::BlobAt(size_t index, std::string_view what) const {
  const std::string file = weights_.path().filename().string();
  if (blobs_.empty()) throw std::invalid_argument(fmt::format("has no weights in {}", file));
  if (index >= blobs_.size()) {
    throw std::invalid_argument(fmt::format("has {} arrays in {}, its {} is missing", blobs_.size(), file, what));
  }
  return blobs_[index];
}

std::vector<float> LayerContext::BlobOfCount(size_t index, int64_t count, std::string_view what) {
  const CaffeBlob& blob = BlobAt(index, what);
  if (blob.count != count || count <= 0) {
    throw std::invalid_argument(fmt::format("its {} holds {} numbers in {}, {} are needed", what, blob.count,
                                            weights_.path().filename().string(), count));
  }
  auto values = weights_.Read(blob);
  if (!values.ok()) throw std::invalid_argument(values.error().message);
  return std::move(values).value();
}

std::vector<float> LayerContext::Blob(size_t index, const std::vector<int64_t>& shape, std::string_view what) {
  const CaffeBlob& blob = BlobAt(index, what);
  const bool told = !blob.shape.empty() && !AnyZero(blob.shape);
  const bool same = !told || WithoutOnes(blob.shape) == WithoutOnes(shape);
  if (!same || blob.count != Product(shape)) {
    const std::string found = told && same ? fmt::format("{} and {} numbers", Shown(blob.shape), blob.count)
                              : told       ? Shown(blob.shape)
                                           : fmt::format("{} numbers", blob.count);
    throw std::invalid_argument(fmt::format("its {} in {} is {}, {} is needed", what,
                                            weights_.path().filename().string(), found, Shown(shape)));
  }
  return BlobOfCount(index, blob.count, what);
}

LayerBuilder FindLayerBuilder(std::string_view type) {
  static const std::map<std::string_view, LayerBuilder> kBuilders = [] {
    std::map<std::string_view, LayerBuilder> builders;
    for (const auto* table : {&FilterLayers(), &NormLayers(), &PointwiseLayers(), &ShapeLayers(), &DetectionLayers()}) {
      for (const LayerType& entry : *table) builders.emplace(entry.type, entry.build);
    }
    return builders;
  }();
  const auto found = kBuilders.find(type);
  return found == kBuilders.end() ? nullptr : found->second;
}

}  // namespace deepedge
