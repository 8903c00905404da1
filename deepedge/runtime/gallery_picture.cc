#include "deepedge/runtime/gallery_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "deepedge/pipeline/crop/align.h"
#include "deepedge/pipeline/crop/crop_box.h"
#include "deepedge/runtime/model_inference.h"

namespace deepedge {
namespace {

// The box as the detector gives it, in the shape of the embedder's input.
constexpr CropRule kRule{.margin = 0, .aspect = CropAspect::kAsInput};

// The face upright, where the object has five landmarks and they are those of a face.
std::optional<RgbPicture> AlignedFace(const PictureView& picture, const DetectedObject& object,
                                      const PictureInput& input) {
  FaceLandmarks landmarks;
  if (object.keypoints.size() != landmarks.size()) return std::nullopt;
  for (size_t i = 0; i < landmarks.size(); ++i) landmarks[i] = object.keypoints[i].point;
  const auto transform = AlignFace(landmarks, picture.width, picture.height, input.width, input.height);
  if (!transform.ok()) return std::nullopt;
  RgbPicture face{.width = input.width, .height = input.height, .pixels = {}};
  PictureWarper warper;
  if (!warper.WarpInto(picture, transform.value(), input.pad, face).ok()) return std::nullopt;
  return face;
}

}  // namespace

std::string_view ToString(PictureCut cut) {
  switch (cut) {
    case PictureCut::kWhole: return "whole";
    case PictureCut::kBox: return "box";
    case PictureCut::kAligned: return "aligned";
  }
  return "";
}

const DetectedObject* LargestFaceOrPerson(const std::vector<DetectedObject>& objects, const ModelCard& card) {
  const auto wanted = [](const std::string& label) { return label == "face" || label == "person"; };
  const bool any = std::none_of(card.labels.begin(), card.labels.end(), wanted);
  const DetectedObject* largest = nullptr;
  for (const DetectedObject& object : objects) {
    if (!any && !wanted(card.LabelOf(object.label))) continue;
    if (largest == nullptr || object.box.Area() > largest->box.Area()) largest = &object;
  }
  return largest;
}

Result<EmbeddedPicture> EmbedPicture(LoadedModel& embedder, LoadedModel* detector, const PictureView& picture,
                                     const Clock& clock) {
  const PictureInput& input = embedder.card.input;
  PictureScaler scaler;
  InferenceCost cost;
  EmbeddedPicture embedded;
  PictureView shown = picture;
  std::optional<RgbPicture> face;
  if (detector != nullptr) {
    DE_TRY(const InferenceResult found, RunModelOnPicture(*detector, 0, scaler, picture, clock, cost));
    const DetectedObject* object = LargestFaceOrPerson(found.objects, detector->card);
    if (object == nullptr) {
      return Error{ErrorCode::kNotFound, fmt::format("model '{}' finds no face or person", detector->name)};
    }
    embedded.object = *object;
    face = AlignedFace(picture, *object, input);
    embedded.cut = face ? PictureCut::kAligned : PictureCut::kBox;
    const auto box = CropBox(object->box, picture.width, picture.height, input.width, input.height, kRule);
    if (!face && !box) return Error{ErrorCode::kBadInput, fmt::format("model '{}' gives no box", detector->name)};
    shown = face ? face->View() : Crop(picture, *box).picture;
  }
  DE_TRY(InferenceResult result, RunModelOnPicture(embedder, 0, scaler, shown, clock, cost));
  if (result.embedding.empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("model '{}' gives no embedding for it", embedder.name)};
  }
  embedded.embedding = std::move(result.embedding);
  return embedded;
}

Result<GalleryModel> GalleryModelOf(const LoadedModel& embedder) {
  if (embedder.card.output.kind != OutputDecoderKind::kEmbedding) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("model '{}' gives no embedding, its task is {}; if that is wrong, write `output: {{ decoder: "
                    "embedding }}` into a model.yaml beside it",
                    embedder.name, embedder.card.task)};
  }
  DE_TRY(std::string sha256, Sha256OfFile(GraphFileOf(embedder.files)));
  return GalleryModel{.name = embedder.name, .sha256 = std::move(sha256), .named = {}, .detector = {}};
}

Status CheckGalleryModel(const Gallery& gallery, const GalleryModel& model) {
  if (gallery.size() == 0 || gallery.model().sha256 == model.sha256) return {};
  return Error{
      ErrorCode::kBadInput,
      fmt::format("the gallery holds embeddings of the model '{}' (sha256 {:.12}...), those of '{}' ({:.12}...) "
                  "cannot be compared with them",
                  gallery.model().name, gallery.model().sha256, model.name, model.sha256)};
}

Path DefaultGallery() {
  if (const char* state = std::getenv("XDG_STATE_HOME")) return Path(state) / "deepedge" / "gallery.json";
  if (const char* home = std::getenv("HOME")) return Path(home) / ".local" / "state" / "deepedge" / "gallery.json";
  return "/var/lib/deepedge/gallery.json";
}

}  // namespace deepedge
