#include "deepedge/pipeline/track/box_filter.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr double kMeasurement = 0.06;
constexpr double kAcceleration = 0.5;
constexpr double kFirstSpeed = 0.7;
constexpr double kSides = 0.3;          // share of acceleration and first speed that sides have
constexpr double kSmallestSize = 1e-4;  // fractions of the picture; keeps variances above zero

std::array<double, 4> Parts(const Box& box) {
  const double x1 = box.x1;
  const double y1 = box.y1;
  const double x2 = box.x2;
  const double y2 = box.y2;
  return {(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1};
}

// A box's size in fractions of the picture's width (even axes) and height (odd axes): the same number of pixels.
std::array<double, 4> Units(const Box& box, double aspect) {
  const double size = std::max(kSmallestSize, std::sqrt(static_cast<double>(box.Area())));
  const double along_x = size / std::sqrt(aspect);
  const double along_y = size * std::sqrt(aspect);
  return {along_x, along_y, along_x, along_y};
}

double PartOf(size_t axis) { return axis < 2 ? 1.0 : kSides; }

Box FromParts(double x, double y, double width, double height) {
  const double half_width = std::max(width, 0.0) / 2;
  const double half_height = std::max(height, 0.0) / 2;
  return {static_cast<float>(x - half_width), static_cast<float>(y - half_height), static_cast<float>(x + half_width),
          static_cast<float>(y + half_height)};
}

}  // namespace

void AxisState::Predict(double seconds, double acceleration) {
  const double power = acceleration * acceleration;
  place += speed * seconds;
  place_variance +=
      2 * covariance * seconds + speed_variance * seconds * seconds + power * seconds * seconds * seconds / 3;
  covariance += speed_variance * seconds + power * seconds * seconds / 2;
  speed_variance += power * seconds;
}

void AxisState::Correct(double measured, double sigma) {
  const double total = place_variance + sigma * sigma;
  const double place_share = place_variance / total;
  const double speed_share = covariance / total;
  const double surprise = measured - place;
  place += place_share * surprise;
  speed += speed_share * surprise;
  speed_variance -= speed_share * covariance;
  place_variance *= 1 - place_share;
  covariance *= 1 - place_share;
}

BoxFilter::BoxFilter(const Box& measured, double aspect) {
  const auto parts = Parts(measured);
  const auto units = Units(measured, aspect);
  for (size_t i = 0; i < axes_.size(); ++i) {
    const double place_sigma = kMeasurement * units[i];
    const double speed_sigma = kFirstSpeed * PartOf(i) * units[i];
    axes_[i] = {
        .place = parts[i], .place_variance = place_sigma * place_sigma, .speed_variance = speed_sigma * speed_sigma};
  }
}

void BoxFilter::Correct(const Box& measured, double seconds, double aspect) {
  const auto parts = Parts(measured);
  const auto units = Units(measured, aspect);
  for (size_t i = 0; i < axes_.size(); ++i) {
    axes_[i].Predict(seconds, kAcceleration * PartOf(i) * units[i]);
    axes_[i].Correct(parts[i], kMeasurement * units[i]);
  }
}

Box BoxFilter::Predicted(double seconds) const {
  const auto at = [&](size_t i) { return axes_[i].place + axes_[i].speed * seconds; };
  return FromParts(at(0), at(1), at(2), at(3));
}

BoxVelocity BoxFilter::Velocity() const {
  return {static_cast<float>(axes_[0].speed), static_cast<float>(axes_[1].speed), static_cast<float>(axes_[2].speed),
          static_cast<float>(axes_[3].speed)};
}

double BoxFilter::CentreDistance(const Box& measured, double seconds, double aspect) const {
  const auto parts = Parts(measured);
  const auto units = Units(measured, aspect);
  double sum = 0;
  for (size_t i = 0; i < 2; ++i) {
    AxisState axis = axes_[i];
    axis.Predict(seconds, kAcceleration * units[i]);
    const double sigma = kMeasurement * units[i];
    const double apart = parts[i] - axis.place;
    sum += apart * apart / (axis.place_variance + sigma * sigma);
  }
  return sum;
}

}  // namespace deepedge
