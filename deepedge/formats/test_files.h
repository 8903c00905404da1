// Helpers of the tests in this folder: a folder to write into, protobuf bytes by hand, and inputs kept for the fuzzer.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
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

// Keeps what a test reads as a seed of a fuzz target, in $DEEPEDGE_FUZZ_SEEDS/<target>, where scripts/fuzz asks for it.
// Long ones are left out, and most of the many that a test makes by damaging one.
inline void KeepSeed(const std::string& target, const std::string& input) {
  constexpr size_t kLongest = 64 << 10;
  constexpr int kMostOfATest = 30;
  static const char* folder = std::getenv("DEEPEDGE_FUZZ_SEEDS");
  if (folder == nullptr || input.size() > kLongest) return;
  static std::map<const ::testing::TestInfo*, int> kept;
  if (++kept[::testing::UnitTest::GetInstance()->current_test_info()] > kMostOfATest) return;
  const Path path = Path(folder) / target;
  std::filesystem::create_directories(path);
  std::ofstream(path / std::to_string(std::hash<std::string>()(input)), std::ios::binary) << input;
}
// Of a format of two files: joined by a zero byte, as the targets take them apart.
inline void KeepSeed(const std::string& target, const std::string& graph, const std::string& weights) {
  KeepSeed(target, graph + '\0' + weights);
}

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() : folder_(TemporaryFolder::Create("de_formats_test").value()) {}

  Path Write(const Path& name, std::string_view content) {
    const Path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    EXPECT_TRUE(WriteFileAtomically(path, content).ok());
    KeepSeed("any", std::string(content));
    return path;
  }
  const Path& folder() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace deepedge
