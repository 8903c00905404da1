#include "deepedge/pipeline/gallery/gallery_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace deepedge {
namespace {

using nlohmann::json;

constexpr int64_t kLargestFile = int64_t{256} << 20;
constexpr int kVersion = 1;
constexpr int kDeepest = 8;

// Says what is wrong where, and is turned into an Error about the file.
struct Fault {
  std::string what;
};

// A parser makes an object of every bracket: deeply nested files would cost much more than their size.
bool IsNestedDeeply(const std::string& text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

const json& Member(const json& object, const char* key, const char* expected, bool (json::*is)() const noexcept) {
  const auto it = object.find(key);
  if (it == object.end() || !((*it).*is)()) throw Fault{fmt::format("'{}' must be {}", key, expected)};
  return *it;
}

std::string Text(const json& object, const char* key) {
  return Member(object, key, "text", &json::is_string).get<std::string>();
}

void ReadEmbedding(const json& entry, Gallery& gallery) {
  if (!entry.is_object()) throw Fault{"expected a name and its values"};
  const json& values = Member(entry, "values", "a list of numbers", &json::is_array);
  if (values.size() > Gallery::kMostNumbers) throw Fault{fmt::format("'values' has {} numbers", values.size())};
  std::vector<float> embedding;
  for (const json& value : values) {
    if (!value.is_number()) throw Fault{"'values' must be a list of numbers"};
    embedding.push_back(static_cast<float>(value.get<double>()));
  }
  const Status added = gallery.Add(Text(entry, "name"), embedding, Text(entry, "source"));
  if (!added.ok()) throw Fault{added.error().message};
}

Gallery ReadAll(const json& root) {
  if (!root.is_object() || !root.contains("deepedge_gallery")) throw Fault{"is no gallery of DeepEdge"};
  const json& version = root["deepedge_gallery"];
  if (!version.is_number_integer() || version.get<int64_t>() != kVersion) {
    throw Fault{fmt::format("is a gallery of version {}, this program reads {}", version.dump(), kVersion)};
  }
  const json& model = Member(root, "model", "a model", &json::is_object);
  Gallery gallery({.name = Text(model, "name"),
                   .sha256 = Text(model, "sha256"),
                   .named = Text(model, "named"),
                   .detector = Text(model, "detector")});
  const double threshold = Member(root, "threshold", "a number", &json::is_number).get<double>();
  if (!(threshold >= -1 && threshold <= 1)) throw Fault{"'threshold' must be between -1 and 1"};
  const std::string by = Text(root, "threshold_by");
  if (by != "user" && by != "evidence") throw Fault{"'threshold_by' must be user or evidence"};
  gallery.SetThreshold(static_cast<float>(threshold), by == "user");
  const json& entries = Member(root, "embeddings", "a list", &json::is_array);
  for (size_t i = 0; i < entries.size(); ++i) {
    try {
      ReadEmbedding(entries[i], gallery);
    } catch (const Fault& fault) {
      throw Fault{fmt::format("embedding {}: {}", i + 1, fault.what)};
    }
  }
  return gallery;
}

}  // namespace

Result<Gallery> ParseGallery(const std::string& text, const Path& file) {
  const auto bad = [&](const std::string& what) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: {}", file.string(), what)};
  };
  if (IsNestedDeeply(text)) return bad("is no gallery of DeepEdge");
  try {
    return ReadAll(json::parse(text));
  } catch (const Fault& fault) {
    return bad(fault.what);
  } catch (const json::parse_error& error) {
    return bad(fmt::format("is no JSON (at byte {})", error.byte));
  } catch (const std::exception&) {
    return bad("is no gallery of DeepEdge");
  }
}

std::string GalleryText(const Gallery& gallery) {
  const GalleryModel& model = gallery.model();
  nlohmann::ordered_json root{
      {"deepedge_gallery", kVersion},
      {"model", {{"name", model.name}, {"sha256", model.sha256}, {"named", model.named}, {"detector", model.detector}}},
      {"threshold", gallery.threshold()},
      {"threshold_by", gallery.user_set_threshold() ? "user" : "evidence"},
      {"embeddings", nlohmann::ordered_json::array()}};
  for (size_t i = 0; i < gallery.size(); ++i) {
    const auto values = gallery.EmbeddingAt(i);
    root["embeddings"].push_back({{"name", gallery.NameOf(i)},
                                  {"source", gallery.SourceOf(i)},
                                  {"values", std::vector<float>(values.begin(), values.end())}});
  }
  return root.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<Gallery> ReadGallery(const Path& file) {
  DE_TRY(const std::string text, ReadFile(file, kLargestFile));
  return ParseGallery(text, file);
}

Status WriteGallery(const Path& file, const Gallery& gallery) {
  return WriteFileAtomically(file, GalleryText(gallery));
}

}  // namespace deepedge
