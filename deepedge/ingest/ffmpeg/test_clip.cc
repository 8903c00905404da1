#include "deepedge/ingest/ffmpeg/test_clip.h"

#include <cstdlib>
#include <cstring>

#include "deepedge/base/check.h"
#include "deepedge/ingest/ffmpeg/encoder_output.h"
#include "deepedge/ingest/ffmpeg/native.h"

namespace deepedge {
int ClipLuma(int index) { return 40 + (index * 7) % 180; }

Status WriteClip(const Path& path, const ClipOptions& options) {
  PrepareFfmpeg();
  AVFormatContext* raw = nullptr;
  if (const int r = avformat_alloc_output_context2(&raw, nullptr, nullptr, path.c_str()); r < 0)
    return EncodingFailed("mux", r);
  const AvOutput output(raw);
  const AVCodec* codec = avcodec_find_encoder_by_name(options.codec.c_str());
  if (codec == nullptr) return Error{ErrorCode::kUnsupported, options.codec + ": no such encoder"};
  const AvCodecContext encoder(avcodec_alloc_context3(codec));
  encoder->width = options.width;
  encoder->height = options.height;
  const bool full_range = options.full_range || options.codec == "mjpeg";
  encoder->pix_fmt = full_range ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
  encoder->color_range = full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  encoder->time_base = {1, options.frame_rate};
  encoder->framerate = {options.frame_rate, 1};
  encoder->gop_size = options.key_interval;
  encoder->max_b_frames = options.b_frames;
  encoder->flags |= AV_CODEC_FLAG_QSCALE;
  encoder->global_quality = 2 * FF_QP2LAMBDA;
  encoder->thread_count = 1;
  if ((output->oformat->flags & AVFMT_GLOBALHEADER) != 0) encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  AvOptions codec_options;
  codec_options.Set("sc_threshold", "1000000000");  // our pictures change at once, yet key frames come by interval only
  if (const int r = avcodec_open2(encoder.get(), codec, codec_options.get()); r < 0)
    return EncodingFailed("open encoder", r);
  AVStream* stream = avformat_new_stream(output.get(), nullptr);
  DE_CHECK(stream != nullptr && avcodec_parameters_from_context(stream->codecpar, encoder.get()) >= 0);
  stream->time_base = encoder->time_base;
  stream->avg_frame_rate = encoder->framerate;
  if (const int r = avio_open(&output->pb, path.c_str(), AVIO_FLAG_WRITE); r < 0) return EncodingFailed("create", r);
  if (const int r = avformat_write_header(output.get(), nullptr); r < 0) return EncodingFailed("write header", r);

  for (int i = 0; i < options.frames; ++i) {
    const AvFrame frame(av_frame_alloc());
    frame->format = encoder->pix_fmt;
    frame->width = options.width;
    frame->height = options.height;
    frame->pts = i;
    frame->quality = encoder->global_quality;
    DE_CHECK(av_frame_get_buffer(frame.get(), 0) >= 0);
    std::memset(frame->data[0], ClipLuma(i), static_cast<size_t>(frame->linesize[0] * options.height));
    for (int plane = 1; plane < 3; ++plane) {
      std::memset(frame->data[plane], 128, static_cast<size_t>(frame->linesize[plane] * ((options.height + 1) / 2)));
    }
    DE_TRY_STATUS(WritePackets(*encoder, *output, frame.get()));
  }
  DE_TRY_STATUS(WritePackets(*encoder, *output, nullptr));
  if (const int r = av_write_trailer(output.get()); r < 0) return EncodingFailed("write trailer", r);
  return {};
}

bool RunFfmpegProgram(const std::string& arguments) {
  const std::string command = "ffmpeg -nostdin -v error -y " + arguments + " >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe): tests only
}

double MeanLuma(const PictureView& picture) {
  constexpr int kStep = 4;  // rows; enough to tell pictures apart
  double sum = 0;
  for (int y = 0; y < picture.height; y += kStep) {
    const uint8_t* row = picture.planes[0] + static_cast<ptrdiff_t>(y) * picture.strides[0];
    for (int x = 0; x < picture.width; ++x) sum += row[x];
  }
  return sum / picture.width / ((picture.height + kStep - 1) / kStep);
}

void ReceiveAll(Decoder& decoder, ReadBack& into) {
  for (int guard = 0; guard < 1000; ++guard) {
    auto received = decoder.Receive();
    if (!received.ok()) {
      ++into.errors;
      continue;
    }
    if (!received.value()) return;
    const DecodedPicture& decoded = *received.value();
    into.pictures.push_back({.pts_us = decoded.pts_us,
                             .captured = decoded.captured,
                             .width = decoded.picture.width,
                             .height = decoded.picture.height,
                             .format = decoded.picture.format,
                             .color = decoded.picture.color,
                             .luma = MeanLuma(decoded.picture),
                             .damaged = decoded.damaged});
  }
}

ReadBack ReadAll(Source& source) {
  ReadBack back;
  const auto decoder = MakeDecoder();
  while (true) {
    auto read = source.Read({});
    if (!read.ok()) {
      back.end = read.error();
      break;
    }
    back.packets.push_back(read.value());
    if (!decoder->Send(read.value()).ok()) ++back.errors;
    ReceiveAll(*decoder, back);
  }
  decoder->Drain();
  ReceiveAll(*decoder, back);
  return back;
}

ReadBack ReadAll(const std::string& address, std::optional<Duration> start) {
  ReadBack back;
  const RealClock clock;
  auto source = MakeSource({.address = address}, clock);
  if (!source.ok()) {
    back.end = source.error();
    return back;
  }
  Status status = source.value()->Open({});
  if (status.ok() && start) status = source.value()->SeekTo(*start);
  if (!status.ok()) {
    back.end = status.error();
    return back;
  }
  return ReadAll(*source.value());
}

}  // namespace deepedge
