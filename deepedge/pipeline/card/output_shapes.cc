#include "deepedge/pipeline/card/output_shapes.h"

#include <fmt/format.h>

#include "deepedge/base/text.h"

namespace deepedge {

std::optional<Table> AsRows(const Evidence& evidence, size_t output) {
  const Shape& shape = evidence.graph.outputs[output].shape;
  if (shape.size() < 2) return std::nullopt;
  Table table{.output = output, .rows = 1, .columns = shape.back()};
  if (table.columns < 1) return std::nullopt;
  for (size_t i = 0; i + 1 < shape.size(); ++i) {
    if (shape[i] == 1 || (i == 0 && shape[i] < 0 && shape.size() > 2)) continue;
    if (table.rows != 1) return std::nullopt;
    table.rows = shape[i];
  }
  return table;
}

namespace {

// How well rows x columns fits the picture: 2 exactly a stride, 1 possible, 0 not.
int FitsPicture(const Evidence& evidence, int64_t rows, int64_t columns) {
  if (!evidence.picture) return 1;
  const PictureShape& picture = *evidence.picture;
  if (rows < 0 || columns < 0 || picture.width == 0 || picture.height == 0) return rows == columns || rows < 0 ? 1 : 0;
  if (rows == 0 || columns == 0) return 0;
  const double y = static_cast<double>(picture.height) / static_cast<double>(rows);
  const double x = static_cast<double>(picture.width) / static_cast<double>(columns);
  const double ratio = x / y;
  if (x < 0.2 || y < 0.2) return 0;
  if (ratio > 0.99 && ratio < 1.01) return 2;
  return ratio > 0.7 && ratio < 1.4 ? 1 : 0;
}

}  // namespace

std::optional<OutputMap> AsMap(const Evidence& evidence, size_t output) {
  const Shape& shape = evidence.graph.outputs[output].shape;
  if (shape.size() != 4 || (shape[0] != 1 && shape[0] >= 0)) return std::nullopt;
  const int first = shape[1] < 1 ? -1 : FitsPicture(evidence, shape[2], shape[3]);
  const int last = shape[3] < 1 ? -1 : FitsPicture(evidence, shape[1], shape[2]);
  if (first <= 0 && last <= 0) return std::nullopt;
  bool channels_last = last > first;
  if (last == first && evidence.picture) channels_last = evidence.picture->layout == TensorLayout::kNhwc;
  if (channels_last) return OutputMap{output, shape[3], shape[1], shape[2], true};
  return OutputMap{output, shape[1], shape[2], shape[3], false};
}

int64_t CountCells(const Evidence& evidence, const std::vector<int>& strides, bool round_up) {
  if (!evidence.picture || evidence.picture->width == 0 || evidence.picture->height == 0) return 0;
  int64_t cells = 0;
  for (const int stride : strides) {
    const int more = round_up ? stride - 1 : 0;
    cells += int64_t{(evidence.picture->width + more) / stride} * ((evidence.picture->height + more) / stride);
  }
  return cells;
}

int StrideOf(const Evidence& evidence, const OutputMap& map) {
  if (!evidence.picture || evidence.picture->width == 0 || map.columns < 1 || map.rows < 1) return 0;
  for (const int stride : {1, 2, 4, 8, 16, 32, 64, 128}) {
    const auto fits = [&](int side, int64_t cells) {
      return side / stride == cells || (side + stride - 1) / stride == cells;
    };
    if (fits(evidence.picture->width, map.columns) && fits(evidence.picture->height, map.rows)) return stride;
  }
  return 0;
}

bool EndsIn(const Evidence& evidence, size_t output, std::string_view operation) {
  if (evidence.Facts(output).operation == operation) return true;
  const auto& operations = evidence.graph.output_operations;
  return output < operations.size() && operations[output] == operation;
}

bool NameHas(const Evidence& evidence, size_t output, std::string_view word) {
  return LowerCase(evidence.graph.outputs[output].name).find(word) != std::string::npos;
}

std::string NameOfOutput(const Evidence& evidence, size_t output) { return evidence.graph.outputs[output].name; }

std::string ShapeOfOutput(const Evidence& evidence, size_t output) {
  return fmt::format("'{}' {}", evidence.graph.outputs[output].name, ToString(evidence.graph.outputs[output].shape));
}

}  // namespace deepedge
