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

}  // namespace

std::vector<std::string> ResultLines(const InferenceResult& result, const LoadedModel& model) {
  std::vector<std::string> lines;
  for (const DetectedObject& object : result.objects) {
    lines.push_back(fmt::format("{:<20} {:.2f}  box {:.3f} {:.3f} {:.3f} {:.3f}", model.card.LabelOf(object.label),
                                object.score, object.box.x1, object.box.y1, object.box.x2, object.box.y2));
  }
  for (const ClassScore& score : result.classes) {
    lines.push_back(fmt::format("{:<20} {:.3f}", model.card.LabelOf(score.label), score.score));
  }
  for (size_t i = 0; i < result.keypoints.size(); ++i) {
    const Keypoint& keypoint = result.keypoints[i];
    lines.push_back(
        fmt::format("point {:<14} {:.2f}  at {:.3f} {:.3f}", i, keypoint.score, keypoint.point.x, keypoint.point.y));
  }
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
    json["classes"].push_back({{"label", model.card.LabelOf(score.label)}, {"score", Rounded(score.score, 1e4)}});
  }
  if (!result.keypoints.empty()) json["keypoints"] = KeypointsJson(result.keypoints);
  return json;
}

void DrawResult(RgbPicture& picture, const InferenceResult& result, const LoadedModel& model) {
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
  float y = 0.08F;
  for (const ClassScore& score : result.classes) {
    DrawLabel(picture, {0.01F, y, 0.5F, y + 0.05F},
              fmt::format("{} {:.3f}", model.card.LabelOf(score.label), score.score), ColorOfLabel(score.label));
    y += 0.07F;
  }
}

}  // namespace deepedge
