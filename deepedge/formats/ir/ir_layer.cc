#include "deepedge/formats/ir/ir_layer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <openvino/core/type/float16.hpp>
#include <openvino/op/constant.hpp>

namespace deepedge {
namespace {

static_assert(std::endian::native == std::endian::little);  // the numbers are copied as they are

template <typename T>
void Append(std::string_view bytes, std::vector<float>& values) {
  const size_t count = bytes.size() / sizeof(T);
  for (size_t i = 0; i < count; ++i) {
    T number;
    std::memcpy(&number, bytes.data() + i * sizeof(T), sizeof(T));
    values.push_back(static_cast<float>(number));
  }
}

struct NumberKind {
  std::string_view precision;
  int64_t width;
  void (*append)(std::string_view, std::vector<float>&);
};

constexpr std::array<NumberKind, 6> kKinds = {{{"FP32", 4, Append<float>},
                                               {"FP16", 2, Append<ov::float16>},
                                               {"I32", 4, Append<int32_t>},
                                               {"I64", 8, Append<int64_t>},
                                               {"U8", 1, Append<uint8_t>},
                                               {"I8", 1, Append<int8_t>}}};

std::vector<std::string_view> Parts(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.push_back(part);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return parts;
}

}  // namespace

IrWeights::IrWeights(BoundedFile file) : file_(std::move(file)), budget_(4 * file_.size()) {}

Result<IrWeights> IrWeights::Open(const Path& path) {
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  return IrWeights(std::move(file));
}

std::vector<float> IrWeights::Read(const IrBlob& blob, const std::string& precision) {
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& k) { return k.precision == precision; });
  if (kind == kKinds.end()) throw UnsupportedLayer(fmt::format("numbers of precision '{}'", precision));
  if (blob.offset > file_.size() || blob.size > file_.size() - blob.offset || blob.size % kind->width != 0) {
    throw std::invalid_argument(fmt::format("its numbers ({} bytes from {} on) do not lie in the .bin of {} bytes",
                                            blob.size, blob.offset, file_.size()));
  }
  budget_ -= blob.size;
  if (budget_ < 0) throw std::invalid_argument("the layers use the numbers of the .bin more than four times over");
  std::vector<float> values;
  values.reserve(static_cast<size_t>(blob.size / kind->width));
  for (int64_t done = 0; done < blob.size;) {
    // A multiple of every width.
    const int64_t wanted = std::min<int64_t>(blob.size - done, BoundedFile::kMaxRead);
    const std::string_view bytes = file_.ReadAt(blob.offset + done, static_cast<size_t>(wanted));
    if (std::ssize(bytes) != wanted) throw std::invalid_argument("the .bin cannot be read any more");
    kind->append(bytes, values);
    done += wanted;
  }
  return values;
}

IrContext::IrContext(const IrLayer& layer, std::vector<GraphValue> inputs, IrWeights& weights)
    : layer_(layer), inputs_(std::move(inputs)), weights_(weights) {}

const GraphValue& IrContext::Input(size_t index) const {
  if (index < inputs_.size()) return inputs_[index];
  throw std::invalid_argument(fmt::format("has {} inputs, {} are needed", inputs_.size(), index + 1));
}

const std::vector<int64_t>& IrContext::OutputShape(size_t index) const {
  if (index < layer_.outputs.size()) return layer_.outputs[index].shape;
  throw std::invalid_argument(fmt::format("has {} outputs, {} are needed", layer_.outputs.size(), index + 1));
}

const std::string* IrContext::Take(std::string_view name) {
  const auto found = layer_.attributes.find(name);
  if (found == layer_.attributes.end()) return nullptr;
  read_.insert(std::string(name));
  return &found->second;
}

double IrContext::NumberFrom(std::string_view name, std::string_view text) const {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    throw std::invalid_argument(fmt::format("{}=\"{}\" is no number", name, text));
  }
  return number;
}

std::string IrContext::Text(std::string_view name, std::string_view absent) {
  const std::string* text = Take(name);
  return text == nullptr ? std::string(absent) : *text;
}

float IrContext::Float(std::string_view name, double absent) {
  const std::string* text = Take(name);
  return static_cast<float>(text == nullptr ? absent : NumberFrom(name, *text));
}

std::vector<int64_t> IrContext::Ints(std::string_view name, int64_t least, int64_t most) {
  const std::string* text = Take(name);
  std::vector<int64_t> numbers;
  if (text == nullptr) return numbers;
  for (const std::string_view part : Parts(*text)) {
    const double number = NumberFrom(name, part);
    if (number != std::floor(number) || number < static_cast<double>(least) || number > static_cast<double>(most)) {
      throw std::invalid_argument(fmt::format("{}=\"{}\": whole numbers from {} to {}", name, *text, least, most));
    }
    numbers.push_back(static_cast<int64_t>(number));
  }
  return numbers;
}

int64_t IrContext::Int(std::string_view name, int64_t absent, int64_t least, int64_t most) {
  const auto numbers = Ints(name, least, most);
  if (numbers.empty()) return absent;
  if (numbers.size() > 1) throw std::invalid_argument(fmt::format("{} holds {} numbers", name, numbers.size()));
  return numbers.front();
}

bool IrContext::Bool(std::string_view name, bool absent) {
  const std::string* text = Take(name);
  if (text == nullptr) return absent;
  if (*text == "1" || *text == "true" || *text == "True") return true;
  if (*text == "0" || *text == "false" || *text == "False") return false;
  // Numbers stood for flags too.
  return NumberFrom(name, *text) != 0;
}

std::vector<float> IrContext::Floats(std::string_view name) {
  const std::string* text = Take(name);
  std::vector<float> numbers;
  if (text == nullptr) return numbers;
  for (const std::string_view part : Parts(*text)) numbers.push_back(static_cast<float>(NumberFrom(name, part)));
  return numbers;
}

void IrContext::Ignore(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) read_.insert(std::string(name));
}

void IrContext::Finish() const {
  for (const auto& [name, value] : layer_.attributes) {
    if (read_.contains(name) || name == "PrimitivesPriority" || name == "originalLayersNames") continue;
    throw UnsupportedLayer(fmt::format("its attribute {}=\"{}\" is not read", name, value));
  }
}

std::vector<float> IrContext::BlobOfAnyCount(std::string_view name) {
  const auto found = layer_.blobs.find(name);
  if (found == layer_.blobs.end()) throw std::invalid_argument(fmt::format("has no {}", name));
  const IrBlob& blob = found->second;
  return weights_.Read(blob, blob.precision.empty() ? layer_.precision : blob.precision);
}

std::vector<float> IrContext::Blob(std::string_view name, int64_t count) {
  auto values = BlobOfAnyCount(name);
  if (std::ssize(values) != count) {
    throw std::invalid_argument(fmt::format("its {} hold {} numbers, {} are needed", name, values.size(), count));
  }
  return values;
}

std::vector<int64_t> IrContext::ConstantInput(size_t index) const {
  const auto constant = std::dynamic_pointer_cast<ov::op::v0::Constant>(Input(index).get_node_shared_ptr());
  if (constant == nullptr) throw UnsupportedLayer(fmt::format("input {} that is no constant", index));
  // Shapes, axes, positions: short lists, which many layers may share.
  constexpr size_t kMost = 64;
  if (ov::shape_size(constant->get_shape()) > kMost) {
    throw std::invalid_argument(fmt::format("input {} is of {}", index, constant->get_shape().to_string()));
  }
  std::vector<int64_t> numbers;
  for (const double number : constant->cast_vector<double>()) {
    if (number != std::floor(number) || std::abs(number) > static_cast<double>(INT32_MAX)) {
      throw std::invalid_argument(fmt::format("input {} holds {} where a whole number is expected", index, number));
    }
    numbers.push_back(static_cast<int64_t>(number));
  }
  return numbers;
}

IrBuilder FindIrBuilder(std::string_view type) {
  static const std::map<std::string_view, IrBuilder> kBuilders = [] {
    std::map<std::string_view, IrBuilder> builders;
    for (const auto* table : {&IrFilterLayers(), &IrArrayLayers(), &IrDetectionLayers()}) {
      for (const IrLayerType& entry : *table) builders.emplace(entry.type, entry.build);
    }
    return builders;
  }();
  const auto found = kBuilders.find(type);
  return found == kBuilders.end() ? nullptr : found->second;
}

}  // namespace deepedge
