#include "deepedge/pipeline/post/cell_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr size_t kBlockCells = 64;

bool SameOrder(const CellTable& a, const CellTable& b) {
  return a.cells == b.cells && a.numbers == b.numbers && (a.cells == 1 || a.cell_step == b.cell_step) &&
         (a.numbers == 1 || a.number_step == b.number_step);
}

}  // namespace

std::string CellTable::Describe() const {
  const char* order = numbers == 1 ? "" : number_step == 1 ? ", cells first" : ", numbers first";
  if (map_rows == 0) return fmt::format("{} rows of {} numbers{}", cells, numbers, order);
  return fmt::format("a map of {}x{} cells of {} numbers{}", map_columns, map_rows, numbers, order);
}

bool IsBounded(const Shape& shape) {
  constexpr int64_t kMost = int64_t{1} << 31;
  int64_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 1 || dimension > kMost / count) return false;
    count *= dimension;
  }
  return true;
}

std::vector<CellTable> CellReadings(const Shape& shape) {
  Shape dims = shape;
  if (dims.size() > 1 && dims[0] < 0) dims[0] = 1;
  if (!IsBounded(dims)) return {};
  std::vector<CellTable> readings;
  const auto add = [&readings](const CellTable& table) {
    const auto same = [&](const CellTable& other) {
      return SameOrder(table, other) && table.map_columns == other.map_columns && table.map_rows == other.map_rows;
    };
    if (std::none_of(readings.begin(), readings.end(), same)) readings.push_back(table);
  };
  const auto add_list = [&](size_t a, size_t b) {
    add({.cells = a, .numbers = b, .cell_step = b, .number_step = 1});
    add({.cells = b, .numbers = a, .cell_step = 1, .number_step = b});
  };
  const auto add_maps = [&](size_t a, size_t b, size_t c) {
    add({.cells = b * c, .numbers = a, .cell_step = 1, .number_step = b * c, .map_rows = b, .map_columns = c});
    add({.cells = a * b, .numbers = c, .cell_step = c, .number_step = 1, .map_rows = a, .map_columns = b});
  };
  if (dims.size() == 4 && dims[0] == 1) dims.erase(dims.begin());
  const auto at = [&dims](size_t i) { return static_cast<size_t>(dims[i]); };
  if (dims.size() == 1) add_list(at(0), 1);
  if (dims.size() == 2) {
    add_list(at(0), at(1));
    add_maps(1, at(0), at(1));
  }
  if (dims.size() == 3) {
    if (dims[0] == 1) add_list(at(1), at(2));
    if (dims[2] == 1) add_list(at(0), at(1));
    add_maps(at(0), at(1), at(2));
  }
  return readings;
}

Error TwoReadings(const OutputFinder& finder, size_t tensor, std::string_view one, std::string_view other) {
  return finder.Misfit(tensor, fmt::format("can be read as {} and as {}; the card must say how many numbers a cell "
                                           "has (labels, point_names)",
                                           one, other));
}

Result<FoundTable> FindCells(const OutputFinder& finder, std::string_view role, const std::string& name,
                             const std::function<bool(const CellTable&)>& fits, std::string_view expected,
                             std::span<const size_t> taken) {
  const auto fitting = [&fits](const Shape& shape) {
    std::vector<CellTable> readings = CellReadings(shape);
    std::erase_if(readings, [&](const CellTable& table) { return !fits(table); });
    return readings;
  };
  DE_TRY(const size_t tensor,
         finder.Find(role, name, [&](const Shape& shape) { return !fitting(shape).empty(); }, expected, taken));
  const std::vector<CellTable> readings = fitting(finder.At(tensor).shape);
  for (const CellTable& other : readings) {
    // A list and a map with the same order of numbers are the same thing.
    if (!SameOrder(readings.front(), other)) {
      return TwoReadings(finder, tensor, readings.front().Describe(), other.Describe());
    }
  }
  return FoundTable{tensor, readings.back()};
}

CellRows::CellRows(const FloatReader& values, const CellTable& table, size_t first, size_t count)
    : values_(values), table_(table), first_(first), count_(count) {}

std::span<const float> CellRows::operator[](size_t cell) {
  if (table_.number_step == 1) return values_.Row(table_.Index(cell, first_), count_, &gathered_);
  const size_t block = cell / kBlockCells * kBlockCells;
  if (block != block_) Gather(block);
  return {gathered_.data() + (cell - block) * count_, count_};
}

void CellRows::Gather(size_t first_cell) {
  const size_t cells = std::min(kBlockCells, table_.cells - first_cell);
  gathered_.resize(kBlockCells * count_);
  for (size_t number = 0; number < count_; ++number) {
    const size_t start = table_.Index(first_cell, first_ + number);
    for (size_t i = 0; i < cells; ++i) gathered_[i * count_ + number] = values_[start + i * table_.cell_step];
  }
  block_ = first_cell;
}

GridSize GridOf(const PictureInput& input, int stride) {
  return {static_cast<size_t>((input.width + stride - 1) / stride),
          static_cast<size_t>((input.height + stride - 1) / stride)};
}

bool HoldsGrid(const CellTable& table, const GridSize& grid, size_t boxes_per_cell) {
  if (table.map_rows == grid.rows && table.map_columns == grid.columns) return true;
  return table.map_rows <= 1 && table.cells == grid.cells() * boxes_per_cell;
}

GridBlock BlockOf(const FoundTable& found, const GridSize& grid, size_t boxes_per_cell, size_t numbers) {
  GridBlock block{.tensor = found.tensor, .table = found.table};
  if (found.table.cells == grid.cells()) {
    block.box_numbers = numbers;
  } else {
    block.cell_rows = boxes_per_cell;
  }
  return block;
}

std::optional<int> StrideOf(const PictureInput& input, size_t columns, size_t rows) {
  if (columns == 0 || rows == 0 || input.width < 1 || input.height < 1) return std::nullopt;
  const auto stride = static_cast<int>(std::lround(static_cast<double>(input.width) / static_cast<double>(columns)));
  if (stride < 1) return std::nullopt;
  const auto fits = [stride](int pixels, size_t cells) {
    const auto count = static_cast<int64_t>(cells);
    return count == pixels / stride || count == (pixels + stride - 1) / stride;
  };
  if (!fits(input.width, columns) || !fits(input.height, rows)) return std::nullopt;
  return stride;
}

Box BoxOfNumbers(const ModelCard& card, BoxForm form, std::span<const float> numbers) {
  const float width = card.output.normalized ? 1.0F : static_cast<float>(card.input.width);
  const float height = card.output.normalized ? 1.0F : static_cast<float>(card.input.height);
  const float a = numbers[0] / width;
  const float b = numbers[1] / height;
  const float c = numbers[2] / width;
  const float d = numbers[3] / height;
  switch (form) {
    case BoxForm::kCorners: return {a, b, c, d};
    case BoxForm::kCenterSize: return {a - c / 2, b - d / 2, a + c / 2, b + d / 2};
    case BoxForm::kCornerSize: return {a, b, a + c, b + d};
  }
  return {};
}

std::optional<size_t> PlaceOf(const std::vector<RowColumn>& columns, RowColumn column) {
  const auto place = std::find(columns.begin(), columns.end(), column);
  if (place == columns.end()) return std::nullopt;
  return static_cast<size_t>(place - columns.begin());
}

Result<BoxColumns> FindBoxColumns(const ModelCard& card, const std::vector<RowColumn>& columns) {
  using Column = RowColumn;
  struct Reading {
    BoxForm form;
    std::array<RowColumn, 4> columns;
  };
  const Reading readings[] = {
      {BoxForm::kCorners, {Column::kX1, Column::kY1, Column::kX2, Column::kY2}},
      {BoxForm::kCenterSize, {Column::kCenterX, Column::kCenterY, Column::kWidth, Column::kHeight}},
      {BoxForm::kCornerSize, {Column::kX1, Column::kY1, Column::kWidth, Column::kHeight}},
  };
  for (const Reading& reading : readings) {
    BoxColumns box{.form = reading.form};
    size_t found = 0;
    for (size_t i = 0; i < 4; ++i) {
      const auto place = PlaceOf(columns, reading.columns[i]);
      if (!place) break;
      box.places[i] = *place;
      ++found;
    }
    if (found == 4) return box;
  }
  return Error{
      ErrorCode::kBadInput,
      fmt::format("model '{}': the card's columns need one of x1 y1 x2 y2, cx cy w h and x1 y1 w h", card.name)};
}

std::string ClassCountText(int64_t columns) {
  return columns > 0 ? fmt::format("{} class scores", columns) : std::string("class scores");
}

}  // namespace deepedge
