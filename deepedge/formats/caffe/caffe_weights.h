// CaffeWeights: where the trained numbers of a network lie in its .caffemodel, by the names of the layers. The file is
// walked once; the numbers of one layer are read when they are asked for, so that a large file is never held whole.
// Both forms of layers (V1 and V2), blobs with a shape and with the four old dimensions, numbers as float, double and
// float16.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/bounded_file.h"

namespace deepedge {

// One array of a layer.
struct CaffeBlob {
  std::vector<int64_t> shape;  // empty: not told
  int64_t count = 0;           // of numbers that are there
  int64_t offset = 0;          // of the message in the file
  int64_t length = 0;
};

// Thread-compatible. Owns the open file.
class CaffeWeights {
 public:
  // Errors: kNotFound, kBadInput (no caffemodel, cut off), kUnsupported (the form before V1), naming the file.
  static Result<CaffeWeights> Open(const Path& path);

  // The arrays of a layer; none when the file does not know it or it has none.
  const std::vector<CaffeBlob>& Blobs(std::string_view layer) const;
  // The numbers of an array that Blobs gave, each array once: a small file must not become large by many layers of the
  // same name. Errors: kBadInput.
  Result<std::vector<float>> Read(const CaffeBlob& blob);

  const Path& path() const { return path_; }
  size_t layer_count() const { return layers_.size(); }

 private:
  CaffeWeights(Path path, BoundedFile file) : path_(std::move(path)), file_(std::move(file)) {}
  Status Index();
  Status IndexLayer(int64_t begin, int64_t end, bool v1);
  Result<CaffeBlob> IndexBlob(int64_t begin, int64_t end);

  Path path_;
  BoundedFile file_;
  int64_t read_bytes_ = 0;
  std::map<std::string, std::vector<CaffeBlob>, std::less<>> layers_;
};

}  // namespace deepedge
