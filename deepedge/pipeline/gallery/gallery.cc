#include "deepedge/pipeline/gallery/gallery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "deepedge/base/check.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

// Several sums side by side, which the compiler computes at once.
float Dot(std::span<const float> a, std::span<const float> b) {
  constexpr size_t kSums = 16;
  std::array<float, kSums> sums{};
  size_t i = 0;
  for (; i + kSums <= a.size(); i += kSums) {
    for (size_t k = 0; k < kSums; ++k) sums[k] += a[i + k] * b[i + k];
  }
  float total = 0;
  for (const float sum : sums) total += sum;
  for (; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

// Of length 1; nothing where there is no direction.
std::optional<std::vector<float>> Normalized(std::span<const float> embedding) {
  double squares = 0;
  for (const float v : embedding) squares += static_cast<double>(v) * static_cast<double>(v);
  if (!std::isfinite(squares) || squares <= 1e-30) return std::nullopt;
  const double scale = 1 / std::sqrt(squares);
  std::vector<float> unit(embedding.size());
  std::transform(embedding.begin(), embedding.end(), unit.begin(),
                 [scale](float v) { return static_cast<float>(static_cast<double>(v) * scale); });
  return unit;
}

}  // namespace

Status Gallery::Add(const std::string& name, std::span<const float> embedding, std::string source) {
  if (name.empty() || name.size() > kLongestName || !IsPlainText(name)) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("name {}: expected 1 to {} bytes of text in one line", Quote(name), kLongestName)};
  }
  if (embedding.empty() || embedding.size() > kMostNumbers || (numbers_ != 0 && embedding.size() != numbers_)) {
    return Error{
        ErrorCode::kBadInput,
        fmt::format("embedding of '{}': expected {} numbers, not {}", name,
                    numbers_ == 0 ? fmt::format("1 to {}", kMostNumbers) : std::to_string(numbers_), embedding.size())};
  }
  if (size() >= kMostEmbeddings) {
    return Error{ErrorCode::kExhausted, fmt::format("the gallery is full: it holds {} embeddings", size())};
  }
  const auto unit = Normalized(embedding);
  if (!unit) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("embedding of '{}': its numbers are all zero, or some are none", name)};
  }
  const auto known = std::find(names_.begin(), names_.end(), name);
  owners_.push_back(static_cast<size_t>(known - names_.begin()));
  if (known == names_.end()) names_.push_back(name);
  numbers_ = embedding.size();
  values_.insert(values_.end(), unit->begin(), unit->end());
  sources_.push_back(std::move(source));
  return {};
}

Status Gallery::Remove(const std::string& name) {
  const auto known = std::find(names_.begin(), names_.end(), name);
  if (known == names_.end()) {
    return Error{ErrorCode::kNotFound, fmt::format("the gallery has no name {}", Quote(name))};
  }
  Gallery kept(model_);
  kept.threshold_ = threshold_;
  kept.user_set_threshold_ = user_set_threshold_;
  for (size_t i = 0; i < size(); ++i) {
    if (NameOf(i) != name) DE_TRY_STATUS(kept.Add(NameOf(i), EmbeddingAt(i), SourceOf(i)));
  }
  *this = std::move(kept);
  return {};
}

std::optional<GalleryMatch> Gallery::Find(std::span<const float> embedding) const {
  const auto closest = Closest(embedding, 1);
  if (closest.empty() || closest[0].similarity < threshold_) return std::nullopt;
  return closest[0];
}

std::vector<GalleryMatch> Gallery::Closest(std::span<const float> embedding, size_t count) const {
  if (embedding.size() != numbers_ || numbers_ == 0) return {};
  const auto unit = Normalized(embedding);
  if (!unit) return {};
  std::vector<float> best(names_.size(), -2.0F);
  for (size_t i = 0; i < size(); ++i) best[owners_[i]] = std::max(best[owners_[i]], Dot(*unit, EmbeddingAt(i)));
  std::vector<GalleryMatch> matches;
  for (size_t i = 0; i < names_.size(); ++i) matches.push_back({names_[i], std::clamp(best[i], -1.0F, 1.0F)});
  std::stable_sort(matches.begin(), matches.end(),
                   [](const GalleryMatch& a, const GalleryMatch& b) { return a.similarity > b.similarity; });
  matches.resize(std::min(count, matches.size()));
  return matches;
}

GalleryEvidence Gallery::Evidence() const {
  GalleryEvidence evidence;
  std::vector<float> closest_own(size(), -2.0F);
  for (size_t i = 0; i < size(); ++i) {
    for (size_t j = i + 1; j < size(); ++j) {
      const float similarity = std::clamp(Dot(EmbeddingAt(i), EmbeddingAt(j)), -1.0F, 1.0F);
      if (owners_[i] == owners_[j]) {
        closest_own[i] = std::max(closest_own[i], similarity);
        closest_own[j] = std::max(closest_own[j], similarity);
      } else {
        evidence.strangers = std::max(evidence.strangers.value_or(-1.0F), similarity);
      }
    }
  }
  for (const float similarity : closest_own) {
    if (similarity >= -1) evidence.same = std::min(evidence.same.value_or(1.0F), similarity);
  }
  return evidence;
}

void Gallery::SetThreshold(float threshold, bool by_user) {
  DE_CHECK(threshold >= -1 && threshold <= 1);
  threshold_ = threshold;
  user_set_threshold_ = by_user;
}

void Gallery::AdoptThreshold() {
  if (user_set_threshold_) return;
  const GalleryEvidence evidence = Evidence();
  if (evidence.strangers && evidence.same && *evidence.same > *evidence.strangers) {
    threshold_ = (*evidence.strangers + *evidence.same) / 2;
  } else {
    threshold_ = std::max(kDefaultThreshold, evidence.strangers.value_or(-1.0F));
  }
}

}  // namespace deepedge
