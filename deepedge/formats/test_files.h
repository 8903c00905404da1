// Helpers of the tests in this folder: a folder to write into, and protobuf bytes by hand.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "deepedge/base/file.h"

namespace deepedge {

inline std::string Varint(uint64_t value) {
  std::string bytes;
  do {
    const auto low = static_cast<char>(value & 0x7F);
    value >>= 7;
    bytes += static_cast<char>(value != 0 ? low | '\x80' : low);
  } while (value != 0);
  return bytes;
}
inline std::string NumberField(uint32_t number, uint64_t value) { return Varint(number << 3) + Varint(value); }
inline std::string BytesField(uint32_t number, std::string_view content) {
  return Varint(number << 3 | 2) + Varint(content.size()) + std::string(content);
}

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() : folder_(TemporaryFolder::Create("de_formats_test").value()) {}

  Path Write(const Path& name, std::string_view content) {
    const Path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, content).ok());
    return path;
  }
  const Path& folder() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace deepedge
