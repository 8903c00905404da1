#include "deepedge/runtime/frame_sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "deepedge/base/log.h"
#include "deepedge/ingest/decoder.h"
#include "deepedge/ingest/picture_file.h"
#include "deepedge/ingest/source.h"
#include "deepedge/media/pixel_ops.h"

namespace deepedge {
namespace {

constexpr int kMostPictures = 10'000;  // of one source, so that a day's recording does not take a day

// The picture as RGB, scaled down where a side is larger than `largest_side`.
Result<RgbPicture> Shrunk(const PictureView& picture, int largest_side) {
  const int side = std::max(picture.width, picture.height);
  if (side <= largest_side) return ToRgb(picture);
  const auto scaled = [&](int length) {
    return std::max(1, static_cast<int>(static_cast<int64_t>(length) * largest_side / side));
  };
  RgbPicture small{.width = scaled(picture.width), .height = scaled(picture.height)};
  small.pixels.resize(static_cast<size_t>(small.width) * static_cast<size_t>(small.height) * 3);
  const Placement place{
      .input_width = small.width, .input_height = small.height, .width = small.width, .height = small.height};
  PictureScaler scaler;
  DE_TRY_STATUS(scaler.ScaleInto(picture, place, ChannelOrder::kRgb, 0, small.pixels));
  return small;
}

// Collects evenly spaced frames of one stream.
class Collector {
 public:
  Collector(size_t limit, int largest_side) : spacing_(limit), largest_side_(largest_side) {}

  Status Offer(const PictureView& picture) {
    const EvenSpacing::Verdict verdict = spacing_.Next();
    if (verdict.thin) {
      for (size_t i = 1; 2 * i < frames_.size(); ++i) frames_[i] = std::move(frames_[2 * i]);
      frames_.resize((frames_.size() + 1) / 2);
    }
    if (!verdict.take) return {};
    DE_TRY(RgbPicture rgb, Shrunk(picture, largest_side_));
    frames_.push_back(std::move(rgb));
    return {};
  }

  std::vector<RgbPicture> TakeFrames() { return std::move(frames_); }

 private:
  EvenSpacing spacing_;
  int largest_side_;
  std::vector<RgbPicture> frames_;
};

Status ReceiveAll(Decoder& decoder, Collector& collector) {
  while (true) {
    const auto picture = decoder.Receive();
    if (!picture.ok()) continue;  // a broken picture; the next one may be whole
    if (!picture.value()) return {};
    if (picture.value()->damaged) continue;
    DE_TRY_STATUS(collector.Offer(picture.value()->picture));
  }
}

Result<std::vector<RgbPicture>> SampleStream(const std::string& address, size_t limit, const SampleOptions& options,
                                             const Clock& clock) {
  DE_TRY(const SourceKind kind, KindOf(address));
  DE_TRY(const auto source, MakeSource({.address = address}, clock));
  DE_TRY_STATUS(source->Open({}));
  const std::unique_ptr<Decoder> decoder = MakeDecoder();
  Collector collector(limit, options.largest_side);
  const Time until = clock.Now() + options.camera_time;
  for (int packets = 0; packets < kMostPictures && (kind == SourceKind::kFile || clock.Now() < until); ++packets) {
    const auto packet = source->Read({});
    if (!packet.ok()) break;  // the end, or as much as there is
    decoder->Send(packet.value()).Ignore("a broken packet costs its picture only");
    DE_TRY_STATUS(ReceiveAll(*decoder, collector));
  }
  decoder->Drain();
  DE_TRY_STATUS(ReceiveAll(*decoder, collector));
  return collector.TakeFrames();
}

}  // namespace

EvenSpacing::Verdict EvenSpacing::Next() {
  const size_t item = seen_++;
  if (item % step_ != 0 || limit_ == 0) return {};
  const bool full = kept_ == limit_;
  if (full) {
    // Half of the store goes, and so does every other of what comes.
    step_ *= 2;
    kept_ = (kept_ + 1) / 2;
  }
  const bool take = item % step_ == 0 && kept_ < limit_;
  if (take) ++kept_;
  return {.thin = full, .take = take};
}

Result<std::vector<RgbPicture>> SampleFrames(std::span<const std::string> sources, const SampleOptions& options,
                                             const Clock& clock) {
  std::vector<RgbPicture> frames;
  std::vector<std::string> streams;
  for (const std::string& source : sources) {
    const auto picture = ReadPicture(source);
    if (!picture.ok()) {
      streams.push_back(source);
      continue;
    }
    DE_TRY(RgbPicture small, Shrunk(picture.value().View(), options.largest_side));
    frames.push_back(std::move(small));
  }
  size_t left = options.frames > frames.size() ? options.frames - frames.size() : 0;
  for (size_t i = 0; i < streams.size(); ++i) {
    const size_t share = std::max<size_t>(1, left / (streams.size() - i));
    left -= std::min(left, share);
    const std::string shown = RedactUrl(streams[i]);
    auto taken = SampleStream(streams[i], share, options, clock);
    if (!taken.ok()) return taken.error().Wrap(fmt::format("take frames from {}", shown));
    if (taken.value().empty()) {
      return Error{ErrorCode::kBadInput, fmt::format("take frames from {}: no picture came out of it", shown)};
    }
    std::move(taken.value().begin(), taken.value().end(), std::back_inserter(frames));
  }
  return frames;
}

}  // namespace deepedge
