// What the families look for in outputs: tables of rows, maps over the picture, lists. Private to pipeline/card.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/pipeline/card/evidence.h"

namespace deepedge {

struct Table {
  size_t output = 0;
  int64_t rows = 0;  // -1: free
  int64_t columns = 0;
};

// The last two dimensions of an output whose others are 1; a one-dimensional output is no table.
std::optional<Table> AsRows(const Evidence& evidence, size_t output);

struct OutputMap {
  size_t output = 0;
  int64_t channels = 0;
  int64_t rows = 0;  // -1: free
  int64_t columns = 0;
  bool channels_last = false;
};

// An output of four dimensions as a map over the picture. The layout is told apart by the picture's shape, or by which
// dimensions are sizes of maps.
std::optional<OutputMap> AsMap(const Evidence& evidence, size_t output);

// Cells of grids with these strides over the picture, sizes rounded down or up; 0 where its size is free.
int64_t CountCells(const Evidence& evidence, const std::vector<int>& strides, bool round_up = false);

// The number of pixels of the input between two cells of a map, where it is a whole number that makes sense; else 0.
int StrideOf(const Evidence& evidence, const OutputMap& map);

bool EndsIn(const Evidence& evidence, size_t output, std::string_view operation);

// Is the name of the output, in lower case, one that holds `word`?
bool NameHas(const Evidence& evidence, size_t output, std::string_view word);

std::string NameOfOutput(const Evidence& evidence, size_t output);
std::string ShapeOfOutput(const Evidence& evidence, size_t output);  // "'boxes' 1x4420x4"

}  // namespace deepedge
