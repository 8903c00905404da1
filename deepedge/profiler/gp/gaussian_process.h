// GaussianProcess: regression that says how sure it is (Rasmussen & Williams, "Gaussian Processes for Machine
// Learning", 2006, algorithm 2.1). The profiler learns with it what its physical law of a cost leaves over: the mean is
// zero, far from everything that was measured the prediction is the law, and the variance says so.
//
// The covariance is a sum of terms, variance * exp(-1/2 sum_d (w_d (a_d - b_d))^2), w_d = 1 / length scale; a feature
// with w_d = 0 does not matter to a term, a term without features is a constant that all share.
//
// Immutable after Fit: any number of threads may ask. Fit takes n^3 / 3 multiplications, a prediction n^2 / 2 with its
// variance, n without.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace deepedge {

struct KernelTerm {
  double variance = 1;
  Eigen::VectorXd inverse_length;  // one for each feature
};

using Kernel = std::vector<KernelTerm>;

// Of two rows of features.
double Covariance(const Kernel& kernel, const Eigen::VectorXd& a, const Eigen::VectorXd& b);

struct GpPrediction {
  double mean = 0;
  double variance = 0;  // of the value itself, without the noise of a measurement
};

class GaussianProcess {
 public:
  // `features`: a row for each measured value; `noise`: variance of each measurement. No rows: the prior.
  // A matrix that rounding has made indefinite is given a little more noise.
  static GaussianProcess Fit(Kernel kernel, Eigen::MatrixXd features, Eigen::VectorXd values, Eigen::VectorXd noise);

  GpPrediction Predict(const Eigen::VectorXd& features) const;
  double PredictMean(const Eigen::VectorXd& features) const;
  // Of several points together: variances on the diagonal.
  Eigen::MatrixXd PosteriorCovariance(const Eigen::MatrixXd& points) const;

  // Logarithm of how likely the measured values are; -infinity where nothing can be said.
  double LogLikelihood() const { return log_likelihood_; }

  // Measurements that it was fitted to.
  Eigen::Index rows() const { return features_.cols(); }

 private:
  Eigen::VectorXd CovarianceWithRows(const Eigen::VectorXd& point) const;

  Kernel kernel_;
  Eigen::MatrixXd features_;  // transposed: a column for each row given, so that one lies together
  Eigen::MatrixXd factor_;    // lower Cholesky factor
  Eigen::VectorXd weights_;
  double log_likelihood_ = 0;
};

}  // namespace deepedge
