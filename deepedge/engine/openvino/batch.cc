#include "deepedge/engine/openvino/batch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <openvino/op/constant.hpp>
#include <openvino/op/reshape.hpp>
#include <optional>
#include <random>
#include <span>
#include <string_view>

#include "deepedge/engine/openvino/graph_loader.h"

namespace deepedge {
namespace {

// The constant behind operations that only change how it is written down; null where there is none.
std::shared_ptr<ov::op::v0::Constant> ConstantBehind(std::shared_ptr<ov::Node> node) {
  constexpr int kMost = 8;
  for (int i = 0; i < kMost; ++i) {
    if (auto constant = ov::as_type_ptr<ov::op::v0::Constant>(node)) return constant;
    const std::string_view type = node->get_type_info().name;
    const bool changes_form = type == "Convert" || type == "Multiply" || type == "Subtract" || type == "FakeQuantize" ||
                              type == "Reshape" || type == "Transpose" || type == "Unsqueeze" || type == "Squeeze";
    if (!changes_form) return nullptr;
    node = node->get_input_node_shared_ptr(0);
  }
  return nullptr;
}

bool IsFullyConnected(const ov::Node& node) {
  const std::string_view type = node.get_type_info().name;
  if (type == "MatMul") return true;
  const ov::PartialShape& out = node.get_output_partial_shape(0);
  if (type != "Convolution" || out.is_dynamic()) return false;
  return std::all_of(out.begin() + 2, out.end(), [](const ov::Dimension& d) { return d == 1; });
}

int64_t FullyConnectedBytes(const ov::Model& model) {
  int64_t bytes = 0;
  for (const auto& node : model.get_ops()) {
    if (!IsFullyConnected(*node)) continue;
    for (size_t i = 0; i < node->get_input_size(); ++i) {
      const auto constant = ConstantBehind(node->get_input_node_shared_ptr(i));
      if (constant) bytes += static_cast<int64_t>(constant->get_byte_size());
    }
  }
  return bytes;
}

// [1, 85, -1] as the target of a Reshape becomes [0, 85, -1]: the first dimension of what comes in.
void KeepFirstDimension(ov::op::v1::Reshape& reshape) {
  const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(reshape.get_input_node_shared_ptr(1));
  const ov::PartialShape& from = reshape.get_input_partial_shape(0);
  if (!constant || from.rank().is_dynamic() || from.size() == 0 || from[0] != 1) return;
  auto target = constant->cast_vector<int64_t>();
  if (target.empty() || target[0] != 1) return;
  const bool has_zero = std::find(target.begin(), target.end(), 0) != target.end();
  if (has_zero && !reshape.get_special_zero()) return;  // there it means an empty dimension
  target[0] = 0;
  reshape.set_special_zero(true);
  reshape.input(1).replace_source_output(
      ov::op::v0::Constant::create(ov::element::i64, {target.size()}, target)->output(0));
}

// Numbers of any type that an output has; nothing for types that no decoder reads.
std::optional<std::vector<double>> Numbers(ElementType type, std::span<const std::byte> data) {
  const auto as = [&]<typename T>(T) {
    std::vector<double> numbers(data.size() / sizeof(T));
    for (size_t i = 0; i < numbers.size(); ++i) {
      T value;
      std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
      numbers[i] = static_cast<double>(value);
    }
    return numbers;
  };
  switch (type) {
    case ElementType::kBool:
    case ElementType::kU8: return as(uint8_t{});
    case ElementType::kI8: return as(int8_t{});
    case ElementType::kU16: return as(uint16_t{});
    case ElementType::kI16: return as(int16_t{});
    case ElementType::kU32: return as(uint32_t{});
    case ElementType::kI32: return as(int32_t{});
    case ElementType::kU64: return as(uint64_t{});
    case ElementType::kI64: return as(int64_t{});
    case ElementType::kF32: return as(float{});
    case ElementType::kF64: return as(double{});
    case ElementType::kF16: {
      std::vector<double> numbers = as(uint16_t{});
      for (double& v : numbers) v = static_cast<double>(HalfToFloat(static_cast<uint16_t>(v)));
      return numbers;
    }
  }
  return std::nullopt;
}

// The largest difference of two numbers in the same place; infinite where only one is a number.
double LargestDifference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double difference = std::abs(a[i] - b[i]);
    largest = std::isfinite(difference) ? std::max(largest, difference) : INFINITY;
  }
  return largest;
}

double LargestMagnitude(const std::vector<double>& numbers) {
  double largest = 0;
  for (const double v : numbers) largest = std::isfinite(v) ? std::max(largest, std::abs(v)) : largest;
  return largest;
}

// What a different order of additions may change, as a share of the largest number.
double RoundingOf(Precision precision) {
  switch (precision) {
    case Precision::kFp32: return 1e-3;
    case Precision::kInt8: return 1e-2;
    case Precision::kBf16: return 3e-2;
  }
  return 0;
}

// By how much less than two pictures differ a picture may differ from itself, and what no two runs need agree to.
constexpr double kFarLess = 0.1;
constexpr double kNothing = 1e-6;

}  // namespace

bool BatchPays(const ov::Model& model, int64_t from_bytes) {
  if (from_bytes <= 0) return true;
  const int64_t bytes = FullyConnectedBytes(model);
  return bytes >= from_bytes && bytes >= WeightBytes(model) / 2;
}

std::shared_ptr<ov::Model> WithBatch(const ov::Model& model, int max_batch) {
  auto batched = model.clone();
  for (const auto& node : batched->get_ordered_ops()) {
    if (const auto reshape = ov::as_type_ptr<ov::op::v1::Reshape>(node)) KeepFirstDimension(*reshape);
  }
  ov::PartialShape shape = batched->input(0).get_partial_shape();
  shape[0] = ov::Dimension(1, max_batch);
  batched->reshape(std::map<size_t, ov::PartialShape>{{0, shape}});
  for (size_t i = 0; i < model.outputs().size(); ++i) {
    const ov::PartialShape& alone = model.output(i).get_partial_shape();
    const ov::PartialShape& together = batched->output(i).get_partial_shape();
    const bool follows = alone.rank().is_static() && alone.size() > 0 && alone[0] == 1 && together.rank().is_static() &&
                         together.size() == alone.size() && together[0].is_dynamic();
    if (!follows) return nullptr;
  }
  return batched;
}

std::array<std::vector<uint8_t>, 2> BatchTestPictures(const Shape& input) {
  const auto height = static_cast<size_t>(input[1]);
  const auto width = static_cast<size_t>(input[2]);
  const auto channels = static_cast<size_t>(input[3]);
  std::mt19937 random(5);
  std::array<std::vector<uint8_t>, 2> pictures{std::vector<uint8_t>(height * width * channels),
                                               std::vector<uint8_t>(height * width * channels)};
  for (uint8_t& v : pictures[0]) v = static_cast<uint8_t>(random() % 256);
  constexpr size_t kBlocks = 6;
  std::vector<uint8_t> blocks(kBlocks * kBlocks * channels);
  for (uint8_t& v : blocks) v = static_cast<uint8_t>(random() % 160);
  for (size_t i = 0; i < pictures[1].size(); ++i) {
    const size_t pixel = i / channels;
    const size_t block = pixel / width * kBlocks / height * kBlocks + pixel % width * kBlocks / width;
    pictures[1][i] = blocks[block * channels + i % channels];
  }
  return pictures;
}

bool SameAnswers(const std::vector<Tensor>& first, const std::vector<Tensor>& second,
                 const std::vector<Tensor>& together, int count, Precision precision) {
  bool differ = false;
  for (size_t output = 0; output < first.size(); ++output) {
    Shape expected = first[output].shape;
    if (second[output].shape != expected || expected.empty() || expected[0] != 1) return false;
    expected[0] = count;
    if (together[output].shape != expected) return false;
    const ElementType type = first[output].type;
    const auto a = Numbers(type, first[output].data);
    const auto b = Numbers(type, second[output].data);
    if (!a || !b) return false;
    const double apart = LargestDifference(*a, *b);
    const double largest = std::max(LargestMagnitude(*a), LargestMagnitude(*b));
    const double allowed = std::min(RoundingOf(precision) * largest, std::max(kFarLess * apart, kNothing * largest));
    differ = differ || apart > kNothing * largest / kFarLess;
    const size_t bytes = first[output].data.size();
    for (int i = 0; i < count; ++i) {
      const auto part = std::span(together[output].data).subspan(static_cast<size_t>(i) * bytes, bytes);
      if (LargestDifference(i % 2 == 0 ? *a : *b, *Numbers(type, part)) > allowed) return false;
    }
  }
  return differ;
}

}  // namespace deepedge
