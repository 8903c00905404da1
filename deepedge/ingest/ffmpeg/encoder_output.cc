#include "deepedge/ingest/ffmpeg/encoder_output.h"

#include <fmt/format.h>

#include "deepedge/base/check.h"

namespace deepedge {

Error EncodingFailed(std::string_view what, int code) {
  return {code == AVERROR(ENOSPC) ? ErrorCode::kExhausted : ErrorCode::kInternal,
          fmt::format("{}: {}", what, FfmpegErrorText(code))};
}

Status WritePackets(AVCodecContext& encoder, AVFormatContext& output, const AVFrame* frame) {
  if (const int sent = avcodec_send_frame(&encoder, frame); sent < 0) return EncodingFailed("encode", sent);
  const AvPacket packet(av_packet_alloc());
  DE_CHECK(packet != nullptr);
  while (avcodec_receive_packet(&encoder, packet.get()) >= 0) {
    av_packet_rescale_ts(packet.get(), encoder.time_base, output.streams[0]->time_base);
    packet->stream_index = 0;
    if (const int written = av_interleaved_write_frame(&output, packet.get()); written < 0) {
      return EncodingFailed("write", written);
    }
  }
  return {};
}

}  // namespace deepedge
