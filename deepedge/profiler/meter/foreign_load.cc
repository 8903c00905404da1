#include "deepedge/profiler/meter/foreign_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace deepedge {
namespace {

constexpr double kBusyShare = 0.05;  // of the allowed cores, used by others
constexpr double kStealShare = 0.01;
constexpr double kThrottledShare = 0.01;
constexpr double kStallShare = 0.01;
constexpr double kMostStall = 0.5;
constexpr double kUnknownLogSd = 0.05;  // what an unseen neighbour may do to a minimum of some runs
constexpr double kYielded = 0.9;        // of what niced processes use
constexpr double kCacheLogSd = 0.15;    // all cores used by others
constexpr double kThrottledLogSd = 0.5;
constexpr double kLeast = 1e-3;  // cores

double AvailableOf(const CoreUse& core, double contended) {
  const double left = core.own + core.idle + kYielded * core.niced;
  const double ours = 1 - core.steal;
  const double available = left + (1 - contended) * std::max(0.0, ours / 2 - left);
  return std::max(available, ours / 4);
}

std::string CoresText(double cores) { return fmt::format("{:.1f}", cores); }

// At least as much as can be told apart from rounding.
double BusyFrom(const MeterReport& report, double share) { return std::max(share, 2 * report.resolution); }

std::vector<std::string> ReasonsOf(const MeterReport& report, double cores) {
  std::vector<std::string> reasons;
  const double foreign = report.foreign_cores.value_or(0);
  const double steal = report.steal_cores.value_or(0);
  if (foreign > BusyFrom(report, kBusyShare) * cores) {
    reasons.push_back(fmt::format("{} of {:.3g} cores are used by others", CoresText(foreign), cores));
  }
  if (steal > BusyFrom(report, kStealShare) * cores) {
    reasons.push_back(fmt::format("the hypervisor takes {:.0f} %", 100 * steal / cores));
  }
  if (report.throttled.value_or(0) > kThrottledShare) {
    reasons.push_back(fmt::format("the cgroup was stopped in {:.0f} % of its periods", 100 * *report.throttled));
  }
  if (report.memory_pressure && report.memory_pressure->full > kStallShare) {
    reasons.push_back(fmt::format("all waited for memory {:.0f} % of the time", 100 * report.memory_pressure->full));
  }
  return reasons;
}

std::string WhyUnknown(const MeterReport& report) {
  for (const MissingSource& missing : report.missing) {
    if (missing.source == "use of CPUs" || missing.source == "own use of CPUs") return missing.reason;
  }
  return report.interval.count() == 0 ? "meters have not run for an interval yet" : "no core has counted";
}

}  // namespace

std::optional<double> KappaOf(const MeterReport& report) {
  if (report.cores.empty() || !report.own_cores || !report.capacity) return std::nullopt;
  const double contended = report.cpu_pressure ? std::clamp(report.cpu_pressure->some, 0.0, 1.0) : 0;
  double available = 0;
  for (const CoreUse& core : report.cores) available += AvailableOf(core, contended);
  // Cores that did not count are like those that did.
  const double seen = static_cast<double>(report.cores.size());
  const double allowed = std::max(seen, static_cast<double>(report.allowed.size()));
  available *= allowed / seen;
  if (report.quota) {
    const double own = std::min(*report.own_cores, *report.quota);
    const double left = std::max(0.0, *report.quota - report.cgroup_others.value_or(0) - own);
    available = std::min(available, own + (1 - report.throttled.value_or(0)) * left);
  }
  const double stalled = report.memory_pressure ? std::clamp(report.memory_pressure->full, 0.0, kMostStall) : 0;
  const double kappa = *report.capacity / std::max(kLeast, available) / (1 - stalled);
  return std::isfinite(kappa) ? std::optional<double>(std::clamp(kappa, 1.0, kMostKappa)) : std::nullopt;
}

void ForeignLoad::Add(const MeterReport& report) {
  const auto kappa = KappaOf(report);
  if (!kappa) return;
  const double log_kappa = std::log(*kappa);
  if (!log_kappa_) {
    log_kappa_ = log_kappa;
    return;
  }
  const double passed =
      static_cast<double>(report.interval.count()) / static_cast<double>(options_.time_constant.count());
  *log_kappa_ += (1 - std::exp(-passed)) * (log_kappa - *log_kappa_);
}

std::optional<double> ForeignLoad::kappa() const {
  return log_kappa_ ? std::optional<double>(std::exp(*log_kappa_)) : std::nullopt;
}

BusyBox IsBusy(const MeterReport& report) {
  const auto kappa = KappaOf(report);
  if (!kappa) {
    return {.extra_log_sd = kUnknownLogSd,
            .text = fmt::format("how busy the box is is not known: {}", WhyUnknown(report))};
  }
  const double cores = static_cast<double>(report.allowed.size());
  const auto reasons = ReasonsOf(report, cores);
  if (reasons.empty()) {
    return {.is_known = true,
            .kappa = *kappa,
            .text = fmt::format("the box is quiet: {} of {:.3g} cores are used by others",
                                CoresText(report.foreign_cores.value_or(0)), cores)};
  }
  return {.is_known = true,
          .is_busy = true,
          .kappa = *kappa,
          .extra_log_sd =
              std::hypot(std::log(*kappa) / std::sqrt(3.0), kCacheLogSd * report.foreign_cores.value_or(0) / cores,
                         kThrottledLogSd * report.throttled.value_or(0)),
          .text = fmt::format("the box is busy: {}", fmt::join(reasons, "; "))};
}

TimeEstimate Widened(const TimeEstimate& measured, const BusyBox& box) {
  TimeEstimate wider = measured;
  wider.log_sd = std::hypot(measured.log_sd, box.extra_log_sd);
  return wider;
}

}  // namespace deepedge
