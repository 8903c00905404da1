#include "deepedge/profiler/gp/nnls.h"

#include <Eigen/QR>
#include <vector>

namespace deepedge {
namespace {

// Least squares over the columns in use; the others are zero.
Eigen::VectorXd SolveWith(const Eigen::MatrixXd& a, const Eigen::VectorXd& b, const std::vector<bool>& used) {
  std::vector<Eigen::Index> columns;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) columns.push_back(static_cast<Eigen::Index>(i));
  }
  Eigen::VectorXd x = Eigen::VectorXd::Zero(a.cols());
  if (columns.empty()) return x;
  const Eigen::VectorXd part = a(Eigen::indexing::all, columns).colPivHouseholderQr().solve(b);
  for (size_t i = 0; i < columns.size(); ++i) x(columns[i]) = part(static_cast<Eigen::Index>(i));
  return x;
}

}  // namespace

Eigen::VectorXd NonNegativeLeastSquares(const Eigen::MatrixXd& a, const Eigen::VectorXd& b) {
  const auto n = static_cast<size_t>(a.cols());
  Eigen::VectorXd x = Eigen::VectorXd::Zero(a.cols());
  std::vector<bool> used(n, false);
  const double enough = 1e-9 * (a.transpose() * b).cwiseAbs().maxCoeff();
  const size_t most_steps = 3 * n + 10;
  for (size_t step = 0; step < most_steps; ++step) {
    const Eigen::VectorXd gradient = a.transpose() * (b - a * x);
    Eigen::Index best = -1;
    for (size_t i = 0; i < n; ++i) {
      const auto at = static_cast<Eigen::Index>(i);
      if (!used[i] && gradient(at) > enough && (best < 0 || gradient(at) > gradient(best))) best = at;
    }
    if (best < 0) break;
    used[static_cast<size_t>(best)] = true;
    Eigen::VectorXd next = SolveWith(a, b, used);
    // Back towards the last solution until nothing is negative; what becomes zero is left out.
    for (size_t inner = 0; inner < n; ++inner) {
      double part = 1;
      for (size_t i = 0; i < n; ++i) {
        const auto at = static_cast<Eigen::Index>(i);
        if (used[i] && next(at) <= 0) part = std::min(part, x(at) / (x(at) - next(at) + 1e-300));
      }
      if (part >= 1) break;
      x += part * (next - x);
      for (size_t i = 0; i < n; ++i) {
        if (used[i] && x(static_cast<Eigen::Index>(i)) <= 1e-15) used[i] = false;
      }
      next = SolveWith(a, b, used);
    }
    x = next.cwiseMax(0);
  }
  return x;
}

}  // namespace deepedge
