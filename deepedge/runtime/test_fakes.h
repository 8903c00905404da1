// Fakes for the tests of the data plane: a decoder without a codec, a model without an engine, a sink that remembers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/base/mutex.h"
#include "deepedge/events/sink.h"
#include "deepedge/ingest/decoder.h"
#include "deepedge/runtime/loaded_model.h"

namespace deepedge::testing {

// What becomes of a fake packet in the fake decoder.
enum class PacketFate { kPicture, kBroken, kNoPicture };

// What a fake packet holds. The place in the order of presentation is its time, but not after a clock was set back.
struct FakeData {
  PacketFate fate = PacketFate::kPicture;
  int64_t place = 0;
};

inline Packet MakePacket(int64_t pts_us, bool key = true, PacketFate fate = PacketFate::kPicture, Time captured = {}) {
  return {.native = std::make_shared<const FakeData>(FakeData{fate, pts_us}),
          .pts_us = pts_us,
          .dts_us = pts_us,
          .key = key,
          .captured = captured};
}

inline Packet MakePacketShownAt(int64_t place, int64_t pts_us) {
  Packet packet = MakePacket(pts_us);
  packet.native = std::make_shared<const FakeData>(FakeData{PacketFate::kPicture, place});
  return packet;
}

// Gives pictures in order of presentation, holding `delay` of them back as a decoder of B-frames does.
class FakeDecoder final : public Decoder {
 public:
  explicit FakeDecoder(size_t delay = 0)
      : delay_(delay), pixels_(std::make_shared<std::vector<uint8_t>>(64 * 64 * 3)) {}

  Status Send(const Packet& packet) override {
    draining_ = false;
    const auto [fate, place] = *static_cast<const FakeData*>(packet.native.get());
    if (fate == PacketFate::kBroken) return Error{ErrorCode::kBadInput, "broken packet"};
    if (fate == PacketFate::kNoPicture) return {};
    inside_.emplace(place, packet);
    return {};
  }
  void Drain() override { draining_ = true; }
  Result<std::optional<DecodedPicture>> Receive() override {
    if (inside_.empty() || (!draining_ && inside_.size() <= delay_)) return std::optional<DecodedPicture>();
    const Packet packet = std::move(inside_.begin()->second);
    inside_.erase(inside_.begin());
    last_pts_us_ = std::max(last_pts_us_, packet.pts_us);
    const uint8_t* data = pixels_->data();
    return std::optional<DecodedPicture>(DecodedPicture{
        .picture = {.format = PixelFormat::kRgb24, .width = 64, .height = 64, .planes = {data}, .strides = {192}},
        .pts_us = last_pts_us_,
        .packet_pts_us = packet.pts_us,
        .packet_sequence = packet.sequence,
        .captured = packet.captured,
        .owner = pixels_});
  }

 private:
  size_t delay_;
  bool draining_ = false;
  int64_t last_pts_us_ = INT64_MIN;
  std::multimap<int64_t, Packet> inside_;  // by place
  std::shared_ptr<std::vector<uint8_t>> pixels_;
};

// Runs `on_run` (which may fail) instead of a network.
class FakeModel final : public CompiledModel {
 public:
  explicit FakeModel(
      int concurrency, std::function<Status()> on_run = [] { return Status(); })
      : on_run_(std::move(on_run)), pixels_(static_cast<size_t>(concurrency), std::vector<std::byte>(8 * 8 * 3)) {}

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  int concurrency() const override { return static_cast<int>(pixels_.size()); }
  int64_t weight_bytes() const override { return 0; }
  MutableTensorView Input(int slot, size_t /*index*/) override {
    return {ElementType::kU8, {1, 8, 8, 3}, pixels_[static_cast<size_t>(slot)]};
  }
  Status ResizeInput(int, size_t, const Shape&) override { return Error{ErrorCode::kUnsupported, "static"}; }
  Status Run(int /*slot*/) override { return on_run_(); }
  TensorView Output(int, size_t) const override { return {}; }

 private:
  std::function<Status()> on_run_;
  std::vector<TensorSpec> inputs_{{"picture", ElementType::kU8, {1, 8, 8, 3}}};
  std::vector<TensorSpec> outputs_;
  std::vector<std::vector<std::byte>> pixels_;
};

class EmptyResultDecoder final : public OutputDecoder {
 public:
  Result<InferenceResult> Decode(std::span<const TensorView>, const Placement&) const override {
    return InferenceResult();
  }
};

// Says the same of every picture.
class FixedResultDecoder final : public OutputDecoder {
 public:
  explicit FixedResultDecoder(InferenceResult result) : result_(std::move(result)) {}
  Result<InferenceResult> Decode(std::span<const TensorView>, const Placement&) const override { return result_; }

 private:
  InferenceResult result_;
};

inline std::unique_ptr<LoadedModel> MakeFakeModel(
    std::string name, int concurrency, std::function<Status()> on_run = [] { return Status(); }) {
  auto model = std::make_unique<LoadedModel>();
  model->name = std::move(name);
  model->card.task = "detection";
  model->card.input.width = 8;
  model->card.input.height = 8;
  model->card.labels = {"cat", "dog"};
  model->labels = std::make_shared<const std::vector<std::string>>(model->card.labels);
  model->compiled = std::make_unique<FakeModel>(concurrency, std::move(on_run));
  model->decoder = std::make_unique<EmptyResultDecoder>();
  return model;
}

class RememberingSink final : public EventSink {
 public:
  void Publish(Event event) override {
    MutexLock lock(mutex_);
    events_.push_back(std::move(event));
  }
  Status Close() override { return {}; }
  SinkCounts counts() const override { return {}; }

  template <typename T>
  std::vector<T> All() const {
    MutexLock lock(mutex_);
    std::vector<T> found;
    for (const Event& event : events_) {
      if (const T* match = std::get_if<T>(&event)) found.push_back(*match);
    }
    return found;
  }

 private:
  mutable Mutex mutex_;
  std::vector<Event> events_ DE_GUARDED_BY(mutex_);
};

}  // namespace deepedge::testing
