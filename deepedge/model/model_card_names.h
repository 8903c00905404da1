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
    NamedValue<OutputDecoderKind>{"classification", OutputDecoderKind::kClassification},
    NamedValue<OutputDecoderKind>{"pose", OutputDecoderKind::kPose},
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
    case OutputDecoderKind::kYolox: return "detection";
    case OutputDecoderKind::kClassification: return "classification";
    case OutputDecoderKind::kPose: return "pose";
  }
  return "?";
}

}  // namespace deepedge
