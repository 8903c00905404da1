// A Torch7 file as it was serialised: tables, objects of classes, tensors and their storages. Objects that the writer
// shared are shared here, so that they may lie in a circle; whoever walks them must count.
//
// Borrows the bytes of the file. Errors are kBadInput or kUnsupported, without the file's name. Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge::torch7 {

enum class Kind { kNil, kNumber, kText, kBool, kFunction, kTable, kObject };

struct Value {
  Kind kind = Kind::kNil;
  double number = 0;      // kNumber; kBool: 0 or 1
  std::string_view text;  // kText
  size_t item = 0;        // kTable, kObject: its place in the file
};

// One table or object.
struct Item {
  std::string_view class_name;  // of objects: "nn.Linear", "torch.FloatTensor"
  // The fields of an object are those of the table that it was written with.
  std::shared_ptr<std::vector<std::pair<Value, Value>>> entries;
  // Of tensors.
  std::vector<int64_t> size;
  std::vector<int64_t> stride;
  int64_t offset = 0;  // of the first element in the storage
  Value storage;       // kNil: the tensor is empty
  // Of storages.
  int64_t count = 0;
  std::string_view bytes;

  const Value* Find(std::string_view key) const;
  const Value* FindIndex(double key) const;
};

class File {
 public:
  static Result<File> Parse(std::string_view bytes);

  const Value& root() const { return root_; }
  const Item& At(const Value& value) const { return items_[value.item]; }

  // Whether this is a tensor or a storage, and its shape, without a look at its numbers.
  bool IsNumbers(const Value& value) const;
  std::vector<int64_t> SizeOf(const Value& value) const;
  // The numbers of a tensor or storage in the order of its indices, with its shape. Errors: it is none, or it reaches
  // past its storage.
  struct Numbers {
    std::vector<int64_t> size;
    std::vector<float> values;
  };
  Result<Numbers> ReadNumbers(const Value& value) const;

 private:
  friend class Parser;
  Value root_;
  std::vector<Item> items_;
  size_t long_bytes_ = 8;
};

inline constexpr size_t kMaxRank = 8;
inline constexpr int64_t kMaxElements = int64_t{1} << 28;

}  // namespace deepedge::torch7
