// WirePieces: a protobuf message put together from ranges of an existing file and new bytes. Used to rewrite model
// files in a few places while their weights, which are most of them, are copied from file to file and never held in
// memory.
//
//   WirePieces graph;
//   graph.Copy(field.begin, field.end());           // a field as it is in the source
//   graph.Add(WireBytes(1, "name"));                // a new one
//   WirePieces model;
//   model.AddMessage(7, graph);
//   DE_TRY_STATUS(model.Write(source, target));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/bounded_file.h"
#include "deepedge/formats/wire.h"

namespace deepedge {

// Encoded fields.
std::string WireVarint(uint64_t value);
std::string WireNumber(uint32_t field, uint64_t value);
std::string WireFloat(uint32_t field, float value);
std::string WireBytes(uint32_t field, std::string_view content);

// Thread-compatible.
class WirePieces {
 public:
  // Bytes [begin, end) of the source; neighbouring ranges become one.
  void Copy(int64_t begin, int64_t end);
  void Add(std::string_view bytes);
  // A field whose content is another message.
  void AddMessage(uint32_t field, const WirePieces& message);

  int64_t size() const { return size_; }

  // Writes the message. `target` must not exist. Errors: kBadInput when the source is shorter than the ranges,
  // kExhausted when it cannot be written.
  Status Write(const Path& source, const Path& target) const;

 private:
  struct Piece {
    int64_t begin = 0;
    int64_t end = 0;
    std::string bytes;  // in place of the range when that is empty
  };
  void Append(const Piece& piece);

  std::vector<Piece> pieces_;
  int64_t size_ = 0;
};

// Adds a field of repeated numbers, which come one by one or packed. Errors: kBadInput when it is no such field, or
// there would be more than `most`.
Status WireNumbers(BoundedFile& file, const Path& path, const WireField& field, size_t most,
                   std::vector<int64_t>& numbers);

// The content of a field as text. Errors: kBadInput when it is no such field, longer than `most`, or cut off.
Result<std::string> WireText(BoundedFile& file, const Path& path, const WireField& field, int64_t most = 4096);

}  // namespace deepedge
