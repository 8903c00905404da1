#include "deepedge/profiler/fit/choose_probe.h"

#include <algorithm>
#include <cmath>

namespace deepedge {

std::optional<ProbeChoice> NextProbe(const Predictor& predictor, const std::vector<Setting>& settings,
                                     double least_gain) {
  if (settings.empty()) return std::nullopt;
  const Eigen::MatrixXd covariance = predictor.CovarianceOf(settings);
  const auto n = covariance.rows();
  const auto mean_sd = [&](const Eigen::VectorXd& variance) {
    return variance.cwiseMax(0).cwiseSqrt().sum() / static_cast<double>(n);
  };
  const double before = mean_sd(covariance.diagonal());
  std::optional<ProbeChoice> best;
  for (Eigen::Index i = 0; i < n; ++i) {
    const Setting& setting = settings[static_cast<size_t>(i)];
    const auto& probes = predictor.model().probes;
    const bool known =
        std::any_of(probes.begin(), probes.end(), [&](const ProbeResult& probe) { return probe.setting == setting; });
    if (known) continue;
    // Conditioning on the i-th: what each of the others has in common with it goes.
    const double own = covariance(i, i) + predictor.Noise();
    if (own <= 0) continue;
    const Eigen::VectorXd after = covariance.diagonal() - covariance.col(i).cwiseAbs2() / own;
    const double sd = mean_sd(after);
    if (!best || sd < best->log_sd_after) best = ProbeChoice{setting, before, sd};
  }
  if (best && before - best->log_sd_after < least_gain) return std::nullopt;
  return best;
}

}  // namespace deepedge
