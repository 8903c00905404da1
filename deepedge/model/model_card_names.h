// The words of model.yaml for the enumerations of ModelCard, shared by reading and writing.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "deepedge/model/model_card.h"

namespace deepedge {

template <typename T>
using NamedValue = std::pair<std::string_view, T>;

inline constexpr std::array kLayoutNames{
    NamedValue<TensorLayout>{"nchw", TensorLayout::kNchw},
    NamedValue<TensorLayout>{"nhwc", TensorLayout::kNhwc},
};

inline constexpr std::array kColorNames{
    NamedValue<ChannelOrder>{"rgb", ChannelOrder::kRgb},
    NamedValue<ChannelOrder>{"bgr", ChannelOrder::kBgr},
    NamedValue<ChannelOrder>{"gray", ChannelOrder::kGray},
};

inline constexpr std::array kResizeNames{
    NamedValue<ResizeRule>{"stretch", ResizeRule::kStretch},
    NamedValue<ResizeRule>{"letterbox_top_left", ResizeRule::kLetterboxTopLeft},
    NamedValue<ResizeRule>{"letterbox_centered", ResizeRule::kLetterboxCentered},
};

inline constexpr std::array kDecoderNames{
    NamedValue<OutputDecoderKind>{"raw", OutputDecoderKind::kRaw},
    NamedValue<OutputDecoderKind>{"ssd", OutputDecoderKind::kSsd},
    NamedValue<OutputDecoderKind>{"ssd_anchors", OutputDecoderKind::kSsdAnchors},
    NamedValue<OutputDecoderKind>{"boxes_scores", OutputDecoderKind::kBoxesScores},
    NamedValue<OutputDecoderKind>{"detections", OutputDecoderKind::kDetections},
    NamedValue<OutputDecoderKind>{"yolox", OutputDecoderKind::kYolox},
    NamedValue<OutputDecoderKind>{"yolo_anchors", OutputDecoderKind::kYoloAnchors},
    NamedValue<OutputDecoderKind>{"yolo_rows", OutputDecoderKind::kYoloRows},
    NamedValue<OutputDecoderKind>{"detection_rows", OutputDecoderKind::kDetectionRows},
    NamedValue<OutputDecoderKind>{"dfl", OutputDecoderKind::kDfl},
    NamedValue<OutputDecoderKind>{"fastest_grid", OutputDecoderKind::kFastestGrid},
    NamedValue<OutputDecoderKind>{"yunet", OutputDecoderKind::kYunet},
    NamedValue<OutputDecoderKind>{"centernet", OutputDecoderKind::kCenternet},
    NamedValue<OutputDecoderKind>{"classification", OutputDecoderKind::kClassification},
    NamedValue<OutputDecoderKind>{"pose", OutputDecoderKind::kPose},
    NamedValue<OutputDecoderKind>{"heatmap_pose", OutputDecoderKind::kHeatmapPose},
    NamedValue<OutputDecoderKind>{"embedding", OutputDecoderKind::kEmbedding},
    NamedValue<OutputDecoderKind>{"segmentation", OutputDecoderKind::kSegmentation},
    NamedValue<OutputDecoderKind>{"text_map", OutputDecoderKind::kTextMap},
    NamedValue<OutputDecoderKind>{"regression", OutputDecoderKind::kRegression},
    NamedValue<OutputDecoderKind>{"window", OutputDecoderKind::kWindow},
    NamedValue<OutputDecoderKind>{"patch_points", OutputDecoderKind::kPatchPoints},
};

inline constexpr std::array kBoxFormNames{
    NamedValue<BoxForm>{"corners", BoxForm::kCorners},
    NamedValue<BoxForm>{"center_size", BoxForm::kCenterSize},
    NamedValue<BoxForm>{"corner_size", BoxForm::kCornerSize},
};

inline constexpr std::array kYoloBoxRuleNames{
    NamedValue<YoloBoxRule>{"exp", YoloBoxRule::kExp},
    NamedValue<YoloBoxRule>{"square", YoloBoxRule::kSquare},
};

inline constexpr std::array kRowColumnNames{
    NamedValue<RowColumn>{"x1", RowColumn::kX1},           NamedValue<RowColumn>{"y1", RowColumn::kY1},
    NamedValue<RowColumn>{"x2", RowColumn::kX2},           NamedValue<RowColumn>{"y2", RowColumn::kY2},
    NamedValue<RowColumn>{"cx", RowColumn::kCenterX},      NamedValue<RowColumn>{"cy", RowColumn::kCenterY},
    NamedValue<RowColumn>{"w", RowColumn::kWidth},         NamedValue<RowColumn>{"h", RowColumn::kHeight},
    NamedValue<RowColumn>{"score", RowColumn::kScore},     NamedValue<RowColumn>{"class", RowColumn::kClass},
    NamedValue<RowColumn>{"ignored", RowColumn::kIgnored},
};

template <typename T, size_t N>
constexpr std::string_view NameOf(const std::array<NamedValue<T>, N>& names, T value) {
  for (const auto& [name, candidate] : names) {
    if (candidate == value) return name;
  }
  return "?";
}

// The task that a decoder's results belong to.
constexpr std::string_view TaskOf(OutputDecoderKind kind) {
  switch (kind) {
    case OutputDecoderKind::kRaw: return "raw";
    case OutputDecoderKind::kSsd:
    case OutputDecoderKind::kSsdAnchors:
    case OutputDecoderKind::kBoxesScores:
    case OutputDecoderKind::kDetections:
    case OutputDecoderKind::kYolox:
    case OutputDecoderKind::kYoloAnchors:
    case OutputDecoderKind::kYoloRows:
    case OutputDecoderKind::kDetectionRows:
    case OutputDecoderKind::kDfl:
    case OutputDecoderKind::kFastestGrid:
    case OutputDecoderKind::kYunet:
    case OutputDecoderKind::kWindow:
    case OutputDecoderKind::kCenternet: return "detection";
    case OutputDecoderKind::kClassification: return "classification";
    case OutputDecoderKind::kPose:
    case OutputDecoderKind::kPatchPoints:
    case OutputDecoderKind::kHeatmapPose: return "pose";
    case OutputDecoderKind::kEmbedding: return "embedding";
    case OutputDecoderKind::kSegmentation: return "segmentation";
    case OutputDecoderKind::kTextMap: return "text";
    case OutputDecoderKind::kRegression: return "regression";
  }
  return "?";
}

}  // namespace deepedge
