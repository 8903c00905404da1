#include "deepedge/profiler/gp/gaussian_process.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <random>

namespace deepedge {
namespace {

Kernel OneTerm(double variance, double inverse_length) {
  return {{variance, Eigen::VectorXd::Constant(1, inverse_length)}};
}

Eigen::VectorXd Point(double x) { return Eigen::VectorXd::Constant(1, x); }

TEST(GaussianProcess, IsThePriorWithoutMeasurements) {
  const auto process = GaussianProcess::Fit(OneTerm(0.25, 1), Eigen::MatrixXd(0, 1), {}, {});
  const GpPrediction prediction = process.Predict(Point(3));
  EXPECT_EQ(prediction.mean, 0);
  EXPECT_EQ(prediction.variance, 0.25);
  EXPECT_EQ(process.rows(), 0);
}

TEST(GaussianProcess, PassesThroughWhatWasMeasuredAndIsSureThereOnly) {
  Eigen::MatrixXd x(3, 1);
  x << 0, 1, 2;
  Eigen::VectorXd y(3);
  y << 0, 1, 0;
  const auto process = GaussianProcess::Fit(OneTerm(1, 1), x, y, Eigen::VectorXd::Constant(3, 1e-8));
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(process.Predict(Point(i)).mean, y(i), 1e-4);
  EXPECT_LT(process.Predict(Point(1)).variance, 1e-6);
  EXPECT_NEAR(process.Predict(Point(50)).variance, 1, 1e-9);
  EXPECT_NEAR(process.Predict(Point(50)).mean, 0, 1e-9);
  EXPECT_NEAR(process.PosteriorCovariance(Point(1.5))(0, 0), process.Predict(Point(1.5)).variance, 1e-12);
}

// On functions drawn from the prior, 90 % intervals hold 90 % of the truth.
TEST(GaussianProcess, IntervalsAreHonestOnItsOwnFunctions) {
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  constexpr int kPoints = 24;
  int inside = 0;
  int all = 0;
  for (int draw = 0; draw < 60; ++draw) {
    Eigen::MatrixXd x(kPoints, 1);
    for (int i = 0; i < kPoints; ++i) x(i, 0) = 0.37 * i;
    // A function of the prior: standard normal numbers times the prior's Cholesky factor, by the posterior of nothing.
    Eigen::MatrixXd covariance =
        GaussianProcess::Fit(OneTerm(1, 1), Eigen::MatrixXd(0, 1), {}, {}).PosteriorCovariance(x);
    covariance.diagonal().array() += 1e-9;
    const Eigen::MatrixXd factor = covariance.llt().matrixL();
    Eigen::VectorXd truth(kPoints);
    for (int i = 0; i < kPoints; ++i) truth(i) = normal(random);
    truth = factor * truth;
    Eigen::MatrixXd measured(kPoints / 4, 1);
    Eigen::VectorXd values(kPoints / 4);
    for (int i = 0; i < kPoints / 4; ++i) {
      measured(i, 0) = x(4 * i, 0);
      values(i) = truth(4 * i) + 0.05 * normal(random);
    }
    const auto process =
        GaussianProcess::Fit(OneTerm(1, 1), measured, values, Eigen::VectorXd::Constant(kPoints / 4, 0.0025));
    for (int i = 0; i < kPoints; ++i) {
      if (i % 4 == 0) continue;
      const GpPrediction p = process.Predict(x.row(i));
      inside += std::abs(truth(i) - p.mean) <= 1.645 * std::sqrt(p.variance) ? 1 : 0;
      ++all;
    }
  }
  EXPECT_GT(inside, 0.85 * all);
  EXPECT_LT(inside, 0.95 * all);
}

TEST(GaussianProcess, LikesTheLengthScaleThatMadeTheValues) {
  Eigen::MatrixXd x(20, 1);
  Eigen::VectorXd y(20);
  for (int i = 0; i < 20; ++i) {
    x(i, 0) = 0.5 * i;
    y(i) = std::sin(x(i, 0));
  }
  const Eigen::VectorXd noise = Eigen::VectorXd::Constant(20, 1e-4);
  const double right = GaussianProcess::Fit(OneTerm(1, 1 / 1.5), x, y, noise).LogLikelihood();
  EXPECT_GT(right, GaussianProcess::Fit(OneTerm(1, 1 / 0.1), x, y, noise).LogLikelihood());
  EXPECT_GT(right, GaussianProcess::Fit(OneTerm(1, 1 / 30.0), x, y, noise).LogLikelihood());
}

}  // namespace
}  // namespace deepedge
