// Foreign load: by how much other processes, the hypervisor and a cgroup's limit shrink this box.
//
// One factor kappa >= 1, for BoxFactor::SetMeters: capacity C = cores * 1000 ms/s / kappa. Of one report (meter.h):
//
//   kappa = nominal / available / (1 - memory stalls)
//   nominal   = MeterReport::capacity, what is allowed
//   available = min(sum over allowed cores of A_i, Q)
//   A_i = left_i + (1 - c) max(0, half_i - left_i), at least quarter_i
//         left_i = own_i + idle_i + 0.9 niced_i: what others left, or yield; half_i, quarter_i = (1 - steal_i) / 2 and
//         / 4 c: CPU pressure "some" of the interval, 0 where it is unknown
//   Q = own + (1 - t) max(0, quota - cgroup's others - own), with a quota; t: share of periods that were stopped
//   memory stalls: memory pressure "full", half at most
//
// A process that finds a core free takes all of it, and half of it once we compete: where nobody waited (c = 0) others'
// use counts up to a half. Where somebody waited all the time (c = 1) what was left is all that there is; but at least
// a quarter, as it may have been the others who waited for one another. A cgroup that reached its quota by our own use
// is no foreign load (Q = own = quota, kappa = 1); one that was stopped before, by a limit further up, is. Processes
// with a nice value over 0 yield to one without: at 10 they keep a tenth of a core, at 19 a hundredth.
//
// Foreign load widens and never shifts: Widened() changes what we say we know, not what we say.
//
// Pure: no clock, no lock; ForeignLoad is thread-compatible.
#pragma once

#include <optional>
#include <string>

#include "deepedge/base/clock.h"
#include "deepedge/plan/profile.h"
#include "deepedge/profiler/meter/meter_report.h"

namespace deepedge {

inline constexpr double kMostKappa = 20;  // as BoxFactor

// Of one report; nothing where it does not tell of the cores (the first one of a meter, or no /proc/stat).
std::optional<double> KappaOf(const MeterReport& report);

struct ForeignLoadOptions {
  Duration time_constant = std::chrono::seconds(5);  // of the smoothing of log kappa
};

// Smooths: kappa follows a step by 63 % in a time constant, whatever the intervals of its reports.
class ForeignLoad {
 public:
  explicit ForeignLoad(ForeignLoadOptions options = {}) : options_(options) {}

  // Reports that do not tell change nothing.
  void Add(const MeterReport& report);
  // Nothing before the first report that tells; for BoxFactor::SetMeters.
  std::optional<double> kappa() const;

 private:
  ForeignLoadOptions options_;
  std::optional<double> log_kappa_;
};

struct BusyBox {
  bool is_known = false;  // false: the meters do not tell; `text` says why
  bool is_busy = false;
  double kappa = 1;
  // To be added, as an independent error, to the log_sd of what was measured meanwhile. Not 0 on a box that is not
  // known.
  double extra_log_sd = 0;
  // "the box is busy: 0.7 of 2 cores are used by others"; "the box is quiet: ..".
  std::string text;
};

// For calibration and probes: how far what was measured in the report's interval can be trusted. Busy: others use more
// than 5 % of what is allowed, the hypervisor takes more than 1 %, the quota stopped us, or memory ran out.
// extra_log_sd is of three independent parts:
//   log kappa / sqrt(3)   the disturbance of a measurement lies anywhere between none and kappa
//   0.15 * foreign share  others work in the caches, whoever yields
//   0.5 * throttled       a run that meets the end of the quota waits for the next period
BusyBox IsBusy(const MeterReport& report);

// Median and p99 as they were.
TimeEstimate Widened(const TimeEstimate& measured, const BusyBox& box);

}  // namespace deepedge
