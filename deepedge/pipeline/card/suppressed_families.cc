// Detectors whose graph ends in non-maximum suppression: SSD's DetectionOutput, TensorFlow's and torchvision's boxes,
// classes and scores, rows of six or seven numbers.
#include <fmt/format.h>

#include "deepedge/pipeline/card/output_shapes.h"
#include "deepedge/pipeline/card/proposal.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

bool IsTensorflow(ModelFormat format) {
  return format == ModelFormat::kTfFrozen || format == ModelFormat::kTfSavedModel || format == ModelFormat::kTflite;
}

InputHabit SsdHabit(const Evidence& evidence) {
  InputHabit habit{.resize = ResizeRule::kStretch, .confidence = 0.7, .free_width = 300, .free_height = 300};
  if (evidence.format == ModelFormat::kOpenVinoIr || evidence.format == ModelFormat::kOpenVinoIrOld) {
    habit.order = ChannelOrder::kBgr;
    habit.values = kBytes;
  }
  if (evidence.format == ModelFormat::kCaffe) {
    habit.order = ChannelOrder::kBgr;
    const bool mobile = evidence.HasWord("mobilenet");
    habit.values = mobile ? kPlusMinusOne : kCaffeBgr;
  }
  return habit;
}

void ProposeDetectionOutput(const Evidence& evidence, std::vector<Proposal>* proposals) {
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    const auto rows = AsRows(evidence, i);
    if (!rows || rows->columns != 7) continue;
    const bool by_operation = EndsIn(evidence, i, "DetectionOutput");
    const Shape& shape = evidence.graph.outputs[i].shape;
    const bool by_shape = shape.size() == 4 && shape[0] == 1 && shape[1] == 1;
    if (!by_operation && !by_shape) continue;
    Proposal proposal{.family = "SSD", .input = SsdHabit(evidence)};
    proposal.confidence = by_operation ? 0.98 : 0.8;
    proposal.reason = fmt::format("{} holds rows of image, label, score, x1, y1, x2, y2{}", ShapeOfOutput(evidence, i),
                                  by_operation ? " of a DetectionOutput" : "");
    proposal.output.kind = Kind::kSsd;
    proposal.output.boxes = evidence.graph.outputs.size() > 1 ? NameOfOutput(evidence, i) : "";
    proposal.output.label_offset = 1;  // class 0 is the background
    proposals->push_back(std::move(proposal));
  }
}

// Rows of five to seven numbers with a class.
void ProposeRows(const Evidence& evidence, std::vector<Proposal>* proposals) {
  using enum RowColumn;
  if (!evidence.picture || evidence.graph.outputs.size() > 2) return;
  const auto rows = AsRows(evidence, 0);
  if (!rows || (rows->columns != 6 && rows->columns != 7) || rows->rows > 2000) return;
  const bool suppressed = evidence.Facts(0).suppressed;
  const bool ultralytics = evidence.notes.family && evidence.notes.family->value == "ultralytics";
  const bool usual = rows->rows == 300 || rows->rows == 100 || rows->rows == 200;
  if (rows->columns == 7 && (!suppressed || EndsIn(evidence, 0, "DetectionOutput"))) return;
  if (!suppressed && !usual && !evidence.notes.end_to_end) return;
  Proposal proposal{.family = "end-to-end YOLO"};
  proposal.confidence = suppressed || evidence.notes.end_to_end ? 0.85 : 0.5;
  proposal.output.kind = Kind::kDetectionRows;
  proposal.output.boxes = evidence.graph.outputs.size() > 1 ? NameOfOutput(evidence, 0) : "";
  proposal.output.normalized = false;
  const char* form = "x1, y1, x2, y2, score, class";
  if (rows->columns == 7) {
    proposal.output.columns = {kIgnored, kX1, kY1, kX2, kY2, kClass, kScore};
    form = "image, x1, y1, x2, y2, class, score";
  } else if (evidence.format == ModelFormat::kPaddle) {
    proposal.output.columns = {kClass, kScore, kX1, kY1, kX2, kY2};
    form = "class, score, x1, y1, x2, y2";
  }
  proposal.reason = fmt::format("{} holds rows of {}, suppressed inside the graph", ShapeOfOutput(evidence, 0), form);
  proposal.classes = 0;
  proposal.input = {.order = ChannelOrder::kRgb,
                    .values = kUnit,
                    .resize = ResizeRule::kLetterboxCentered,
                    .confidence = ultralytics ? 0.95 : 0.75,
                    .free_width = 640,
                    .free_height = 640};
  proposals->push_back(std::move(proposal));
}

struct Roles {
  std::optional<size_t> boxes;
  std::optional<size_t> scores;
  std::optional<size_t> classes;
  std::optional<size_t> count;
};

bool IsInteger(ElementType type) { return type == ElementType::kI64 || type == ElementType::kI32; }

constexpr std::string_view kTfliteOperation = "TFLite_Detection_PostProcess";

// How many classes went into TFLite's operation, without the background: maps of boxes come first, then as many of
// scores. 0: not seen.
int ClassesBehind(const Evidence& evidence) {
  const std::vector<MapFacts>& maps = evidence.Facts(0).maps;
  if (maps.size() < 2 || maps.size() % 2 != 0 || maps[0].channels < 4 || maps[0].channels % 4 != 0) return 0;
  const int boxes = maps[0].channels / 4;
  const int scores = maps[maps.size() / 2].channels;
  return scores % boxes == 0 && scores / boxes > 1 ? scores / boxes - 1 : 0;
}

// Boxes are a table of four columns; the lists beside it are told apart by name, then by type, then by TFLite's order.
std::optional<Roles> FindRoles(const Evidence& evidence) {
  Roles roles;
  if (evidence.graph.outputs.size() == 4 && EndsIn(evidence, 0, kTfliteOperation)) {
    return Roles{.boxes = 0, .scores = 2, .classes = 1, .count = 3};  // the operation's own order
  }
  std::vector<size_t> lists;
  const auto& outputs = evidence.graph.outputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto rows = AsRows(evidence, i);
    if (outputs[i].shape.size() >= 2 && rows && rows->columns == 4 && !roles.boxes && !NameHas(evidence, i, "anchor") &&
        !NameHas(evidence, i, "raw")) {
      roles.boxes = i;
    } else if (ListLength(outputs[i].shape) == 1 || NameHas(evidence, i, "num")) {
      roles.count = i;
    } else {
      lists.push_back(i);
    }
  }
  if (!roles.boxes) return std::nullopt;
  for (const size_t i : lists) {
    if (!roles.scores && NameHas(evidence, i, "score")) roles.scores = i;
    if (!roles.classes && (NameHas(evidence, i, "class") || NameHas(evidence, i, "label"))) roles.classes = i;
  }
  for (const size_t i : lists) {
    if (roles.scores == i || roles.classes == i || AsRows(evidence, i).value_or(Table{.columns = 0}).rows > 1) continue;
    if (!roles.classes && IsInteger(outputs[i].type)) {
      roles.classes = i;
    } else if (!roles.scores && !IsInteger(outputs[i].type)) {
      roles.scores = i;
    }
  }
  if (!roles.scores || !roles.classes) return std::nullopt;
  const auto one_list = [&](size_t i) { return WithoutBatch(outputs[i].shape).size() == 1; };
  if (!one_list(*roles.scores) || !one_list(*roles.classes)) return std::nullopt;
  return roles;
}

void ProposeBoxesClassesScores(const Evidence& evidence, std::vector<Proposal>* proposals) {
  if (evidence.graph.outputs.size() < 3) return;
  const auto roles = FindRoles(evidence);
  if (!roles) return;
  using enum RowColumn;
  const bool tensorflow = IsTensorflow(evidence.format) || NameHas(evidence, *roles->boxes, "detection_boxes");
  Proposal proposal{.family = tensorflow ? "TensorFlow detection" : "torchvision detection"};
  proposal.confidence = 0.9;
  proposal.reason = fmt::format("{} with scores '{}' and classes '{}': suppressed inside the graph",
                                ShapeOfOutput(evidence, *roles->boxes), NameOfOutput(evidence, *roles->scores),
                                NameOfOutput(evidence, *roles->classes));
  proposal.output.kind = Kind::kDetections;
  proposal.output.boxes = NameOfOutput(evidence, *roles->boxes);
  proposal.output.scores = NameOfOutput(evidence, *roles->scores);
  proposal.output.classes = NameOfOutput(evidence, *roles->classes);
  if (roles->count) proposal.output.count = NameOfOutput(evidence, *roles->count);
  // Lists made by TFLite's own operation count from 0, those of the Object Detection API and torchvision from 1.
  proposal.output.label_offset = evidence.format == ModelFormat::kTflite ? 0 : 1;
  proposal.input = {.order = ChannelOrder::kRgb, .resize = ResizeRule::kStretch, .confidence = 0.8};
  proposal.input.values = kBytes;
  if (tensorflow) {
    proposal.input.free_width = proposal.input.free_height = 300;
  } else {
    proposal.output.columns = {kX1, kY1, kX2, kY2};
    proposal.output.normalized = false;
    proposal.input.values = kUnit;  // torchvision scales by the ImageNet mean inside the graph
    proposal.input.free_width = proposal.input.free_height = 320;
  }
  if (evidence.format == ModelFormat::kTflite) proposal.input.values = kPlusMinusOne;
  if (EndsIn(evidence, 0, kTfliteOperation)) proposal.classes = ClassesBehind(evidence);
  proposals->push_back(std::move(proposal));
}

}  // namespace

std::vector<Proposal> ProposeSuppressed(const Evidence& evidence) {
  std::vector<Proposal> proposals;
  ProposeDetectionOutput(evidence, &proposals);
  ProposeRows(evidence, &proposals);
  ProposeBoxesClassesScores(evidence, &proposals);
  return proposals;
}

}  // namespace deepedge
