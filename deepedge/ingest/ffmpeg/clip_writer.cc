#include "deepedge/ingest/ffmpeg/clip_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "deepedge/base/check.h"
#include "deepedge/ingest/ffmpeg/encoder_output.h"
#include "deepedge/ingest/ffmpeg/native.h"

namespace deepedge {
namespace {

constexpr int kThreads = 2;

// Encoders that compute on the CPU; those of graphics cards are there in name only on most boxes.
const AVCodec* FindEncoder(std::string_view codec) {
  if (codec == "h264") return avcodec_find_encoder_by_name("libx264");
  if (codec == "hevc") return avcodec_find_encoder_by_name("libx265");
  if (codec == "mjpeg") return avcodec_find_encoder_by_name("mjpeg");
  if (codec == "mpeg4") return avcodec_find_encoder_by_name("mpeg4");
  return nullptr;
}

Result<AvCodecContext> OpenEncoder(const AVCodec& codec, const ClipPlan& plan, bool global_header) {
  AvCodecContext encoder(avcodec_alloc_context3(&codec));
  DE_CHECK(encoder != nullptr);
  const bool jpeg = codec.id == AV_CODEC_ID_MJPEG;
  encoder->width = plan.width;
  encoder->height = plan.height;
  encoder->pix_fmt = jpeg ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P;
  encoder->color_range = jpeg ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  encoder->time_base = {1, plan.frame_rate};
  encoder->framerate = {plan.frame_rate, 1};
  encoder->bit_rate = plan.bit_rate;
  encoder->gop_size = plan.key_interval;
  encoder->max_b_frames = plan.b_frames;
  encoder->thread_count = kThreads;
  if (global_header) encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  AvOptions options;
  // Key frames by interval only: a limit that is never reached for one encoder switches the other off at 0.
  options.Set("sc_threshold", codec.id == AV_CODEC_ID_H264 ? "0" : "1000000000");
  if (codec.id == AV_CODEC_ID_H264) {
    options.Set("preset", "veryfast");
    options.Set("profile", plan.b_frames > 0 ? "high" : "baseline");
  }
  if (codec.id == AV_CODEC_ID_HEVC) {
    options.Set("preset", "superfast");
    options.Set("x265-params",
                fmt::format("log-level=none:pools={}:frame-threads=1:scenecut=0:bframes={}", kThreads, plan.b_frames));
  }
  if (const int r = avcodec_open2(encoder.get(), &codec, options.get()); r < 0)
    return EncodingFailed("open the encoder", r);
  return encoder;
}

Result<AvFrame> CopyOf(const PictureView& picture, const AVCodecContext& encoder, int index) {
  DE_CHECK(picture.format == PixelFormat::kYuv420p);
  DE_CHECK(picture.width == encoder.width && picture.height == encoder.height);
  AvFrame frame(av_frame_alloc());
  DE_CHECK(frame != nullptr);
  frame->format = encoder.pix_fmt;
  frame->width = encoder.width;
  frame->height = encoder.height;
  frame->pts = index;
  if (const int r = av_frame_get_buffer(frame.get(), 0); r < 0) return EncodingFailed("make a picture", r);
  for (size_t plane = 0; plane < 3; ++plane) {
    const int shift = plane == 0 ? 0 : 1;
    for (int y = 0; y < picture.height >> shift; ++y) {
      std::memcpy(frame->data[plane] + static_cast<ptrdiff_t>(y) * frame->linesize[plane],
                  picture.planes[plane] + static_cast<ptrdiff_t>(y) * picture.strides[plane],
                  static_cast<size_t>(picture.width >> shift));
    }
  }
  return frame;
}

Status EncodeAll(AVCodecContext& encoder, AVFormatContext& output, const ClipPlan& plan, const DrawPicture& draw,
                 const std::stop_token& stop) {
  for (int i = 0; i < plan.frames; ++i) {
    if (stop.stop_requested()) return Error{ErrorCode::kCancelled, "stopped"};
    DE_TRY(const AvFrame frame, CopyOf(draw(i), encoder, i));
    DE_TRY_STATUS(WritePackets(encoder, output, frame.get()));
  }
  return WritePackets(encoder, output, nullptr);
}

Status Encode(const Path& path, const AVCodec& codec, const ClipPlan& plan, const DrawPicture& draw,
              const std::stop_token& stop) {
  AVFormatContext* raw = nullptr;
  const std::string url = "file:" + path.string();
  if (const int r = avformat_alloc_output_context2(&raw, nullptr, "matroska", url.c_str()); r < 0) {
    return EncodingFailed("open the container", r);
  }
  const AvOutput output(raw);
  DE_TRY(const AvCodecContext encoder, OpenEncoder(codec, plan, (output->oformat->flags & AVFMT_GLOBALHEADER) != 0));
  AVStream* const stream = avformat_new_stream(output.get(), nullptr);
  DE_CHECK(stream != nullptr && avcodec_parameters_from_context(stream->codecpar, encoder.get()) >= 0);
  stream->time_base = encoder->time_base;
  stream->avg_frame_rate = encoder->framerate;
  if (const int r = avio_open(&output->pb, url.c_str(), AVIO_FLAG_WRITE); r < 0) return EncodingFailed("create", r);
  if (const int r = avformat_write_header(output.get(), nullptr); r < 0) return EncodingFailed("write the header", r);
  DE_TRY_STATUS(EncodeAll(*encoder, *output, plan, draw, stop));
  if (const int r = av_write_trailer(output.get()); r < 0) return EncodingFailed("write the end", r);
  return {};
}

}  // namespace

bool HasEncoder(std::string_view codec) { return FindEncoder(codec) != nullptr; }

Status EncodeClip(const Path& path, const ClipPlan& plan, const DrawPicture& draw, std::stop_token stop) {
  PrepareFfmpeg();
  const auto tried = [&](const Error& error) { return error.Wrap(fmt::format("make a clip '{}'", path.string())); };
  const AVCodec* const codec = FindEncoder(plan.codec);
  if (codec == nullptr) {
    return tried({ErrorCode::kUnsupported, fmt::format("no encoder for '{}' in this FFmpeg", plan.codec)});
  }
  const bool sized = plan.width > 0 && plan.height > 0 && plan.width % 2 == 0 && plan.height % 2 == 0;
  if (!sized || plan.frames <= 0 || plan.frame_rate <= 0 || plan.bit_rate <= 0) {
    return tried({ErrorCode::kBadInput, fmt::format("{} pictures of {}x{}, {} a second, {} bit/s", plan.frames,
                                                    plan.width, plan.height, plan.frame_rate, plan.bit_rate)});
  }
  const Status encoded = Encode(path, *codec, plan, draw, stop);
  if (!encoded.ok()) return tried(encoded.error());
  return {};
}

}  // namespace deepedge
