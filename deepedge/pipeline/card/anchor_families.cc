// Detectors with anchors whose boxes and scores come as two tables: SSD, UltraFace, RetinaFace, BlazeFace, face masks.
// How many anchors a cell has is read from the feature maps in the graph; how large they are is a convention of each
// family, recognised by the numbers of maps and of anchors a cell.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "deepedge/pipeline/card/output_shapes.h"
#include "deepedge/pipeline/card/proposal.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

struct Level {
  int rows = 0;
  int columns = 0;
  int boxes = 0;  // a cell
};

struct Head {
  Table boxes;
  Table scores;
  std::optional<Table> landmarks;
  std::vector<Level> levels;  // empty: not seen in the graph
  bool tflite_operation = false;
};

std::optional<Head> FindHead(const Evidence& evidence) {
  const auto& outputs = evidence.graph.outputs;
  if (outputs.size() < 2 || outputs.size() > 4) return std::nullopt;
  std::vector<Table> tables;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto table = AsRows(evidence, i);
    if (table && (table->rows > 16 || table->rows < 0)) tables.push_back(*table);
  }
  Head head;
  head.tflite_operation = EndsIn(evidence, 0, "TFLite_Detection_PostProcess");
  if (head.tflite_operation && tables.size() >= 2) {
    head.boxes = tables[0];
    head.scores = tables[1];
    return head.boxes.columns == 4 && head.boxes.rows == head.scores.rows ? std::optional(head) : std::nullopt;
  }
  std::optional<Table> boxes, scores;
  // Four columns of scores look like a box: the name decides, then the order of finding.
  for (const bool by_name : {true, false}) {
    for (const Table& table : tables) {
      const bool is_boxes =
          table.columns == 4 || (table.columns >= 12 && table.columns <= 18 && table.columns % 2 == 0);
      const bool named = NameHas(evidence, table.output, "box") || NameHas(evidence, table.output, "loc") ||
                         NameHas(evidence, table.output, "regress");
      if (!boxes && is_boxes && (!by_name || named)) boxes = table;
    }
  }
  if (!boxes) return std::nullopt;
  for (const Table& table : tables) {
    if (table.output == boxes->output || table.rows != boxes->rows) continue;
    const bool points = table.columns == 10 || NameHas(evidence, table.output, "land");
    if (points && tables.size() > 2 && !head.landmarks) {
      head.landmarks = table;
    } else if (!scores) {
      scores = table;
    }
  }
  if (!scores) return std::nullopt;
  head.boxes = *boxes;
  head.scores = *scores;
  return head;
}

// Two flat lists of an SSD, boxes and scores: how many boxes a cell has follows from the channels of the maps.
std::optional<Head> FindFlatHead(const Evidence& evidence) {
  const auto& outputs = evidence.graph.outputs;
  if (outputs.size() != 2) return std::nullopt;
  size_t boxes = 2;
  for (size_t i = 0; i < 2; ++i) {
    if (WithoutBatch(outputs[i].shape).size() != 1) return std::nullopt;
    const bool scores_named = NameHas(evidence, i, "conf") || NameHas(evidence, i, "score");  // "mbox_conf"
    const bool boxes_named = NameHas(evidence, i, "loc") || NameHas(evidence, i, "box");
    if (boxes == 2 && boxes_named && !scores_named) boxes = i;
  }
  if (boxes == 2) return std::nullopt;
  const size_t scores = 1 - boxes;
  const auto& box_maps = evidence.Facts(boxes).maps;
  const auto& score_maps = evidence.Facts(scores).maps;
  if (box_maps.empty() || box_maps.size() != score_maps.size() || box_maps.size() > 16) return std::nullopt;
  Head head;
  int64_t classes = 0;
  for (size_t i = 0; i < box_maps.size(); ++i) {
    const int count = box_maps[i].channels / 4;
    if (count < 1 || box_maps[i].channels % 4 != 0 || score_maps[i].channels % count != 0) return std::nullopt;
    if (i > 0 && score_maps[i].channels / count != classes) return std::nullopt;
    classes = score_maps[i].channels / count;
    head.levels.push_back({box_maps[i].rows, box_maps[i].columns, count});
  }
  const int64_t box_numbers = ListLength(outputs[boxes].shape);
  const int64_t score_numbers = ListLength(outputs[scores].shape);
  if (classes < 1) return std::nullopt;
  const int64_t rows = score_numbers > 1 ? score_numbers / classes : box_numbers > 1 ? box_numbers / 4 : -1;
  head.boxes = {.output = boxes, .rows = rows, .columns = 4};
  head.scores = {.output = scores, .rows = rows, .columns = classes};
  return head;
}

// The maps that the boxes come from, where their cells add up to the rows.
std::vector<Level> FindLevels(const Evidence& evidence, const Table& boxes) {
  std::vector<Level> levels;
  int64_t rows = 0;
  for (const MapFacts& map : evidence.Facts(boxes.output).maps) {
    if (map.rows < 1 || map.columns < 1 || map.channels < 1 || map.channels % boxes.columns != 0) return {};
    const Level level{map.rows, map.columns, static_cast<int>(map.channels / boxes.columns)};
    rows += int64_t{level.rows} * level.columns * level.boxes;
    levels.push_back(level);
    if (levels.size() > 16) return {};
  }
  if (rows != boxes.rows && boxes.rows > 0) return {};
  // Two maps of one size for different anchors of the same cells are told apart from a pyramid by its falling sizes.
  return levels;
}

std::vector<Level> LevelsOf(const Evidence& evidence, const std::vector<int>& strides, const std::vector<int>& boxes) {
  std::vector<Level> levels;
  for (size_t i = 0; i < strides.size(); ++i) {
    const int s = strides[i];
    levels.push_back({(evidence.picture->height + s - 1) / s, (evidence.picture->width + s - 1) / s, boxes[i]});
  }
  return levels;
}

int64_t CountRows(const std::vector<Level>& levels) {
  int64_t rows = 0;
  for (const Level& level : levels) rows += int64_t{level.rows} * level.columns * level.boxes;
  return rows;
}

bool SameBoxes(const std::vector<Level>& levels, const std::vector<int>& boxes) {
  return levels.size() == boxes.size() &&
         std::equal(levels.begin(), levels.end(), boxes.begin(),
                    [](const Level& level, int count) { return level.boxes == count; });
}

using Sizes = std::vector<std::vector<float>>;

// Square anchors given in pixels, centres half a stride from the corner.
std::vector<AnchorLevel> SquareAnchors(const Evidence& evidence, const std::vector<int>& strides, const Sizes& sizes) {
  const auto width = static_cast<float>(evidence.picture->width);
  const auto height = static_cast<float>(evidence.picture->height);
  std::vector<AnchorLevel> anchors;
  for (size_t i = 0; i < strides.size(); ++i) {
    const int s = strides[i];
    AnchorLevel level{.columns = (evidence.picture->width + s - 1) / s, .rows = (evidence.picture->height + s - 1) / s};
    for (const float size : sizes[i]) level.sizes.push_back({size / width, size / height});
    level.step = {static_cast<float>(s) / width, static_cast<float>(s) / height};
    anchors.push_back(level);
  }
  return anchors;
}

// Face mask networks: two squares a cell and the smaller of them in two narrow forms.
std::vector<AnchorLevel> MaskAnchors(const std::vector<Level>& levels) {
  static constexpr std::array<std::array<float, 2>, 5> kSizes{
      {{.04F, .056F}, {.08F, .11F}, {.16F, .22F}, {.32F, .45F}, {.64F, .72F}}};
  std::vector<AnchorLevel> anchors;
  for (size_t i = 0; i < levels.size(); ++i) {
    AnchorLevel level{.columns = levels[i].columns, .rows = levels[i].rows};
    const auto [small, large] = kSizes[i];
    level.sizes = {{small, small}, {large, large}};
    for (const float ratio : {0.62F, 0.42F}) {
      level.sizes.push_back({small * std::sqrt(ratio), small / std::sqrt(ratio)});
    }
    anchors.push_back(level);
  }
  return anchors;
}

// The original SSD for 300x300: one scale and the next one's square, then the ratios.
std::vector<AnchorLevel> Ssd300Anchors(const std::vector<Level>& levels) {
  static constexpr std::array<float, 7> kScales{30, 60, 111, 162, 213, 264, 315};
  static constexpr std::array<float, 6> kSteps{8, 16, 32, 64, 100, 300};
  std::vector<AnchorLevel> anchors;
  for (size_t i = 0; i < levels.size(); ++i) {
    AnchorLevel level{.columns = levels[i].columns, .rows = levels[i].rows};
    const float scale = kScales[i] / 300;
    const float between = std::sqrt(kScales[i] * kScales[i + 1]) / 300;
    level.sizes = {{scale, scale}, {between, between}};
    for (const float ratio : {2.0F, 3.0F}) {
      if (static_cast<int>(level.sizes.size()) >= levels[i].boxes) break;
      const float root = std::sqrt(ratio);
      level.sizes.push_back({scale * root, scale / root});
      level.sizes.push_back({scale / root, scale * root});
    }
    level.step = {kSteps[i] / 300, kSteps[i] / 300};
    anchors.push_back(level);
  }
  return anchors;
}

// Class scores: which activation is still to be applied, which class is the background.
void ReadScores(const Evidence& evidence, const Table& scores, bool background_usual, OutputDecoderSpec* output) {
  const bool done_softmax = EndsIn(evidence, scores.output, "Softmax");
  const bool done_sigmoid = EndsIn(evidence, scores.output, "Sigmoid");
  const bool named = NameHas(evidence, scores.output, "soft") || NameHas(evidence, scores.output, "prob") ||
                     NameHas(evidence, scores.output, "sigmoid");
  const bool facts = !evidence.graph.facts.outputs.empty();
  if (!done_softmax && !done_sigmoid && (facts || !named)) {
    const bool exclusive = background_usual && scores.columns > 1 && evidence.format != ModelFormat::kTflite;
    (exclusive ? output->softmax : output->sigmoid) = true;
  }
  const bool background = scores.columns > 1 && (done_softmax || output->softmax ||
                                                 (background_usual && !done_sigmoid) || scores.columns == 91);
  if (background) {
    output->background = 0;
    output->label_offset = 1;
  }
}

Proposal BeginProposal(const Evidence& evidence, const Head& head, std::string family, double confidence) {
  Proposal proposal{.family = std::move(family), .confidence = confidence};
  proposal.output.kind = Kind::kSsdAnchors;
  proposal.output.boxes = NameOfOutput(evidence, head.boxes.output);
  proposal.output.scores = NameOfOutput(evidence, head.scores.output);
  if (head.landmarks) {
    proposal.output.landmarks = NameOfOutput(evidence, head.landmarks->output);
    proposal.output.keypoints = static_cast<int>(head.landmarks->columns / 2);
  }
  proposal.reason = fmt::format("{} and {}: {} boxes on anchors", ShapeOfOutput(evidence, head.boxes.output),
                                ShapeOfOutput(evidence, head.scores.output), head.boxes.rows);
  return proposal;
}

void Finish(const Head& head, Proposal* proposal) {
  const bool face = proposal->labels.size() == 1;
  const int64_t background = proposal->output.background >= 0 ? 1 : 0;
  proposal->classes = static_cast<int>(head.scores.columns - background);
  if (face && proposal->classes != 1) proposal->labels.clear();
}

// Faces on small squares, SSD's variances.
std::optional<Proposal> ProposeFaces(const Evidence& evidence, const Head& head, const std::vector<Level>& levels) {
  struct Family {
    const char* name;
    std::vector<int> strides;
    std::vector<int> boxes;
    Sizes sizes;
    InputHabit input;
    bool letterbox;
  };
  static const std::vector<Family> kFamilies = {
      {"UltraFace",
       {8, 16, 32, 64},
       {3, 2, 2, 3},
       {{10, 16, 24}, {32, 48}, {64, 96}, {128, 192, 256}},
       {.order = ChannelOrder::kRgb, .values = kFace127, .resize = ResizeRule::kStretch, .confidence = 0.85},
       false},
      {"RetinaFace",
       {8, 16, 32},
       {2, 2, 2},
       {{16, 32}, {64, 128}, {256, 512}},
       {.order = ChannelOrder::kBgr,
        .values = kCaffeBgr,
        .resize = ResizeRule::kLetterboxTopLeft,
        .pad = 0,
        .confidence = 0.85,
        .free_width = 640,
        .free_height = 640},
       true},
  };
  if (head.scores.columns != 2 || head.boxes.columns != 4) return std::nullopt;
  for (const Family& family : kFamilies) {
    const bool by_maps = SameBoxes(levels, family.boxes);
    const bool by_rows = CountRows(LevelsOf(evidence, family.strides, family.boxes)) == head.boxes.rows;
    if (!by_rows) continue;
    Proposal proposal = BeginProposal(evidence, head, family.name, by_maps ? 0.95 : 0.85);
    proposal.output.anchors = SquareAnchors(evidence, family.strides, family.sizes);
    proposal.output.nms_iou = 0.3F;
    proposal.input = family.input;
    proposal.labels = {"face"};
    proposal.labels_reason = fmt::format("{} finds faces", family.name);
    proposal.threshold = 0.6F;
    ReadScores(evidence, head.scores, true, &proposal.output);
    return proposal;
  }
  return std::nullopt;
}

std::optional<Proposal> ProposeMasks(const Evidence& evidence, const Head& head, const std::vector<Level>& levels) {
  std::vector<Level> maps = levels;
  if (maps.empty() && head.boxes.rows == 5972) maps = {{33, 33, 4}, {17, 17, 4}, {9, 9, 4}, {5, 5, 4}, {3, 3, 4}};
  if (!SameBoxes(maps, {4, 4, 4, 4, 4})) return std::nullopt;
  Proposal proposal = BeginProposal(evidence, head, "five-map face mask network", levels.empty() ? 0.8 : 0.9);
  proposal.output.anchors = MaskAnchors(maps);
  proposal.output.nms_per_label = false;  // a face is masked or not, never both
  proposal.output.nms_iou = 0.4F;
  proposal.input = {.order = ChannelOrder::kRgb, .values = kUnit, .resize = ResizeRule::kStretch, .confidence = 0.75};
  // Independent scores without a background. Graphs whose last operation is unknown give probabilities too.
  const bool done = EndsIn(evidence, head.scores.output, "Sigmoid") ||
                    EndsIn(evidence, head.scores.output, "Softmax") || evidence.graph.facts.outputs.empty();
  proposal.output.sigmoid = !done;
  if (head.scores.columns == 2) {
    proposal.labels = {"mask", "no_mask"};
    proposal.labels_reason = "face mask networks of this form have these two";
  }
  return proposal;
}

struct MediaPipeForm {
  std::vector<int> strides;
  std::vector<int> boxes;
  bool interpolated = true;
};

std::optional<Proposal> ProposeBlazeFace(const Evidence& evidence, const Head& head) {
  if (head.boxes.columns < 12 || head.scores.columns != 1) return std::nullopt;
  static const std::vector<MediaPipeForm> kForms = {{{8, 16, 16, 16}, {2, 2, 2, 2}},
                                                    {{16, 32, 32, 32}, {2, 2, 2, 2}},
                                                    {{8, 16, 32, 32, 32}, {2, 2, 2, 2, 2}},
                                                    {{4}, {1}, false}};
  for (const MediaPipeForm& form : kForms) {
    if (CountRows(LevelsOf(evidence, form.strides, form.boxes)) != head.boxes.rows) continue;
    Proposal proposal = BeginProposal(evidence, head, "BlazeFace", 0.92);
    proposal.output.linear_offsets = true;
    proposal.output.keypoints = static_cast<int>((head.boxes.columns - 4) / 2);
    proposal.output.nms_iou = 0.3F;
    proposal.output.sigmoid = !EndsIn(evidence, head.scores.output, "Sigmoid");
    proposal.output.anchor_rule = SsdAnchorRule{
        .strides = form.strides, .aspect_ratios = {1.0F}, .interpolated_square = form.interpolated, .unit_sizes = true};
    const bool palm = head.boxes.columns == 18;
    // Palms are found in 0..1 since MediaPipe 0.8.7, faces in -1..1.
    proposal.input = {.order = ChannelOrder::kRgb,
                      .values = palm ? kUnit : kPlusMinusOne,
                      .resize = ResizeRule::kLetterboxCentered,
                      .pad = 0,
                      .confidence = palm ? 0.7 : 0.9};
    const bool body = head.boxes.columns == 12;  // middle of the hips, size and turn, the same of the shoulders
    proposal.labels = {palm ? "palm" : body ? "person" : "face"};
    proposal.labels_reason = fmt::format("{} points a box", proposal.output.keypoints);
    proposal.threshold = 0.5F;
    return proposal;
  }
  return std::nullopt;
}

std::optional<Proposal> ProposeTfSsd(const Evidence& evidence, const Head& head, const std::vector<Level>& levels) {
  if (head.boxes.columns != 4) return std::nullopt;
  const std::vector<int> strides{16, 32, 64, 128, 256, 512};
  const bool by_rows = CountRows(LevelsOf(evidence, strides, {3, 6, 6, 6, 6, 6})) == head.boxes.rows;
  if (!by_rows || (!levels.empty() && !SameBoxes(levels, {3, 6, 6, 6, 6, 6}))) return std::nullopt;
  const bool tensorflow = evidence.format != ModelFormat::kCaffe && evidence.format != ModelFormat::kPaddle;
  Proposal proposal = BeginProposal(evidence, head, "TensorFlow SSD", tensorflow ? 0.9 : 0.5);
  proposal.output.anchor_rule =
      SsdAnchorRule{.strides = strides, .min_scale = 0.2F, .max_scale = 0.95F, .reduce_lowest = true};
  proposal.output.yx_order = true;
  proposal.output.nms_iou = 0.6F;
  const bool done = EndsIn(evidence, head.scores.output, "Sigmoid") ||
                    EndsIn(evidence, head.scores.output, "Softmax") || head.tflite_operation;
  proposal.output.sigmoid = !done;
  proposal.output.background = 0;  // these networks always have one
  proposal.output.label_offset = 1;
  proposal.input = {
      .order = ChannelOrder::kRgb, .values = kPlusMinusOne, .resize = ResizeRule::kStretch, .confidence = 0.8};
  return proposal;
}

// Sizes of the maps where the graph leaves them open: those that are known for an input of 300 and give the right
// number of boxes.
std::vector<Level> WithKnownSizes(std::vector<Level> levels, int64_t rows) {
  if (levels.size() != 6 || levels[0].rows > 0) return levels;
  for (const auto& sizes : {std::array<int, 6>{38, 19, 10, 5, 3, 1}, std::array<int, 6>{38, 19, 10, 5, 5, 5}}) {
    for (size_t i = 0; i < sizes.size(); ++i) levels[i].rows = levels[i].columns = sizes[i];
    if (CountRows(levels) == rows) return levels;
  }
  return {};
}

std::optional<Proposal> ProposeSsd300(const Evidence& evidence, const Head& head, const std::vector<Level>& seen) {
  if (head.boxes.columns != 4) return std::nullopt;
  const std::vector<Level> levels = WithKnownSizes(seen, head.boxes.rows);
  if (!SameBoxes(levels, {4, 6, 6, 6, 4, 4})) return std::nullopt;
  Proposal proposal = BeginProposal(evidence, head, "SSD300", 0.8);
  proposal.output.anchors = Ssd300Anchors(levels);
  ReadScores(evidence, head.scores, true, &proposal.output);
  proposal.input = {.order = ChannelOrder::kBgr,
                    .values = kCaffeBgr,
                    .resize = ResizeRule::kStretch,
                    .confidence = 0.6,
                    .free_width = 300,
                    .free_height = 300};
  return proposal;
}

// The graph decodes its boxes itself.
std::optional<Proposal> ProposeDecoded(const Evidence& evidence, const Head& head, const std::optional<Proposal>& raw) {
  const OutputFacts& facts = evidence.Facts(head.boxes.output);
  if (head.boxes.columns != 4 || !(facts.exp_inside || facts.grid_inside || facts.square_inside)) return std::nullopt;
  Proposal proposal = raw ? *raw : BeginProposal(evidence, head, "decoded boxes", 0.7);
  proposal.output.kind = Kind::kBoxesScores;
  proposal.output.anchors.clear();
  proposal.output.anchor_rule.reset();
  proposal.output.variances = OutputDecoderSpec{}.variances;
  proposal.reason =
      fmt::format("{} and {}: the graph turns offsets into boxes itself", ShapeOfOutput(evidence, head.boxes.output),
                  ShapeOfOutput(evidence, head.scores.output));
  if (!raw) {
    ReadScores(evidence, head.scores, true, &proposal.output);
    proposal.input = {.order = ChannelOrder::kRgb, .resize = ResizeRule::kStretch, .confidence = 0.5};
  }
  return proposal;
}

}  // namespace

std::vector<Proposal> ProposeAnchorBoxes(const Evidence& evidence) {
  std::vector<Proposal> proposals;
  auto head = FindHead(evidence);
  if (!head) head = FindFlatHead(evidence);
  if (!head || !evidence.picture) return proposals;
  const std::vector<Level> levels = head->levels.empty() ? FindLevels(evidence, head->boxes) : head->levels;
  std::optional<Proposal> best;
  const auto consider = [&](std::optional<Proposal> proposal) {
    if (proposal && (!best || proposal->confidence > best->confidence)) best = std::move(proposal);
  };
  consider(ProposeFaces(evidence, *head, levels));
  consider(ProposeMasks(evidence, *head, levels));
  consider(ProposeBlazeFace(evidence, *head));
  consider(ProposeTfSsd(evidence, *head, levels));
  consider(ProposeSsd300(evidence, *head, levels));
  if (auto decoded = ProposeDecoded(evidence, *head, best)) best = std::move(decoded);
  if (!best) return proposals;
  Finish(*head, &*best);
  proposals.push_back(std::move(*best));
  return proposals;
}

}  // namespace deepedge
