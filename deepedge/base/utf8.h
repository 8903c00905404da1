// UTF-8: telling text from binary data, and making any bytes fit to be printed or written as JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deepedge {

// Length in bytes (1 to 4) of the valid character at the start of `text`, 0 when there is none. Overlong forms,
// surrogates and values over U+10FFFF are not valid.
size_t Utf8CharacterLength(std::string_view text);

// Position of the first byte that is not part of a valid character; npos when all of `text` is UTF-8.
size_t FindInvalidUtf8(std::string_view text);

// `text` as UTF-8: as it is where it is that, else read as Latin-1, in which every byte is a character. Without a byte
// order mark in front.
std::string ToUtf8(std::string_view text);

// Valid UTF-8 without control characters (also those over U+007F): what may stand in one line of a text file.
bool IsPlainText(std::string_view text);

// User text in single quotes, for messages: cut to about 60 bytes, with control characters and invalid bytes as \xNN.
std::string Quote(std::string_view text);

}  // namespace deepedge
