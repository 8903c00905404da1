#include "deepedge/ingest/stream_reader.h"

#include <optional>
#include <random>
#include <utility>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

// Uniform in [0,1), the same on every platform.
double NextRandom(std::mt19937_64& generator) { return static_cast<double>(generator() >> 11) * 0x1.0p-53; }

// The media clock of a paced file: pure, started by the first packet.
class PaceClock {
 public:
  explicit PaceClock(double speed) : speed_(speed) {}

  void StartAt(Time now, int64_t first_pts_us) {
    if (start_) return;
    start_ = now;
    first_pts_us_ = first_pts_us;
  }
  Time WallTime(int64_t media_us) const {
    return *start_ + Duration(static_cast<int64_t>(static_cast<double>(media_us - first_pts_us_) / speed_));
  }

 private:
  double speed_;
  std::optional<Time> start_;
  int64_t first_pts_us_ = 0;
};

}  // namespace

class StreamReader::Impl {
 public:
  Impl(Options options, std::unique_ptr<Source> source, PacketHandler& handler, const Clock& clock, Waiter* waiter)
      : options_(std::move(options)),
        source_(std::move(source)),
        handler_(handler),
        clock_(clock),
        waiter_(waiter != nullptr ? *waiter : own_waiter_),
        generator_(options_.seed),
        pace_(options_.speed) {
    DE_CHECK(source_ != nullptr);
    DE_CHECK(options_.speed > 0);
  }

  ~Impl() { RequestStop(); }

  void Start() {
    DE_CHECK(!thread_.joinable());
    thread_ = Thread({.name = "in:" + options_.name}, [this](const std::stop_token&) { Run(stop_.get_token()); });
  }
  void RequestStop() { stop_.request_stop(); }
  void Join() { thread_.Join(); }

 private:
  void Run(std::stop_token stop) {
    const Error end = options_.is_file ? RunFile(stop) : RunLive(stop);
    source_->Close();
    handler_.HandleEnded(stop.stop_requested() ? Error{ErrorCode::kCancelled, "stopped"} : end);
  }

  // Returns why the file has ended.
  Error RunFile(const std::stop_token& stop) {
    bool connected = false;
    for (bool first = true;; first = false) {
      if (const Status opened = source_->Open(stop); !opened.ok()) return opened.error();
      if (first && options_.start_offset > Duration(0)) {
        if (const Status sought = source_->SeekTo(options_.start_offset); !sought.ok()) return sought.error();
      }
      const auto [why, packets] = Stream(stop, connected);
      source_->Close();
      connected = true;
      // A file without a single packet would be opened again and again without end.
      const bool again = options_.loop && why.code == ErrorCode::kEndOfStream && packets > 0;
      if (!again || stop.stop_requested()) return why;
    }
  }

  // Ends by a stop only.
  Error RunLive(const std::stop_token& stop) {
    int failures = 0;
    while (!stop.stop_requested()) {
      const Status opened = source_->Open(stop);
      const auto [why, packets] = opened.ok() ? Stream(stop, false) : Streamed{opened.error(), 0};
      source_->Close();
      if (stop.stop_requested()) break;
      failures = packets > 0 ? 1 : failures + 1;
      const Duration delay = ReconnectDelay(options_.reconnect, failures, NextRandom(generator_));
      handler_.HandleLost(why, delay);
      waiter_.WaitUntil(clock_.Now() + delay, stop);
    }
    return {ErrorCode::kCancelled, "stopped"};
  }

  struct Streamed {
    Error why;
    int64_t packets = 0;
  };

  // Hands over packets until the source has no more.
  Streamed Stream(const std::stop_token& stop, bool connected) {
    for (int64_t packets = 0;; ++packets) {
      Result<Packet> read = source_->Read(stop);
      if (!read.ok()) return {read.error(), packets};
      Packet packet = std::move(read).value();
      if (!connected) {
        connected = true;
        DE_CHECK(packet.format != nullptr);
        handler_.HandleConnected(*packet.format);
      }
      if (!WaitUntilDue(packet, stop)) return {{ErrorCode::kCancelled, "stopped"}, packets};
      handler_.HandlePacket(std::move(packet), stop);
      if (stop.stop_requested()) return {{ErrorCode::kCancelled, "stopped"}, packets};
    }
  }

  // False when stopped meanwhile.
  bool WaitUntilDue(Packet& packet, const std::stop_token& stop) {
    if (!options_.is_file) return true;
    if (options_.pace == Pace::kFast) {
      packet.captured = clock_.Now();
      return true;
    }
    const Time now = clock_.Now();
    pace_.StartAt(now, packet.pts_us);
    packet.captured = pace_.WallTime(packet.pts_us);
    const Time due = pace_.WallTime(packet.dts_us);
    return due <= now || waiter_.WaitUntil(due, stop);
  }

  const Options options_;
  const std::unique_ptr<Source> source_;
  PacketHandler& handler_;
  const Clock& clock_;
  RealWaiter own_waiter_;
  Waiter& waiter_;
  std::mt19937_64 generator_;  // of the I/O thread, as is pace_
  PaceClock pace_;
  // Not the thread's own: the handler may ask for a stop before Start has returned.
  std::stop_source stop_;
  Thread thread_;  // last: it is joined before what it uses is destroyed
};

StreamReader::StreamReader(Options options, std::unique_ptr<Source> source, PacketHandler& handler, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(source), handler, clock, nullptr)) {}
StreamReader::StreamReader(Options options, std::unique_ptr<Source> source, PacketHandler& handler, const Clock& clock,
                           Waiter& waiter)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(source), handler, clock, &waiter)) {}
StreamReader::~StreamReader() = default;

void StreamReader::Start() { impl_->Start(); }
void StreamReader::RequestStop() { impl_->RequestStop(); }
void StreamReader::Join() { impl_->Join(); }

}  // namespace deepedge
