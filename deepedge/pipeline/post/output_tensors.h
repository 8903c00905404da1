// What the decoders share: finding a tensor by name or shape, reading numbers of any type as float, turning a box of
// the model's input into one of the picture. Private to pipeline/post.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/media/geometry.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/tensor.h"

namespace deepedge {

// An output as a table: dimensions of 1 and a free batch in front do not count. rows is -1 where the graph leaves it
// open.
struct TableShape {
  int64_t rows = 0;
  int64_t columns = 0;
};

// The shape as a table with `columns` numbers a row, or nothing where the last dimension is another one.
std::optional<TableShape> AsTable(const Shape& shape, int64_t columns);
// The number of elements of a shape with at most one dimension other than 1 (a free first one counts as 1).
std::optional<int64_t> AsList(const Shape& shape);

// Finds outputs in their roles and says what is wrong with them.
class OutputFinder {
 public:
  OutputFinder(const ModelCard& card, const std::vector<TensorSpec>& outputs) : card_(card), outputs_(outputs) {}

  using Fits = std::function<bool(const Shape&)>;

  // The output called `name` (":0" behind a name does not count), or where `name` is empty the only one that fits and
  // is not in `taken`. `expected` is for the error: "rows of 85 numbers".
  Result<size_t> Find(std::string_view role, const std::string& name, const Fits& fits, std::string_view expected,
                      std::span<const size_t> taken = {}) const;

  const TensorSpec& At(size_t index) const { return outputs_[index]; }
  // kBadInput that names the model, the tensor and what was expected of it.
  Error Misfit(size_t index, std::string_view expected) const;
  // The same where no tensor can be named; lists all outputs.
  Error NoneFits(std::string_view role, std::string_view expected) const;

 private:
  const ModelCard& card_;
  const std::vector<TensorSpec>& outputs_;
};

// Reads a tensor of type f32, f16, f64, u8, i8, i32 or i64 as float; integers mean (value - zero) * scale.
class FloatReader {
 public:
  explicit FloatReader(const TensorView& tensor, float scale = 1.0F, float zero = 0.0F);

  static bool CanRead(ElementType type);

  size_t size() const { return size_; }

  float operator[](size_t i) const { return floats_ != nullptr ? floats_[i] : Convert(i); }

  // Elements first .. first + count. `scratch` holds them where they must be converted, and is grown as needed.
  std::span<const float> Row(size_t first, size_t count, std::vector<float>* scratch) const;

 private:
  float Convert(size_t i) const;

  const std::byte* data_;
  const float* floats_ = nullptr;
  size_t size_;
  ElementType type_;
  float scale_;
  float zero_;
};

// Errors: kInternal when the tensor has not `count` elements or a type that cannot be read.
Status CheckTensor(const ModelCard& card, const TensorSpec& spec, const TensorView& tensor, int64_t count);

// Error of Decode for a wrong number of tensors.
Status CheckTensorCount(const ModelCard& card, size_t expected, size_t given);

// 1 / (1 + e^-value); NaN for what is not finite, so that it is never taken for a sure answer.
float Logistic(float value);

// A box in fractions of the model's input as one of the picture: letterbox undone, clipped. Nothing when a number is
// not finite or no part of it lies in the picture.
std::optional<Box> BoxInPicture(const Box& input_fraction, const Placement& placement);
std::optional<Point> PointInPicture(Point input_fraction, const Placement& placement);

// Which class a row of scores means.
struct BestClass {
  int label = 0;  // index into the card's labels
  float score = 0;
};

// Reads rows of class scores by the card: activation, background, label offset, threshold.
class ScoreRule {
 public:
  ScoreRule(const OutputDecoderSpec& spec, float threshold);

  // The best class of a row, or nothing where it is under the threshold, background or not a number.
  std::optional<BestClass> Best(std::span<const float> row) const;

  // How many columns a card with `labels` labels wants; 0 when it does not say.
  static int64_t Columns(const OutputDecoderSpec& spec, size_t labels);

 private:
  bool sigmoid_;
  bool softmax_;
  int background_;
  int label_offset_;
  float threshold_;
  float raw_threshold_;  // what a raw value must reach for its score to reach the threshold; exact unless softmax
};

}  // namespace deepedge
