#include "deepedge/pipeline/post/output_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace deepedge {
namespace {

constexpr int64_t kMostRows = int64_t{1} << 31;

std::string_view WithoutPort(std::string_view name) {
  return name.ends_with(":0") ? name.substr(0, name.size() - 2) : name;
}

template <typename T>
T Load(const std::byte* data, size_t i) {
  T value;
  std::memcpy(&value, data + i * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

std::optional<TableShape> AsTable(const Shape& shape, int64_t columns) {
  if (shape.empty() || (shape.back() != columns && shape.back() >= 0)) return std::nullopt;
  TableShape table{.rows = 1, .columns = columns};
  for (size_t i = 0; i + 1 < shape.size(); ++i) {
    if (shape[i] < 0 && i == 0 && shape.size() > 2) continue;  // the batch, fixed to 1 later
    if (shape[i] < 0 || table.rows < 0) {
      table.rows = -1;
    } else if (shape[i] > 0 && table.rows > kMostRows / shape[i]) {
      return std::nullopt;
    } else {
      table.rows *= shape[i];
    }
  }
  return table;
}

std::optional<int64_t> AsList(const Shape& shape) {
  int64_t count = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1 || (shape[i] < 0 && i == 0 && shape.size() > 1)) continue;
    if (shape[i] < 0 || count != 1) return std::nullopt;
    count = shape[i];
  }
  return count;
}

Result<size_t> OutputFinder::Find(std::string_view role, const std::string& name, const Fits& fits,
                                  std::string_view expected, std::span<const size_t> taken) const {
  std::optional<size_t> found;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (std::find(taken.begin(), taken.end(), i) != taken.end()) continue;
    if (!name.empty()) {
      if (WithoutPort(outputs_[i].name) != WithoutPort(name)) continue;
      if (!fits(outputs_[i].shape)) return Misfit(i, fmt::format("expected {} for the {}", expected, role));
      found = i;
      break;
    }
    if (!fits(outputs_[i].shape)) continue;
    if (found) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("model '{}': outputs '{}' and '{}' could both hold the {}; name one in the card "
                               "(output.{})",
                               card_.name, outputs_[*found].name, outputs_[i].name, role, role)};
    }
    found = i;
  }
  if (!found && !name.empty()) return NoneFits(role, fmt::format("one called '{}'", name));
  if (!found) return NoneFits(role, expected);
  if (!FloatReader::CanRead(outputs_[*found].type)) {
    return Misfit(*found,
                  fmt::format("its type is {}, expected a float or an integer", ToString(outputs_[*found].type)));
  }
  return *found;
}

Error OutputFinder::Misfit(size_t index, std::string_view expected) const {
  const TensorSpec& spec = outputs_[index];
  return {ErrorCode::kBadInput, fmt::format("model '{}': output '{}' {} {}: {}", card_.name, spec.name,
                                            ToString(spec.shape), ToString(spec.type), expected)};
}

Error OutputFinder::NoneFits(std::string_view role, std::string_view expected) const {
  std::string all;
  for (const TensorSpec& spec : outputs_) {
    all += fmt::format("{}'{}' {} {}", all.empty() ? "" : ", ", spec.name, ToString(spec.shape), ToString(spec.type));
  }
  return {ErrorCode::kBadInput, fmt::format("model '{}': no output holds the {}: expected {}; there are: {}",
                                            card_.name, role, expected, all)};
}

FloatReader::FloatReader(const TensorView& tensor, float scale, float zero)
    : data_(tensor.data.data()),
      size_(tensor.data.size() / SizeOf(tensor.type)),
      type_(tensor.type),
      scale_(scale),
      zero_(zero) {
  if (type_ == ElementType::kF32) floats_ = reinterpret_cast<const float*>(data_);
}

bool FloatReader::CanRead(ElementType type) {
  switch (type) {
    case ElementType::kF16:
    case ElementType::kF32:
    case ElementType::kF64:
    case ElementType::kU8:
    case ElementType::kI8:
    case ElementType::kI32:
    case ElementType::kI64: return true;
    case ElementType::kBool:
    case ElementType::kU16:
    case ElementType::kI16:
    case ElementType::kU32:
    case ElementType::kU64: return false;
  }
  return false;
}

float FloatReader::Convert(size_t i) const {
  const auto integer = [this](float value) { return (value - zero_) * scale_; };
  switch (type_) {
    case ElementType::kF32: return Load<float>(data_, i);
    case ElementType::kF16: return HalfToFloat(Load<uint16_t>(data_, i));
    case ElementType::kF64: return static_cast<float>(Load<double>(data_, i));
    case ElementType::kU8: return integer(static_cast<float>(Load<uint8_t>(data_, i)));
    case ElementType::kI8: return integer(static_cast<float>(Load<int8_t>(data_, i)));
    case ElementType::kI32: return integer(static_cast<float>(Load<int32_t>(data_, i)));
    case ElementType::kI64: return integer(static_cast<float>(Load<int64_t>(data_, i)));
    case ElementType::kBool:
    case ElementType::kU16:
    case ElementType::kI16:
    case ElementType::kU32:
    case ElementType::kU64: break;
  }
  return std::numeric_limits<float>::quiet_NaN();
}

std::span<const float> FloatReader::Row(size_t first, size_t count, std::vector<float>* scratch) const {
  if (floats_ != nullptr) return {floats_ + first, count};
  scratch->resize(count);
  for (size_t i = 0; i < count; ++i) (*scratch)[i] = Convert(first + i);
  return *scratch;
}

Status CheckTensor(const ModelCard& card, const TensorSpec& spec, const TensorView& tensor, int64_t count) {
  const bool readable = FloatReader::CanRead(tensor.type);
  const bool whole = readable && IsStatic(tensor.shape) && ElementCount(tensor.shape) == count &&
                     tensor.data.size() == static_cast<size_t>(count) * SizeOf(tensor.type);
  if (whole) return Status::Ok();
  return Error{ErrorCode::kInternal,
               fmt::format("model '{}': output '{}' came as {} {} in {} bytes, expected {} numbers", card.name,
                           spec.name, ToString(tensor.shape), ToString(tensor.type), tensor.data.size(), count)};
}

Status CheckTensorCount(const ModelCard& card, size_t expected, size_t given) {
  if (expected == given) return Status::Ok();
  return Error{ErrorCode::kInternal,
               fmt::format("model '{}': {} outputs came, expected {}", card.name, given, expected)};
}

float Logistic(float value) {
  if (!std::isfinite(value)) return std::numeric_limits<float>::quiet_NaN();
  return 1 / (1 + std::exp(-value));
}

std::optional<Box> BoxInPicture(const Box& input_fraction, const Placement& placement) {
  const Box box = placement.ToSource(input_fraction);
  // Comparisons with NaN are false; infinities are stopped here because they say nothing about a place.
  if (!std::isfinite(box.x1) || !std::isfinite(box.y1) || !std::isfinite(box.x2) || !std::isfinite(box.y2)) {
    return std::nullopt;
  }
  const Box clipped = Clip(box);
  if (!(clipped.x1 < clipped.x2 && clipped.y1 < clipped.y2)) return std::nullopt;
  return clipped;
}

std::optional<Point> PointInPicture(Point input_fraction, const Placement& placement) {
  const Point point = placement.ToSource(input_fraction);
  if (!std::isfinite(point.x) || !std::isfinite(point.y)) return std::nullopt;
  return Point{std::clamp(point.x, 0.0F, 1.0F), std::clamp(point.y, 0.0F, 1.0F)};
}

ScoreRule::ScoreRule(const OutputDecoderSpec& spec, float threshold)
    : sigmoid_(spec.sigmoid),
      softmax_(spec.softmax),
      background_(spec.background),
      label_offset_(spec.label_offset),
      threshold_(threshold),
      raw_threshold_(threshold) {
  if (sigmoid_) {
    if (threshold <= 0) {
      raw_threshold_ = std::numeric_limits<float>::lowest();
    } else if (threshold >= 1) {
      raw_threshold_ = std::numeric_limits<float>::max();
    } else {
      raw_threshold_ = std::log(threshold / (1 - threshold));
    }
  }
}

std::optional<BestClass> ScoreRule::Best(std::span<const float> row) const {
  const auto skip = static_cast<size_t>(std::max(label_offset_, 0));
  float best = -std::numeric_limits<float>::infinity();
  size_t best_class = row.size();
  for (size_t i = skip; i < row.size(); ++i) {
    if (row[i] > best && static_cast<int>(i) != background_) {
      best = row[i];
      best_class = i;
    }
  }
  if (best_class == row.size() || !std::isfinite(best)) return std::nullopt;
  if (softmax_) {
    float sum = 0;
    for (const float value : row) sum += std::exp(value - best);
    best = 1 / sum;
    if (!(best >= threshold_)) return std::nullopt;
  } else {
    if (!(best >= raw_threshold_)) return std::nullopt;
    if (sigmoid_) best = 1 / (1 + std::exp(-best));
  }
  const int index = static_cast<int>(best_class) - label_offset_;
  // A background between the labels has no entry of its own.
  const int label = background_ >= label_offset_ && static_cast<int>(best_class) > background_ ? index - 1 : index;
  return BestClass{label, best};
}

int64_t ScoreRule::Columns(const OutputDecoderSpec& spec, size_t labels) {
  if (labels == 0) return 0;
  return spec.label_offset + static_cast<int64_t>(labels) + (spec.background >= spec.label_offset ? 1 : 0);
}

}  // namespace deepedge
