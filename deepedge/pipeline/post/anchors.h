// Anchors of SSD heads.
#pragma once

#include <cstdint>
#include <vector>

#include "deepedge/model/model_card.h"

namespace deepedge {

// One anchor box, as fractions of the model's input.
struct Anchor {
  float cx = 0;
  float cy = 0;
  float width = 0;
  float height = 0;
};

// The maps that a rule means for an input of this size. Maps of one stride that follow each other are merged: every
// cell has the boxes of all of them.
std::vector<AnchorLevel> MakeAnchorLevels(const SsdAnchorRule& rule, int input_width, int input_height);

int64_t CountAnchors(const std::vector<AnchorLevel>& levels);

// The anchors in the order in which the tensors hold them.
std::vector<Anchor> ListAnchors(const std::vector<AnchorLevel>& levels);

}  // namespace deepedge
