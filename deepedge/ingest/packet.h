// Packets: compressed pictures on their way from a source to a decoder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "deepedge/base/clock.h"

namespace deepedge {

// What the packets of a source hold: codec, its parameters, and what is known of the size. A source makes a new one
// when any of it changes in mid-stream; a decoder compares pointers. Immutable.
struct StreamFormat {
  std::string codec;    // FFmpeg's name: "h264", "hevc", "mjpeg", "rawvideo", ...
  std::string profile;  // of the codec, as FFmpeg names it: "High", "Constrained Baseline"; empty: not known
  int width = 0;        // 0 when not known before the first picture
  int height = 0;
  double frame_rate = 0;               // 0 when not known
  std::shared_ptr<const void> native;  // the implementation's own parameters
};

// One compressed picture. Copying shares the data.
struct Packet {
  std::shared_ptr<const StreamFormat> format;
  std::shared_ptr<const void> native;  // the implementation's own packet
  int64_t pts_us = 0;                  // media time of the picture, made continuous and never missing (timestamps.h)
  int64_t dts_us = 0;                  // media time at which it has to be decoded; <= pts_us
  bool key = false;                    // a decoder can start here
  bool shown = true;  // false: needed for decoding others only (edit lists); gives no picture and is not captured
  int64_t bytes = 0;
  int64_t sequence = 0;  // given by who sends packets to a decoder, rising; the picture brings it back
  Time captured;         // when it reached this box; for a paced file, when its picture was due
};

}  // namespace deepedge
