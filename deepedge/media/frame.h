// Frame: one decoded picture of a stream with its times. Immutable after creation and shared by pointer; the pixels
// belong to `owner` (the decoder's own buffer), so handing a frame to several tasks copies nothing.
#pragma once

#include <cstdint>
#include <memory>

#include "deepedge/base/clock.h"
#include "deepedge/base/strong_id.h"
#include "deepedge/media/picture.h"

namespace deepedge {

struct Frame {
  StreamId stream;
  // Position in the stream in the order of presentation, from 0; frames that were lost before decoding count too.
  int64_t number = 0;
  // Media time in microseconds from the stream's own time line; never decreases within one stream.
  int64_t pts_us = 0;
  // When the frame reached this box; for a paced file, when it was due.
  Time captured;
  PictureView picture;
  std::shared_ptr<const void> owner;
};

using FramePtr = std::shared_ptr<const Frame>;

}  // namespace deepedge
