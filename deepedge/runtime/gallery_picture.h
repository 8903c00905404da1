// From a picture to the embedding that a gallery holds or is asked for: the largest face or person is looked for, cut
// out (turned upright where the detector gives a face's five landmarks) and embedded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/pipeline/gallery/gallery.h"
#include "deepedge/runtime/loaded_model.h"

namespace deepedge {

// How the embedder was given a picture.
enum class PictureCut { kWhole, kBox, kAligned };

std::string_view ToString(PictureCut cut);  // "whole", "box", "aligned"

struct EmbeddedPicture {
  std::vector<float> embedding;
  PictureCut cut = PictureCut::kWhole;
  std::optional<DetectedObject> object;  // what was cut out, unless the picture is whole
};

// Of the objects with the label "face" or "person" the one with the largest area; of all where the labels name neither.
// Null where there is none. Pure.
const DetectedObject* LargestFaceOrPerson(const std::vector<DetectedObject>& objects, const ModelCard& card);

// On slot 0 of both models; without a detector the picture is whole. Errors: kNotFound where the detector finds
// nothing, kBadInput where the embedder gives no numbers for it; those of RunModelOnPicture.
Result<EmbeddedPicture> EmbedPicture(LoadedModel& embedder, LoadedModel* detector, const PictureView& picture,
                                     const Clock& clock);

// What a gallery remembers of its embedder. Errors: kUnsupported for a model that gives no embedding, those of reading
// its file.
Result<GalleryModel> GalleryModelOf(const LoadedModel& embedder);

// kBadInput, naming both, where the gallery's embeddings are those of another model.
Status CheckGalleryModel(const Gallery& gallery, const GalleryModel& model);

// $XDG_STATE_HOME/deepedge/gallery.json, else in the state folder of the user.
Path DefaultGallery();

}  // namespace deepedge
