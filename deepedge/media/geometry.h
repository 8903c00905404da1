// Boxes as fractions of the source picture, and where a source picture lies inside a model's input.
#pragma once

#include <vector>

namespace deepedge {

// x1 <= x2, y1 <= y2, as fractions of the source picture; (0,0) is the top left corner. Decoders clip to [0,1].
struct Box {
  float x1 = 0;
  float y1 = 0;
  float x2 = 0;
  float y2 = 0;

  float Area() const;
  friend bool operator==(const Box&, const Box&) = default;
};

// Intersection over union, 0 when both are empty.
float Iou(const Box& a, const Box& b);

// The same box cut to the picture.
Box Clip(const Box& box);

struct Point {
  float x = 0;
  float y = 0;
};

// How a picture is fitted into a model's input.
enum class ResizeRule {
  kStretch,            // both sides to the model's size
  kLetterboxTopLeft,   // keep the aspect ratio; picture in the top left corner, padding right or below
  kLetterboxCentered,  // keep the aspect ratio; padding on both sides
};

// Where the scaled picture lies inside the model's input, in input pixels.
struct Placement {
  int input_width = 0;
  int input_height = 0;
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;

  // A point given as fractions of the model's input, as fractions of the source picture (not clipped).
  Point ToSource(Point input_fraction) const;
  Box ToSource(const Box& input_fraction) const;
};

// Pure. All sizes are positive; the picture keeps at least one pixel on each side.
Placement PlacePicture(ResizeRule rule, int source_width, int source_height, int input_width, int input_height);

}  // namespace deepedge
