// Which events get a picture of their object, and how it is made.
#pragma once

#include <string>
#include <vector>

namespace deepedge {

struct SnapshotRule {
  std::vector<std::string> types;  // of events; empty: none
  int quality = 80;                // of the JPEG
  float margin = 0.1F;             // around the object, as a share of its box
};

}  // namespace deepedge
