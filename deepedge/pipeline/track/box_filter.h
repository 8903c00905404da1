// Constant-velocity Kalman filter of one box, with real time between measurements. Centre and sides are four
// independent axes of (place, speed), so that the algebra is that of 2x2 matrices, written out.
//
// All noise is in units of the box's own size, the square root of width x height: a box that fills the picture jitters
// and speeds more than a small one. Measured on 30 pairs of clip and detector: place of a measurement 0.06 sizes,
// acceleration 0.5 sizes/s2, first speed 0.7 sizes/s, and 0.3 times these for the sides. Acceleration is white noise in
// continuous time, of which 1 s adds a variance of 0.5^2 to the speed however many steps the second has: a filter whose
// noise is added per step becomes stiffer with each step more, and the rate of results varies here. (At 1/s the two are
// equal; at 5 to 10/s the continuous one equals 2 to 3 times the acceleration, which measured better there.)
#pragma once

#include <array>

#include "deepedge/pipeline/track/track.h"

namespace deepedge {

// Place and speed along one axis, with their covariance.
struct AxisState {
  double place = 0;
  double speed = 0;
  double place_variance = 0;
  double covariance = 0;
  double speed_variance = 0;

  void Predict(double seconds, double acceleration);  // acceleration: its sigma, per root second
  void Correct(double measured, double sigma);
};

// Thread-compatible. `aspect`: width of the picture through its height in pixels, so that a size is the same length
// along both axes.
class BoxFilter {
 public:
  BoxFilter(const Box& measured, double aspect);

  // The next measurement, so many seconds after the one before (0 or more).
  void Correct(const Box& measured, double seconds, double aspect);

  // Where it is expected after so many seconds.
  Box Predicted(double seconds) const;
  BoxVelocity Velocity() const;

  // Squared distance of centres in units of their standard deviation (Mahalanobis) after so many seconds.
  double CentreDistance(const Box& measured, double seconds, double aspect) const;

 private:
  std::array<AxisState, 4> axes_;  // centre x, centre y, width, height
};

}  // namespace deepedge
