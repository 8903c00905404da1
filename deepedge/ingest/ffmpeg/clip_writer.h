// Small clips, made on the spot: what the box is calibrated with, since how long decoding takes is asked before any
// camera is there. Encoders are looked for at run time and used for nothing else; a box may have none of them (some are
// under the GPL, and FFmpeg is often built without).
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/media/picture.h"

namespace deepedge {

struct ClipPlan {
  std::string codec = "h264";  // as StreamFormat::codec
  int width = 640;
  int height = 360;
  int frames = 24;
  int frame_rate = 25;
  int64_t bit_rate = 1'000'000;  // bits a second, on average; for mjpeg a wish only
  int key_interval = 12;
  int b_frames = 0;  // 0: none, and for h264 no arithmetic coding either: its baseline profile
};

// Whether a clip of this codec can be made here.
bool HasEncoder(std::string_view codec);

// Picture `index` of the clip, kYuv420p of the plan's size; its pixels stay until the next call.
using DrawPicture = std::function<PictureView(int index)>;

// Writes a Matroska file, by this thread and a few of the encoder. What `draw` gives is copied. Errors: kUnsupported
// naming the codec without an encoder; kBadInput for sizes that are odd or not positive; kCancelled, kExhausted,
// kInternal.
Status EncodeClip(const Path& path, const ClipPlan& plan, const DrawPicture& draw, std::stop_token stop);

}  // namespace deepedge
