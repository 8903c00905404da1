#include "deepedge/runtime/calibration/made_up_outputs.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

constexpr Kind kKinds[] = {Kind::kSsd,          Kind::kSsdAnchors,  Kind::kDetectionRows, Kind::kYolox,
                           Kind::kYoloRows,     Kind::kYoloAnchors, Kind::kDfl,           Kind::kClassification,
                           Kind::kSegmentation, Kind::kTextMap,     Kind::kHeatmapPose,   Kind::kEmbedding};
constexpr size_t kClasses = 80;
constexpr size_t kSeenBy = 3;  // cells that see one object
constexpr int kStrides[] = {8, 16, 32};

// The numbers of one tensor while they are made up.
struct Numbers {
  Shape shape;
  std::vector<float> values;

  explicit Numbers(Shape of) : shape(std::move(of)), values(static_cast<size_t>(ElementCount(shape))) {}

  // What a network says of cells that see nothing: small, and never twice the same.
  void FillRandom(float low, float high) {
    std::minstd_rand random(11);
    const float step = (high - low) / 1024;
    for (float& value : values) value = low + step * static_cast<float>(random() % 1024);
  }
};

void Add(MadeUpOutput& output, std::string name, const Numbers& numbers) {
  Tensor tensor{.type = ElementType::kF32, .shape = numbers.shape};
  tensor.data.resize(numbers.values.size() * sizeof(float));
  std::memcpy(tensor.data.data(), numbers.values.data(), tensor.data.size());
  output.specs.push_back({std::move(name), ElementType::kF32, numbers.shape});
  output.tensors.push_back(std::move(tensor));
}

int64_t Cells(int side) {
  int64_t cells = 0;
  for (const int stride : kStrides) cells += static_cast<int64_t>(side / stride) * (side / stride);
  return cells;
}

// First of the cells that see object `index` of `count`.
size_t CellOf(size_t index, size_t count, size_t cells) {
  return index * (cells - kSeenBy) / std::max<size_t>(count, 1);
}

// Calls `plant(cell, object)` for every cell that sees an object.
template <typename Plant>
void PlantObjects(size_t objects, size_t cells, Plant plant) {
  const size_t most = std::min(objects, cells / kSeenBy);
  for (size_t i = 0; i < most; ++i) {
    for (size_t k = 0; k < kSeenBy; ++k) plant(CellOf(i, most, cells) + k, i);
  }
}

// A box of its own for every object, left, top, right, bottom as fractions.
Box BoxOf(size_t object) {
  const float x = static_cast<float>(object % 8) / 8;
  const float y = static_cast<float>(object / 8 % 8) / 8;
  return {x + 0.01F, y + 0.01F, x + 0.11F, y + 0.11F};
}

void MakeSsd(MadeUpOutput& output, int side, size_t objects) {
  const size_t rows = static_cast<size_t>(side) / 32 * 10;
  Numbers numbers({1, 1, static_cast<int64_t>(rows), 7});
  for (size_t i = 0; i < rows; ++i) {
    const Box box = BoxOf(i);
    const float score = i < objects ? 0.9F : 0.05F;
    const float row[] = {0, static_cast<float>(i % kClasses), score, box.x1, box.y1, box.x2, box.y2};
    std::copy(std::begin(row), std::end(row), numbers.values.begin() + static_cast<ptrdiff_t>(i * 7));
  }
  Add(output, "detection_out", numbers);
}

void MakeDetectionRows(MadeUpOutput& output, int side, size_t objects) {
  const size_t rows = static_cast<size_t>(side) / 32 * 15;
  Numbers numbers({1, static_cast<int64_t>(rows), 6});
  for (size_t i = 0; i < rows; ++i) {
    const Box box = BoxOf(i);
    const float score = i < objects ? 0.9F : 0.05F;
    const float row[] = {box.x1, box.y1, box.x2, box.y2, score, static_cast<float>(i % kClasses)};
    std::copy(std::begin(row), std::end(row), numbers.values.begin() + static_cast<ptrdiff_t>(i * 6));
  }
  Add(output, "output0", numbers);
}

void MakeSsdAnchors(MadeUpOutput& output, int side, size_t objects) {
  int64_t anchors = 0;
  for (const int stride : {16, 32}) {
    const int cells = side / stride;
    output.card.output.anchors.push_back(
        {.columns = cells, .rows = cells, .sizes = {{0.1F, 0.1F}, {0.2F, 0.1F}, {0.1F, 0.2F}, {0.3F, 0.3F}}});
    anchors += static_cast<int64_t>(cells) * cells * 4;
  }
  Numbers boxes({1, anchors, 4});
  Numbers scores({1, anchors, static_cast<int64_t>(kClasses)});
  scores.FillRandom(0, 0.05F);
  PlantObjects(objects, static_cast<size_t>(anchors),
               [&](size_t cell, size_t object) { scores.values[cell * kClasses + object % kClasses] = 0.9F; });
  Add(output, "boxes", boxes);
  Add(output, "scores", scores);
}

void MakeYolox(MadeUpOutput& output, int side, size_t objects) {
  constexpr size_t kRow = 5 + kClasses;
  const int64_t cells = Cells(side);
  Numbers numbers({1, cells, static_cast<int64_t>(kRow)});
  numbers.FillRandom(0, 0.05F);
  PlantObjects(objects, static_cast<size_t>(cells), [&](size_t cell, size_t object) {
    float* const row = numbers.values.data() + cell * kRow;
    row[2] = row[3] = 1.2F;
    row[4] = 0.95F;
    row[5 + object % kClasses] = 0.9F;
  });
  Add(output, "output", numbers);
}

void MakeYoloRows(MadeUpOutput& output, int side, size_t objects) {
  output.card.output.normalized = false;
  const auto cells = static_cast<size_t>(Cells(side));
  Numbers numbers({1, static_cast<int64_t>(4 + kClasses), static_cast<int64_t>(cells)});
  numbers.FillRandom(0, 0.05F);
  PlantObjects(objects, cells, [&](size_t cell, size_t object) {
    const Box box = BoxOf(object);
    const auto scale = static_cast<float>(side);
    const float row[] = {(box.x1 + box.x2) / 2 * scale, (box.y1 + box.y2) / 2 * scale, (box.x2 - box.x1) * scale,
                         (box.y2 - box.y1) * scale};
    for (size_t i = 0; i < 4; ++i) numbers.values[i * cells + cell] = row[i];
    numbers.values[(4 + object % kClasses) * cells + cell] = 0.9F;
  });
  Add(output, "output0", numbers);
}

void MakeYoloAnchors(MadeUpOutput& output, int side, size_t objects) {
  constexpr size_t kRow = 5 + kClasses;
  constexpr size_t kAnchors = 3;
  output.card.output.objectness = true;
  for (const int stride : kStrides) {
    const auto size = static_cast<float>(stride);
    output.card.output.heads.push_back(
        {.stride = stride, .anchors = {{2 * size, 2 * size}, {3 * size, 2 * size}, {2 * size, 4 * size}}});
    const int columns = side / stride;
    const auto cells = static_cast<size_t>(columns) * static_cast<size_t>(columns);
    Numbers numbers({1, static_cast<int64_t>(kAnchors * kRow), columns, columns});
    numbers.FillRandom(-9, -6);
    // Half of the objects are small, and so on.
    const size_t share = stride == 8 ? objects / 2 : objects / 4;
    PlantObjects(share, cells, [&](size_t cell, size_t object) {
      const size_t anchor = object % kAnchors;
      const auto at = [&](size_t number) { return (anchor * kRow + number) * cells + cell; };
      for (size_t i = 0; i < 4; ++i) numbers.values[at(i)] = 0.1F;
      numbers.values[at(4)] = 4;
      numbers.values[at(5 + object % kClasses)] = 4;
    });
    Add(output, "map" + std::to_string(stride), numbers);
  }
}

void MakeDfl(MadeUpOutput& output, int side, size_t objects) {
  constexpr size_t kBins = 8;
  constexpr size_t kRow = kClasses + 4 * kBins;
  output.card.output.bins = kBins;
  output.card.output.strides = {std::begin(kStrides), std::end(kStrides)};
  const int64_t cells = Cells(side);
  Numbers numbers({1, cells, static_cast<int64_t>(kRow)});
  numbers.FillRandom(0, 0.05F);
  PlantObjects(objects, static_cast<size_t>(cells),
               [&](size_t cell, size_t object) { numbers.values[cell * kRow + object % kClasses] = 0.9F; });
  Add(output, "output", numbers);
}

void MakeTextMap(MadeUpOutput& output, int side, size_t objects) {
  Numbers numbers({1, 1, side, side});
  numbers.FillRandom(0, 0.05F);
  const auto width = static_cast<size_t>(side);
  for (size_t i = 0; i < std::min<size_t>(objects, 64); ++i) {
    const Box box = BoxOf(i);
    const auto pixel = [&](float fraction) { return static_cast<size_t>(fraction * static_cast<float>(side)); };
    for (size_t y = pixel(box.y1); y < pixel(box.y1) + width / 40; ++y) {
      for (size_t x = pixel(box.x1); x < pixel(box.x2); ++x) numbers.values[y * width + x] = 0.95F;
    }
  }
  Add(output, "map", numbers);
}

void MakeSegmentation(MadeUpOutput& output, int side) {
  constexpr int64_t kAreas = 21;
  const int map = side / 4;
  Numbers numbers({1, kAreas, map, map});
  numbers.FillRandom(0, 1);
  const auto pixels = static_cast<size_t>(map) * static_cast<size_t>(map);
  // Areas of one class, as pictures have them.
  for (size_t i = 0; i < pixels; ++i) {
    const size_t x = i % static_cast<size_t>(map);
    const size_t y = i / static_cast<size_t>(map);
    numbers.values[(x / 20 + y / 20) % static_cast<size_t>(kAreas) * pixels + i] = 3;
  }
  output.card.labels.resize(static_cast<size_t>(kAreas));
  Add(output, "classes", numbers);
}

void MakeVector(MadeUpOutput& output, int64_t count) {
  Numbers numbers({1, count});
  numbers.FillRandom(-2, 2);
  Add(output, "vector", numbers);
}

void MakeHeatmaps(MadeUpOutput& output, int side) {
  constexpr int kPoints = 17;
  Numbers numbers({1, kPoints, side / 4, side / 4});
  numbers.FillRandom(0, 0.9F);
  output.card.labels.resize(kPoints);
  Add(output, "heat", numbers);
}

}  // namespace

std::span<const OutputDecoderKind> MadeUpKinds() { return kKinds; }

bool ShowsObjects(OutputDecoderKind kind) {
  return kind != Kind::kClassification && kind != Kind::kSegmentation && kind != Kind::kHeatmapPose &&
         kind != Kind::kEmbedding;
}

MadeUpOutput MakeUpOutput(OutputDecoderKind kind, int side, int objects) {
  DE_CHECK(side >= 32 && side % 32 == 0 && objects >= 0);
  MadeUpOutput output;
  output.card.name = "made up";
  output.card.output.kind = kind;
  output.card.input.width = side;
  output.card.input.height = side;
  output.card.labels.resize(kClasses);
  const auto count = static_cast<size_t>(objects);
  if (kind == Kind::kSsd) MakeSsd(output, side, count);
  if (kind == Kind::kSsdAnchors) MakeSsdAnchors(output, side, count);
  if (kind == Kind::kDetectionRows) MakeDetectionRows(output, side, count);
  if (kind == Kind::kYolox) MakeYolox(output, side, count);
  if (kind == Kind::kYoloRows) MakeYoloRows(output, side, count);
  if (kind == Kind::kYoloAnchors) MakeYoloAnchors(output, side, count);
  if (kind == Kind::kDfl) MakeDfl(output, side, count);
  if (kind == Kind::kTextMap) MakeTextMap(output, side, count);
  if (kind == Kind::kSegmentation) MakeSegmentation(output, side);
  if (kind == Kind::kHeatmapPose) MakeHeatmaps(output, side);
  if (kind == Kind::kClassification) {
    output.card.labels.resize(static_cast<size_t>(side) * 4);
    output.card.output.softmax = true;
    MakeVector(output, side * 4);
  }
  if (kind == Kind::kEmbedding) {
    output.card.labels.clear();
    output.card.output.l2_normalize = true;
    MakeVector(output, side);
  }
  DE_CHECK(!output.tensors.empty());
  for (size_t i = 0; i < output.card.labels.size(); ++i) output.card.labels[i] = "l" + std::to_string(i);
  return output;
}

}  // namespace deepedge
