// Gallery: whom a face or person embedding belongs to. Holds names with embeddings, several each, all of one model:
// numbers of two models cannot be compared.
//
//   DE_TRY(const Gallery gallery, ReadGallery(file));                    // gallery_file.h
//   if (const auto match = gallery.Find(result.embedding)) ... match->name
//
// Pure; embeddings are compared by their cosine. Thread-compatible: any number of threads may ask one that nobody
// changes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge {

// The model that made the embeddings.
struct GalleryModel {
  std::string name;
  std::string sha256;    // of its graph file
  std::string named;     // how the user named it: in the repository, or a path
  std::string detector;  // the model that found the faces or persons, as the user named it; empty: whole pictures

  friend bool operator==(const GalleryModel&, const GalleryModel&) = default;
};

struct GalleryMatch {
  std::string name;
  float similarity = 0;  // cosine with the closest embedding of that name: -1 to 1
};

// How alike the embeddings of a gallery are to each other.
struct GalleryEvidence {
  // The closest two embeddings of different names; nothing with one name.
  std::optional<float> strangers;
  // How like one of its own name the loneliest embedding is; nothing where every name has one embedding.
  std::optional<float> same;
};

class Gallery {
 public:
  // Where neither the user nor the gallery's own pictures say more: between what two people reach and what two pictures
  // of one person fall to with networks trained for cosines (0.363 is published for SFace).
  static constexpr float kDefaultThreshold = 0.4F;
  // Comparing all pairs, as Evidence does, takes seconds with so many.
  static constexpr size_t kMostEmbeddings = 10'000;
  static constexpr size_t kMostNumbers = 16'384;  // of an embedding
  static constexpr size_t kLongestName = 200;     // bytes

  explicit Gallery(GalleryModel model) : model_(std::move(model)) {}

  // The embedding need not have length 1. Errors: kBadInput for a name that is empty, long or no plain text, and for an
  // embedding that has another size than the others, zeros only or numbers that are none; kExhausted when it is full.
  Status Add(const std::string& name, std::span<const float> embedding, std::string source = {});
  // Errors: kNotFound.
  Status Remove(const std::string& name);

  // The name of the most similar embedding, where it is at least as similar as the threshold; nothing also for an
  // embedding that cannot be compared.
  std::optional<GalleryMatch> Find(std::span<const float> embedding) const;
  // The names most similar to it, best first, whatever the threshold.
  std::vector<GalleryMatch> Closest(std::span<const float> embedding, size_t count) const;

  GalleryEvidence Evidence() const;

  // What the user set, else what AdoptThreshold found, else the default.
  float threshold() const { return threshold_; }
  bool user_set_threshold() const { return user_set_threshold_; }
  // Between -1 and 1. By the user it stays, whatever is added.
  void SetThreshold(float threshold, bool by_user);
  // Unless the user set one: half-way between strangers and one's own where those are apart; else the default, or as
  // like as the closest two strangers are, if that is more: who is no more like a name than another name is, is nobody.
  void AdoptThreshold();

  const GalleryModel& model() const { return model_; }
  GalleryModel& model() { return model_; }
  // Kept in the order of their first embedding.
  const std::vector<std::string>& names() const { return names_; }
  // How many numbers an embedding has; 0 while there is none.
  size_t numbers() const { return numbers_; }
  size_t size() const { return owners_.size(); }
  const std::string& NameOf(size_t embedding) const { return names_[owners_[embedding]]; }
  const std::string& SourceOf(size_t embedding) const { return sources_[embedding]; }
  // Of length 1.
  std::span<const float> EmbeddingAt(size_t embedding) const {
    return std::span(values_).subspan(embedding * numbers_, numbers_);
  }

 private:
  GalleryModel model_;
  std::vector<std::string> names_;
  size_t numbers_ = 0;
  std::vector<float> values_;         // all embeddings one after the other, each of length 1
  std::vector<size_t> owners_;        // of each embedding: index into names_
  std::vector<std::string> sources_;  // of each embedding: the picture it was made from
  float threshold_ = kDefaultThreshold;
  bool user_set_threshold_ = false;
};

}  // namespace deepedge
