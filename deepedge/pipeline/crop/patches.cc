#include "deepedge/pipeline/crop/patches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

// No object that is seen lies further outside of its picture, in sides of the picture.
constexpr float kFarOutside = 4;

bool IsPlace(float fraction) { return std::abs(fraction) <= kFarOutside; }  // false for NaN

// Whether any of the patch lies in the picture.
bool ShowsSome(const Box& box) { return Clip(box).Area() > 0; }

}  // namespace

std::vector<PictureView> PatchPictures::Views() const {
  std::vector<PictureView> views;
  views.reserve(pictures.size());
  for (const RgbPicture& picture : pictures) views.push_back(picture.View());
  return views;
}

Result<std::vector<Box>> PatchBoxes(const DetectedObject& object, int picture_width, int picture_height,
                                    const PictureInput& input) {
  DE_CHECK(picture_width > 0 && picture_height > 0 && input.patches > 0 && input.patch_size > 0);
  if (object.keypoints.size() != static_cast<size_t>(input.patches)) {
    return Error{ErrorCode::kBadInput, fmt::format("an object with {} points cannot be looked at in {} patches",
                                                   object.keypoints.size(), input.patches)};
  }
  const Box& box = object.box;
  const bool box_is_place = IsPlace(box.x1) && IsPlace(box.y1) && IsPlace(box.x2) && IsPlace(box.y2);
  const bool points_are = std::all_of(object.keypoints.begin(), object.keypoints.end(),
                                      [](const Keypoint& k) { return IsPlace(k.point.x) && IsPlace(k.point.y); });
  if (!box_is_place || !points_are) return Error{ErrorCode::kBadInput, "box and points of the object are no places"};

  const auto width = static_cast<float>(picture_width);
  const auto height = static_cast<float>(picture_height);
  const float longer = std::max((box.x2 - box.x1) * width, (box.y2 - box.y1) * height);
  const float half = std::max(1.0F, std::ceil(std::floor(longer * input.patch_size) / 2));
  std::vector<Box> boxes;
  for (const Keypoint& keypoint : object.keypoints) {
    const Point at = keypoint.point;
    boxes.push_back({at.x - half / width, at.y - half / height, at.x + half / width, at.y + half / height});
  }
  return boxes;
}

Result<PatchPictures> TakePatches(PictureWarper& warper, const PictureView& picture, const DetectedObject& object,
                                  const PictureInput& input) {
  PatchPictures patches;
  DE_TRY(patches.boxes, PatchBoxes(object, picture.width, picture.height, input));
  for (const Box& box : patches.boxes) {
    RgbPicture patch{.width = input.width, .height = input.height, .pixels = {}};
    if (ShowsSome(box)) {
      const double left = static_cast<double>(box.x1) * picture.width;
      const double top = static_cast<double>(box.y1) * picture.height;
      const double side = (static_cast<double>(box.x2) - static_cast<double>(box.x1)) * picture.width;
      const double scale = input.width / side;
      DE_TRY_STATUS(
          warper.WarpInto(picture, {.a = scale, .b = 0, .x0 = -left * scale, .y0 = -top * scale}, input.pad, patch));
    } else {
      patch.pixels.assign(static_cast<size_t>(input.width) * static_cast<size_t>(input.height) * 3, input.pad);
    }
    patches.pictures.push_back(std::move(patch));
  }
  return patches;
}

void FromPatches(std::span<const Box> boxes, std::span<const Keypoint> points, InferenceResult& result) {
  DE_CHECK(boxes.size() == result.keypoints.size() && points.size() == boxes.size());
  for (size_t i = 0; i < boxes.size(); ++i) {
    Keypoint& keypoint = result.keypoints[i];
    const Box& box = boxes[i];
    keypoint.point = {box.x1 + keypoint.point.x * (box.x2 - box.x1), box.y1 + keypoint.point.y * (box.y2 - box.y1)};
    keypoint.score *= points[i].score;
  }
}

}  // namespace deepedge
