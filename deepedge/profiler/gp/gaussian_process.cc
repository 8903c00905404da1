#include "deepedge/profiler/gp/gaussian_process.h"

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

double TermOf(const KernelTerm& term, const Eigen::VectorXd& difference) {
  return term.variance * std::exp(-0.5 * term.inverse_length.cwiseProduct(difference).squaredNorm());
}

}  // namespace

double Covariance(const Kernel& kernel, const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  const Eigen::VectorXd difference = a - b;
  double sum = 0;
  for (const KernelTerm& term : kernel) sum += TermOf(term, difference);
  return sum;
}

GaussianProcess GaussianProcess::Fit(Kernel kernel, Eigen::MatrixXd features, Eigen::VectorXd values,
                                     Eigen::VectorXd noise) {
  const Eigen::Index n = features.rows();
  DE_CHECK(values.size() == n && noise.size() == n);
  GaussianProcess process;
  process.kernel_ = std::move(kernel);
  process.features_ = features.transpose();
  if (n == 0) return process;
  Eigen::MatrixXd covariance(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Eigen::VectorXd row = process.features_.col(i);
    for (Eigen::Index j = 0; j <= i; ++j) {
      covariance(i, j) = covariance(j, i) = Covariance(process.kernel_, row, process.features_.col(j));
    }
  }
  covariance.diagonal() += noise;
  double jitter = 1e-10 * covariance.diagonal().mean();
  Eigen::LLT<Eigen::MatrixXd> cholesky(covariance);
  constexpr int kMostTries = 8;
  for (int i = 0; i < kMostTries && cholesky.info() != Eigen::Success; ++i) {
    jitter *= 10;
    covariance.diagonal().array() += jitter;
    cholesky.compute(covariance);
  }
  DE_CHECK(cholesky.info() == Eigen::Success);  // features or values were not numbers
  process.factor_ = cholesky.matrixL();
  process.weights_ = cholesky.solve(values);
  process.log_likelihood_ = -0.5 * values.dot(process.weights_) - process.factor_.diagonal().array().log().sum() -
                            0.5 * static_cast<double>(n) * std::log(2 * std::numbers::pi);
  return process;
}

Eigen::VectorXd GaussianProcess::CovarianceWithRows(const Eigen::VectorXd& point) const {
  Eigen::VectorXd with(features_.cols());
  for (Eigen::Index i = 0; i < with.size(); ++i) with(i) = Covariance(kernel_, point, features_.col(i));
  return with;
}

double GaussianProcess::PredictMean(const Eigen::VectorXd& features) const {
  return features_.cols() == 0 ? 0 : CovarianceWithRows(features).dot(weights_);
}

GpPrediction GaussianProcess::Predict(const Eigen::VectorXd& features) const {
  const double prior = Covariance(kernel_, features, features);
  if (features_.cols() == 0) return {.mean = 0, .variance = prior};
  const Eigen::VectorXd with = CovarianceWithRows(features);
  const Eigen::VectorXd solved = factor_.triangularView<Eigen::Lower>().solve(with);
  return {.mean = with.dot(weights_), .variance = std::max(0.0, prior - solved.squaredNorm())};
}

Eigen::MatrixXd GaussianProcess::PosteriorCovariance(const Eigen::MatrixXd& points) const {
  const Eigen::Index m = points.rows();
  Eigen::MatrixXd result(m, m);
  Eigen::MatrixXd with(features_.cols(), m);
  for (Eigen::Index i = 0; i < m; ++i) {
    const Eigen::VectorXd point = points.row(i);
    for (Eigen::Index j = 0; j <= i; ++j) {
      result(i, j) = result(j, i) = Covariance(kernel_, point, points.row(j));
    }
    if (features_.cols() > 0) with.col(i) = CovarianceWithRows(point);
  }
  if (features_.cols() == 0) return result;
  const Eigen::MatrixXd solved = factor_.triangularView<Eigen::Lower>().solve(with);
  return result - solved.transpose() * solved;
}

}  // namespace deepedge
