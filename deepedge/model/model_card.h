// ModelCard: what has to be known about a network beyond its file, as `model.yaml` says it: what goes in,
// what comes out and how to read it, labels, licence and origin. Plain data; reading and writing are in
// model_card_io.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/media/geometry.h"
#include "deepedge/media/pixel_ops.h"

namespace deepedge {

enum class TensorLayout { kNchw, kNhwc };

// The picture that a model takes: scaled to width x height by `resize`, channels in `order`, each value
// (v - mean[c]) / std[c] with v in 0..255.
struct PictureInput {
  std::string tensor;  // name of the input; empty: the model's only input
  TensorLayout layout = TensorLayout::kNchw;
  int width = 0;
  int height = 0;
  ChannelOrder order = ChannelOrder::kRgb;
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> std{1, 1, 1};
  ResizeRule resize = ResizeRule::kStretch;
  uint8_t pad = 114;

  friend bool operator==(const PictureInput&, const PictureInput&) = default;
};

// Names the function in pipeline/post that reads the outputs.
enum class OutputDecoderKind {
  kRaw,             // no reading: outputs are shown as tensors only
  kSsd,             // one tensor of rows (image, label, score, x1, y1, x2, y2): DetectionOutput
  kSsdAnchors,      // raw box offsets and class scores, decoded against anchors
  kBoxesScores,     // boxes already decoded (x1 y1 x2 y2 as fractions) and class scores, without suppression
  kDetections,      // boxes (y1 x1 y2 x2), classes, scores and (optional) count: suppression inside the graph
  kYolox,           // rows of cx, cy, w, h, objectness, class scores on grids of several strides
  kClassification,  // one score per class
  kPose,            // one person: rows of y, x, score; `labels` names the points
};

// One feature map's share of the anchors of an SSD head: at the centre of every cell, one box per entry of `sizes`.
// Anchors are counted level by level, row by row, cell by cell.
struct AnchorLevel {
  int columns = 0;
  int rows = 0;
  std::vector<std::array<float, 2>> sizes;  // width, height as fractions of the input
  // Distance of two cells as fractions of the input; 0: 1/columns, 1/rows. Differs where the map was rounded up.
  std::array<float, 2> step{0, 0};

  friend bool operator==(const AnchorLevel&, const AnchorLevel&) = default;
};

// The rule by which TensorFlow's and MediaPipe's SSD heads make their anchors: map i of n has the scale
// s_i = min_scale + (max_scale - min_scale) * i / (n - 1), and at every cell one box of width s_i * sqrt(ratio), height
// s_i / sqrt(ratio) for every ratio, and one square of scale sqrt(s_i * s_(i+1)).
struct SsdAnchorRule {
  std::vector<int> strides;  // pixels between the cells of each map; maps of one stride are merged cell by cell
  float min_scale = 0.2F;
  float max_scale = 0.95F;
  std::vector<float> aspect_ratios{1.0F, 2.0F, 0.5F, 3.0F, 1.0F / 3.0F};
  bool interpolated_square = true;  // the square between two scales
  bool reduce_lowest = false;       // the first map has three boxes only: scale 0.1 and ratios 2 and 1/2
  bool unit_sizes = false;          // every anchor is as large as the input: only its centre matters (BlazeFace)

  friend bool operator==(const SsdAnchorRule&, const SsdAnchorRule&) = default;
};

struct OutputDecoderSpec {
  OutputDecoderKind kind = OutputDecoderKind::kRaw;
  // Names of the tensors in the role that the decoder gives them, in this order: boxes, scores, classes, count. Empty
  // names are found by shape.
  std::string boxes;
  std::string scores;
  std::string classes;
  std::string count;

  bool sigmoid = false;    // scores are logits of independent classes
  bool softmax = false;    // scores are logits of exclusive classes
  int background = -1;     // number of the class that means "nothing"; -1: none. Has no entry in `labels`.
  int label_offset = 0;    // the first entry of `labels` belongs to this number; 1 where class 0 is the background
  bool normalized = true;  // boxes are fractions of the input rather than pixels
  std::array<float, 4> variances{0.1F, 0.1F, 0.2F, 0.2F};  // cx, cy, w, h of anchor offsets
  // kSsdAnchors: true = offsets are (pixels / input size) from the anchor centre, sizes too (BlazeFace);
  // false = centre offsets times anchor size, log sizes (SSD).
  bool linear_offsets = false;
  bool yx_order = false;             // box tensors hold y before x
  int keypoints = 0;                 // points behind the four box numbers of each row
  std::vector<AnchorLevel> anchors;  // kSsdAnchors: one of `anchors` and `anchor_rule`
  std::optional<SsdAnchorRule> anchor_rule;
  std::vector<int> strides{8, 16, 32};  // kYolox
  float nms_iou = 0.45F;
  bool nms_per_label = true;  // false: boxes of different labels suppress each other too
  int top_k = 5;              // kClassification: how many classes a result names
  // What an integer score means: (value - score_zero) * score_scale.
  float score_scale = 1.0F;
  float score_zero = 0.0F;

  friend bool operator==(const OutputDecoderSpec&, const OutputDecoderSpec&) = default;
};

struct ModelCard {
  std::string name;
  std::string task;  // detection, classification, pose, raw
  PictureInput input;
  OutputDecoderSpec output;
  std::vector<std::string> labels;
  float threshold = 0.4F;  // objects under this score are not reported; a classification names its top_k always
  std::string licence;
  std::string source;
  std::string sha256;
  int version = 0;  // in a repository: which of the version folders beside it the card is for; 0: the last

  // The name of class `index`, or "class <index>" where the card has none.
  std::string LabelOf(int index) const;

  friend bool operator==(const ModelCard&, const ModelCard&) = default;
};

}  // namespace deepedge
