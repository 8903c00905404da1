// Faces upright and at one place and size, as networks that recognise them were trained on: five landmarks say how the
// picture has to be turned, scaled and moved.
//
//   DE_TRY(const Similarity transform, AlignFace(landmarks, picture.width, picture.height, 112, 112));
//   DE_TRY_STATUS(warper.WarpInto(picture, transform, 0, face));   // face.width, face.height are set
//
// Coordinates are continuous pixels: the top left pixel reaches from 0 to 1, its centre is 0.5.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/media/geometry.h"
#include "deepedge/media/picture.h"
#include "deepedge/media/pixel_ops.h"

namespace deepedge {

// Turns, scales the same in all directions and moves: (x, y) -> (a x - b y + x0, b x + a y + y0).
struct Similarity {
  double a = 1;
  double b = 0;
  double x0 = 0;
  double y0 = 0;

  double Scale() const;
  std::array<double, 2> Apply(double x, double y) const { return {a * x - b * y + x0, b * x + a * y + y0}; }
  // Scale() must not be 0.
  Similarity Inverse() const;
};

// Left eye, right eye, nose, left and right corner of the mouth; left as seen in the picture.
using FaceLandmarks = std::array<Point, 5>;

// The similarity that brings `from` to `to` with the least sum of squared distances, reflections left out (Umeyama
// 1991). Equally many points, two at least. Errors: kBadInput for points that are no numbers or all in one place.
Result<Similarity> FitSimilarity(std::span<const Point> from, std::span<const Point> to);

// Where the landmarks lie in an input of that size, in its pixels: the places that ArcFace's networks take, given for
// 112x112, as large as the input allows (96x112 is the same face with less at its sides).
FaceLandmarks FaceTemplate(int width, int height);

// From pixels of the picture to those of the input. `landmarks` are fractions of the picture. Errors: kBadInput for
// landmarks that are no numbers, far outside of the picture, less than some pixels apart, or not those of a face in
// this order (mirrored, or no face).
Result<Similarity> AlignFace(const FaceLandmarks& landmarks, int picture_width, int picture_height, int input_width,
                             int input_height);

// Samples pictures through a similarity. Keeps its intermediate picture between calls. Thread-compatible.
class PictureWarper {
 public:
  // Fills `out`, whose width and height say its size, with what `transform` (from pixels of `source` to pixels of
  // `out`) brings there, bilinear; `pad` where the picture ends. Only the part that is needed is converted, and scaled
  // down first where it is more than twice as large as it will be. Errors: kUnsupported for a picture without pixels,
  // kBadInput for a transform that brings nothing of the picture there.
  Status WarpInto(const PictureView& source, const Similarity& transform, uint8_t pad, RgbPicture& out);

 private:
  PictureScaler scaler_;
  RgbPicture part_;
};

}  // namespace deepedge
