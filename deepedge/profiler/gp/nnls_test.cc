#include "deepedge/profiler/gp/nnls.h"

#include <gtest/gtest.h>

#include <random>

namespace deepedge {
namespace {

TEST(NonNegativeLeastSquares, FindsCoefficientsThatMadeTheValues) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  Eigen::MatrixXd a(40, 4);
  for (Eigen::Index i = 0; i < a.size(); ++i) a.data()[i] = uniform(random);
  const Eigen::Vector4d truth(2, 0, 0.5, 3);
  EXPECT_LT((NonNegativeLeastSquares(a, a * truth) - truth).norm(), 1e-9);
}

TEST(NonNegativeLeastSquares, IsNotWorseThanAnyNeighbourAndNeverNegative) {
  std::mt19937 random(6);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int trial = 0; trial < 50; ++trial) {
    Eigen::MatrixXd a(12, 5);
    Eigen::VectorXd b(12);
    for (Eigen::Index i = 0; i < a.size(); ++i) a.data()[i] = uniform(random);
    for (Eigen::Index i = 0; i < b.size(); ++i) b(i) = uniform(random);
    const Eigen::VectorXd x = NonNegativeLeastSquares(a, b);
    EXPECT_GE(x.minCoeff(), 0);
    const double error = (a * x - b).norm();
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      for (const double step : {-1e-3, 1e-3}) {
        Eigen::VectorXd other = x;
        other(i) = std::max(0.0, other(i) + step);
        EXPECT_GE((a * other - b).norm(), error - 1e-9);
      }
    }
  }
}

TEST(NonNegativeLeastSquares, AColumnOfZerosCountsForNothing) {
  Eigen::MatrixXd a(2, 2);
  a << 1, 0, 2, 0;
  EXPECT_LT((NonNegativeLeastSquares(a, Eigen::Vector2d(3, 6)) - Eigen::Vector2d(3, 0)).norm(), 1e-12);
}

}  // namespace
}  // namespace deepedge
