#include "deepedge/profiler/media_cost/linear_law.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "deepedge/base/check.h"
#include "deepedge/profiler/gp/nnls.h"

namespace deepedge {
namespace {

// As many measurements as coefficients or fewer say nothing of the error.
constexpr double kUncheckedLogSd = 0.5;
// How much less a law is believed for every factor of e outside of what was measured.
constexpr double kDoubtPerFold = 0.2;

bool IsUsable(const LawRow& row) {
  const auto sound = [](double term) { return std::isfinite(term) && term >= 0; };
  return std::isfinite(row.us) && row.us > 0 && std::all_of(row.terms.begin(), row.terms.end(), sound);
}

// Without row `left_out`; -1: of all.
std::vector<double> Coefficients(const std::vector<LawRow>& rows, ptrdiff_t left_out) {
  const auto columns = static_cast<Eigen::Index>(rows.front().terms.size());
  const auto count = static_cast<ptrdiff_t>(rows.size());
  Eigen::MatrixXd terms(left_out < 0 ? count : count - 1, columns);
  Eigen::Index at = 0;
  for (ptrdiff_t i = 0; i < count; ++i) {
    if (i == left_out) continue;
    const LawRow& row = rows[static_cast<size_t>(i)];
    // Relative errors count: each row is divided by what it should give.
    for (Eigen::Index c = 0; c < columns; ++c) terms(at, c) = row.terms[static_cast<size_t>(c)] / row.us;
    ++at;
  }
  // Columns are brought to one size, without which rounding decides.
  Eigen::VectorXd size = terms.cwiseAbs().colwise().maxCoeff().transpose();
  for (Eigen::Index c = 0; c < columns; ++c) size(c) = size(c) > 0 ? size(c) : 1;
  const Eigen::MatrixXd scaled = terms * size.cwiseInverse().asDiagonal();
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(terms.rows());
  const Eigen::VectorXd x = NonNegativeLeastSquares(scaled, ones).cwiseQuotient(size);
  // Relative errors of what is too low are at most 1, of what is too high without limit, so the fit is low where
  // measurements scatter; the mean of the logarithms puts that right.
  const Eigen::VectorXd fitted = (scaled * x.cwiseProduct(size)).cwiseMax(1e-2);
  const Eigen::VectorXd coefficients = x * std::exp(-fitted.array().log().mean());
  return {coefficients.begin(), coefficients.end()};
}

double LeaveOneOutLogSd(const std::vector<LawRow>& rows) {
  // Terms that are always zero have no coefficient.
  size_t coefficients = 0;
  for (size_t c = 0; c < rows.front().terms.size(); ++c) {
    const auto counts = [c](const LawRow& row) { return row.terms[c] > 0; };
    coefficients += std::any_of(rows.begin(), rows.end(), counts) ? 1 : 0;
  }
  if (rows.size() <= coefficients) return kUncheckedLogSd;
  double sum = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const LinearLaw law{.us_per = Coefficients(rows, static_cast<ptrdiff_t>(i))};
    const double predicted = std::max(law.Us(rows[i].terms), rows[i].us * 1e-2);
    const double off = std::log(predicted / rows[i].us);
    sum += off * off;
  }
  return std::sqrt(sum / static_cast<double>(rows.size()));
}

}  // namespace

double LinearLaw::Us(std::span<const double> terms) const {
  DE_CHECK(terms.size() == us_per.size());
  double us = 0;
  for (size_t i = 0; i < terms.size(); ++i) us += us_per[i] * terms[i];
  return std::max(us, 0.0);
}

CostEstimate LinearLaw::Estimate(std::span<const double> terms) const {
  double variance = log_sd * log_sd;
  for (size_t i = 0; i < terms.size() && i < least.size(); ++i) {
    double folds = 0;
    if (terms[i] > most[i]) folds = most[i] > 0 ? std::log(terms[i] / most[i]) : 1;
    if (terms[i] < least[i] && terms[i] > 0) folds = std::log(least[i] / terms[i]);
    variance += std::pow(kDoubtPerFold * folds, 2);
  }
  return {.us = Us(terms), .log_sd = std::sqrt(variance)};
}

LinearLaw FitLinearLaw(std::span<const LawRow> rows, double least_log_sd) {
  if (rows.empty()) return {};
  const size_t columns = rows.front().terms.size();
  DE_CHECK(columns > 0);
  std::vector<LawRow> usable;
  for (const LawRow& row : rows) {
    DE_CHECK(row.terms.size() == columns);
    if (IsUsable(row)) usable.push_back(row);
  }
  LinearLaw law{.us_per = std::vector<double>(columns), .samples = static_cast<int>(usable.size())};
  if (usable.empty()) return law;
  law.us_per = Coefficients(usable, -1);
  law.least = usable.front().terms;
  law.most = usable.front().terms;
  for (const LawRow& row : usable) {
    for (size_t c = 0; c < columns; ++c) {
      law.least[c] = std::min(law.least[c], row.terms[c]);
      law.most[c] = std::max(law.most[c], row.terms[c]);
    }
  }
  law.log_sd = std::max(LeaveOneOutLogSd(usable), least_log_sd);
  return law;
}

}  // namespace deepedge
