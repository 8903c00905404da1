// LiveTable redraws a block of lines in place on standard error. Thread-compatible.
#pragma once

#include <string>
#include <vector>

namespace deepedge {

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
