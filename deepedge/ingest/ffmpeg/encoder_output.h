// From an encoder into a file: what the clips that are made on the spot have in common.
#pragma once

#include <memory>
#include <string_view>

#include "deepedge/base/result.h"
#include "deepedge/ingest/ffmpeg/native.h"

namespace deepedge {

struct AvOutputDelete {
  void operator()(AVFormatContext* context) const {
    if (context->pb != nullptr) avio_closep(&context->pb);
    avformat_free_context(context);
  }
};
using AvOutput = std::unique_ptr<AVFormatContext, AvOutputDelete>;

// "encode: invalid argument". kExhausted for a full disk, else kInternal.
Error EncodingFailed(std::string_view what, int code);

// Gives the picture to the encoder, or its end where `frame` is null, and writes the packets that are ready to the
// output's only stream.
Status WritePackets(AVCodecContext& encoder, AVFormatContext& output, const AVFrame* frame);

}  // namespace deepedge
