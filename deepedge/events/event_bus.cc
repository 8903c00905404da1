#include "deepedge/events/event_bus.h"

#include <random>

namespace deepedge {
namespace {

constexpr int kBitsOfADigit = 5;
constexpr int kTimeDigits = 7;    // seconds, until the year 3058
constexpr int kChanceDigits = 8;  // 40 bits

void AppendDigits(uint64_t value, int digits, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";  // without i, l, o, u: read aloud safely
  for (int place = digits - 1; place >= 0; --place) out += kDigits[(value >> (place * kBitsOfADigit)) & 31U];
}

}  // namespace

std::string IdPrefix(int64_t epoch_us, uint64_t chance) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  std::string prefix;
  AppendDigits(static_cast<uint64_t>(epoch_us / kMicrosPerSecond), kTimeDigits, prefix);
  AppendDigits(chance, kChanceDigits, prefix);
  return prefix;
}

std::string NewIdPrefix(const Clock& clock) {
  std::random_device device;
  const uint64_t chance = (uint64_t{device()} << 32U) | device();
  return IdPrefix(clock.EpochMicros(clock.Now()), chance);
}

void EventBus::Add(std::string name, std::unique_ptr<EventSink> sink) {
  targets_.push_back({std::move(name), std::move(sink)});
}

void EventBus::Publish(Event event) {
  std::visit(
      [&](auto& one) {
        if (!one.id.empty()) return;
        one.id.reserve(id_prefix_.size() + 12);
        one.id = id_prefix_;
        one.id += '-';
        one.id += std::to_string(next_.fetch_add(1, std::memory_order_relaxed));
      },
      event);
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (i + 1 < targets_.size()) {
      targets_[i].sink->Publish(event);
    } else {
      targets_[i].sink->Publish(std::move(event));
    }
  }
}

Status EventBus::Close() {
  Status joined;
  for (Target& target : targets_) {
    const Status status = target.sink->Close();
    if (status.ok()) continue;
    if (joined.ok()) {
      joined = status;
    } else {
      joined = Error{joined.error().code, joined.error().message + "; " + status.error().message};
    }
  }
  return joined;
}

SinkCounts EventBus::counts() const {
  SinkCounts sum;
  for (const Target& target : targets_) {
    const SinkCounts counts = target.sink->counts();
    sum.accepted += counts.accepted;
    sum.delivered += counts.delivered;
    sum.lost += counts.lost;
  }
  return sum;
}

std::vector<EventBus::NamedCounts> EventBus::CountsOfSinks() const {
  std::vector<NamedCounts> all;
  all.reserve(targets_.size());
  for (const Target& target : targets_) all.push_back({target.name, target.sink->counts()});
  return all;
}

}  // namespace deepedge
