// Inflate: what a zip archive's compressed entries hold (RFC 1951). For small notes inside model files; bounded.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace deepedge {

// The content, or nothing when the data is damaged, cut off or longer than `most` once unpacked. Takes time in
// proportion to `most` and the data.
std::optional<std::string> Inflate(std::string_view packed, size_t most);

}  // namespace deepedge
