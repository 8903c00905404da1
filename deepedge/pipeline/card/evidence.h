// Evidence: all that is known about a model before its card is written: the graph and its facts, what its authors wrote
// in the file or beside it, its name and format. Families of models (families.h) draw their conclusions from it and
// from nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

// The numbers that a picture's bytes v become: (v - mean) / std.
struct ValueRule {
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> std{1, 1, 1};

  friend bool operator==(const ValueRule&, const ValueRule&) = default;
};

// The usual ones.
constexpr ValueRule kBytes{};                           // 0..255
constexpr ValueRule kUnit{{0, 0, 0}, {255, 255, 255}};  // 0..1
constexpr ValueRule kPlusMinusOne{{127.5F, 127.5F, 127.5F}, {127.5F, 127.5F, 127.5F}};
constexpr ValueRule kImageNetRgb{{123.675F, 116.28F, 103.53F}, {58.395F, 57.12F, 57.375F}};
constexpr ValueRule kImageNetBgr{{103.53F, 116.28F, 123.675F}, {57.375F, 57.12F, 58.395F}};
constexpr ValueRule kCaffeBgr{{104, 117, 123}, {1, 1, 1}};           // the ImageNet mean as Caffe networks subtract it
constexpr ValueRule kCifarBgr{{113.9F, 123.0F, 125.3F}, {1, 1, 1}};  // the mean of CIFAR-10's pictures
constexpr ValueRule kFace127{{127, 127, 127}, {128, 128, 128}};
constexpr ValueRule kFace127Half{{127.5F, 127.5F, 127.5F}, {128, 128, 128}};

std::string ToString(const ValueRule& rule);  // "(v - 127.5) / 127.5", "v", "v / 255"

// A value that somebody wrote down, and where.
template <typename T>
struct Said {
  T value{};
  std::string where;  // "model_proc.json", "the ONNX file's metadata"
  double confidence = 0.95;
};

// What the authors of a model, or those who served it, wrote about it.
struct Notes {
  std::optional<Said<ChannelOrder>> order;
  std::optional<Said<ValueRule>> values;
  std::optional<Said<ResizeRule>> resize;
  std::optional<Said<uint8_t>> pad;
  std::optional<Said<std::array<int, 2>>> size;        // width, height
  std::vector<Said<std::vector<std::string>>> labels;  // lists that may be the model's; the first that fits counts
  std::optional<Said<std::string>> task;               // as ModelCard::task
  std::optional<Said<std::string>> family;             // "ultralytics", "darknet"
  std::optional<float> threshold;
  std::optional<int> keypoints;
  std::optional<int> keypoint_size;
  bool end_to_end = false;  // suppression is said to be inside the graph
};

// The picture that the graph takes, where it takes one.
struct PictureShape {
  std::string tensor;
  ElementType type = ElementType::kF32;
  TensorLayout layout = TensorLayout::kNchw;
  bool layout_known = false;  // from the graph rather than from the dimensions alone
  int channels = 3;           // of one patch, where it takes patches
  int patches = 0;            // PictureInput::patches
  int width = 0;              // 0: free
  int height = 0;
};

struct Evidence {
  ModelFormat format = ModelFormat::kOnnx;
  std::string name;   // of the card
  std::string words;  // names of the files and of the folder, in lower case: weak evidence
  const GraphInfo& graph;
  Notes notes;
  std::optional<PictureShape> picture;
  std::string no_picture_because;  // where there is none

  // The facts of an output, or empty ones.
  const OutputFacts& Facts(size_t output) const;
  const InputFacts& InputFactsOf(size_t input) const;
  bool HasWord(std::string_view word) const { return words.find(word) != std::string::npos; }
};

// Gathers it. `notes` come from notes.h.
Evidence MakeEvidence(const ModelFiles& files, const GraphInfo& graph, Notes notes);

// The name that a model is given after its files.
std::string NameOfModel(const ModelFiles& files);

// Shapes without what does not count: a batch of 1 (or a free one) in front.
Shape WithoutBatch(const Shape& shape);
// The elements of a shape with one dimension other than 1, else 0; a free batch counts as 1.
int64_t ListLength(const Shape& shape);

}  // namespace deepedge
