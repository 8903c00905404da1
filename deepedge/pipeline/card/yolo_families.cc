// YOLO: rows of boxes with class scores (YOLOX, v5 to v11, their key points and masks), and raw maps that need anchors
// (v2 to v4, Darknet, v5 and v7 without their last layer), FastestDet.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "deepedge/pipeline/card/output_shapes.h"
#include "deepedge/pipeline/card/proposal.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

constexpr int64_t kMostClasses = 20000;
constexpr int kMaskColumns = 32;
constexpr int64_t kFewestRows = 60;  // fewer are no grid

InputHabit UltralyticsHabit() {
  return {.order = ChannelOrder::kRgb,
          .values = kUnit,
          .resize = ResizeRule::kLetterboxCentered,
          .confidence = 0.9,
          .free_width = 640,
          .free_height = 640};
}

InputHabit YoloxHabit() {
  return {.order = ChannelOrder::kBgr,
          .values = kBytes,
          .resize = ResizeRule::kLetterboxTopLeft,
          .confidence = 0.85,
          .free_width = 640,
          .free_height = 640};
}

// Which grid has `rows` boxes: one, three (anchors) a cell.
struct Grid {
  std::vector<int> strides;
  int boxes = 1;
};

std::optional<Grid> FindGrid(const Evidence& evidence, int64_t rows) {
  if (rows < 1) return std::nullopt;
  for (const std::vector<int>& strides :
       std::vector<std::vector<int>>{{8, 16, 32}, {8, 16, 32, 64}, {16, 32}, {8, 16, 32, 64, 128}, {4, 8, 16, 32}}) {
    for (const int boxes : {1, 3}) {
      if (CountCells(evidence, strides) * boxes == rows || CountCells(evidence, strides, true) * boxes == rows) {
        return Grid{strides, boxes};
      }
    }
  }
  return std::nullopt;
}

// A second output with as many channels as masks have: YOLO's segmentation.
bool HasMaskOutput(const Evidence& evidence) {
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    const Shape& shape = evidence.graph.outputs[i].shape;
    if (shape.size() == 4 && (shape[1] == kMaskColumns || shape[3] == kMaskColumns)) return true;
  }
  return false;
}

// How the columns behind the box divide, where the graph joined them from parts: numbers of classes and of point
// columns. Points are parts between box and classes, or behind them, that no logistic function of their own covers.
struct Division {
  int64_t classes = 0;
  int64_t points = 0;  // columns
  bool points_first = false;
};

std::optional<Division> DivideByParts(const OutputFacts& facts, int64_t columns, bool objectness) {
  if (facts.parts.size() < 3) return std::nullopt;
  int64_t sum = 0;
  for (const ColumnPart& part : facts.parts) sum += part.columns;
  if (sum != columns) return std::nullopt;
  // Everything up to the box (and objectness) is taken as it comes; the rest are points and classes.
  int64_t at = 0;
  Division division;
  bool classes_seen = false;
  for (const ColumnPart& part : facts.parts) {
    const int64_t end = at + part.columns;
    const int64_t skip = objectness ? 5 : 4;
    const int64_t counted = std::max<int64_t>(0, end - std::max(at, skip));
    at = end;
    if (counted == 0) continue;
    const bool scores = part.sigmoid && !part.boxes && (counted != 2 || !classes_seen);
    if (scores && !classes_seen) {
      division.classes += counted;
      classes_seen = true;
    } else {
      division.points += counted;
      if (!classes_seen) division.points_first = true;
    }
  }
  if (!classes_seen) return std::nullopt;
  return division;
}

// Columns that well-known networks have: faces and people with points.
std::optional<Division> DivideByCustom(const Evidence& evidence, int64_t columns, bool objectness) {
  const int64_t rest = columns - (objectness ? 5 : 4);
  if (evidence.notes.keypoints && evidence.notes.keypoint_size) {
    const int64_t points = int64_t{*evidence.notes.keypoints} * *evidence.notes.keypoint_size;
    if (points < rest) return Division{rest - points, points, false};
  }
  if (rest == 52) return Division{1, 51, false};  // 17 points of a person
  const bool face = evidence.HasWord("face") || evidence.HasWord("head");
  const bool plate = evidence.HasWord("plate") || evidence.HasWord("lpr") || evidence.HasWord("y5fu");
  if (face && rest == 11) return Division{1, 10, objectness};
  if (face && rest == 16) return Division{1, 15, false};
  if (plate && rest > 8) return Division{rest - 8, 8, objectness};
  return std::nullopt;
}

struct YoloRows {
  Table table;
  bool transposed = false;
};

std::optional<YoloRows> FindRows(const Evidence& evidence) {
  // The first output that is a table of many rows; further ones are masks or the raw maps of an export for training.
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    const Shape& shape = evidence.graph.outputs[i].shape;
    const auto table = AsRows(evidence, i);
    if (!table || (shape.size() != 3 && shape.size() != 2) || std::max(table->rows, table->columns) < kFewestRows)
      continue;
    YoloRows rows{*table, false};
    if (FindGrid(evidence, table->columns) && table->rows >= 5 && table->rows < table->columns) {
      std::swap(rows.table.rows, rows.table.columns);
      rows.transposed = true;
    }
    return rows;
  }
  return std::nullopt;
}

// Is the box in fractions of the picture rather than in pixels? Only transformers without a grid do so.
Proposal BeginRows(const Evidence& evidence, const YoloRows& rows, std::string family, double confidence) {
  Proposal proposal{.family = std::move(family), .confidence = confidence};
  proposal.output.kind = Kind::kYoloRows;
  if (evidence.graph.outputs.size() > 1) proposal.output.boxes = NameOfOutput(evidence, rows.table.output);
  proposal.output.normalized = false;
  proposal.reason = fmt::format("{} holds {} rows of {} numbers", ShapeOfOutput(evidence, rows.table.output),
                                rows.table.rows, rows.table.columns);
  proposal.input = UltralyticsHabit();
  return proposal;
}

// Ultralytics' exports for TFLite divide boxes by the size of the picture, v5's for TensorFlow too. Others' conversions
// (v7) keep pixels.
void TakeFractions(const Evidence& evidence, const OutputFacts& facts, bool v5, Proposal* proposal) {
  const bool tensorflow = evidence.format == ModelFormat::kTfFrozen || evidence.format == ModelFormat::kTfSavedModel;
  if (evidence.format != ModelFormat::kTflite && !(v5 && tensorflow)) return;
  if (evidence.HasWord("yolov7") || evidence.HasWord("yolov6")) return;
  // v8 places its cells by constants: of a grid that is counted in cells there are some over 1.
  if (!v5 && facts.largest_place > 1.5F) return;
  proposal->output.normalized = true;
  const bool said = evidence.notes.family && evidence.notes.family->value == "ultralytics";
  proposal->confidence = said || facts.largest_place > 0 ? proposal->confidence : proposal->confidence - 0.1;
  proposal->reason += ", boxes in fractions as exports for TensorFlow Lite have them";
}

void TakePoints(const Division& division, Proposal* proposal) {
  if (division.points == 0) return;
  OutputDecoderSpec& output = proposal->output;
  output.keypoint_size = division.points % 3 == 0 && division.points % 2 != 0 ? 3 : 2;
  if (division.points == 51 || division.points == 63) output.keypoint_size = 3;
  output.keypoints = static_cast<int>(division.points / output.keypoint_size);
  output.keypoints_first = division.points_first;
  proposal->reason += fmt::format(", {} points among them", output.keypoints);
  if (output.keypoints == 17) {
    output.point_names = {"nose",           "left_eye",   "right_eye",   "left_ear",   "right_ear",   "left_shoulder",
                          "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
                          "right_hip",      "left_knee",  "right_knee",  "left_ankle", "right_ankle"};
    if (division.classes == 1) proposal->labels = {"person"};
    proposal->labels_reason = "17 points are those of a person";
  }
}

// v8, v9, v11: [1, 4 + classes, cells]; no objectness.
void ProposeWithoutObjectness(const Evidence& evidence, const YoloRows& rows, const Grid& grid,
                              std::vector<Proposal>* proposals) {
  const OutputFacts& facts = evidence.Facts(rows.table.output);
  const bool decoded = facts.grid_inside || facts.dfl_bins > 0 || evidence.graph.facts.outputs.empty();
  Proposal proposal = BeginRows(evidence, rows, "YOLOv8", decoded ? 0.95 : 0.7);
  proposal.reason +=
      fmt::format(", one a cell of grids of strides {} to {}", grid.strides.front(), grid.strides.back());
  int64_t columns = rows.table.columns;
  if (HasMaskOutput(evidence) && columns > 4 + kMaskColumns) {
    proposal.output.ignored_columns = kMaskColumns;
    columns -= kMaskColumns;
  }
  Division division{columns - 4, 0, false};
  if (const auto custom = DivideByCustom(evidence, columns, false)) {
    division = *custom;
  } else if (const auto parts = DivideByParts(facts, columns, false); parts && proposal.output.ignored_columns == 0) {
    division = *parts;
  }
  if (evidence.notes.task && evidence.notes.task->value == "obb") {
    proposal.output.ignored_columns = 1;
    division = {columns - 5, 0, false};
  }
  if (division.classes < 1) return;
  TakeFractions(evidence, facts, false, &proposal);
  TakePoints(division, &proposal);
  proposal.classes = static_cast<int>(division.classes);
  proposals->push_back(std::move(proposal));
}

// YOLOX, and its exports that decode the boxes themselves (YOLOv6 too).
void ProposeOneBoxACell(const Evidence& evidence, const YoloRows& rows, const Grid& grid,
                        std::vector<Proposal>* proposals) {
  const OutputFacts& facts = evidence.Facts(rows.table.output);
  const bool v6 = evidence.HasWord("yolov6") || evidence.HasWord("v6");
  Proposal proposal = BeginRows(evidence, rows, v6 ? "YOLOv6" : "YOLOX", 0.9);
  proposal.output.objectness = true;
  proposal.classes = static_cast<int>(rows.table.columns - 5);
  // YOLOX has logistic functions only.
  for (const ColumnPart& part : facts.parts) {
    if (part.softmax) return;
  }
  if (!v6) proposal.input = YoloxHabit();
  const bool decoded = facts.grid_inside || (facts.exp_inside && facts.maps.empty());
  if (!decoded) {
    proposal.output = {.kind = Kind::kYolox, .boxes = proposal.output.boxes, .strides = grid.strides};
    proposal.output.sigmoid = !evidence.graph.facts.outputs.empty() && !facts.sigmoid_inside;
  }
  proposal.reason += fmt::format(" on grids of strides {} to {}, {}", grid.strides.front(), grid.strides.back(),
                                 decoded ? "decoded inside the graph" : "without a grid inside the graph");
  proposals->push_back(std::move(proposal));
}

// v5, v7: three anchors a cell, objectness.
void ProposeAnchorRows(const Evidence& evidence, const YoloRows& rows, std::vector<Proposal>* proposals) {
  const OutputFacts& facts = evidence.Facts(rows.table.output);
  Proposal proposal = BeginRows(evidence, rows, "YOLOv5", 0.95);
  proposal.output.objectness = true;
  int64_t columns = rows.table.columns;
  if (HasMaskOutput(evidence) && columns > 5 + kMaskColumns) {
    proposal.output.ignored_columns = kMaskColumns;
    columns -= kMaskColumns;
  }
  Division division{columns - 5, 0, false};
  if (const auto parts = DivideByParts(facts, columns, true); parts && parts->classes > 0) {
    division = *parts;
  } else if (const auto custom = DivideByCustom(evidence, columns, true)) {
    division = *custom;
  }
  if (division.classes < 1) return;
  TakeFractions(evidence, facts, true, &proposal);
  TakePoints(division, &proposal);
  proposal.classes = static_cast<int>(division.classes);
  proposal.reason += ", three a cell of grids of strides 8 to 32";
  proposals->push_back(std::move(proposal));
}

// Transformers: a few hundred rows of box in fractions and class scores.
void ProposeQueries(const Evidence& evidence, const YoloRows& rows, std::vector<Proposal>* proposals) {
  if (rows.table.rows != 300 && rows.table.rows != 100 && rows.table.rows != 900) return;
  if (rows.table.columns < 8 || rows.table.columns > 400 || evidence.graph.outputs.size() != 1) return;
  Proposal proposal = BeginRows(evidence, rows, "RT-DETR", 0.6);
  proposal.output.normalized = true;
  proposal.input.resize = ResizeRule::kStretch;
  proposal.classes = static_cast<int>(rows.table.columns - 4);
  proposals->push_back(std::move(proposal));
}

// --- maps

using Anchors = std::vector<std::array<float, 2>>;

const Anchors kV3{{10, 13}, {16, 30}, {33, 23}, {30, 61}, {62, 45}, {59, 119}, {116, 90}, {156, 198}, {373, 326}};
const Anchors kV4{{12, 16}, {19, 36}, {40, 28}, {36, 75}, {76, 55}, {72, 146}, {142, 110}, {192, 243}, {459, 401}};
const Anchors kTinyV3{{10, 14}, {23, 27}, {37, 58}, {81, 82}, {135, 169}, {344, 319}};
const Anchors kV2Coco{
    {0.57273F, 0.677385F}, {1.87446F, 2.06253F}, {3.33843F, 5.47434F}, {7.88282F, 3.52778F}, {9.77052F, 9.16828F}};
const Anchors kV2Voc{
    {1.3221F, 1.73145F}, {3.19275F, 4.00944F}, {5.05587F, 8.09892F}, {9.47112F, 4.84053F}, {11.2364F, 10.0071F}};
const Anchors kTinyV2Voc{{1.08F, 1.19F}, {3.42F, 4.41F}, {6.63F, 11.38F}, {9.42F, 5.11F}, {16.62F, 10.52F}};

// A switch, however it is written.
bool IsOn(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end()) return false;
  if (it->is_boolean()) return it->get<bool>();
  return it->is_number() && it->get<double>() != 0;
}

// What our Darknet reader says of a head: anchors, classes, scales.
std::optional<Proposal> ProposeDarknet(const Evidence& evidence) {
  Proposal proposal{.family = "Darknet", .confidence = 0.98};
  proposal.output.kind = Kind::kYoloAnchors;
  proposal.output.objectness = true;
  bool letter_box = false;
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    const auto said = evidence.graph.metadata.find("darknet.head." + NameOfOutput(evidence, i));
    if (said == evidence.graph.metadata.end()) return std::nullopt;
    const auto head = nlohmann::json::parse(said->second, nullptr, false);
    if (!head.is_object()) return std::nullopt;
    try {
      OutputHead out{.boxes = NameOfOutput(evidence, i)};
      const auto& anchors = head.at("anchors");
      for (size_t a = 0; a < anchors.size() && a < 64; ++a) {
        if (anchors[a].is_array()) {
          out.anchors.push_back({anchors[a].at(0).get<float>(), anchors[a].at(1).get<float>()});
        } else if (a % 2 == 1) {
          out.anchors.push_back({anchors[a - 1].get<float>(), anchors[a].get<float>()});
        }
      }
      proposal.classes = head.at("classes").get<int>();
      proposal.output.scale_xy = head.value("scale_xy", 0.0F);
      if (proposal.output.scale_xy == 1.0F) proposal.output.scale_xy = 0;
      if (IsOn(head, "new_coords")) {
        proposal.output.box_rule = YoloBoxRule::kSquare;
        proposal.output.activated = true;
      }
      proposal.output.softmax = head.value("type", "") == "region" && IsOn(head, "softmax");
      proposal.output.heads.push_back(std::move(out));
    } catch (const nlohmann::json::exception&) {
      return std::nullopt;
    }
  }
  if (const auto net = evidence.graph.metadata.find("darknet.net"); net != evidence.graph.metadata.end()) {
    const auto read = nlohmann::json::parse(net->second, nullptr, false);
    letter_box = read.is_object() && IsOn(read, "letter_box");
  }
  proposal.reason = "the network's own description gives anchors and classes of every head";
  proposal.input = {.order = ChannelOrder::kRgb,
                    .values = kUnit,
                    .resize = letter_box ? ResizeRule::kLetterboxCentered : ResizeRule::kStretch,
                    .pad = 127,
                    .confidence = 0.95};
  return proposal;
}

// One map per scale, all with anchors x (5 + classes) channels.
std::optional<Proposal> ProposeAnchorMaps(const Evidence& evidence) {
  const size_t count = evidence.graph.outputs.size();
  if (count < 1 || count > 4) return std::nullopt;
  struct Scale {
    OutputMap map;
    int stride;
  };
  std::vector<Scale> scales;
  for (size_t i = 0; i < count; ++i) {
    Shape shape = evidence.graph.outputs[i].shape;
    std::optional<OutputMap> map;
    if (shape.size() == 5 && shape[1] == 3 &&
        shape[4] > 5) {  // v5 without its last layer: 1, 3, rows, columns, numbers
      map = OutputMap{i, 3 * shape[4], shape[2], shape[3], false};
    } else {
      map = AsMap(evidence, i);
    }
    if (!map || map->channels < 18) return std::nullopt;
    scales.push_back({*map, StrideOf(evidence, *map)});
    if (scales.back().stride < 8 || map->channels != scales[0].map.channels) return std::nullopt;
  }
  std::sort(scales.begin(), scales.end(), [](const Scale& a, const Scale& b) { return a.stride < b.stride; });
  const int64_t channels = scales[0].map.channels;
  const bool v2 = count == 1 && channels % 5 == 0 && channels / 5 > 5 && scales[0].stride == 32;
  const int64_t boxes = v2 ? 5 : 3;
  if (channels % boxes != 0 || channels / boxes < 6 || (count == 1 && !v2)) return std::nullopt;
  const int64_t classes = channels / boxes - 5;
  if (classes > kMostClasses) return std::nullopt;

  const OutputFacts& facts = evidence.Facts(scales[0].map.output);
  const bool five =
      evidence.graph.outputs[0].shape.size() == 5 || evidence.HasWord("yolov5") || evidence.HasWord("yolov7");
  Proposal proposal{.family = v2           ? "YOLOv2"
                              : five       ? "YOLOv5"
                              : count == 2 ? "tiny YOLO"
                                           : "YOLOv3",
                    .confidence = 0.75};
  OutputDecoderSpec& output = proposal.output;
  output.kind = Kind::kYoloAnchors;
  output.objectness = true;
  output.softmax = v2;
  output.activated = facts.operation == "Sigmoid";
  if (five) output.box_rule = YoloBoxRule::kSquare;
  const bool four = evidence.HasWord("yolov4") || evidence.HasWord("yolo-v4");
  const bool tiny_v2 = evidence.HasWord("tiny");
  const Anchors& all = v2           ? (classes == 20 ? (tiny_v2 ? kTinyV2Voc : kV2Voc) : kV2Coco)
                       : count == 2 ? kTinyV3
                       : four       ? kV4
                                    : kV3;
  for (size_t i = 0; i < scales.size(); ++i) {
    OutputHead head{.stride = scales[i].stride, .boxes = NameOfOutput(evidence, scales[i].map.output)};
    for (int64_t a = 0; a < boxes; ++a) {
      const size_t at = i * static_cast<size_t>(boxes) + static_cast<size_t>(a);
      if (at >= all.size()) return std::nullopt;
      const float scale = v2 ? static_cast<float>(scales[i].stride) : 1.0F;
      head.anchors.push_back({all[at][0] * scale, all[at][1] * scale});
    }
    output.heads.push_back(std::move(head));
  }
  proposal.classes = static_cast<int>(classes);
  proposal.reason = fmt::format("{} maps of {} x (5 + {}) channels; anchors are those published for {}", count, boxes,
                                classes, proposal.family);
  proposal.input = five ? UltralyticsHabit()
                        : InputHabit{.order = ChannelOrder::kRgb,
                                     .values = kUnit,
                                     .resize = ResizeRule::kLetterboxCentered,
                                     .pad = 128,
                                     .confidence = 0.75,
                                     .free_width = 416,
                                     .free_height = 416};
  return proposal;
}

std::optional<Proposal> ProposeFastestDet(const Evidence& evidence) {
  if (evidence.graph.outputs.size() != 1) return std::nullopt;
  const auto map = AsMap(evidence, 0);
  if (!map || StrideOf(evidence, *map) != 16 || map->channels < 6) return std::nullopt;
  const auto& parts = evidence.Facts(0).parts;
  const bool joined = parts.size() == 3 && parts[0].columns == 1 && parts[1].columns == 4;
  if (!joined && map->channels != 85) return std::nullopt;
  Proposal proposal{.family = "FastestDet", .confidence = joined ? 0.95 : 0.7};
  proposal.output.kind = Kind::kFastestGrid;
  proposal.classes = static_cast<int>(map->channels - 5);
  proposal.reason =
      fmt::format("{}: objectness, 4 box numbers and class scores in every 16th cell", ShapeOfOutput(evidence, 0));
  proposal.input = {.order = ChannelOrder::kBgr, .values = kUnit, .resize = ResizeRule::kStretch, .confidence = 0.85};
  return proposal;
}

}  // namespace

std::vector<Proposal> ProposeYoloRows(const Evidence& evidence) {
  std::vector<Proposal> proposals;
  if (!evidence.picture) return proposals;
  const auto rows = FindRows(evidence);
  if (!rows || rows->table.columns < 5 || rows->table.columns > kMostClasses) return proposals;
  const auto grid = FindGrid(evidence, rows->table.rows);
  if (grid && grid->boxes == 3 && !rows->transposed && rows->table.columns >= 6) {
    ProposeAnchorRows(evidence, *rows, &proposals);
  } else if (grid && grid->boxes == 1 && rows->transposed) {
    ProposeWithoutObjectness(evidence, *rows, *grid, &proposals);
  } else if (grid && grid->boxes == 1 && rows->table.columns >= 6) {
    if (evidence.Facts(rows->table.output).dfl_bins > 0) {
      ProposeWithoutObjectness(evidence, *rows, *grid, &proposals);
    } else {
      ProposeOneBoxACell(evidence, *rows, *grid, &proposals);
    }
  } else if (!grid) {
    ProposeQueries(evidence, *rows, &proposals);
  }
  return proposals;
}

std::vector<Proposal> ProposeYoloMaps(const Evidence& evidence) {
  std::vector<Proposal> proposals;
  if (!evidence.picture) return proposals;
  if (auto proposal = ProposeDarknet(evidence)) {
    proposals.push_back(std::move(*proposal));
    return proposals;
  }
  if (auto proposal = ProposeFastestDet(evidence)) proposals.push_back(std::move(*proposal));
  if (auto proposal = ProposeAnchorMaps(evidence)) proposals.push_back(std::move(*proposal));
  return proposals;
}

}  // namespace deepedge
