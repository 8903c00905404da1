// InferenceResult: what one job saw, in the terms of the source picture. Filled by pipeline/post, carried by events.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "deepedge/media/geometry.h"

namespace deepedge {

// A named point, for faces and poses; fractions of the source picture.
struct Keypoint {
  Point point;
  float score = 0;
};

struct DetectedObject {
  int label = 0;  // index into the card's labels
  float score = 0;
  Box box;
  std::vector<Keypoint> keypoints;  // empty unless the model gives some for each object
};

struct ClassScore {
  int label = 0;  // index into the card's labels
  float score = 0;
  std::string head = {};  // which of several class heads says so; empty where there is one
};

// So many pixels of one class, one after the other.
struct MaskRun {
  int label = 0;  // index into the card's labels; -1: background
  uint32_t length = 0;

  friend bool operator==(const MaskRun&, const MaskRun&) = default;
};

struct LabelShare {
  int label = 0;
  float share = 0;  // of the picture
};

// A class for every pixel of a grid that covers the source picture (padding of a letterbox is cut away).
struct ClassMask {
  int width = 0;
  int height = 0;
  std::vector<MaskRun> runs;       // row by row from the top left; lengths add up to width * height
  std::vector<LabelShare> shares;  // of the labels that are seen, without background, largest first
};

// A region of text: its corners clockwise from the top left as the text is read, fractions of the source picture.
struct TextRegion {
  std::array<Point, 4> corners;
  float score = 0;
};

struct NamedNumber {
  std::string name;
  float value = 0;
  std::string unit;
};

// Which of the parts is filled follows from the card's task; the others stay empty.
struct InferenceResult {
  std::vector<DetectedObject> objects;  // best score first
  std::vector<ClassScore> classes;      // best score first
  std::vector<Keypoint> keypoints;      // one pose of the whole picture, in the model's own order
  std::vector<float> embedding;
  ClassMask mask;                // width 0: none
  std::vector<TextRegion> text;  // best score first
  std::vector<NamedNumber> values;
};

}  // namespace deepedge
