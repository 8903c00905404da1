#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "deepedge/base/check.h"
#include "deepedge/ingest/decoder.h"
#include "deepedge/ingest/ffmpeg/native.h"
#include "deepedge/ingest/ffmpeg/pixel_convert.h"

namespace deepedge {
namespace {

// A picture larger than this is a broken stream's.
constexpr int64_t kMostPixels = 8192 * 8192;
// Pictures and errors that wait to be received; one packet gives one, a drain as many as are reordered.
constexpr int kMostWaiting = 64;

// The times of the packets that are inside the decoder.
class StampTable {
 public:
  struct Stamp {
    int64_t id = 0;
    int64_t pts_us = 0;
    int64_t sequence = 0;  // the sender's, which may leave some out
    Time captured;
    bool made_up = false;  // the packet had no pts of its own; these were counted in the order of decoding
  };

  void Add(const Stamp& stamp) {
    stamps_.push_back(stamp);
    if (stamp.made_up) last_made_up_ = stamp.id;
  }
  void Remove(int64_t id) {
    std::erase_if(stamps_, [&](const Stamp& s) { return s.id == id; });
  }
  void Clear() {
    stamps_.clear();
    last_made_up_ = kNever;
  }

  // The stamp of the picture that came from packet `id`. Pictures come in the order of presentation, so where times are
  // made up (AVI: only those of the pictures that others refer to) they are given out smallest first.
  Stamp Take(int64_t id) {
    std::erase_if(stamps_, [&](const Stamp& s) { return s.id < id - kMostPacketsInside; });
    const bool smallest_first = last_made_up_ >= id - kMostPacketsInside;
    const auto found = smallest_first
                           ? std::min_element(stamps_.begin(), stamps_.end(),
                                              [](const Stamp& a, const Stamp& b) { return a.pts_us < b.pts_us; })
                           : std::find_if(stamps_.begin(), stamps_.end(), [&](const Stamp& s) { return s.id == id; });
    if (found == stamps_.end()) return last_;
    last_ = *found;
    stamps_.erase(found);
    return last_;
  }

 private:
  static constexpr int64_t kNever = INT64_MIN;
  std::vector<Stamp> stamps_;
  int64_t last_made_up_ = kNever;
  Stamp last_;  // a second picture from one packet gets the same times
};

class FfmpegDecoder final : public Decoder {
 public:
  FfmpegDecoder() { PrepareFfmpeg(); }

  Status Send(const Packet& packet) override {
    if (packet.format == nullptr || packet.native == nullptr) {
      return Error{ErrorCode::kBadInput, "decode: a packet without data"};
    }
    if (packet.format != format_ || context_ == nullptr) DE_TRY_STATUS(Restart(packet.format));
    if (draining_) Reset();

    const auto* native = static_cast<const AVPacket*>(packet.native.get());
    const int64_t id = next_id_++;
    stamps_.Add({id, packet.pts_us, packet.sequence, packet.captured, native->pts == AV_NOPTS_VALUE});
    context_->reordered_opaque = id;
    const int result = avcodec_send_packet(context_.get(), native);
    // Pictures are fetched at once: what is still to be decoded would otherwise be given the next packet's id.
    FetchPictures();
    if (result >= 0) return {};
    stamps_.Remove(id);
    return DecodeError(result);
  }

  void Drain() override {
    if (context_ == nullptr || draining_) return;
    avcodec_send_packet(context_.get(), nullptr);
    draining_ = true;
    FetchPictures();
  }

  Result<std::optional<DecodedPicture>> Receive() override {
    if (ready_.empty()) return std::optional<DecodedPicture>();
    auto picture = std::move(ready_.front());
    ready_.pop_front();
    return picture;
  }

 private:
  Status Restart(const std::shared_ptr<const StreamFormat>& format) {
    Drain();
    context_.reset();
    format_ = format;
    const auto* native = static_cast<const NativeFormat*>(format->native.get());
    if (native == nullptr) return Error{ErrorCode::kBadInput, "decode: a format without parameters"};
    const AVCodec* codec = avcodec_find_decoder(native->parameters->codec_id);
    if (codec == nullptr) {
      return Error{ErrorCode::kUnsupported, fmt::format("decode: no decoder for '{}' in this FFmpeg", format->codec)};
    }
    AvCodecContext context(avcodec_alloc_context3(codec));
    DE_CHECK(context != nullptr);
    int result = avcodec_parameters_to_context(context.get(), native->parameters.get());
    context->thread_count = 1;
    context->pkt_timebase = native->time_base;
    context->max_pixels = kMostPixels;
    if (result >= 0) result = avcodec_open2(context.get(), codec, nullptr);
    if (result < 0) {
      return Error{ErrorCode::kUnsupported, fmt::format("decode '{}': {}", format->codec, FfmpegErrorText(result))};
    }
    // A gray picture that does not tell its range is full range, but for the video codecs, where that is the exception.
    gray_is_full_ = codec->id != AV_CODEC_ID_H264 && codec->id != AV_CODEC_ID_HEVC;
    context_ = std::move(context);
    Forget();
    return {};
  }

  // After a drain: the same decoder from the start.
  void Reset() {
    avcodec_flush_buffers(context_.get());
    Forget();
  }

  void Forget() {
    stamps_.Clear();
    last_pts_us_.reset();
    draining_ = false;
  }

  void FetchPictures() {
    for (int i = 0; i < kMostWaiting; ++i) {
      auto picture = ReceiveFromCodec();
      if (picture.ok() && !picture.value()) return;
      ready_.push_back(std::move(picture));
      if (ready_.size() > kMostWaiting) ready_.pop_front();
    }
  }

  Result<std::optional<DecodedPicture>> ReceiveFromCodec() {
    AvFrame frame(av_frame_alloc());
    DE_CHECK(frame != nullptr);
    const int result = avcodec_receive_frame(context_.get(), frame.get());
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return std::optional<DecodedPicture>();
    if (result < 0) return DecodeError(result);

    const StampTable::Stamp stamp = stamps_.Take(frame->reordered_opaque);
    DecodedPicture picture;
    picture.pts_us = std::max(stamp.pts_us, last_pts_us_.value_or(stamp.pts_us));
    last_pts_us_ = picture.pts_us;
    picture.packet_pts_us = stamp.pts_us;
    picture.packet_sequence = stamp.sequence;
    picture.captured = stamp.captured;
    picture.damaged = frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
    DE_TRY(AvFrame known, converter_.ToKnownFormat(std::move(frame)));
    picture.picture = ViewOf(*known, gray_is_full_);
    picture.owner = std::shared_ptr<const AVFrame>(known.release(), FfmpegDelete<av_frame_free>());
    return std::optional(std::move(picture));
  }

  Error DecodeError(int code) const {
    return {ErrorCode::kBadInput, fmt::format("decode '{}': {}", format_->codec, FfmpegErrorText(code))};
  }

  std::shared_ptr<const StreamFormat> format_;
  AvCodecContext context_;
  PixelConverter converter_;
  StampTable stamps_;
  int64_t next_id_ = 0;
  std::optional<int64_t> last_pts_us_;
  bool gray_is_full_ = true;
  bool draining_ = false;
  std::deque<Result<std::optional<DecodedPicture>>> ready_;
};

}  // namespace

std::unique_ptr<Decoder> MakeDecoder() { return std::make_unique<FfmpegDecoder>(); }

}  // namespace deepedge
