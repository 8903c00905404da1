// Networks whose output is a map over the picture: centres of objects, key points, segmentation, text.
#include <fmt/format.h>

#include <algorithm>

#include "deepedge/pipeline/card/output_shapes.h"
#include "deepedge/pipeline/card/proposal.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

struct NumberedMaps {
  std::vector<OutputMap> maps;
};

std::vector<OutputMap> AllMaps(const Evidence& evidence) {
  std::vector<OutputMap> maps;
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    if (const auto map = AsMap(evidence, i)) maps.push_back(*map);
  }
  return maps;
}

// Centres, sizes, offsets (and points) on maps of one size.
std::optional<Proposal> ProposeCenternet(const Evidence& evidence) {
  const std::vector<OutputMap> maps = AllMaps(evidence);
  if (maps.size() < 2 || maps.size() > 4 || maps.size() != evidence.graph.outputs.size()) return std::nullopt;
  std::optional<OutputMap> heat, size, offset, points;
  for (const OutputMap& map : maps) {
    if (map.rows != maps[0].rows || map.columns != maps[0].columns) return std::nullopt;
    const bool named_offset = NameHas(evidence, map.output, "off") || NameHas(evidence, map.output, "reg");
    const bool named_size = NameHas(evidence, map.output, "wh") || NameHas(evidence, map.output, "scale") ||
                            NameHas(evidence, map.output, "size");
    if (map.channels == 10) {
      points = map;
    } else if (map.channels == 2 && named_offset && !offset) {
      offset = map;
    } else if (map.channels == 2 && (named_size || !size) && maps.size() >= 2) {
      if (size && !offset) offset = size;
      size = map;
    } else if (map.channels == 2 && !offset) {
      offset = map;
    } else if (!heat) {
      heat = map;
    }
  }
  if (!heat || !size) return std::nullopt;
  const int stride = StrideOf(evidence, *heat);
  if (stride != 0 && stride != 4 && stride != 2 && stride != 8) return std::nullopt;
  const bool named = NameHas(evidence, heat->output, "hm") || NameHas(evidence, heat->output, "heat");
  if (maps.size() == 2 && !named) return std::nullopt;
  Proposal proposal{.family = points ? "CenterFace" : "CenterNet", .confidence = named || points ? 0.9 : 0.75};
  OutputDecoderSpec& output = proposal.output;
  output.kind = Kind::kCenternet;
  output.scores = NameOfOutput(evidence, heat->output);
  output.boxes = NameOfOutput(evidence, size->output);
  if (offset) output.offsets = NameOfOutput(evidence, offset->output);
  output.sigmoid = !EndsIn(evidence, heat->output, "Sigmoid") && !evidence.Facts(heat->output).sigmoid_inside &&
                   !evidence.graph.facts.outputs.empty() && !points;
  proposal.classes = static_cast<int>(heat->channels);
  proposal.reason = fmt::format("a heat map {} with sizes {}{}", ShapeOfOutput(evidence, heat->output),
                                ShapeOfOutput(evidence, size->output), offset ? " and offsets" : "");
  proposal.input = {.order = ChannelOrder::kBgr,
                    .values = ValueRule{{104.04F, 113.985F, 119.85F}, {73.695F, 69.87F, 70.89F}},
                    .resize = ResizeRule::kLetterboxCentered,
                    .pad = 0,
                    .confidence = 0.7,
                    .free_width = 512,
                    .free_height = 512};
  if (points) {
    output.landmarks = NameOfOutput(evidence, points->output);
    output.keypoints = 5;
    output.log_sizes = true;
    proposal.labels = {"face"};
    proposal.labels_reason = "five points: faces";
    proposal.input.order = ChannelOrder::kRgb;
    proposal.input.values = kBytes;
    proposal.input.resize = ResizeRule::kStretch;
  }
  return proposal;
}

const std::vector<std::string> kCocoPoints{"nose",          "left_eye",       "right_eye",  "left_ear",    "right_ear",
                                           "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
                                           "right_wrist",   "left_hip",       "right_hip",  "left_knee",   "right_knee",
                                           "left_ankle",    "right_ankle"};

// Key points: as many heat maps as points; with fields of two channels a limb where there are several people.
std::optional<Proposal> ProposeHeatmaps(const Evidence& evidence) {
  const std::vector<OutputMap> maps = AllMaps(evidence);
  if (maps.empty()) return std::nullopt;
  const auto is_points = [](int64_t channels) {
    return channels == 14 || (channels >= 16 && channels <= 19) || channels == 21;
  };
  const OutputMap* heat = nullptr;
  const OutputMap* fields = nullptr;
  for (const OutputMap& map : maps) {
    if (is_points(map.channels)) heat = &map;  // networks of several stages refine: the last counts
    if (map.channels == 38 || map.channels == 28 || map.channels == 32 || map.channels == 34) fields = &map;
  }
  if (heat == nullptr || maps.size() > 8) return std::nullopt;
  const int stride = StrideOf(evidence, *heat);
  const bool pose_words = evidence.HasWord("pose") || evidence.HasWord("keypoint") || evidence.HasWord("hand") ||
                          evidence.HasWord("landmark") || NameHas(evidence, heat->output, "heat");
  // 17 and 16 maps at a quarter of the size are key points; 19 and 21 may be classes of a segmentation as well.
  const bool usual_size = stride == 4 || stride == 8;
  if (!usual_size) return std::nullopt;
  if (fields == nullptr && !pose_words && (heat->channels == 19 || heat->channels == 21)) return std::nullopt;
  Proposal proposal{.family = fields != nullptr ? "OpenPose" : "key point heat maps",
                    .confidence = fields != nullptr ? 0.93
                                  : pose_words      ? 0.9
                                                    : 0.65};
  proposal.output.kind = Kind::kHeatmapPose;
  proposal.output.tensor = NameOfOutput(evidence, heat->output);
  if (fields != nullptr) proposal.output.pafs = NameOfOutput(evidence, fields->output);
  if (heat->channels == 17) proposal.output.point_names = kCocoPoints;
  proposal.reason = fmt::format("{}: one heat map a point{}", ShapeOfOutput(evidence, heat->output),
                                fields != nullptr ? ", with fields that say which belong together" : "");
  const bool bgr = fields != nullptr;
  proposal.input = {.order = bgr ? ChannelOrder::kBgr : ChannelOrder::kRgb,
                    .values = bgr ? ValueRule{{128, 128, 128}, {256, 256, 256}} : kImageNetRgb,
                    .resize = bgr ? ResizeRule::kLetterboxTopLeft : ResizeRule::kStretch,
                    .pad = 0,
                    .confidence = 0.7,
                    .free_width = bgr ? 456 : 192,
                    .free_height = 256};
  return proposal;
}

// PoseNet: heat maps, offsets of two numbers a point, and displacements between the points of several people.
std::optional<Proposal> ProposePosenet(const Evidence& evidence) {
  const std::vector<OutputMap> maps = AllMaps(evidence);
  const OutputMap* heat = nullptr;
  const OutputMap* offsets = nullptr;
  for (const OutputMap& map : maps) {
    if (NameHas(evidence, map.output, "heat")) heat = &map;
    if (NameHas(evidence, map.output, "offset")) offsets = &map;
  }
  if (heat == nullptr || offsets == nullptr || offsets->channels != 2 * heat->channels) return std::nullopt;
  if (heat->channels < 5 || heat->rows != offsets->rows || heat->columns != offsets->columns) return std::nullopt;
  Proposal proposal{.family = "PoseNet", .confidence = 0.93};
  proposal.output.kind = Kind::kHeatmapPose;
  proposal.output.tensor = NameOfOutput(evidence, heat->output);
  proposal.output.offsets = NameOfOutput(evidence, offsets->output);
  proposal.output.sigmoid = !EndsIn(evidence, heat->output, "Sigmoid");
  if (heat->channels == 17) proposal.output.point_names = kCocoPoints;
  proposal.reason = fmt::format("{} and {}: heat maps and offsets of {} points", ShapeOfOutput(evidence, heat->output),
                                ShapeOfOutput(evidence, offsets->output), heat->channels);
  proposal.input = {.order = ChannelOrder::kRgb,
                    .values = kPlusMinusOne,
                    .resize = ResizeRule::kStretch,
                    .confidence = 0.75,
                    .free_width = 257,
                    .free_height = 257};
  return proposal;
}

// One channel of probabilities as large as the picture: text, or a foreground.
std::optional<Proposal> ProposeText(const Evidence& evidence) {
  if (evidence.graph.outputs.size() != 1) return std::nullopt;
  const auto map = AsMap(evidence, 0);
  if (!map || (map->channels != 1 && map->channels != 2) || !evidence.picture || evidence.picture->channels != 3) {
    return std::nullopt;
  }
  const bool free = map->rows < 0 || map->columns < 0;
  if (!free && StrideOf(evidence, *map) != 1) return std::nullopt;
  const bool sigmoid = EndsIn(evidence, 0, "Sigmoid");
  const bool named = NameHas(evidence, 0, "sigmoid");
  if (!sigmoid && !named) return std::nullopt;
  const bool words =
      evidence.HasWord("ocr") || evidence.HasWord("text") || evidence.HasWord("db") || evidence.HasWord("det");
  const bool paddle = evidence.format == ModelFormat::kPaddle;
  const double confidence = words ? 0.9 : free ? 0.8 : paddle ? 0.8 : 0.55;
  Proposal proposal{.family = "DB text", .confidence = confidence};
  proposal.output.kind = Kind::kTextMap;
  proposal.labels = {"text"};
  proposal.labels_reason = "regions of text";
  proposal.classes = 1;
  proposal.threshold = 0.6F;
  proposal.reason =
      fmt::format("{}: a probability for every pixel{}", ShapeOfOutput(evidence, 0), free ? " at any size" : "");
  proposal.input = {.order = ChannelOrder::kRgb,
                    .values = kImageNetRgb,
                    .resize = ResizeRule::kStretch,
                    .pad = 0,
                    .confidence = 0.75,
                    .free_width = 640,
                    .free_height = 640};
  return proposal;
}

// Are there outputs that no segmentation has: maps of another form, or coarse ones beside the first?
bool HasOtherOutputs(const Evidence& evidence, const OutputMap& first) {
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    if (i == first.output) continue;
    const auto map = AsMap(evidence, i);
    const int stride = StrideOf(evidence, first);
    if (!map || map->channels != first.channels || (stride > 1 && !evidence.Facts(i).upsampled)) return true;
  }
  return false;
}

InputHabit SegmentationHabit(const Evidence& evidence) {
  InputHabit habit{.resize = ResizeRule::kStretch, .confidence = 0.5, .free_width = 512, .free_height = 512};
  const bool own_order = evidence.format == ModelFormat::kCaffe || evidence.format == ModelFormat::kOpenVinoIr ||
                         evidence.format == ModelFormat::kOpenVinoIrOld;
  if (!own_order) habit.order = ChannelOrder::kRgb;
  return habit;
}

// What the pixels of a mask belong to, by the model's name.
void NameForeground(const Evidence& evidence, Proposal* proposal) {
  proposal->labels = {"foreground"};
  proposal->labels_reason = "one thing before a background";
  for (const auto& [word, label] : std::initializer_list<std::pair<const char*, const char*>>{{"selfie", "person"},
                                                                                              {"portrait", "person"},
                                                                                              {"person", "person"},
                                                                                              {"human", "person"},
                                                                                              {"people", "person"},
                                                                                              {"modnet", "person"},
                                                                                              {"hair", "hair"},
                                                                                              {"skin", "skin"},
                                                                                              {"road", "road"},
                                                                                              {"lane", "lane"},
                                                                                              {"tusimple", "lane"},
                                                                                              {"crack", "crack"},
                                                                                              {"water", "water"},
                                                                                              {"sky", "sky"}}) {
    if (!evidence.HasWord(word)) continue;
    proposal->labels = {label};
    proposal->labels_reason = fmt::format("the model is called after '{}'", word);
    return;
  }
}

// One channel of probabilities: what is before a background.
std::optional<Proposal> ProposeMask(const Evidence& evidence) {
  if (evidence.graph.outputs.size() != 1) return std::nullopt;
  const auto map = AsMap(evidence, 0);
  if (!map || map->channels != 1 || !EndsIn(evidence, 0, "Sigmoid")) return std::nullopt;
  const int stride = StrideOf(evidence, *map);
  const bool free = map->rows < 0;
  if (!free && stride != 1 && stride != 2 && stride != 4 && stride != 8) return std::nullopt;
  const bool words = evidence.HasWord("seg") || evidence.HasWord("matting") || evidence.HasWord("mask");
  Proposal proposal{.family = "segmentation", .confidence = words ? 0.92 : 0.7, .classes = 1, .threshold = 0.5F};
  proposal.output.kind = Kind::kSegmentation;
  proposal.reason = fmt::format("{}: how likely each {} is of one kind", ShapeOfOutput(evidence, 0),
                                stride == 1 || free ? "pixel" : "cell");
  proposal.input = SegmentationHabit(evidence);
  NameForeground(evidence, &proposal);
  return proposal;
}

std::optional<Proposal> ProposeSegmentation(const Evidence& evidence) {
  if (evidence.graph.outputs.size() > 3 || !evidence.picture) return std::nullopt;
  // Class numbers: whole numbers for every pixel.
  const TensorSpec& first = evidence.graph.outputs[0];
  const std::string& operation = evidence.Facts(0).operation;
  const bool whole = first.type == ElementType::kI64 || first.type == ElementType::kI32 || operation == "TopK" ||
                     operation == "ArgMax";
  const Shape shape = WithoutBatch(first.shape);
  const bool plane = (shape.size() == 2 || (shape.size() == 3 && (shape[0] == 1 || shape[2] == 1)));
  if (whole && plane && evidence.graph.outputs.size() == 1 && (shape[0] > 8 || shape[0] < 0 || shape.size() == 3)) {
    Proposal proposal{.family = "segmentation", .confidence = 0.85};
    proposal.output.kind = Kind::kSegmentation;
    proposal.output.class_ids = true;
    proposal.reason = fmt::format("{}: a class number for every pixel", ShapeOfOutput(evidence, 0));
    proposal.input = SegmentationHabit(evidence);
    return proposal;
  }
  const auto map = AsMap(evidence, 0);
  if (!map || map->channels < 2 || map->channels > 512) return std::nullopt;
  const int stride = StrideOf(evidence, *map);
  const bool free = map->rows < 0;
  if (!free && stride != 1 && stride != 2 && stride != 4 && stride != 8 && stride != 16) return std::nullopt;
  const bool upsampled = evidence.Facts(0).upsampled;
  // Three channels of the picture's size or more are rather a picture: colour, style, a larger one.
  if (map->channels == 3 && stride == 1 && !upsampled && !EndsIn(evidence, 0, "Softmax")) return std::nullopt;
  const bool usual =
      map->channels == 21 || map->channels == 19 || map->channels == 150 || map->channels == 20 || map->channels == 2;
  const bool words =
      evidence.HasWord("seg") || evidence.HasWord("deeplab") || evidence.HasWord("unet") || evidence.HasWord("parsing");
  if (!words && HasOtherOutputs(evidence, *map)) return std::nullopt;
  // Coarse maps of a number of channels that no list of classes has are more likely features or heat maps.
  if (!words && !usual && !upsampled && stride > 2) return std::nullopt;
  double confidence = stride == 1 || free ? 0.8 : upsampled ? 0.75 : 0.5;
  if (usual || words) confidence += 0.1;
  if (words) confidence += 0.05;
  Proposal proposal{.family = "segmentation", .confidence = confidence};
  proposal.output.kind = Kind::kSegmentation;
  if (evidence.graph.outputs.size() > 1) proposal.output.tensor = NameOfOutput(evidence, 0);
  proposal.classes = static_cast<int>(map->channels);
  proposal.reason = fmt::format("{}: {} scores for every {}", ShapeOfOutput(evidence, 0), map->channels,
                                stride == 1 ? "pixel" : "cell");
  if (map->channels == 2) {
    proposal.output.background = 0;
    proposal.output.label_offset = 1;
    proposal.classes = 1;
    NameForeground(evidence, &proposal);
  }
  proposal.input = SegmentationHabit(evidence);
  return proposal;
}

}  // namespace

std::vector<Proposal> ProposeMaps(const Evidence& evidence) {
  std::vector<Proposal> proposals;
  if (!evidence.picture || evidence.graph.outputs.empty()) return proposals;
  for (auto* const propose :
       {ProposeCenternet, ProposePosenet, ProposeHeatmaps, ProposeText, ProposeMask, ProposeSegmentation}) {
    if (auto proposal = propose(evidence)) proposals.push_back(std::move(*proposal));
  }
  return proposals;
}

}  // namespace deepedge
