// Frames of libavcodec as pictures of media/: pixel formats that media/ knows are passed through, others converted by
// libswscale.
#pragma once

#include "deepedge/base/result.h"
#include "deepedge/ingest/ffmpeg/native.h"
#include "deepedge/media/picture.h"

namespace deepedge {

// Thread-compatible. Keeps libswscale's tables and a pool of buffers between calls.
class PixelConverter {
 public:
  // `frame` itself when its format is one of media/'s, else a converted copy with the same times.
  Result<AvFrame> ToKnownFormat(AvFrame frame);

  // A copy as packed RGB, converted as exactly as libswscale can.
  Result<AvFrame> ToRgb24(const AVFrame& frame);

 private:
  Result<AvFrame> Convert(const AVFrame& frame, AVPixelFormat target, int flags);

  AvScaler scaler_;
  AvBufferPool pool_;
  int pool_bytes_ = 0;
};

// The view of a frame that ToKnownFormat gave. `gray_is_full` says what a gray picture is that does not tell its range.
PictureView ViewOf(const AVFrame& frame, bool gray_is_full);

}  // namespace deepedge
