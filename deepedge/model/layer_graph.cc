#include "deepedge/model/layer_graph.h"

namespace deepedge {

std::string_view ToString(LayerClass kind) {
  switch (kind) {
    case LayerClass::kConvolution: return "convolution";
    case LayerClass::kPointwise: return "pointwise";
    case LayerClass::kDepthwise: return "depthwise";
    case LayerClass::kFullyConnected: return "fully connected";
    case LayerClass::kMatrixProduct: return "matrix product";
    case LayerClass::kPooling: return "pooling";
    case LayerClass::kElementwise: return "element-wise";
    case LayerClass::kMove: return "move";
    case LayerClass::kOther: return "other";
  }
  return "";
}

}  // namespace deepedge
