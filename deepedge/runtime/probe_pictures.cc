#include "deepedge/runtime/probe_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "deepedge/base/log.h"
#include "deepedge/base/text.h"
#include "deepedge/ingest/picture_file.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostOfAFolder = 4;

bool IsPictureName(const Path& file) {
  constexpr std::array<std::string_view, 5> kExtensions{".jpg", ".jpeg", ".png", ".bmp", ".webp"};
  const std::string extension = LowerCase(file.extension().string());
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

// All pictures of a folder by name; hidden files are none.
Result<std::vector<Path>> PicturesIn(const Path& folder) {
  std::vector<Path> pictures;
  std::error_code ec;
  for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    std::error_code ignored;
    const bool hidden = it->path().filename().string().starts_with('.');
    if (!hidden && IsPictureName(it->path()) && it->is_regular_file(ignored)) pictures.push_back(it->path());
  }
  if (ec) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be listed: {}", folder.string(), ec.message())};
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

}  // namespace

Path ProbeFolder(const Path& repository) { return repository / "_probe"; }

Result<std::vector<Path>> FindProbePictures(const std::vector<std::string>& given) {
  std::vector<Path> files;
  for (const std::string& one : given) {
    std::error_code ec;
    if (!fs::is_directory(one, ec)) {
      files.emplace_back(one);
      continue;
    }
    DE_TRY(std::vector<Path> inside, PicturesIn(one));
    if (inside.empty()) {
      return Error{ErrorCode::kBadInput, fmt::format("{}: no picture (jpg, jpeg, png, bmp, webp) in this folder", one)};
    }
    inside.resize(std::min(inside.size(), kMostOfAFolder));
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

Result<std::vector<RgbPicture>> ReadPictures(const std::vector<Path>& files) {
  std::vector<RgbPicture> pictures;
  for (const Path& file : files) {
    DE_TRY(RgbPicture picture, ReadPicture(file));
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

std::vector<RgbPicture> ReadRepositoryPictures(const Path& repository) {
  std::vector<RgbPicture> pictures;
  const Path folder = ProbeFolder(repository);
  std::error_code ec;
  if (!fs::is_directory(folder, ec)) return pictures;
  const auto files = PicturesIn(folder);
  if (!files.ok()) {
    LogWarning("pictures to try models on: {}", files.error().message);
    return pictures;
  }
  for (const Path& file : files.value()) {
    if (pictures.size() == kMostOfAFolder) break;
    auto picture = ReadPicture(file);
    if (picture.ok()) {
      pictures.push_back(std::move(picture).value());
    } else {
      LogWarning("pictures to try models on: {}", picture.error().message);
    }
  }
  return pictures;
}

}  // namespace deepedge
