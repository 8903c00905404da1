#include "deepedge/runtime/probe_budget.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

// Rounded down, also below zero.
int64_t SecondOf(Time time) {
  const int64_t second = time.us / kSecondUs;
  return time.us % kSecondUs < 0 ? second - 1 : second;
}

}  // namespace

std::string_view ToString(ProbeVerdict verdict) {
  switch (verdict) {
    case ProbeVerdict::kGo: return "go";
    case ProbeVerdict::kBoxBusy: return "the lanes are busy";
    case ProbeVerdict::kDecodeWaits: return "packets wait to be decoded";
    case ProbeVerdict::kPause: return "a pause after the last step";
    case ProbeVerdict::kSpent: return "this minute's time is spent";
  }
  return "";
}

Duration ProbeBudget::allowance() const {
  return Duration(std::llround(static_cast<double>(kWindow.count()) * options_.share * cores_));
}

ProbeVerdict ProbeBudget::Ask(Time now, const BoxUse& use, Duration expected) const {
  if (use.decode_waits) return ProbeVerdict::kDecodeWaits;
  if (!use.busy || *use.busy > options_.busiest) return ProbeVerdict::kBoxBusy;
  if (now < pause_until_) return ProbeVerdict::kPause;
  const Duration spent = SpentInWindow(now);
  const bool fits = spent + expected <= allowance();
  const bool as_good_as_nothing = spent <= allowance() / 100;  // asking what to do takes some microseconds
  return fits || as_good_as_nothing ? ProbeVerdict::kGo : ProbeVerdict::kSpent;
}

void ProbeBudget::Spend(Time now, Duration took) {
  if (took <= Duration(0)) return;
  all_ += took;
  const double share = std::max(options_.share * cores_, 1e-6);
  const Duration pause(std::llround(static_cast<double>(took.count()) / share));
  pause_until_ = std::max(pause_until_, now) + pause;
  const int64_t number = SecondOf(now);
  Second& second = seconds_[static_cast<size_t>(number) % kSeconds];
  if (second.number != number) second = {.number = number};
  second.spent += took;
}

Duration ProbeBudget::SpentInWindow(Time now) const {
  const int64_t from = SecondOf(now - kWindow);
  Duration spent{0};
  for (const Second& second : seconds_) {
    if (second.number >= from) spent += second.spent;
  }
  return spent;
}

void BusyMeter::Add(Time now, Duration busy, size_t lanes) {
  constexpr Duration kLookBack = std::chrono::seconds(1);
  const Sample* since = nullptr;  // the youngest that is old enough
  for (size_t i = 0; i < std::min(count_, kSamples); ++i) {
    const Sample& sample = samples_[i];
    if (now - sample.at >= kLookBack && (since == nullptr || sample.at > since->at)) since = &sample;
  }
  if (since != nullptr && lanes > 0) {
    const auto passed = static_cast<double>((now - since->at).count()) * static_cast<double>(lanes);
    busy_ = std::clamp(static_cast<double>((busy - since->busy).count()) / passed, 0.0, 1.0);
  }
  samples_[count_ % kSamples] = {.at = now, .busy = busy};
  ++count_;
}

}  // namespace deepedge
