// Poses from heat maps, one for each point (a last one for the background may follow). Without part affinity fields one
// person: the top of every map, moved by `offsets` where there are some (PoseNet: y of every point, then x, in pixels
// from the cell's corner). With them many persons, put together limb by limb; the fields stand in a tensor of
// their own, or behind the heat maps in the same one (`pafs` then names the same tensor).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "deepedge/pipeline/post/cell_table.h"
#include "deepedge/pipeline/post/decoders.h"
#include "deepedge/pipeline/post/nms.h"
#include "deepedge/pipeline/post/paf_persons.h"

namespace deepedge {
namespace {

constexpr size_t kOpenPosePoints = 18;
constexpr int kFewestPoints = 4;  // a person of fewer is noise

struct Maps {
  FoundTable heat;
  FoundTable fields;
  size_t points = 0;
  size_t first_field = 0;
  std::vector<Limb> limbs;  // empty: one person
  std::optional<FoundTable> offsets;
};

class HeatmapPoseDecoder : public OutputDecoder {
 public:
  HeatmapPoseDecoder(const ModelCard& card, std::vector<TensorSpec> outputs, Maps maps)
      : card_(card), outputs_(std::move(outputs)), maps_(std::move(maps)) {}

  Result<InferenceResult> Decode(std::span<const TensorView> outputs, const Placement& placement) const override {
    DE_TRY_STATUS(CheckTensorCount(card_, outputs_.size(), outputs.size()));
    DE_TRY_STATUS(CheckTable(outputs, maps_.heat));
    const FloatReader heat(outputs[maps_.heat.tensor], card_.output.score_scale, card_.output.score_zero);
    const MapChannels points = Channels(heat, maps_.heat.table, 0, card_.output.sigmoid);
    if (maps_.offsets) {
      DE_TRY_STATUS(CheckTable(outputs, *maps_.offsets));
      const FloatReader values(outputs[maps_.offsets->tensor], card_.output.score_scale, card_.output.score_zero);
      const MapChannels offsets = Channels(values, maps_.offsets->table, 0, false);
      return OnePerson(points, &offsets, placement);
    }
    if (maps_.limbs.empty()) return OnePerson(points, nullptr, placement);
    DE_TRY_STATUS(CheckTable(outputs, maps_.fields));
    const FloatReader values(outputs[maps_.fields.tensor], card_.output.score_scale, card_.output.score_zero);
    const MapChannels fields = Channels(values, maps_.fields.table, maps_.first_field, false);
    InferenceResult result;
    for (const PersonPoints& person :
         FindPersons(points, fields, maps_.points, maps_.limbs, card_.output.map_threshold)) {
      AddPerson(person, placement, &result.objects);
    }
    SortBestFirst(&result.objects);
    return result;
  }

 private:
  Status CheckTable(std::span<const TensorView> outputs, const FoundTable& found) const {
    return CheckTensor(card_, outputs_[found.tensor], outputs[found.tensor],
                       static_cast<int64_t>(found.table.cells * found.table.numbers));
  }

  static MapChannels Channels(const FloatReader& values, const CellTable& table, size_t first, bool sigmoid) {
    return {table.map_columns, table.map_rows, [&values, &table, first, sigmoid](size_t channel, size_t x, size_t y) {
              const float raw = values[table.Index(y * table.map_columns + x, first + channel)];
              return sigmoid ? Logistic(raw) : raw;
            }};
  }

  // A point in the picture; one that is no number keeps its place in the list with score 0.
  Keypoint ToKeypoint(const std::optional<Peak>& peak, const Placement& placement) const {
    if (!peak || !std::isfinite(peak->score)) return {};
    const CellTable& table = maps_.heat.table;
    const auto point = PointInPicture({(peak->x + 0.5F) / static_cast<float>(table.map_columns),
                                       (peak->y + 0.5F) / static_cast<float>(table.map_rows)},
                                      placement);
    return point ? Keypoint{*point, peak->score} : Keypoint{};
  }

  // A peak's place in cells, told by the offsets of its cell: cells lie at the corners of the picture too, (size - 1) /
  // (cells - 1) pixels from each other.
  Peak Moved(const MapChannels& offsets, size_t point, size_t x, size_t y, float score,
             const Placement& placement) const {
    const auto along = [](size_t cell, size_t cells, int size, float offset) {
      const auto last = static_cast<float>(cells - 1);
      const float pixel = static_cast<float>(cell) * static_cast<float>(size - 1) / last + offset;
      return (pixel + 0.5F) / static_cast<float>(size) * static_cast<float>(cells) - 0.5F;
    };
    return {along(x, offsets.columns, placement.input_width, offsets.value(maps_.points + point, x, y)),
            along(y, offsets.rows, placement.input_height, offsets.value(point, x, y)), score};
  }

  InferenceResult OnePerson(const MapChannels& map, const MapChannels* offsets, const Placement& placement) const {
    InferenceResult result;
    for (size_t point = 0; point < maps_.points; ++point) {
      std::optional<std::pair<size_t, size_t>> best;
      float most = 0;
      for (size_t y = 0; y < map.rows; ++y) {
        for (size_t x = 0; x < map.columns; ++x) {
          const float value = map.value(point, x, y);
          if (!std::isfinite(value) || (best && !(value > most))) continue;
          best = {x, y};
          most = value;
        }
      }
      std::optional<Peak> peak;
      if (best && offsets != nullptr) peak = Moved(*offsets, point, best->first, best->second, most, placement);
      if (best && offsets == nullptr) peak = RefinePeak(map, point, best->first, best->second);
      result.keypoints.push_back(ToKeypoint(peak, placement));
    }
    return result;
  }

  // The person's score is the mean of its points', its box what lies around them.
  void AddPerson(const PersonPoints& person, const Placement& placement, std::vector<DetectedObject>* objects) const {
    DetectedObject object;
    int found = 0;
    Box box{1, 1, 0, 0};
    for (const auto& peak : person) {
      const Keypoint point = ToKeypoint(peak, placement);
      object.keypoints.push_back(point);
      if (!peak || point.score <= 0) continue;
      ++found;
      object.score += point.score;
      box = {std::min(box.x1, point.point.x), std::min(box.y1, point.point.y), std::max(box.x2, point.point.x),
             std::max(box.y2, point.point.y)};
    }
    if (found < std::min(kFewestPoints, static_cast<int>(person.size()))) return;
    object.score /= static_cast<float>(found);
    if (!(object.score >= card_.threshold) || !std::isfinite(object.score) || !(box.x1 < box.x2 && box.y1 < box.y2))
      return;
    object.box = box;
    objects->push_back(std::move(object));
  }

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  Maps maps_;
};

// How many points the card means; 0 where it does not say.
size_t PointsOf(const ModelCard& card) {
  if (!card.output.point_names.empty()) return card.output.point_names.size();
  if (card.output.pafs.empty()) return card.labels.size();
  return card.output.limbs.empty() ? kOpenPosePoints : 0;
}

// Where `other` is given, a map of the same cells.
Result<FoundTable> FindMap(const OutputFinder& finder, bool channels_last, std::string_view role,
                           const std::string& name, const std::function<bool(size_t)>& numbers_fit,
                           const std::string& expected, const FoundTable* other = nullptr) {
  const auto fits = [&](const CellTable& table) {
    if (other != nullptr &&
        (table.map_rows != other->table.map_rows || table.map_columns != other->table.map_columns)) {
      return false;
    }
    // As many points as rows and columns, as PoseNet has at 257x257: the order is that of the picture that goes in.
    const bool cube = table.map_rows == table.map_columns && table.numbers == table.map_rows;
    if (cube && (table.number_step == 1) != channels_last) return false;
    return table.map_rows > 1 && table.map_columns > 1 && numbers_fit(table.numbers);
  };
  const std::vector<size_t> taken = other != nullptr ? std::vector<size_t>{other->tensor} : std::vector<size_t>{};
  return FindCells(finder, role, name, fits, "maps: " + expected, taken);
}

Status CheckLimbs(const ModelCard& card, const Maps& maps, size_t fields) {
  for (const Limb& limb : maps.limbs) {
    const bool points = static_cast<size_t>(std::max(limb.from, limb.to)) < maps.points;
    if (points && static_cast<size_t>(std::max(limb.x_channel, limb.y_channel)) < fields) continue;
    return Error{
        ErrorCode::kBadInput,
        fmt::format("model '{}': the limb from point {} to {} by channels {} and {} does not fit {} points and "
                    "{} field channels",
                    card.name, limb.from, limb.to, limb.x_channel, limb.y_channel, maps.points, fields)};
  }
  return Status::Ok();
}

Result<Maps> FindMaps(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  const OutputFinder finder(card, outputs);
  const OutputDecoderSpec& spec = card.output;
  const bool channels_last = card.input.layout == TensorLayout::kNhwc;
  Maps maps{.heat = {}, .fields = {}, .points = PointsOf(card), .first_field = 0, .limbs = {}, .offsets = {}};
  if (spec.pafs.empty()) {
    const auto one_each = [&](size_t numbers) {
      return maps.points == 0 || numbers == maps.points || numbers == maps.points + 1;
    };
    DE_TRY(maps.heat, FindMap(finder, channels_last, "tensor", spec.tensor, one_each,
                              maps.points > 0 ? fmt::format("one for each of {} points", maps.points) : "one a point"));
    if (maps.points == 0) maps.points = maps.heat.table.numbers;
    if (!spec.offsets.empty()) {
      const auto two_each = [&](size_t numbers) { return numbers == 2 * maps.points; };
      DE_TRY(maps.offsets,
             FindMap(finder, channels_last, "offsets", spec.offsets, two_each, "two a point", &maps.heat));
    }
    return maps;
  }
  maps.limbs.assign(spec.limbs.begin(), spec.limbs.end());
  if (maps.limbs.empty()) maps.limbs.assign(OpenPoseLimbs().begin(), OpenPoseLimbs().end());
  if (maps.points == 0) {
    for (const Limb& limb : maps.limbs)
      maps.points = std::max(maps.points, static_cast<size_t>(std::max(limb.from, limb.to)) + 1);
  }
  const size_t fields = 2 * maps.limbs.size();
  const bool together = spec.pafs == spec.tensor;
  const auto heat_fits = [&](size_t numbers) {
    const size_t heat = together ? numbers - std::min(numbers, fields) : numbers;
    return heat == maps.points || heat == maps.points + 1;
  };
  DE_TRY(maps.heat, FindMap(finder, channels_last, "tensor", spec.tensor, heat_fits,
                            fmt::format("one for each of {} points{}", maps.points,
                                        together ? fmt::format(" and {} field channels", fields) : "")));
  maps.fields = maps.heat;
  if (together) {
    maps.first_field = maps.heat.table.numbers - fields;
  } else {
    DE_TRY(maps.fields, FindMap(
                            finder, channels_last, "pafs", spec.pafs, [&](size_t numbers) { return numbers >= fields; },
                            fmt::format("{} field channels", fields), &maps.heat));
  }
  DE_TRY_STATUS(CheckLimbs(card, maps, maps.fields.table.numbers - maps.first_field));
  return maps;
}

}  // namespace

MadeDecoder MakeHeatmapPoseDecoder(const ModelCard& card, const std::vector<TensorSpec>& outputs) {
  DE_TRY(Maps maps, FindMaps(card, outputs));
  return std::unique_ptr<OutputDecoder>(std::make_unique<HeatmapPoseDecoder>(card, outputs, std::move(maps)));
}

}  // namespace deepedge
