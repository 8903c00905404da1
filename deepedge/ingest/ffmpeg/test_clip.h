// Small clips for tests, made on the spot, and reading them back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/ingest/decoder.h"
#include "deepedge/ingest/source.h"

namespace deepedge {

struct ClipOptions {
  std::string codec = "mpeg4";  // an encoder of libavcodec
  int width = 160;
  int height = 120;
  int frames = 50;
  int frame_rate = 25;
  int b_frames = 0;
  int key_interval = 10;
  bool full_range = false;  // as "yuvj420p"; mjpeg is always full range
};

// The luma of picture `index` in every clip: flat, and different from that of its neighbours.
int ClipLuma(int index);

// Writes a clip; the container follows from the name (.mp4, .avi, .mkv, .ts, .mjpeg).
Status WriteClip(const Path& path, const ClipOptions& options);

// Runs the ffmpeg program with these arguments; false where it is missing or fails. For encoders that only it has.
bool RunFfmpegProgram(const std::string& arguments);

struct ReadBack {
  struct Picture {
    int64_t pts_us = 0;
    Time captured;
    int width = 0;
    int height = 0;
    PixelFormat format = PixelFormat::kYuv420p;
    ColorSpace color;
    double luma = 0;  // mean
    bool damaged = false;
  };
  std::vector<Picture> pictures;
  std::vector<Packet> packets;
  int errors = 0;  // of the decoder
  Error end;       // why the source ended
};

double MeanLuma(const PictureView& picture);

// Adds what the decoder gives now.
void ReceiveAll(Decoder& decoder, ReadBack& into);

// Reads an open source to its end through one decoder.
ReadBack ReadAll(Source& source);
// Opens and reads; an error of Open ends up in `end`.
ReadBack ReadAll(const std::string& address, std::optional<Duration> start = std::nullopt);

}  // namespace deepedge
