// The binary half of a Darknet network (.weights): version, count of the pictures seen, then the float32 numbers of all
// layers in a row, with nothing that says where one layer ends. So the length must be exactly what the layers need.
#pragma once

#include <cstdint>
#include <fstream>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

// Thread-compatible. Owns the open file.
class DarknetWeights {
 public:
  // `count`: floats that the network needs. Errors: kNotFound, kBadInput when the file holds more or fewer.
  static Result<DarknetWeights> Open(const Path& path, int64_t count);

  // The next numbers. Errors: kBadInput when they cannot be read.
  Result<std::vector<float>> Read(int64_t count);

  // Matrices of [connected] layers are stored by columns.
  bool transposed() const { return transposed_; }

 private:
  DarknetWeights(Path path, std::ifstream file, int64_t left, bool transposed)
      : path_(std::move(path)), file_(std::move(file)), left_(left), transposed_(transposed) {}

  Path path_;
  std::ifstream file_;
  int64_t left_;  // floats not read yet
  bool transposed_;
};

}  // namespace deepedge
