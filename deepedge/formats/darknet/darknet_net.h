// A Darknet network as a checked list of layers: what each computes, from which layers, how large its output is and how
// many numbers of the weights file are its own. Every size is known and bounded before a byte of weights is read.
//
// Sizes are channels, rows and columns of one picture. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "deepedge/formats/darknet/darknet_cfg.h"

namespace deepedge {

struct DarknetSize {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;

  int64_t Count() const { return channels * height * width; }
  bool operator==(const DarknetSize&) const = default;
};

enum class DarknetActivation {
  kLinear,
  kLogistic,
  kLeaky,
  kRelu,
  kRelu6,
  kElu,
  kSelu,
  kGelu,
  kTanh,
  kMish,
  kSwish,
  kRelie,
  kRamp,
  kLoggy,
  kHardTanh,
};

struct DarknetConvolution {
  int64_t filters = 1;
  int64_t size = 1;
  int64_t stride_x = 1;
  int64_t stride_y = 1;
  int64_t padding = 0;  // on every side, in pixels
  int64_t dilation = 1;
  int64_t groups = 1;
  bool batch_normalize = false;
  DarknetActivation activation = DarknetActivation::kLogistic;
};

struct DarknetConnected {
  int64_t outputs = 1;
  bool batch_normalize = false;
  DarknetActivation activation = DarknetActivation::kLogistic;
};

struct DarknetBatchNorm {};

struct DarknetPool {
  bool average = false;  // over what lies inside the picture
  int64_t size = 1;
  int64_t stride_x = 1;
  int64_t stride_y = 1;
  int64_t padding = 0;  // of both sides together; the smaller half comes first
};

struct DarknetGlobalAverage {};

struct DarknetSoftmax {
  int64_t groups = 1;
  double temperature = 1;
};

struct DarknetRoute {
  std::vector<size_t> from;
  int64_t groups = 1;
  int64_t group = 0;
};

enum class DarknetShortcutWeights { kNone, kOnePerLayer, kOnePerChannel };
enum class DarknetNormalization { kNone, kRelu, kSoftmax };

// The layer before plus `from`, each with a weight when there are any. Only channels that both have are added; of a
// larger picture every second (third, ...) row and column.
struct DarknetShortcut {
  std::vector<size_t> from;
  DarknetShortcutWeights weights = DarknetShortcutWeights::kNone;
  DarknetNormalization normalization = DarknetNormalization::kNone;
  DarknetActivation activation = DarknetActivation::kLinear;
};

// `from` times the layer before, which in [scale_channels] holds one number for each channel or for each pixel, in
// [sam] one for each number.
struct DarknetProduct {
  size_t from = 0;
  DarknetActivation activation = DarknetActivation::kLinear;
};

struct DarknetUpsample {
  int64_t factor = 2;
  bool down = false;  // sums the pixels instead
  double scale = 1;
};

struct DarknetReorg {
  int64_t stride = 1;
  bool historic = true;  // [reorg] of YOLO v2, which mixes channels; else plain space to depth
};

struct DarknetCrop {
  int64_t top = 0;
  int64_t left = 0;
  double scale = 2;
  double shift = -1;
};

struct DarknetActivate {
  DarknetActivation activation = DarknetActivation::kLinear;
};

struct DarknetIdentity {};  // [dropout], [cost], [empty]

enum class DarknetHeadType { kYolo, kRegion, kDetection };

// The layer before is an output of the network, decoded elsewhere.
struct DarknetHead {
  DarknetHeadType type = DarknetHeadType::kYolo;
  std::vector<std::pair<double, double>> anchors;  // width and height in pixels of the network's input
  int64_t anchor_count = 0;                        // boxes in each cell
  int64_t classes = 0;
  int64_t side = 0;  // kDetection: cells on each side
  double scale_xy = 1;
  bool new_coords = false;
  bool softmax = false;
  bool square_root = false;  // kDetection: sizes are roots
  bool tree = false;         // classes form a tree
  std::string nms = "default";
  double beta_nms = 0.6;
};

using DarknetOperation =
    std::variant<DarknetConvolution, DarknetConnected, DarknetBatchNorm, DarknetPool, DarknetGlobalAverage,
                 DarknetSoftmax, DarknetRoute, DarknetShortcut, DarknetProduct, DarknetUpsample, DarknetReorg,
                 DarknetCrop, DarknetActivate, DarknetIdentity, DarknetHead>;

struct DarknetLayer {
  std::string type;  // of its section
  std::string name;  // "conv_12": short type and index
  DarknetSize in;    // output of the layer before
  DarknetSize out;
  int64_t weights = 0;  // floats of the weights file
  DarknetOperation operation;
};

struct DarknetNet {
  DarknetSize input;
  bool letter_box = false;  // pictures keep their proportions
  std::vector<DarknetLayer> layers;
  int64_t weights = 0;  // of all layers
};

// The layer by whose name what layer `index` gives is known: itself, or what stands before it when it changes nothing.
const DarknetLayer& NamingLayer(const DarknetNet& net, size_t index);

// Errors: kBadInput (numbers that make no sense, references out of range, sizes that do not fit), kUnsupported (a
// section or an option that is not read), naming file, layer and line.
Result<DarknetNet> ReadDarknetNet(const Path& file, std::string_view text);

}  // namespace deepedge
