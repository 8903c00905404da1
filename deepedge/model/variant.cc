#include "deepedge/model/variant.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace deepedge {
namespace {

// The whole text as a side of a picture.
std::optional<int> ParseSide(std::string_view text) {
  constexpr int kLargestSide = 16384;
  int side = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  if (error != std::errc() || end != text.data() + text.size() || side < 1 || side > kLargestSide) return std::nullopt;
  return side;
}

}  // namespace

std::string_view ToString(Precision precision) {
  switch (precision) {
    case Precision::kFp32: return "fp32";
    case Precision::kBf16: return "bf16";
    case Precision::kInt8: return "int8";
  }
  return "?";
}

std::string ToString(const VariantKey& key) {
  return fmt::format("{}@{}x{}", ToString(key.precision), key.width, key.height);
}

std::optional<VariantKey> ParseVariant(std::string_view text) {
  const size_t at = text.find('@');
  const size_t by = text.find('x', at == std::string_view::npos ? 0 : at);
  if (at == std::string_view::npos || by == std::string_view::npos) return std::nullopt;
  const auto width = ParseSide(text.substr(at + 1, by - at - 1));
  const auto height = ParseSide(text.substr(by + 1));
  if (!width || !height) return std::nullopt;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    if (text.substr(0, at) == ToString(precision)) return VariantKey{precision, *width, *height};
  }
  return std::nullopt;
}

}  // namespace deepedge
