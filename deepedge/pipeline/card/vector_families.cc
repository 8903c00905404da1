// Networks that say something about the whole picture: classes, a vector that identifies, numbers, one person's pose.
#include <fmt/format.h>

#include <algorithm>

#include "deepedge/base/text.h"
#include "deepedge/pipeline/card/output_shapes.h"
#include "deepedge/pipeline/card/proposal.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

constexpr int64_t kMostClasses = 100'000;

bool IsPowerOfTwo(int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

bool IsFlat(const Shape& shape) {
  if (shape.size() == 1 || shape.size() == 2) return true;
  return shape.size() <= 5 && ListLength(shape) > 0;
}

bool GivesProbabilities(const Evidence& evidence, size_t output) {
  if (EndsIn(evidence, output, "Softmax") || EndsIn(evidence, output, "Sigmoid")) return true;
  if (!evidence.graph.facts.outputs.empty()) return false;
  return NameHas(evidence, output, "soft") || NameHas(evidence, output, "prob");
}

bool IsVectorName(const Evidence& evidence) {
  for (const char* word : {"reid", "osnet", "arcface", "facenet", "sface", "mobilefacenet", "embed", "insightface",
                           "w600k", "glint", "adaface", "cosface", "clip", "dinov"}) {
    if (evidence.HasWord(word)) return true;
  }
  return false;
}

InputHabit FormatHabit() {
  return {.resize = ResizeRule::kStretch, .confidence = 0.5, .free_width = 224, .free_height = 224};
}

std::optional<Proposal> ProposeClasses(const Evidence& evidence) {
  if (evidence.graph.outputs.size() != 1) return std::nullopt;
  const Shape& shape = evidence.graph.outputs[0].shape;
  const int64_t classes = IsFlat(shape) ? ListLength(shape) : 0;
  if (classes < 2 || classes > kMostClasses) return std::nullopt;
  const bool probabilities = GivesProbabilities(evidence, 0);
  const OutputFacts& facts = evidence.Facts(0);
  if (facts.unit_length) return std::nullopt;
  Proposal proposal{.family = "classification", .confidence = 0.85};
  proposal.output.kind = Kind::kClassification;
  if (EndsIn(evidence, 0, "Sigmoid")) {
    proposal.confidence = 0.8;
    proposal.reason = fmt::format("{}: {} independent probabilities", ShapeOfOutput(evidence, 0), classes);
  } else if (probabilities) {
    proposal.confidence = 0.97;
    proposal.reason = fmt::format("{}: {} probabilities", ShapeOfOutput(evidence, 0), classes);
  } else {
    proposal.output.softmax = true;
    proposal.reason =
        fmt::format("{}: {} scores without a softmax behind the last layer", ShapeOfOutput(evidence, 0), classes);
    if (IsPowerOfTwo(classes) && classes >= 64) proposal.confidence = 0.3;
    if (classes == 1000 || classes == 1001) proposal.confidence = 0.95;
    if (IsVectorName(evidence)) proposal.confidence -= 0.3;
    if (!facts.fully_connected && !facts.pooled && !evidence.graph.facts.outputs.empty()) proposal.confidence -= 0.1;
    const std::string words = LowerCase(NameOfOutput(evidence, 0));
    if (words.find("embed") != std::string::npos || words.find("feat") != std::string::npos) proposal.confidence -= 0.3;
  }
  if (classes < 12) proposal.output.top_k = static_cast<int>(std::min<int64_t>(classes, 5));
  proposal.classes = static_cast<int>(classes);
  proposal.input = FormatHabit();
  if (classes == 1001) {
    proposal.output.background = 0;
    proposal.output.label_offset = 1;
    proposal.classes = 1000;
  }
  const TensorSpec& output = evidence.graph.outputs[0];
  if (output.type == ElementType::kI8 || output.type == ElementType::kU8) {  // a quantised probability
    proposal.output.score_scale = 1.0F / 256;
    proposal.output.score_zero = output.type == ElementType::kI8 ? -128.0F : 0.0F;
    proposal.output.softmax = false;
  }
  return proposal;
}

// Numbers of x and y (or x, y and z) that sets of landmarks have: 68, 98, 106 of a face; 21 of a hand, 468 and 478 of a
// face, 71 and 5 of an eye.
int NumbersAPoint(int64_t length) {
  for (const int64_t flat : {136, 196, 212}) {
    if (length == flat) return 2;
  }
  for (const int64_t deep : {63, 1404, 1434, 213}) {
    if (length == deep) return 3;
  }
  return 0;
}

std::optional<Proposal> ProposeEmbedding(const Evidence& evidence) {
  if (evidence.graph.outputs.size() != 1) return std::nullopt;
  const Shape& shape = evidence.graph.outputs[0].shape;
  const int64_t length = IsFlat(shape) ? ListLength(shape) : 0;
  if (length < 32 || length > 8192 || GivesProbabilities(evidence, 0)) return std::nullopt;
  const OutputFacts& facts = evidence.Facts(0);
  const bool round = IsPowerOfTwo(length) || length == 192 || length == 384 || length == 768;
  const bool names = IsVectorName(evidence) || NameHas(evidence, 0, "embed") || NameHas(evidence, 0, "feat");
  if (!round && !facts.unit_length && !names) return std::nullopt;
  if (NumbersAPoint(length) > 0 && !facts.unit_length) return std::nullopt;
  Proposal proposal{.family = "embedding", .confidence = facts.unit_length ? 0.95 : names ? 0.93 : 0.85};
  proposal.output.kind = Kind::kEmbedding;
  proposal.output.l2_normalize = !facts.unit_length;
  proposal.reason = fmt::format("{}: a vector of {} numbers without a softmax{}", ShapeOfOutput(evidence, 0), length,
                                facts.unit_length ? ", scaled to the length 1" : "");
  proposal.input = FormatHabit();
  if (evidence.picture) {
    const PictureShape& picture = *evidence.picture;
    const bool face = picture.width == 112 && picture.height == 112;
    const bool facenet = picture.width == 160 && picture.height == 160;
    const bool person = picture.height >= 2 * picture.width && picture.width > 0;
    if (face) proposal.input = {.order = ChannelOrder::kRgb, .values = kFace127Half, .confidence = 0.75};
    if (face && evidence.HasWord("sface"))
      proposal.input = {.order = ChannelOrder::kBgr, .values = kBytes, .confidence = 0.85};
    if (facenet) proposal.input = {.order = ChannelOrder::kRgb, .values = kPlusMinusOne, .confidence = 0.75};
    const bool ir = evidence.format == ModelFormat::kOpenVinoIr || evidence.format == ModelFormat::kOpenVinoIrOld;
    if (person && !ir) proposal.input = {.order = ChannelOrder::kRgb, .values = kImageNetRgb, .confidence = 0.8};
    if (face) proposal.reason += ", for a face of 112x112";
    if (person) proposal.reason += ", for an upright crop of a person";
  }
  proposal.input.resize = ResizeRule::kStretch;
  return proposal;
}

// The points of a face, hand or eye in one list; scores, further points and feature maps may stand beside it.
std::optional<Proposal> ProposeLandmarks(const Evidence& evidence) {
  constexpr int64_t kMostNamed = 300;
  if (!evidence.picture || evidence.graph.outputs.size() > 8) return std::nullopt;
  std::optional<size_t> points;
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    const Shape& shape = evidence.graph.outputs[i].shape;
    const int64_t length = IsFlat(shape) ? ListLength(shape) : 0;
    if (length == 0 && !AsMap(evidence, i)) return std::nullopt;
    if (length > 0 && EndsIn(evidence, i, "Softmax")) return std::nullopt;
    if (NumbersAPoint(length) > 0 && !evidence.Facts(i).unit_length && !points) points = i;
    if (length > 16 && NumbersAPoint(length) == 0) return std::nullopt;
  }
  if (!points) return std::nullopt;
  const int64_t length = ListLength(evidence.graph.outputs[*points].shape);
  const int each = NumbersAPoint(length);
  Proposal proposal{.family = "landmarks", .confidence = 0.94};
  proposal.output.kind = Kind::kRegression;
  proposal.reason = fmt::format("{}: {} points of {} numbers", ShapeOfOutput(evidence, *points), length / each, each);
  if (length > kMostNamed) {
    proposal.output.tensor = NameOfOutput(evidence, *points);
  } else {
    for (int64_t n = 0; n < length; ++n) {
      proposal.output.values.push_back({.name = fmt::format("point_{}_{}", n / each, "xyz"[n % each]),
                                        .tensor = NameOfOutput(evidence, *points),
                                        .index = static_cast<int>(n)});
    }
    for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
      const Shape& shape = evidence.graph.outputs[i].shape;
      if (!IsFlat(shape) || ListLength(shape) != 1) continue;
      proposal.output.values.push_back({.name = NameOfOutput(evidence, i), .tensor = NameOfOutput(evidence, i)});
    }
  }
  proposal.input = {.resize = ResizeRule::kStretch, .confidence = 0.6};
  const bool web = evidence.format == ModelFormat::kOnnx || evidence.format == ModelFormat::kTflite;
  if (web && evidence.picture->channels == 3) {
    proposal.input.order = ChannelOrder::kRgb;
    proposal.input.values = kUnit;
  }
  return proposal;
}

// Few numbers: landmarks, angles, ages.
std::optional<Proposal> ProposeNumbers(const Evidence& evidence) {
  if (!evidence.picture) return std::nullopt;
  OutputDecoderSpec output{.kind = Kind::kRegression};
  const size_t count = evidence.graph.outputs.size();
  std::string shapes;
  for (size_t i = 0; i < count; ++i) {
    const int64_t length = IsFlat(evidence.graph.outputs[i].shape) ? ListLength(evidence.graph.outputs[i].shape) : 0;
    if (length < 1 || length > 512 || EndsIn(evidence, i, "Softmax")) return std::nullopt;
    if (count > 1 && length > 16) return std::nullopt;
    for (int64_t n = 0; n < length; ++n) {
      std::string name = count == 1 && length == 1 ? "value"
                         : length == 1             ? NameOfOutput(evidence, i)
                                       : fmt::format("{}_{}", count == 1 ? "value" : NameOfOutput(evidence, i), n);
      output.values.push_back(
          {.name = std::move(name), .tensor = NameOfOutput(evidence, i), .index = static_cast<int>(n)});
    }
    shapes += (shapes.empty() ? "" : ", ") + ShapeOfOutput(evidence, i);
  }
  const int64_t total = static_cast<int64_t>(output.values.size());
  Proposal proposal{.family = "numbers", .confidence = 0.4};
  const bool words = evidence.HasWord("landmark") || evidence.HasWord("gaze") || evidence.HasWord("head-pose") ||
                     evidence.HasWord("regress") || evidence.HasWord("pfld") || evidence.HasWord("age");
  if (total == 1 || count > 1) proposal.confidence = 0.7;
  if (words) proposal.confidence = 0.9;
  if (count == 1 && (total == 136 || total == 212 || total == 196 || total == 10))
    proposal.confidence = std::max(proposal.confidence, 0.7);
  proposal.output = std::move(output);
  proposal.reason = fmt::format("{}: {} plain number{}", shapes, total, total == 1 ? "" : "s");
  proposal.input = FormatHabit();
  return proposal;
}

// Class scores and numbers in several outputs: age and gender, attributes.
std::optional<Proposal> ProposeSeveralHeads(const Evidence& evidence) {
  const size_t count = evidence.graph.outputs.size();
  if (count < 2 || count > 16 || !evidence.picture) return std::nullopt;
  Proposal proposal{.family = "several heads", .confidence = 0.7};
  proposal.output.kind = Kind::kClassification;
  std::string shapes;
  for (size_t i = 0; i < count; ++i) {
    const Shape& shape = evidence.graph.outputs[i].shape;
    const int64_t length = IsFlat(shape) ? ListLength(shape) : 0;
    if (length < 1 || length > 2000) return std::nullopt;
    const std::string name = NameOfOutput(evidence, i);
    const bool probabilities = GivesProbabilities(evidence, i) || EndsIn(evidence, i, "Softmax");
    if (length >= 2 && probabilities) {
      proposal.output.class_heads.push_back({.name = name, .tensor = name, .classes = static_cast<int>(length)});
      proposal.classes += static_cast<int>(length);
    } else if (length <= 16) {
      const bool age = length == 1 && NameHas(evidence, i, "age");
      for (int64_t n = 0; n < length; ++n) {
        proposal.output.values.push_back({.name = age           ? "age"
                                                  : length == 1 ? name
                                                                : fmt::format("{}_{}", name, n),
                                          .tensor = name,
                                          .index = static_cast<int>(n),
                                          .scale = age ? 100.0F : 1.0F,
                                          .unit = age ? "years" : ""});
      }
    } else {
      return std::nullopt;
    }
    shapes += (shapes.empty() ? "" : ", ") + ShapeOfOutput(evidence, i);
  }
  if (proposal.output.class_heads.empty()) return std::nullopt;
  proposal.input = FormatHabit();
  if (proposal.output.class_heads.size() == 1) {
    proposal.output.scores = proposal.output.class_heads[0].tensor;
    proposal.output.class_heads.clear();
  }
  proposal.reason =
      fmt::format("{}: {} with probabilities", shapes, proposal.output.values.empty() ? "lists" : "lists and numbers");
  proposal.output.top_k = 3;
  return proposal;
}

std::optional<Proposal> ProposePose(const Evidence& evidence) {
  if (evidence.graph.outputs.size() != 1) return std::nullopt;
  const auto rows = AsRows(evidence, 0);
  if (!rows) return std::nullopt;
  const bool single = rows->rows == 17 && rows->columns == 3;
  const bool many =
      rows->columns == 56 && (rows->rows == 6 || rows->rows < 0) && evidence.graph.outputs[0].shape.size() == 3;
  if (!single && !many) return std::nullopt;
  Proposal proposal{.family = "MoveNet", .confidence = 0.95};
  proposal.output.kind = Kind::kPose;
  proposal.reason = fmt::format("{}: {}", ShapeOfOutput(evidence, 0),
                                single ? "17 rows of y, x, score" : "six persons of 17 points and a box");
  proposal.labels = {"nose",           "left_eye",   "right_eye",   "left_ear",   "right_ear",   "left_shoulder",
                     "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
                     "right_hip",      "left_knee",  "right_knee",  "left_ankle", "right_ankle"};
  proposal.labels_reason = "the 17 points of COCO";
  proposal.classes = 17;
  const int side = many ? 256 : 192;
  proposal.input = {.order = ChannelOrder::kRgb,
                    .values = kBytes,
                    .resize = ResizeRule::kLetterboxCentered,
                    .pad = 0,
                    .confidence = 0.9,
                    .free_width = side,
                    .free_height = side};
  proposal.threshold = 0.3F;
  if (many) {
    proposal.output.point_names = proposal.labels;
    proposal.labels = {"person"};
    proposal.classes = 1;
  }
  return proposal;
}

}  // namespace

std::vector<Proposal> ProposeVectors(const Evidence& evidence) {
  std::vector<Proposal> proposals;
  if (!evidence.picture) return proposals;
  for (auto* const propose :
       {ProposePose, ProposeClasses, ProposeEmbedding, ProposeLandmarks, ProposeNumbers, ProposeSeveralHeads}) {
    if (auto proposal = propose(evidence)) proposals.push_back(std::move(*proposal));
  }
  return proposals;
}

std::vector<Proposal> ProposeAll(const Evidence& evidence) {
  // Patches are no picture: what the other families look for says nothing there.
  if (evidence.picture && evidence.picture->patches > 0) return ProposeWindows(evidence);
  std::vector<Proposal> proposals;
  for (auto* const propose : {ProposeSuppressed, ProposeAnchorBoxes, ProposeYoloRows, ProposeYoloMaps, ProposeDistances,
                              ProposeMaps, ProposeWindows, ProposeVectors}) {
    for (Proposal& proposal : propose(evidence)) proposals.push_back(std::move(proposal));
  }
  std::stable_sort(proposals.begin(), proposals.end(),
                   [](const Proposal& a, const Proposal& b) { return a.confidence > b.confidence; });
  return proposals;
}

}  // namespace deepedge
