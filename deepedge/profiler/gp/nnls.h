// Least squares with coefficients that are not negative: costs add up, nothing makes a layer faster.
#pragma once

#include <Eigen/Core>

namespace deepedge {

// x >= 0 that minimises |a x - b|; a has a row for each of b. Lawson & Hanson, "Solving Least Squares Problems", 1974,
// chapter 23. Columns of zeros get a coefficient of zero. Pure.
Eigen::VectorXd NonNegativeLeastSquares(const Eigen::MatrixXd& a, const Eigen::VectorXd& b);

}  // namespace deepedge
