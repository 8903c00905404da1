#include "deepedge/repository/stored_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace deepedge {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr size_t kMostFiles = 10'000;

std::vector<std::string> Texts(const nlohmann::json& json, const char* key) {
  std::vector<std::string> texts;
  if (!json.contains(key) || !json[key].is_array()) return texts;
  for (const auto& item : json[key]) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::string Text(const nlohmann::json& json, const char* key) {
  return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

int64_t Whole(const nlohmann::json& json, const char* key) {
  return json.contains(key) && json[key].is_number_integer() ? json[key].get<int64_t>() : 0;
}

}  // namespace

std::string ToText(const ModelOrigin& origin) {
  ordered_json files = ordered_json::array();
  for (const StoredFile& file : origin.files) {
    files.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
  }
  const ordered_json json{{"sources", origin.sources},
                          {"catalogue", origin.catalogue},
                          {"name", origin.catalogue_name},
                          {"downloads", origin.downloads},
                          {"files", files},
                          {"assumptions", origin.assumptions},
                          {"described_by", origin.described_by},
                          {"card_by", origin.card_by},
                          {"added_us", origin.added_us}};
  return json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<ModelOrigin> ReadOrigin(const Path& file) {
  DE_TRY(const std::string text, ReadFile(file, 16 << 20));
  // Not the ordered kind, which looks for each key among all before it.
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return Error{ErrorCode::kBadInput, fmt::format("{}: is not what it was", file.string())};
  ModelOrigin origin{.sources = Texts(json, "sources"),
                     .catalogue = Text(json, "catalogue"),
                     .catalogue_name = Text(json, "name"),
                     .downloads = Texts(json, "downloads"),
                     .assumptions = Texts(json, "assumptions"),
                     .described_by = Text(json, "described_by"),
                     .card_by = Text(json, "card_by"),
                     .added_us = Whole(json, "added_us")};
  if (json.contains("files") && json["files"].is_array()) {
    for (const auto& item : json["files"]) {
      if (!item.is_object()) continue;
      origin.files.push_back({Text(item, "name"), Whole(item, "size"), Text(item, "sha256")});
    }
  }
  return origin;
}

Result<std::vector<StoredFile>> ListFiles(const Path& folder) {
  std::vector<StoredFile> files;
  std::error_code ec;
  for (auto it = fs::recursive_directory_iterator(folder, ec); !ec && it != fs::recursive_directory_iterator();
       it.increment(ec)) {
    if (it->path().filename().string().starts_with('.')) {
      it.disable_recursion_pending();
      continue;
    }
    const fs::file_type type = it->symlink_status(ec).type();
    if (type == fs::file_type::directory) continue;
    if (type != fs::file_type::regular) {
      return Error{ErrorCode::kBadInput, fmt::format("{}: is neither a file nor a folder", it->path().string())};
    }
    if (files.size() == kMostFiles) {
      return Error{ErrorCode::kBadInput, fmt::format("{}: holds more than {} files", folder.string(), kMostFiles)};
    }
    DE_TRY(std::string sha256, Sha256OfFile(it->path()));
    files.push_back(
        {it->path().lexically_relative(folder).string(), static_cast<int64_t>(it->file_size(ec)), std::move(sha256)});
  }
  if (ec) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be listed: {}", folder.string(), ec.message())};
  std::sort(files.begin(), files.end(), [](const StoredFile& a, const StoredFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace deepedge
