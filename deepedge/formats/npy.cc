#include "deepedge/formats/npy.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace deepedge {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr int64_t kMaxElements = int64_t{1} << 32;
constexpr size_t kMaxRank = 32;  // NumPy's own limit

struct TypeName {
  std::string_view name;
  ElementType type;
};
constexpr std::array kTypes = {
    TypeName{"|b1", ElementType::kBool}, TypeName{"|u1", ElementType::kU8},  TypeName{"|i1", ElementType::kI8},
    TypeName{"<u2", ElementType::kU16},  TypeName{"<i2", ElementType::kI16}, TypeName{"<u4", ElementType::kU32},
    TypeName{"<i4", ElementType::kI32},  TypeName{"<u8", ElementType::kU64}, TypeName{"<i8", ElementType::kI64},
    TypeName{"<f2", ElementType::kF16},  TypeName{"<f4", ElementType::kF32}, TypeName{"<f8", ElementType::kF64},
};

// The text behind 'key': in the header, a Python dictionary, up to its end; blanks at the start removed.
std::optional<std::string_view> ValueOf(std::string_view header, std::string_view key) {
  size_t at = header.find(fmt::format("'{}'", key));
  if (at == std::string_view::npos) return std::nullopt;
  at = header.find_first_not_of(' ', at + key.size() + 2);
  if (at == std::string_view::npos || header[at] != ':') return std::nullopt;
  at = header.find_first_not_of(' ', at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  return header.substr(at);
}

std::optional<ElementType> ParseType(std::string_view value) {
  if (value.size() < 2 || value.front() != '\'') return std::nullopt;
  const std::string_view name = value.substr(1, value.find('\'', 1) - 1);
  for (const TypeName& known : kTypes) {
    if (known.name == name) return known.type;
    // For one byte the order may be written in any way.
    if (known.name.front() == '|' && name.size() == 3 && known.name.substr(1) == name.substr(1)) return known.type;
  }
  return std::nullopt;
}

// "(1, 3, 416)", "(3,)" or "()".
std::optional<Shape> ParseShape(std::string_view value) {
  if (value.empty() || value.front() != '(') return std::nullopt;
  const size_t close = value.find(')');
  if (close == std::string_view::npos) return std::nullopt;
  value = value.substr(1, close - 1);
  Shape shape;
  int64_t elements = 1;
  while (true) {
    const size_t start = value.find_first_not_of(' ');
    if (start == std::string_view::npos) return shape;
    value.remove_prefix(start);
    int64_t dimension = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), dimension);
    if (error != std::errc() || dimension < 0 || dimension > kMaxElements || shape.size() == kMaxRank)
      return std::nullopt;
    shape.push_back(dimension);
    if (dimension != 0 && elements > kMaxElements / dimension) return std::nullopt;
    elements *= dimension;
    value.remove_prefix(static_cast<size_t>(end - value.data()));
    const size_t comma = value.find_first_not_of(' ');
    if (comma == std::string_view::npos) return shape;
    if (value[comma] != ',') return std::nullopt;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<Tensor> ReadNpy(const Path& path) {
  const auto bad = [&](std::string_view what) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: {}", path.string(), what)};
  };
  DE_TRY(const std::string start, ReadFilePrefix(path, 12));  // also tells apart what does not exist
  if (!start.starts_with(kMagic) || start.size() < 12) return bad("not a NumPy file");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(start[i])); };
  const size_t version = byte(6);
  if (version < 1 || version > 3) return bad(fmt::format("NumPy format version {} is not known", version));
  const size_t prefix = version == 1 ? 10 : 12;
  const size_t header_size =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  std::error_code ec;
  const uintmax_t file_size = std::filesystem::file_size(path, ec);
  constexpr size_t kMaxHeader = size_t{1} << 16;
  if (ec || header_size > kMaxHeader || prefix + header_size > file_size) return bad("the NumPy header is cut off");

  std::ifstream file(path, std::ios::binary);
  std::string header(header_size, '\0');
  file.seekg(static_cast<std::streamoff>(prefix));
  file.read(header.data(), static_cast<std::streamsize>(header_size));
  if (!file) return bad("cannot be read");

  const auto type_text = ValueOf(header, "descr");
  const auto order_text = ValueOf(header, "fortran_order");
  const auto shape_text = ValueOf(header, "shape");
  if (!type_text || !order_text || !shape_text) return bad("the NumPy header lacks descr, fortran_order or shape");
  const auto type = ParseType(*type_text);
  if (!type) {
    return bad(fmt::format("element type {} is not read (little-endian numbers and bool only)",
                           type_text->substr(0, std::min<size_t>(type_text->find(','), 16))));
  }
  if (order_text->starts_with("True")) return bad("is in Fortran order; save it with numpy.ascontiguousarray");
  if (!order_text->starts_with("False")) return bad("the NumPy header is damaged (fortran_order)");
  auto shape = ParseShape(*shape_text);
  if (!shape) return bad("the shape in the NumPy header is damaged or too large");

  const auto bytes = static_cast<uintmax_t>(ElementCount(*shape)) * SizeOf(*type);
  const uintmax_t stored = file_size - prefix - header_size;
  if (bytes != stored) {
    return bad(fmt::format("shape {} of {} needs {} bytes of data, the file has {}", ToString(*shape), ToString(*type),
                           bytes, stored));
  }
  Tensor tensor{.type = *type, .shape = *std::move(shape), .data = std::vector<std::byte>(bytes)};
  file.read(reinterpret_cast<char*>(tensor.data.data()), static_cast<std::streamsize>(bytes));
  if (static_cast<uintmax_t>(file.gcount()) != bytes) return bad("cannot be read");
  return tensor;
}

Status WriteNpy(const Path& path, const TensorView& tensor) {
  DE_CHECK(tensor.data.size() == static_cast<size_t>(ElementCount(tensor.shape)) * SizeOf(tensor.type));
  std::string_view type;
  for (const TypeName& known : kTypes) {
    if (known.type == tensor.type) type = known.name;
  }
  std::string shape = "(";
  for (const int64_t dimension : tensor.shape) shape += fmt::format("{},", dimension);
  if (tensor.shape.size() > 1) shape.pop_back();  // Python wants the comma for one dimension only
  shape += ")";
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
  constexpr size_t kAlignment = 64;  // NumPy maps files whose data is aligned so
  constexpr size_t kPrefix = 10;
  header.append(kAlignment - 1 - (kPrefix + header.size()) % kAlignment, ' ');
  header += '\n';
  std::string content(kMagic);
  content += '\x01';
  content += '\0';
  content += static_cast<char>(header.size() & 0xFF);
  content += static_cast<char>(header.size() >> 8);
  content += header;
  content.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  return WriteFileAtomically(path, content);
}

}  // namespace deepedge
