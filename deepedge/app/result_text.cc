#include "deepedge/app/result_text.h"

#include <fmt/format.h>

#include <cmath>

#include "deepedge/media/draw.h"

namespace deepedge {
namespace {

using Json = nlohmann::ordered_json;

double Rounded(float value, double steps) { return std::round(static_cast<double>(value) * steps) / steps; }

Json BoxJson(const Box& box) {
  return {Rounded(box.x1, 1e5), Rounded(box.y1, 1e5), Rounded(box.x2, 1e5), Rounded(box.y2, 1e5)};
}

Json KeypointsJson(const std::vector<Keypoint>& keypoints) {
  Json json = Json::array();
  for (const Keypoint& keypoint : keypoints) {
    json.push_back({Rounded(keypoint.point.x, 1e5), Rounded(keypoint.point.y, 1e5), Rounded(keypoint.score, 1e4)});
  }
  return json;
}

// "nose" where the card names its points, else the number.
std::string PointName(const ModelCard& card, size_t index) {
  const auto& names = card.output.point_names.empty() ? card.labels : card.output.point_names;
  return index < names.size() ? names[index] : fmt::format("point {}", index);
}

// The length of the vector and its first numbers.
std::string EmbeddingLine(const std::vector<float>& embedding) {
  constexpr size_t kShown = 6;
  double squares = 0;
  for (const float value : embedding) squares += static_cast<double>(value) * static_cast<double>(value);
  std::string line = fmt::format("embedding of {} numbers, length {:.3f}:", embedding.size(), std::sqrt(squares));
  for (size_t i = 0; i < embedding.size() && i < kShown; ++i) line += fmt::format(" {:.4f}", embedding[i]);
  return embedding.size() > kShown ? line + " ..." : line;
}

void AppendLines(const InferenceResult& result, const ModelCard& card, std::vector<std::string>* lines) {
  if (!result.embedding.empty()) lines->push_back(EmbeddingLine(result.embedding));
  for (const LabelShare& share : result.mask.shares) {
    lines->push_back(fmt::format("{:<20} {:.1f} % of the picture", card.LabelOf(share.label), 100 * share.share));
  }
  for (const TextRegion& region : result.text) {
    std::string line = fmt::format("{:<20} {:.2f}  corners", "text", region.score);
    for (const Point& corner : region.corners) line += fmt::format(" {:.3f},{:.3f}", corner.x, corner.y);
    lines->push_back(std::move(line));
  }
  for (const NamedNumber& value : result.values) {
    lines->push_back(
        fmt::format("{:<20} {:.4g}{}{}", value.name, value.value, value.unit.empty() ? "" : " ", value.unit));
  }
}

Json MaskJson(const ClassMask& mask, const ModelCard& card) {
  Json json = {{"width", mask.width}, {"height", mask.height}};
  json["shares"] = Json::array();
  for (const LabelShare& share : mask.shares) {
    json["shares"].push_back(
        {{"id", share.label}, {"label", card.LabelOf(share.label)}, {"share", Rounded(share.share, 1e5)}});
  }
  json["runs"] = Json::array();
  for (const MaskRun& run : mask.runs) json["runs"].push_back(Json::array({run.label, run.length}));
  return json;
}

// The parts of the newer tasks, each only where it holds something.
void AppendJson(const InferenceResult& result, const ModelCard& card, Json* json) {
  if (!result.embedding.empty()) (*json)["embedding"] = result.embedding;
  if (result.mask.width > 0) (*json)["mask"] = MaskJson(result.mask, card);
  for (const TextRegion& region : result.text) {
    Json corners = Json::array();
    for (const Point& corner : region.corners) {
      corners.push_back(Json::array({Rounded(corner.x, 1e5), Rounded(corner.y, 1e5)}));
    }
    (*json)["text"].push_back({{"score", Rounded(region.score, 1e4)}, {"corners", std::move(corners)}});
  }
  for (const NamedNumber& value : result.values) {
    Json entry = {{"name", value.name}, {"value", Rounded(value.value, 1e5)}};
    if (!value.unit.empty()) entry["unit"] = value.unit;
    (*json)["values"].push_back(std::move(entry));
  }
}

void DrawMaskOf(RgbPicture& picture, const ClassMask& mask) {
  if (mask.width < 1) return;
  std::vector<int> labels;
  for (const MaskRun& run : mask.runs) labels.insert(labels.end(), run.length, run.label);
  DrawMask(picture, labels, mask.width);
}

// What is said of the whole picture, line under line at the top left, in the colour of its label.
void DrawRemarks(RgbPicture& picture, const InferenceResult& result, const ModelCard& card) {
  float y = 0.08F;
  const auto remark = [&](const std::string& text, int label) {
    DrawLabel(picture, {0.01F, y, 0.5F, y + 0.05F}, text, ColorOfLabel(label));
    y += 0.07F;
  };
  for (const ClassScore& score : result.classes) {
    remark(fmt::format("{} {:.3f}", card.LabelOf(score.label), score.score), score.label);
  }
  for (const LabelShare& share : result.mask.shares) {
    remark(fmt::format("{} {:.1f} %", card.LabelOf(share.label), 100 * share.share), share.label);
  }
  int number = 0;
  for (const NamedNumber& value : result.values) {
    remark(fmt::format("{} {:.4g} {}", value.name, value.value, value.unit), number++);
  }
}

}  // namespace

std::vector<std::string> ResultLines(const InferenceResult& result, const LoadedModel& model) {
  std::vector<std::string> lines;
  for (const DetectedObject& object : result.objects) {
    lines.push_back(fmt::format("{:<20} {:.2f}  box {:.3f} {:.3f} {:.3f} {:.3f}", model.card.LabelOf(object.label),
                                object.score, object.box.x1, object.box.y1, object.box.x2, object.box.y2));
  }
  for (const ClassScore& score : result.classes) {
    lines.push_back(fmt::format("{:<20} {:.3f}{}{}", model.card.LabelOf(score.label), score.score,
                                score.head.empty() ? "" : "  ", score.head));
  }
  for (size_t i = 0; i < result.keypoints.size(); ++i) {
    const Keypoint& keypoint = result.keypoints[i];
    lines.push_back(fmt::format("{:<20} {:.2f}  at {:.3f} {:.3f}", PointName(model.card, i), keypoint.score,
                                keypoint.point.x, keypoint.point.y));
  }
  AppendLines(result, model.card, &lines);
  if (lines.empty()) lines.emplace_back("nothing seen");
  return lines;
}

Json ResultJson(const InferenceResult& result, const LoadedModel& model) {
  Json json = {{"model", model.name}, {"variant", model.variant}};
  json["objects"] = Json::array();
  for (const DetectedObject& object : result.objects) {
    Json entry = {{"label", model.card.LabelOf(object.label)},
                  {"score", Rounded(object.score, 1e4)},
                  {"box", BoxJson(object.box)}};
    if (!object.keypoints.empty()) entry["keypoints"] = KeypointsJson(object.keypoints);
    json["objects"].push_back(std::move(entry));
  }
  if (!result.classes.empty()) json["classes"] = Json::array();
  for (const ClassScore& score : result.classes) {
    Json entry = {{"label", model.card.LabelOf(score.label)}, {"score", Rounded(score.score, 1e4)}};
    if (!score.head.empty()) entry["head"] = score.head;
    json["classes"].push_back(std::move(entry));
  }
  if (!result.keypoints.empty()) json["keypoints"] = KeypointsJson(result.keypoints);
  AppendJson(result, model.card, &json);
  return json;
}

void DrawResult(RgbPicture& picture, const InferenceResult& result, const LoadedModel& model) {
  DrawMaskOf(picture, result.mask);
  constexpr float kVisible = 0.2F;  // a point that the model is not sure of at all would only confuse
  const auto draw_points = [&](const std::vector<Keypoint>& keypoints, Rgb color) {
    for (const Keypoint& keypoint : keypoints) {
      if (keypoint.score >= kVisible) DrawPoint(picture, keypoint.point, color);
    }
  };
  for (const DetectedObject& object : result.objects) {
    const Rgb color = ColorOfLabel(object.label);
    DrawBox(picture, object.box, color);
    draw_points(object.keypoints, color);
  }
  // Labels last, so that no box runs through a text.
  for (const DetectedObject& object : result.objects) {
    DrawLabel(picture, object.box, fmt::format("{} {:.2f}", model.card.LabelOf(object.label), object.score),
              ColorOfLabel(object.label));
  }
  draw_points(result.keypoints, ColorOfLabel(0));
  for (const TextRegion& region : result.text) DrawPolygon(picture, region.corners, ColorOfLabel(0));
  DrawRemarks(picture, result, model.card);
}

}  // namespace deepedge
