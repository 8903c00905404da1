#include "deepedge/ingest/ffmpeg/ffmpeg_source.h"

#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "deepedge/base/check.h"
#include "deepedge/base/log.h"
#include "deepedge/ingest/ffmpeg/native.h"
#include "deepedge/ingest/timestamps.h"
#include "deepedge/ingest/v4l2_device.h"
#include "deepedge/ingest/waiter.h"

namespace deepedge {
namespace {

// FFmpeg asks this on every wait of its own, about ten times a second, whether to give up.
class Interrupt {
 public:
  explicit Interrupt(const Clock& clock) : clock_(clock) {}

  void Arm(std::stop_token stop, Duration deadline) {
    stop_ = std::move(stop);
    allowed_ = deadline;
    until_ = clock_.Now() + deadline;
    expired_ = false;
  }
  // From now on every call gives up at once.
  void Trip() { until_ = Time{INT64_MIN}; }

  bool stopped() const { return stop_.stop_requested(); }
  bool expired() const { return expired_; }
  Duration allowed() const { return allowed_; }
  Time until() const { return until_; }
  const std::stop_token& stop() const { return stop_; }

  static int Ask(void* self) { return static_cast<Interrupt*>(self)->GiveUp() ? 1 : 0; }

 private:
  bool GiveUp() {
    expired_ = expired_ || clock_.Now() >= until_;
    return expired_ || stopped();
  }

  const Clock& clock_;
  std::stop_token stop_;
  Duration allowed_{0};
  Time until_;
  bool expired_ = false;
};

std::string SecondsText(Duration duration) {
  return fmt::format("{:.3g} s", static_cast<double>(duration.count()) / 1e6);
}

// Codecs that "draw" text files; FFmpeg takes any .txt for them.
bool IsText(AVCodecID codec) {
  return codec == AV_CODEC_ID_ANSI || codec == AV_CODEC_ID_BINTEXT || codec == AV_CODEC_ID_XBIN ||
         codec == AV_CODEC_ID_IDF;
}

const char* FfmpegNameOf(const CameraMode& mode) {
  if (mode.fourcc == "YUYV") return "yuyv422";
  if (mode.fourcc == "NV12") return "nv12";
  if (mode.fourcc == "YU12") return "yuv420p";
  return mode.codec == CameraCodec::kH264 ? "h264" : "mjpeg";
}

double FrameRateOf(AVFormatContext& context, AVStream& stream) {
  const double rate = av_q2d(av_guess_frame_rate(&context, &stream, nullptr));
  // 90 kHz and the like are a clock's rate and not that of the pictures.
  return rate > 0 && rate <= 1000 ? rate : 0;
}

class FfmpegSource final : public Source {
 public:
  FfmpegSource(SourceKind kind, SourceOptions options, const Clock& clock)
      : kind_(kind), options_(std::move(options)), clock_(clock), interrupt_(clock) {
    PrepareFfmpeg();
  }
  ~FfmpegSource() override { Close(); }

  Status Open(std::stop_token stop) override {
    Close();
    interrupt_.Arm(std::move(stop), options_.open_deadline);
    TakeFfmpegMessage();
    const Status opened = OpenContext();
    if (opened.ok()) return {};
    Close();
    return opened.error().Wrap(fmt::format("open '{}'", RedactUrl(options_.address)));
  }

  Status SeekTo(Duration offset) override {
    DE_CHECK(context_ != nullptr);
    const auto unsupported = [&](std::string_view why) -> Status {
      return Error{ErrorCode::kUnsupported,
                   fmt::format("'{}': cannot start in the middle: {}", RedactUrl(options_.address), why)};
    };
    if (live()) return unsupported("not a file");
    if (stamps_are_made_up_) return unsupported("a raw stream without time stamps");
    const int64_t start = MicrosOf(stream().start_time, stream()) ? stream().start_time : 0;
    const int64_t target = start + av_rescale_q(offset.count(), kMicroseconds, stream().time_base);
    const int result = av_seek_frame(context_.get(), stream_index_, target, AVSEEK_FLAG_BACKWARD);
    if (result < 0) return unsupported(FfmpegErrorText(result));
    sought_ = true;
    return {};
  }

  Result<Packet> Read(std::stop_token stop) override {
    DE_CHECK(context_ != nullptr);
    interrupt_.Arm(std::move(stop), options_.read_deadline);
    TakeFfmpegMessage();
    AvPacket packet(av_packet_alloc());
    DE_CHECK(packet != nullptr);
    while (true) {
      if (interrupt_.stopped()) return Error{ErrorCode::kCancelled, "stopped"};
      const int result = av_read_frame(context_.get(), packet.get());
      if (result == AVERROR(EAGAIN)) {
        DE_TRY_STATUS(WaitForDevice());
        continue;
      }
      // When time is up, FFmpeg first gives what its parser still holds instead of an error: half a picture perhaps,
      // and as late as can be. The connection is lost.
      if (result < 0 || interrupt_.expired()) {
        return ReadError(result).Wrap(fmt::format("read '{}'", RedactUrl(options_.address)));
      }
      if (packet->stream_index == stream_index_ && packet->size > 0) break;
      av_packet_unref(packet.get());
    }
    return MakePacket(std::move(packet));
  }

  void Close() override {
    if (times_) next_start_us_ = times_->Last();
    times_.reset();
    // Also what says goodbye to a camera (RTSP TEARDOWN) must not wait for an answer.
    interrupt_.Trip();
    context_.reset();
    format_.reset();
  }

 private:
  bool live() const { return kind_ != SourceKind::kFile; }
  AVStream& stream() const { return *context_->streams[stream_index_]; }

  // Nothing where a stamp is missing or cannot be one. (A product that does not fit comes back as INT64_MIN.)
  static std::optional<int64_t> MicrosOf(int64_t stamp, const AVStream& stream) {
    if (stamp == AV_NOPTS_VALUE) return std::nullopt;
    const int64_t micros = av_rescale_q(stamp, stream.time_base, kMicroseconds);
    if (!IsBelievableStamp(micros)) return std::nullopt;
    return micros;
  }

  Status OpenContext() {
    AvOptions options;
    const AVInputFormat* input_format = nullptr;
    std::string url = options_.address;
    switch (kind_) {
      case SourceKind::kFile:
        // The protocol in front, since a file's name may hold a colon; nothing in a file may make us open a connection.
        url = "file:" + url;
        options.Set("protocol_whitelist", "file");
        break;
      case SourceKind::kRtsp:
        options.Set("rtsp_transport", "tcp");
        options.Set("allowed_media_types", "video");
        options.Set("protocol_whitelist", "rtsp,rtsps,rtp,srtp,tcp,tls,crypto");
        break;
      case SourceKind::kHttp: options.Set("protocol_whitelist", "http,https,httpproxy,tcp,tls,crypto,data"); break;
      case SourceKind::kV4l2: {
        DE_TRY_STATUS(ChooseMode(options));
        input_format = FindCameraFormat();
        if (input_format == nullptr) return Error{ErrorCode::kUnsupported, "this FFmpeg has no Video4Linux"};
        break;
      }
    }
    // The interrupt is the only deadline: FFmpeg's own time-out options start anew with every byte, and the error that
    // they end with does not say so.
    AVFormatContext* context = avformat_alloc_context();
    DE_CHECK(context != nullptr);
    context->interrupt_callback = {Interrupt::Ask, &interrupt_};
    // A read from a device would block where the interrupt does not reach.
    if (kind_ == SourceKind::kV4l2) context->flags |= AVFMT_FLAG_NONBLOCK;
    if (live()) context->max_analyze_duration = AV_TIME_BASE;
    const int result = avformat_open_input(&context, url.c_str(), input_format, options.get());
    if (result < 0) return OpenError(result);  // the context is freed
    context_.reset(context);
    return ChooseStream();
  }

  Status ChooseMode(AvOptions& options) {
    DE_TRY(const auto modes, ListCameraModes(options_.address));
    const auto mode = ChooseCameraMode(modes, options_.camera);
    if (!mode) return Error{ErrorCode::kUnsupported, "the camera offers no picture format"};
    options.Set("input_format", FfmpegNameOf(*mode));
    options.Set("video_size", fmt::format("{}x{}", mode->width, mode->height));
    options.Set("framerate", fmt::format("{:.3f}", mode->frame_rate));
    return {};
  }

  Status ChooseStream() {
    // RTSP's description and the header of multipart JPEG tell all that a decoder needs; looking into the stream would
    // cost a second or more of waiting for pictures.
    const bool told = kind_ == SourceKind::kRtsp || kind_ == SourceKind::kV4l2 ||
                      std::string_view(context_->iformat->name) == "mpjpeg";
    if (!told) {
      const int result = avformat_find_stream_info(context_.get(), nullptr);
      if (result < 0 || interrupt_.expired() || interrupt_.stopped()) return OpenError(result);
    }
    const AVCodec* decoder = nullptr;
    stream_index_ = av_find_best_stream(context_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
    if (stream_index_ == AVERROR_DECODER_NOT_FOUND) {
      return Error{ErrorCode::kBadInput, "no decoder for the codec of its video"};
    }
    if (stream_index_ < 0 || (stream().disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) {
      return Error{ErrorCode::kBadInput, "there is no video in it"};
    }
    if (IsText(stream().codecpar->codec_id)) return Error{ErrorCode::kBadInput, "is text, not video"};
    for (unsigned i = 0; i < context_->nb_streams; ++i) {
      if (static_cast<int>(i) != stream_index_) context_->streams[i]->discard = AVDISCARD_ALL;
    }
    stamps_are_made_up_ = (context_->iformat->flags & AVFMT_NOTIMESTAMPS) != 0;
    format_ = MakeFormat();
    StartTimes();
    return {};
  }

  std::shared_ptr<const StreamFormat> MakeFormat() const {
    auto native = std::make_shared<NativeFormat>();
    native->parameters.reset(avcodec_parameters_alloc());
    DE_CHECK(native->parameters != nullptr);
    DE_CHECK(avcodec_parameters_copy(native->parameters.get(), stream().codecpar) >= 0);
    native->time_base = stream().time_base;
    auto format = std::make_shared<StreamFormat>();
    format->codec = avcodec_get_name(stream().codecpar->codec_id);
    const char* const profile = avcodec_profile_name(stream().codecpar->codec_id, stream().codecpar->profile);
    if (profile != nullptr) format->profile = profile;
    format->width = stream().codecpar->width;
    format->height = stream().codecpar->height;
    format->frame_rate = FrameRateOf(*context_, stream());
    format->native = std::move(native);
    return format;
  }

  void StartTimes() {
    TimestampNormalizer::Options times;
    times.start_us = next_start_us_;
    if (format_->frame_rate > 0) times.default_duration_us = static_cast<int64_t>(1e6 / format_->frame_rate);
    if (live() && last_arrival_) {
      // Media time went on while the camera was away.
      times.start_us += std::max<int64_t>(0, (clock_.Now() - *last_arrival_).count() - times.default_duration_us);
    }
    // A file's time line starts where its video does, so that times are right also after a seek.
    if (!live() && !stamps_are_made_up_) times.origin_us = MicrosOf(stream().start_time, stream());
    times_.emplace(times);
    last_raw_pts_us_.reset();
    packets_ = 0;
    sought_ = false;
  }

  Result<Packet> MakePacket(AvPacket native) {
    const Time now = clock_.Now();
    last_arrival_ = now;
    ++packets_;
    if (stamps_are_made_up_) native->pts = native->dts = AV_NOPTS_VALUE;
    if (kind_ == SourceKind::kRtsp) {
      // RTP tells presentation times only; the decoding times that FFmpeg guesses run back and forth where pictures are
      // reordered. Its time line starts with the first picture, which loses its stamp when it is put together.
      native->dts = AV_NOPTS_VALUE;
      if (packets_ == 1 && native->pts == AV_NOPTS_VALUE) native->pts = 0;
    }
    std::optional<int64_t> pts = MicrosOf(native->pts, stream());
    const std::optional<int64_t> dts = MicrosOf(native->dts, stream());
    if (pts) last_raw_pts_us_ = std::max(last_raw_pts_us_.value_or(*pts), *pts);
    // A camera without time stamps: its pictures are from now.
    if (!pts && !dts && live() && !last_raw_pts_us_) pts = now.us;
    const MediaTimes times = times_->Next(pts, dts);
    Packet packet;
    packet.format = format_;
    packet.pts_us = times.pts_us;
    packet.dts_us = times.dts_us;
    packet.key = (native->flags & AV_PKT_FLAG_KEY) != 0;
    packet.shown = (native->flags & AV_PKT_FLAG_DISCARD) == 0;
    packet.bytes = native->size;
    packet.captured = now;
    packet.native = std::shared_ptr<const AVPacket>(native.release(), FfmpegDelete<av_packet_free>());
    return packet;
  }

  // A device has no picture yet; libavdevice gives no way to wait for one.
  Status WaitForDevice() {
    constexpr Duration kTick = std::chrono::milliseconds(4);
    const Time now = clock_.Now();
    if (now >= interrupt_.until()) return TimedOut();
    if (!waiter_.WaitUntil(now + kTick, interrupt_.stop())) return Error{ErrorCode::kCancelled, "stopped"};
    return {};
  }

  Error TimedOut() const {
    return {ErrorCode::kUnavailable, fmt::format("no answer within {}", SecondsText(interrupt_.allowed()))};
  }

  Error OpenError(int code) const {
    if (interrupt_.stopped()) return {ErrorCode::kCancelled, "stopped"};
    if (interrupt_.expired()) return TimedOut();
    std::string text = FfmpegErrorText(code);
    if (code == AVERROR_HTTP_UNAUTHORIZED || code == AVERROR_HTTP_FORBIDDEN) {
      return {ErrorCode::kBadInput, "user name or password refused"};
    }
    if (code == AVERROR_HTTP_NOT_FOUND) return {ErrorCode::kNotFound, "the server has nothing under this address"};
    if (code == AVERROR(ENOENT)) return {ErrorCode::kNotFound, text};
    if (code == AVERROR(EACCES)) return {ErrorCode::kBadInput, text};
    if (code == AVERROR_INVALIDDATA) {
      text = "not a video that can be read";
      if (const std::string detail = TakeFfmpegMessage(); !detail.empty()) text += fmt::format(" ({})", detail);
      return {ErrorCode::kBadInput, text};
    }
    return {live() ? ErrorCode::kUnavailable : ErrorCode::kBadInput, text};
  }

  Error ReadError(int code) const {
    if (interrupt_.stopped()) return {ErrorCode::kCancelled, "stopped"};
    if (interrupt_.expired()) return TimedOut();
    if (code == AVERROR(EIO) && kind_ == SourceKind::kHttp) {
      return {ErrorCode::kUnavailable, "the other side has closed the connection"};
    }
    if (code != AVERROR_EOF) {
      return {live() ? ErrorCode::kUnavailable : ErrorCode::kBadInput, FfmpegErrorText(code)};
    }
    if (live()) return {ErrorCode::kEndOfStream, "the other side has ended the stream"};
    return EndOfFile();
  }

  // How long the video is by the file's header, 0 where it does not tell.
  int64_t ToldDuration() const {
    int64_t told_us = 0;
    if (context_->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE) {
      told_us = std::max<int64_t>(0, MicrosOf(stream().duration, stream()).value_or(0));
      // With sound in it the file may go on after its video.
      if (context_->nb_streams == 1 && IsBelievableStamp(context_->duration))
        told_us = std::max(told_us, context_->duration);
    }
    return told_us;
  }

  // An ordinary end, or one before what the file's header tells. Headers are not exact: a second or 2 % are let pass.
  Error EndOfFile() const {
    const Error ordinary{ErrorCode::kEndOfStream, "end of file"};
    if (stamps_are_made_up_ || !last_raw_pts_us_) return ordinary;
    const int64_t told_us = ToldDuration();
    const int64_t seen_us = *last_raw_pts_us_ - MicrosOf(stream().start_time, stream()).value_or(0);
    if (seen_us < told_us - std::max<int64_t>(1'000'000, told_us / 50)) {
      return {ErrorCode::kBadInput, fmt::format("the file is cut short: it ends at {} of {}",
                                                SecondsText(Duration(seen_us)), SecondsText(Duration(told_us)))};
    }
    // FFmpeg corrects the duration of an AVI by the file's size, but not the number of its pictures.
    const int64_t told_packets = sought_ ? 0 : stream().nb_frames;
    // It counts empty pictures, too (AVI: "as before"), which pass time but give no packet: where the time of all
    // pictures has passed, none is missing.
    const double rate = format_->frame_rate;
    if (rate > 0 && static_cast<double>(seen_us) >= static_cast<double>(told_packets) / rate * 0.98e6 - 1e6) {
      return ordinary;
    }
    if (packets_ < told_packets - std::max(static_cast<int64_t>(format_->frame_rate), told_packets / 50)) {
      return {ErrorCode::kBadInput,
              fmt::format("the file is cut short: it holds {} of {} pictures", packets_, told_packets)};
    }
    return ordinary;
  }

  const SourceKind kind_;
  const SourceOptions options_;
  const Clock& clock_;
  RealWaiter waiter_;
  Interrupt interrupt_;  // before context_, which asks it until it is closed
  AvFormatContext context_;
  int stream_index_ = -1;
  bool stamps_are_made_up_ = false;  // by the demuxer, from a frame rate that it guessed
  std::shared_ptr<const StreamFormat> format_;
  std::optional<TimestampNormalizer> times_;
  int64_t next_start_us_ = 0;         // media time at which the next connection starts
  std::optional<Time> last_arrival_;  // of a packet, over all connections
  int64_t packets_ = 0;               // of this connection
  bool sought_ = false;
  std::optional<int64_t> last_raw_pts_us_;  // largest pts of this connection, by the file's own clock
};

}  // namespace

std::unique_ptr<Source> MakeFfmpegSource(SourceKind kind, SourceOptions options, const Clock& clock) {
  return std::make_unique<FfmpegSource>(kind, std::move(options), clock);
}

}  // namespace deepedge
