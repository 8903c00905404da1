// Which of the modes that a USB camera offers is taken.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace deepedge {

// What comes over the wire. kRaw: pixels of a format that the decoder can convert (YUYV, NV12, ...).
enum class CameraCodec { kRaw, kMjpeg, kH264 };

struct CameraMode {
  CameraCodec codec = CameraCodec::kRaw;
  std::string fourcc;  // "YUYV", "MJPG", ...
  int width = 0;
  int height = 0;
  double frame_rate = 0;
  friend bool operator==(const CameraMode&, const CameraMode&) = default;
};

// What is asked of a camera; it gives what comes nearest.
struct CameraWish {
  int width = 1280;
  int height = 720;
  double frame_rate = 30;
};

// Pure. In this order: a mode that reaches the wished frame rate (else the fastest), the size nearest to the wish,
// the least surplus frame rate, and then raw before Motion JPEG before H.264: raw needs no decoding and has no coding
// losses, and of Motion JPEG only the pictures looked at have to be decoded. Nothing when nothing is offered.
std::optional<CameraMode> ChooseCameraMode(std::span<const CameraMode> offered, const CameraWish& wish);

}  // namespace deepedge
