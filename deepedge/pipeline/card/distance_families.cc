// Detectors without anchors that give distances to the four sides: NanoDet, raw YOLOv8 heads, SCRFD; and YuNet.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "deepedge/base/text.h"
#include "deepedge/pipeline/card/output_shapes.h"
#include "deepedge/pipeline/card/proposal.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

const std::vector<std::vector<int>> kStrides{{8, 16, 32}, {8, 16, 32, 64}, {8, 16, 32, 64, 128}};

InputHabit NanoDetHabit() {
  return {.order = ChannelOrder::kBgr,
          .values = kImageNetBgr,
          .resize = ResizeRule::kStretch,
          .confidence = 0.85,
          .free_width = 320,
          .free_height = 320};
}

// One table of class scores and distributions: NanoDet.
std::optional<Proposal> ProposeNanoDet(const Evidence& evidence) {
  if (evidence.graph.outputs.size() != 1) return std::nullopt;
  const auto table = AsRows(evidence, 0);
  if (!table || table->rows < 1) return std::nullopt;
  const OutputFacts& facts = evidence.Facts(0);
  if (facts.grid_inside || facts.dfl_bins > 0) return std::nullopt;
  for (const auto& strides : kStrides) {
    if (CountCells(evidence, strides, true) != table->rows && CountCells(evidence, strides) != table->rows) continue;
    // 8 weights a side (reg_max 7) are the rule; 16 occur in older ones.
    const bool two_parts = facts.parts.size() == 2 && facts.parts[1].columns % 4 == 0 && facts.parts[1].columns >= 20;
    const int64_t box_columns = two_parts ? facts.parts[1].columns : 32;
    const int64_t classes = table->columns - box_columns;
    const bool named = evidence.HasWord("nanodet") || evidence.HasWord("picodet");
    if (classes < 1 || (!two_parts && !named && classes != 80)) continue;
    // Rows of YOLOX are joined from three parts and have an objectness.
    if (!two_parts && facts.parts.size() >= 3) continue;
    Proposal proposal{.family = "NanoDet", .confidence = two_parts || named ? 0.93 : 0.8};
    proposal.output.kind = Kind::kDfl;
    proposal.output.bins = static_cast<int>(box_columns / 4);
    proposal.output.strides = strides;
    proposal.output.cell_offset = 0.0F;
    proposal.output.sigmoid = !facts.sigmoid_inside && !evidence.graph.facts.outputs.empty();
    proposal.classes = static_cast<int>(classes);
    proposal.reason =
        fmt::format("{}: {} class scores and 4 x {} weights of distances in every cell of strides {} to {}",
                    ShapeOfOutput(evidence, 0), classes, proposal.output.bins, strides.front(), strides.back());
    proposal.input = NanoDetHabit();
    return proposal;
  }
  return std::nullopt;
}

// Outputs that share a map size belong to one scale.
struct ScaleGroup {
  int64_t cells = 0;
  int stride = 0;
  std::vector<std::pair<size_t, int64_t>> outputs;  // output, channels
};

std::vector<ScaleGroup> GroupByScale(const Evidence& evidence) {
  std::map<int64_t, ScaleGroup> groups;
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    const Shape& shape = evidence.graph.outputs[i].shape;
    int64_t cells = 0;
    int64_t channels = 0;
    if (shape.size() == 4) {
      const auto map = AsMap(evidence, i);
      if (!map || map->rows < 1) return {};
      cells = map->rows * map->columns;
      channels = map->channels;
    } else {
      const auto table = AsRows(evidence, i);
      if (!table || table->rows < 1) return {};
      cells = table->rows;
      channels = table->columns;
    }
    ScaleGroup& group = groups[-cells];
    group.cells = cells;
    group.outputs.emplace_back(i, channels);
  }
  std::vector<ScaleGroup> list;
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  return list;
}

bool AssignStrides(const Evidence& evidence, int boxes, std::vector<ScaleGroup>* groups) {
  static constexpr std::array<int, 5> kOrder{8, 16, 32, 64, 128};
  if (groups->empty() || groups->size() > kOrder.size()) return false;
  for (size_t i = 0; i < groups->size(); ++i) {
    const int stride = kOrder[i];
    (*groups)[i].stride = stride;
    const int64_t down = CountCells(evidence, {stride}) * boxes;
    const int64_t up = CountCells(evidence, {stride}, true) * boxes;
    if ((*groups)[i].cells != down && (*groups)[i].cells != up) return false;
  }
  return true;
}

// Score, box and landmark tables per stride: SCRFD, with two boxes a cell, and heads of FCOS form.
std::optional<Proposal> ProposePerScale(const Evidence& evidence) {
  const size_t count = evidence.graph.outputs.size();
  if (count < 4 || count > 15) return std::nullopt;
  std::vector<ScaleGroup> groups = GroupByScale(evidence);
  if (groups.size() < 2 || count % groups.size() != 0) return std::nullopt;
  int boxes = 0;
  for (const int candidate : {1, 2}) {
    if (boxes == 0 && AssignStrides(evidence, candidate, &groups)) boxes = candidate;
  }
  if (boxes == 0) return std::nullopt;
  Proposal proposal{.family = boxes == 2 ? "SCRFD" : "distances per scale", .confidence = boxes == 2 ? 0.93 : 0.8};
  OutputDecoderSpec& output = proposal.output;
  output.kind = Kind::kDfl;
  output.boxes_per_cell = boxes;
  output.strides.clear();
  int64_t classes = 0;
  for (const ScaleGroup& group : groups) {
    OutputHead head{.stride = group.stride};
    for (const auto& [index, channels] : group.outputs) {
      const bool box = channels == 4 || (channels % 4 == 0 && channels >= 32 && channels <= 68 && head.boxes.empty() &&
                                         !EndsIn(evidence, index, "Sigmoid"));
      if (channels == 10 && boxes == 2) {
        head.landmarks = NameOfOutput(evidence, index);
        output.keypoints = 5;
      } else if (box && head.boxes.empty()) {
        head.boxes = NameOfOutput(evidence, index);
        output.bins = static_cast<int>(channels / 4);
      } else if (head.scores.empty()) {
        head.scores = NameOfOutput(evidence, index);
        classes = channels;
        output.sigmoid = !EndsIn(evidence, index, "Sigmoid") && !evidence.graph.facts.outputs.empty();
      } else if (channels == 1) {
        head.quality = NameOfOutput(evidence, index);
        output.objectness = true;
      }
    }
    if (head.boxes.empty() || head.scores.empty()) return std::nullopt;
    output.strides.push_back(group.stride);
    output.heads.push_back(std::move(head));
  }
  proposal.classes = static_cast<int>(classes);
  proposal.reason = fmt::format("{} scales of scores and distances, {} a cell", groups.size(), boxes);
  if (boxes == 2) {
    output.cell_offset = 0.0F;
    proposal.labels = {"face"};
    proposal.labels_reason = "SCRFD finds faces";
    output.nms_iou = 0.4F;
    proposal.threshold = 0.5F;
    proposal.input = {.order = ChannelOrder::kRgb,
                      .values = kFace127Half,
                      .resize = ResizeRule::kLetterboxTopLeft,
                      .pad = 0,
                      .confidence = 0.85,
                      .free_width = 640,
                      .free_height = 640};
  } else if (output.bins == 8) {
    proposal.family = "NanoDet";
    output.cell_offset = 0.0F;
    proposal.input = NanoDetHabit();
  } else {
    proposal.family = "raw YOLOv8";
    proposal.input = {.order = ChannelOrder::kRgb,
                      .values = kUnit,
                      .resize = ResizeRule::kLetterboxCentered,
                      .confidence = 0.8,
                      .free_width = 640,
                      .free_height = 640};
  }
  return proposal;
}

std::optional<size_t> FindNamed(const Evidence& evidence, std::string_view name) {
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    if (LowerCase(evidence.graph.outputs[i].name) == name) return i;
  }
  return std::nullopt;
}

InputHabit YuNetHabit() {
  return {.order = ChannelOrder::kBgr,
          .values = kBytes,
          .resize = ResizeRule::kLetterboxTopLeft,
          .pad = 0,
          .confidence = 0.9,
          .free_width = 320,
          .free_height = 320};
}

std::optional<Proposal> ProposeYuNet(const Evidence& evidence) {
  Proposal proposal{.family = "YuNet", .confidence = 0.95};
  proposal.output.kind = Kind::kYunet;
  proposal.output.keypoints = 5;
  proposal.output.nms_iou = 0.3F;
  proposal.labels = {"face"};
  proposal.labels_reason = "YuNet finds faces";
  proposal.threshold = 0.6F;
  proposal.classes = 1;
  proposal.input = YuNetHabit();
  if (evidence.graph.outputs.size() == 12 && FindNamed(evidence, "cls_8") && FindNamed(evidence, "obj_8") &&
      FindNamed(evidence, "bbox_8") && FindNamed(evidence, "kps_8")) {
    proposal.output.strides.clear();
    for (const int stride : {8, 16, 32}) {
      const std::string end = fmt::format("_{}", stride);
      proposal.output.strides.push_back(stride);
      proposal.output.heads.push_back({.stride = stride,
                                       .boxes = "bbox" + end,
                                       .scores = "cls" + end,
                                       .quality = "obj" + end,
                                       .landmarks = "kps" + end});
    }
    proposal.reason = "class, objectness, box and points per stride, as YuNet names them";
    return proposal;
  }
  const auto loc = FindNamed(evidence, "loc");
  const auto conf = FindNamed(evidence, "conf");
  const auto iou = FindNamed(evidence, "iou");
  if (!loc || !conf || !iou || !evidence.picture || evidence.picture->width == 0) return std::nullopt;
  const auto rows = AsRows(evidence, *loc);
  if (!rows || rows->columns != 14) return std::nullopt;
  proposal.output.boxes = NameOfOutput(evidence, *loc);
  proposal.output.scores = NameOfOutput(evidence, *conf);
  proposal.output.quality = NameOfOutput(evidence, *iou);
  const std::vector<std::vector<float>> sizes{{10, 16, 24}, {32, 48}, {64, 96}, {128, 192, 256}};
  int stride = 8;
  for (const auto& level_sizes : sizes) {
    // Maps are halved one by one from a half, rounding down.
    AnchorLevel level{.columns = evidence.picture->width / stride, .rows = evidence.picture->height / stride};
    for (const float size : level_sizes) {
      level.sizes.push_back(
          {size / static_cast<float>(evidence.picture->width), size / static_cast<float>(evidence.picture->height)});
    }
    level.step = {static_cast<float>(stride) / static_cast<float>(evidence.picture->width),
                  static_cast<float>(stride) / static_cast<float>(evidence.picture->height)};
    proposal.output.anchors.push_back(level);
    stride *= 2;
  }
  proposal.reason = "loc, conf and iou, as the first YuNet names them";
  return proposal;
}

}  // namespace

std::vector<Proposal> ProposeDistances(const Evidence& evidence) {
  std::vector<Proposal> proposals;
  if (!evidence.picture) return proposals;
  for (auto* const propose : {ProposeYuNet, ProposeNanoDet, ProposePerScale}) {
    if (auto proposal = propose(evidence)) proposals.push_back(std::move(*proposal));
  }
  return proposals;
}

}  // namespace deepedge
