// FFmpeg's C handles as RAII types, and what packets and formats carry under `native`. Only files of this folder
// include FFmpeg.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

namespace deepedge {

template <auto free_function>
struct FfmpegDelete {
  // FFmpeg's free functions take the address of the pointer and clear it.
  template <typename T>
  void operator()(T* handle) const {
    free_function(&handle);
  }
};

using AvFrame = std::unique_ptr<AVFrame, FfmpegDelete<av_frame_free>>;
using AvPacket = std::unique_ptr<AVPacket, FfmpegDelete<av_packet_free>>;
using AvCodecContext = std::unique_ptr<AVCodecContext, FfmpegDelete<avcodec_free_context>>;
using AvFormatContext = std::unique_ptr<AVFormatContext, FfmpegDelete<avformat_close_input>>;
using AvBufferPool = std::unique_ptr<AVBufferPool, FfmpegDelete<av_buffer_pool_uninit>>;

struct SwsDelete {
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};
using AvScaler = std::unique_ptr<SwsContext, SwsDelete>;

struct AvCodecParametersDelete {
  void operator()(AVCodecParameters* parameters) const { avcodec_parameters_free(&parameters); }
};
using AvCodecParameters = std::unique_ptr<AVCodecParameters, AvCodecParametersDelete>;

class AvOptions {
 public:
  AvOptions() = default;
  ~AvOptions() { av_dict_free(&options_); }
  AvOptions(const AvOptions&) = delete;
  AvOptions& operator=(const AvOptions&) = delete;
  void Set(const char* key, const std::string& value) { av_dict_set(&options_, key, value.c_str(), 0); }
  AVDictionary** get() { return &options_; }

 private:
  AVDictionary* options_ = nullptr;
};

// StreamFormat::native. Packet::native is an AVPacket; its pts is AV_NOPTS_VALUE where the pts of the Packet was made
// up, so that the decoder puts the made-up times in order of presentation.
struct NativeFormat {
  AvCodecParameters parameters;
  AVRational time_base{1, 1'000'000};
};

constexpr AVRational kMicroseconds{1, 1'000'000};

// Makes FFmpeg ready: its log is kept off standard error. Any thread, any number of times.
void PrepareFfmpeg();

// The demuxer of Video4Linux cameras; null where libavdevice is not installed.
const AVInputFormat* FindCameraFormat();

// The text of an error code of FFmpeg, in lower case: "connection refused".
std::string FfmpegErrorText(int code);

// What FFmpeg last logged as an error on this thread, and forgets it: "moov atom not found". Empty where there is
// nothing, or where it might hold an address with a password.
std::string TakeFfmpegMessage();

}  // namespace deepedge
