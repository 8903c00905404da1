// Tensors of detectors as tables: so many numbers for each cell of a grid, in whichever order the graph holds them.
//
//   [1,8400,84]  rows of a list                [1,84,8400]  the same list with the numbers first
//   [1,255,20,20]  a map, numbers first        [1,20,20,255]  a map, cells first
//
// The order is worked out from the shape once, when a decoder is made; a shape that fits in two ways is an error that
// says both. Private to pipeline/post. Threads: values; CellRows belongs to one call of Decode.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {

struct CellTable {
  size_t cells = 0;
  size_t numbers = 0;
  size_t cell_step = 0;  // elements between two cells
  size_t number_step = 0;
  size_t map_rows = 0;  // of a map; 0: a list
  size_t map_columns = 0;

  size_t Index(size_t cell, size_t number) const { return cell * cell_step + number * number_step; }
  std::string Describe() const;  // "a map of 20x20 cells (width x height) of 255 numbers, numbers first"
};

// Whether all dimensions are fixed and the elements are 1 to 2^31: more than any output has.
bool IsBounded(const Shape& shape);

// All ways to read a shape. Empty where a dimension other than the batch is free.
std::vector<CellTable> CellReadings(const Shape& shape);

struct FoundTable {
  size_t tensor = 0;  // which output
  CellTable table;
};

// The output in a role (as OutputFinder::Find) that `fits` in exactly one way.
Result<FoundTable> FindCells(const OutputFinder& finder, std::string_view role, const std::string& name,
                             const std::function<bool(const CellTable&)>& fits, std::string_view expected,
                             std::span<const size_t> taken = {});

// kBadInput that names the tensor and two readings of it.
Error TwoReadings(const OutputFinder& finder, size_t tensor, std::string_view one, std::string_view other);

// Numbers first .. first + count of every cell. Cells are best asked for in order: where a tensor holds numbers first,
// they are gathered for many cells at once.
class CellRows {
 public:
  CellRows(const FloatReader& values, const CellTable& table, size_t first, size_t count);

  // Valid until the next call.
  std::span<const float> operator[](size_t cell);

 private:
  void Gather(size_t first_cell);

  const FloatReader& values_;
  const CellTable& table_;
  size_t first_;
  size_t count_;
  size_t block_ = SIZE_MAX;  // first cell of what `gathered_` holds
  std::vector<float> gathered_;
};

// Columns and rows of the cells that lie `stride` pixels apart on the model's input, the last ones rounded up.
struct GridSize {
  size_t columns = 0;
  size_t rows = 0;

  size_t cells() const { return columns * rows; }
};
GridSize GridOf(const PictureInput& input, int stride);

// Whether a table holds every cell of a grid: as a map of its size, or as a list with `boxes_per_cell` rows a cell.
bool HoldsGrid(const CellTable& table, const GridSize& grid, size_t boxes_per_cell = 1);

// Some numbers of each box of a grid, inside a tensor that may hold more: other numbers, other grids.
struct GridBlock {
  size_t tensor = 0;
  CellTable table;
  size_t first_cell = 0;
  size_t first_number = 0;
  size_t cell_rows = 1;    // of a list: rows per cell of the grid
  size_t box_numbers = 0;  // of a map: numbers between two boxes of a cell

  size_t Index(size_t cell, size_t box, size_t number) const {
    return table.Index(first_cell + cell * cell_rows + (cell_rows > 1 ? box : 0),
                       first_number + box * box_numbers + number);
  }
};

// A block for `numbers` numbers of each box, at the beginning of the tensor.
GridBlock BlockOf(const FoundTable& found, const GridSize& grid, size_t boxes_per_cell, size_t numbers);

// The stride of a map of this size, or nothing where no stride makes such a map.
std::optional<int> StrideOf(const PictureInput& input, size_t columns, size_t rows);

// Four numbers in pixels or fractions (`normalized`) of the input as corners in fractions.
Box BoxOfNumbers(const ModelCard& card, BoxForm form, std::span<const float> numbers);

// Where in a row the four numbers of a box stand.
struct BoxColumns {
  BoxForm form = BoxForm::kCorners;
  std::array<size_t, 4> places{};
};
std::optional<size_t> PlaceOf(const std::vector<RowColumn>& columns, RowColumn column);
// kBadInput where the columns do not make up a box.
Result<BoxColumns> FindBoxColumns(const ModelCard& card, const std::vector<RowColumn>& columns);

// Columns of labels that a card says: those of ScoreRule, at least 1.
std::string ClassCountText(int64_t columns);

}  // namespace deepedge
