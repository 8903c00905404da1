// Numbers as files hold them: the lowest byte first.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deepedge {

// The whole number that the first eight bytes are; fewer bytes are a smaller number, none are 0.
constexpr uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < std::min<size_t>(bytes.size(), 8); ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return value;
}

// That of the four bytes at `offset`, or of as many as there are.
constexpr uint32_t Little32(std::string_view bytes, size_t offset = 0) {
  return offset < bytes.size() ? static_cast<uint32_t>(LittleEndian(bytes.substr(offset, 4))) : 0;
}

// The float that the first four bytes are; 0 where there are fewer.
constexpr float LittleFloat(std::string_view bytes) {
  return bytes.size() < 4 ? 0.0F : std::bit_cast<float>(Little32(bytes));
}

}  // namespace deepedge
