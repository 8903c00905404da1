// LiveTable redraws a block of lines in place on standard error. Thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace deepedge {

// The first `columns` characters of a line, each whole. A byte that is not UTF-8 counts as one character.
std::string_view CutToColumns(std::string_view line, size_t columns);

class LiveTable {
 public:
  // Replaces what was shown before. Lines longer than the terminal are cut.
  void Show(const std::vector<std::string>& lines);
  // Removes the block, so that other output can follow.
  void Clear();

 private:
  size_t shown_ = 0;
};

}  // namespace deepedge
