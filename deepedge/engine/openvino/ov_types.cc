#include "deepedge/engine/openvino/ov_types.h"

#include <algorithm>
#include <array>

#include "deepedge/base/text.h"

namespace deepedge {
namespace {

struct TypePair {
  ElementType ours;
  ov::element::Type_t theirs;
};
constexpr std::array kTypes = {
    TypePair{ElementType::kBool, ov::element::Type_t::boolean}, TypePair{ElementType::kU8, ov::element::Type_t::u8},
    TypePair{ElementType::kI8, ov::element::Type_t::i8},        TypePair{ElementType::kU16, ov::element::Type_t::u16},
    TypePair{ElementType::kI16, ov::element::Type_t::i16},      TypePair{ElementType::kU32, ov::element::Type_t::u32},
    TypePair{ElementType::kI32, ov::element::Type_t::i32},      TypePair{ElementType::kU64, ov::element::Type_t::u64},
    TypePair{ElementType::kI64, ov::element::Type_t::i64},      TypePair{ElementType::kF16, ov::element::Type_t::f16},
    TypePair{ElementType::kF32, ov::element::Type_t::f32},      TypePair{ElementType::kF64, ov::element::Type_t::f64},
};

// "Check 'condition' failed at src/x.cpp:12:" with what follows, "Exception from src/x.cpp:12:" and "[ GENERAL_ERROR ]"
// reduced to what follows.
std::string_view WithoutLocation(std::string_view line) {
  line = Trim(line);
  if (line.starts_with("Exception from ")) {
    const size_t end = line.find_first_of(" \n", std::string_view("Exception from ").size());
    return end == std::string_view::npos ? std::string_view() : Trim(line.substr(end));
  }
  if (line.starts_with("Check '")) {
    const size_t at = line.find("' failed at ");
    if (at != std::string_view::npos) {
      const size_t end = line.find(": ", at);
      return end == std::string_view::npos ? std::string_view() : Trim(line.substr(end + 2));
    }
  }
  if (line.starts_with('[')) {
    const size_t end = line.find(']');
    const std::string_view tag = line.substr(0, end);
    const bool is_tag =
        end != std::string_view::npos && std::none_of(tag.begin(), tag.end(), [](char c) {
          return std::islower(static_cast<unsigned char>(c)) != 0 || std::isdigit(static_cast<unsigned char>(c)) != 0;
        });
    if (is_tag) return Trim(line.substr(end + 1));
  }
  return line;
}

// Lines that say that something failed, and nothing of what or why.
bool IsNoise(std::string_view line) {
  constexpr std::array<std::string_view, 5> kStarts = {"While validating", "FrontEnd API failed with",
                                                       "Model wasn't fully converted",
                                                       "Summary:", "To facilitate the conversion"};
  return line.empty() ||
         std::any_of(kStarts.begin(), kStarts.end(), [&](auto start) { return line.starts_with(start); });
}

bool SaysUnsupported(std::string_view message) {
  const std::string lower = LowerCase(std::string(message));
  constexpr std::array<std::string_view, 9> kWords = {"opconversionfailure", "no conversion rule", "not supported",
                                                      "unsupported",         "not implemented",    "no translator",
                                                      "not recognized",      "unknown type",       "only support"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

}  // namespace

Result<ElementType> FromOv(const ov::element::Type& type) {
  for (const TypePair& pair : kTypes) {
    if (pair.theirs == ov::element::Type_t(type)) return pair.ours;
  }
  return Error{ErrorCode::kUnsupported, "element type " + type.get_type_name() + " is not supported"};
}

ov::element::Type ToOv(ElementType type) {
  for (const TypePair& pair : kTypes) {
    if (pair.ours == type) return pair.theirs;
  }
  return ov::element::dynamic;
}

Shape FromOv(const ov::PartialShape& shape) {
  Shape result;
  if (shape.rank().is_dynamic()) return result;
  for (const ov::Dimension& dimension : shape) {
    result.push_back(dimension.is_static() ? static_cast<int64_t>(dimension.get_length()) : -1);
  }
  return result;
}

Shape FromOv(const ov::Shape& shape) { return Shape(shape.begin(), shape.end()); }

std::string ReadableMessage(std::string_view what) {
  constexpr size_t kMaxLength = 300;
  constexpr std::string_view kHeading = " with a message:";  // "-- Operation with a message:", then the reason
  std::string heading;
  for (std::string_view rest = what; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = WithoutLocation(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (IsNoise(line)) continue;
    // Names the file again, by the name of a link at times, and the readers that were tried in vain.
    if (line.starts_with("Unable to read the model")) return "the content is damaged";
    if (line.starts_with("-- ")) line.remove_prefix(3);
    if (line.ends_with(kHeading)) {
      heading = std::string(line.substr(0, line.size() - kHeading.size())) + ": ";
      continue;
    }
    return heading + std::string(line.substr(0, kMaxLength));
  }
  return "the engine gives no reason";
}

Error EngineError(const Path& file, ErrorCode otherwise, std::string_view what) {
  return {SaysUnsupported(what) ? ErrorCode::kUnsupported : otherwise, file.string() + ": " + ReadableMessage(what)};
}

}  // namespace deepedge
