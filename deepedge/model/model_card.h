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
#include "deepedge/model/variant.h"

namespace deepedge {

enum class TensorLayout { kNchw, kNhwc };

// The picture that a model takes: scaled to width x height by `resize`, channels in `order`, each value
// (v - mean[c]) / std[c] with v in 0..255.
struct PictureInput {
  std::string tensor;  // name of the input; empty: the model's only input
  TensorLayout layout = TensorLayout::kNchw;
  // The tensor holds columns where others hold rows: [N, C, width, height] or [N, width, height, C], as networks
  // trained with MATLAB have it. width and height stay the picture's.
  bool transposed = false;
  int width = 0;
  int height = 0;
  ChannelOrder order = ChannelOrder::kRgb;
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> std{1, 1, 1};
  ResizeRule resize = ResizeRule::kStretch;
  uint8_t pad = 114;
  // Over 0: the picture is looked at in several sizes: width x height, then each `pyramid` times the one before, as
  // long as a window of the output fits in. The graph is reshaped to each.
  float pyramid = 0;
  // Over 0: no picture but so many parts of one, each width x height, stacked along the channels. They are squares
  // around the points of an object, whose side is `patch_size` of the longer side of its box.
  int patches = 0;
  float patch_size = 0;

  // Pictures that make up one input.
  int Parts() const { return patches > 0 ? patches : 1; }

  friend bool operator==(const PictureInput&, const PictureInput&) = default;
};

// Names the function in pipeline/post that reads the outputs.
enum class OutputDecoderKind {
  kRaw,             // no reading: outputs are shown as tensors only
  kSsd,             // one tensor of rows (image, label, score, x1, y1, x2, y2): DetectionOutput
  kSsdAnchors,      // raw box offsets and class scores (and RetinaFace's landmarks), decoded against anchors
  kBoxesScores,     // boxes already decoded (`box_form`) and class scores (and landmarks), without suppression
  kDetections,      // boxes (`columns`), classes, scores and (optional) count: suppression inside the graph
  kYolox,           // rows of cx, cy, w, h, objectness, class scores on grids of several strides
  kYoloAnchors,     // YOLO v2, v3, v4, v5, v7: one raw map per scale, `heads` gives their anchors
  kYoloRows,        // decoded rows of box, [objectness], class scores, [key points]: exports of YOLO v5, v7, v8, v11
  kDetectionRows,   // rows of `columns` (box, score, class), suppressed inside the graph: YOLOv10, end-to-end exports
  kDfl,             // distances of the four sides from a cell, each one number or `bins` weights: NanoDet, YOLOv8, FCOS
  kFastestGrid,     // FastestDet: one map of objectness, 4 box numbers, class scores
  kYunet,           // YuNet faces: class, objectness, box and points per stride, or (with anchors) loc, conf, iou
  kCenternet,       // heat map of centres, sizes, offsets
  kClassification,  // one score per class; several outputs with `class_heads`; `values` beside them
  kPose,            // rows of y, x, score: one person; or 6 persons of 56 numbers (MoveNet multipose)
  kHeatmapPose,     // one heat map per point: one person; with part affinity fields (`pafs`) many
  kEmbedding,       // a vector that says who or what it is; compared by its cosine
  kSegmentation,    // a class for every pixel, as scores per class or as class numbers
  kTextMap,         // how likely each pixel is text (DB): regions of text
  kRegression,      // plain numbers with names: `values`, or one per label
  kWindow,          // whether a window holds a thing and how its box lies to it, for one window or a map of them: MTCNN
  kPatchPoints,     // where in each of several patches its point lies: key points
};

// What four numbers of a box mean.
enum class BoxForm {
  kCorners,     // x1 y1 x2 y2
  kCenterSize,  // cx cy w h
  kCornerSize,  // x1 y1 w h
};

// How kYoloAnchors makes a box size from its number t and the anchor.
enum class YoloBoxRule {
  kExp,     // exp(t) * anchor: v2, v3, v4
  kSquare,  // (2 * logistic(t))^2 * anchor: v5, v7, Darknet's new_coords
};

// What one column of a row holds.
enum class RowColumn { kX1, kY1, kX2, kY2, kCenterX, kCenterY, kWidth, kHeight, kScore, kClass, kIgnored };

// One scale of a head that works on several. Tensors without a name are found by the size of their map, so `stride` or
// a name is needed.
struct OutputHead {
  int stride = 0;         // pixels of the input between two cells; 0: from the size of the named map
  std::string boxes;      // kYoloAnchors: the whole map
  std::string scores;     // kDfl, kYunet: class scores
  std::string quality;    // kDfl, kYunet: what multiplies them: objectness, centre-ness, IoU
  std::string landmarks;  // kDfl, kYunet
  std::vector<std::array<float, 2>> anchors;  // kYoloAnchors: width, height in pixels of the input

  friend bool operator==(const OutputHead&, const OutputHead&) = default;
};

// One of several lists of class scores, such as the gender of an age and gender network.
struct ClassHead {
  std::string name;    // what the result calls it
  std::string tensor;  // empty: found by the number of classes
  int classes = 0;     // how many entries of the card's labels are its own; heads follow each other there

  friend bool operator==(const ClassHead&, const ClassHead&) = default;
};

// A plain number: element `index` of a tensor, times `scale`, plus `offset`.
struct ValueSpec {
  std::string name;
  std::string tensor;  // empty: the only one that no other role takes
  int index = 0;
  float scale = 1;
  float offset = 0;
  std::string unit;  // for the reader only: "years"

  friend bool operator==(const ValueSpec&, const ValueSpec&) = default;
};

// Two points that belong together, and the channels of the part affinity field that says how.
struct Limb {
  int from = 0;
  int to = 0;
  int x_channel = 0;
  int y_channel = 0;

  friend bool operator==(const Limb&, const Limb&) = default;
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
  std::string landmarks;  // kSsdAnchors, kBoxesScores, kCenternet: key points in a tensor of their own
  std::string quality;    // kYunet with anchors: the IoU
  // kCenternet: where in its cell a centre lies; kHeatmapPose: where a point lies (PoseNet); kWindow: how far the
  // corners of the box lie from those of the window.
  std::string offsets;
  std::string pafs;    // kHeatmapPose: part affinity fields; empty: one person
  std::string tensor;  // of the kinds that read one: kEmbedding, kSegmentation, kTextMap, kRegression, kHeatmapPose
  std::vector<std::string> tensors;    // kPatchPoints: one for each patch, in their order; empty: the graph's order
  std::vector<OutputHead> heads;       // kYoloAnchors always; kDfl, kYunet where names are needed
  std::vector<ClassHead> class_heads;  // kClassification with several outputs
  std::vector<ValueSpec> values;       // kRegression, kClassification

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
  int keypoints = 0;                 // points of each object: behind its four box numbers, or in `landmarks`
  std::vector<AnchorLevel> anchors;  // kSsdAnchors: one of `anchors` and `anchor_rule`
  std::optional<SsdAnchorRule> anchor_rule;
  std::vector<int> strides{8, 16, 32};  // kYolox, kDfl, kYunet

  // Form of rows and maps.
  bool objectness = false;          // kYoloAnchors, kYoloRows, kDfl: one more number multiplies the class scores
  std::optional<BoxForm> box_form;  // kYoloRows (default kCenterSize), kBoxesScores (default kCorners)
  // kYoloRows: numbers per point, 2 (x, y) or 3 (x, y, score); whether they stand before the class scores; and how many
  // numbers at the end of a row nobody reads (mask coefficients).
  int keypoint_size = 2;
  bool keypoints_first = false;
  int ignored_columns = 0;
  // kDetectionRows (default x1 y1 x2 y2 score class), kDetections (the 4 box numbers, default y1 x1 y2 x2).
  std::vector<RowColumn> columns;

  // kYoloAnchors: x, y are v * scale_xy - (scale_xy - 1) / 2 cells; 0: 1 for kExp, 2 for kSquare. `activated` says that
  // the graph applied the logistic function (softmax) to all numbers itself; else the decoder does: x, y, objectness,
  // for kSquare w, h, and the class scores (softmax where `softmax`).
  YoloBoxRule box_rule = YoloBoxRule::kExp;
  float scale_xy = 0;
  bool activated = false;
  // kYoloAnchors: the class scores of a cell belong to all its anchors (Yolo-FastestV2): the map holds the box numbers
  // of every anchor, the objectness of every anchor, the class scores.
  bool shared_classes = false;

  // kDfl: how many weights stand for one distance (NanoDet 8, YOLOv8 16); 1: the distance itself. Distances are in
  // cells (else pixels). A cell's own place is (column + cell_offset) * stride: default 0.5 for kDfl, 0 for kCenternet.
  int bins = 1;
  bool distances_in_pixels = false;
  std::optional<float> cell_offset;
  bool boxes_first = false;  // kDfl with rows of scores and box in one tensor: the box stands first
  int boxes_per_cell = 1;    // kDfl: SCRFD has 2

  bool log_sizes = false;     // kCenternet: sizes are logarithms of cells (CenterFace)
  bool l2_normalize = false;  // kEmbedding: scale the vector to the length 1
  bool class_ids = false;     // kSegmentation: the numbers are classes, not scores

  // kTextMap: a pixel is text from `map_threshold` on; a region whose mean is under the card's threshold is dropped; a
  // region grows by area * unclip / perimeter on each side. `rotated`: the smallest rectangle of any angle.
  // kHeatmapPose with pafs: peaks under `map_threshold` are no points.
  float map_threshold = 0.3F;
  float unclip = 1.5F;
  bool rotated = true;

  // kWindow: side of a window and distance of two in pixels of the input; 0: one window, the whole input.
  int window = 0;
  int stride = 0;
  // kPatchPoints: a point that lies further than this from the middle of its patch, as a share of the patch's side, is
  // not believed: it stays in the middle.
  float max_move = 0.35F;

  std::vector<std::string> point_names;  // names of the key points; the card's labels name the objects
  std::vector<Limb> limbs;               // kHeatmapPose with pafs; empty: OpenPose's own for 18 points

  float nms_iou = 0.45F;
  float merge_iou = 0.7F;     // the same between the sizes of a pyramid
  bool nms_per_label = true;  // false: boxes of different labels suppress each other too
  int top_k = 5;              // kClassification: how many classes a result names
  // What an integer score means: (value - score_zero) * score_scale.
  float score_scale = 1.0F;
  float score_zero = 0.0F;

  friend bool operator==(const OutputDecoderSpec&, const OutputDecoderSpec&) = default;
};

struct ModelCard {
  std::string name;
  std::string task;  // detection, classification, pose, embedding, segmentation, text, regression, raw
  PictureInput input;
  OutputDecoderSpec output;
  std::vector<std::string> labels;
  std::vector<VariantCard> variants;
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
