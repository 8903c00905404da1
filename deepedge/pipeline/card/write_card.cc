#include "deepedge/pipeline/card/write_card.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <sstream>

#include "deepedge/model/model_card_io.h"
#include "deepedge/model/model_card_names.h"

namespace deepedge {
namespace {

// What of a decoder's settings the user would want to check.
std::string Details(const OutputDecoderSpec& output) {
  std::string text(ToString(output.kind));
  if (output.sigmoid) text += ", logistic function applied";
  if (output.softmax) text += ", softmax applied";
  if (output.background >= 0) text += fmt::format(", class {} is the background", output.background);
  if (!output.anchors.empty()) text += fmt::format(", anchors on {} maps", output.anchors.size());
  if (output.anchor_rule) text += fmt::format(", anchors by rule on {} maps", output.anchor_rule->strides.size());
  if (output.objectness) text += ", with objectness";
  if (output.bins > 1) text += fmt::format(", {} weights a side", output.bins);
  if (output.keypoints > 0) text += fmt::format(", {} points", output.keypoints);
  if (!output.normalized) text += ", boxes in pixels";
  return text;
}

// Results of whole numbers have a scale in the file. A card holds one: it is taken where all of them agree.
void TakeScale(const Evidence& evidence, OutputDecoderSpec* output) {
  std::optional<std::array<float, 2>> common;
  for (const TensorSpec& tensor : evidence.graph.outputs) {
    if (tensor.type != ElementType::kI8 && tensor.type != ElementType::kU8) continue;
    const auto said = evidence.graph.metadata.find("tflite.scale." + tensor.name);
    if (said == evidence.graph.metadata.end()) return;
    std::istringstream numbers(said->second);
    std::array<float, 2> scale{};
    if (!(numbers >> scale[0] >> scale[1]) || (common && *common != scale)) return;
    common = scale;
  }
  if (!common) return;
  output->score_scale = (*common)[0];
  output->score_zero = (*common)[1];
}

}  // namespace

WrittenCard WriteCard(const Evidence& evidence, const Proposal& proposal) {
  WrittenCard written;
  ModelCard& card = written.card;
  card.name = evidence.name;
  card.output = proposal.output;
  TakeScale(evidence, &card.output);
  card.task = TaskOf(proposal.output.kind);
  card.threshold = evidence.notes.threshold.value_or(proposal.threshold);
  written.findings.push_back(
      {"task", card.task, proposal.confidence, fmt::format("{}: {}", proposal.family, proposal.reason), {}});
  InputReading reading = ReadInput(evidence, proposal.input);
  card.input = std::move(reading.input);
  Finding labels = ChooseLabels(evidence, proposal, &card);
  written.findings.push_back({"output.decoder", Details(card.output), proposal.confidence, proposal.reason, {}});
  for (Finding& finding : reading.findings) written.findings.push_back(std::move(finding));
  written.findings.push_back(std::move(labels));
  return written;
}

WrittenCard WriteRawCard(const Evidence& evidence, const std::string& reason) {
  WrittenCard written;
  written.card.name = evidence.name;
  written.card.task = "raw";
  written.findings.push_back({"task", "raw", 0.4, reason, {}});
  if (evidence.picture) {
    InputReading reading = ReadInput(evidence, {});
    written.card.input = std::move(reading.input);
    for (Finding& finding : reading.findings) written.findings.push_back(std::move(finding));
  }
  return written;
}

WrittenCard TakeFirst(std::vector<WrittenCard> readings) {
  for (size_t i = 1; i < readings.size(); ++i) {
    const Finding& other = readings[i].findings.front();
    readings[0].findings.front().alternatives.push_back(
        fmt::format("{} ({:.2f}: {})", other.value, other.confidence, other.reason));
  }
  return std::move(readings.front());
}

}  // namespace deepedge
