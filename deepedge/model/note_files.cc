#include "deepedge/model/note_files.h"

#include <algorithm>

#include "deepedge/base/text.h"

namespace deepedge {
namespace {

constexpr size_t kMostFiles = 64;
constexpr size_t kMostEntries = 1000;

bool HasOneOf(const std::string& name, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return name.find(word) != std::string::npos; });
}

}  // namespace

bool IsLabelFileName(const std::string& file_name) {
  const std::string name = LowerCase(file_name);
  if (name.ends_with(".names") || name.ends_with(".labels")) return true;
  return name.ends_with(".txt") && HasOneOf(name, {"label", "class", "synset", "names", "categories"});
}

NoteKind NoteKindOf(const std::string& file_name) {
  const std::string name = LowerCase(file_name);
  if (name.ends_with(".json")) return NoteKind::kJson;
  if (name.ends_with(".pbtxt") && HasOneOf(name, {"config"})) return NoteKind::kTriton;
  if (name == "metadata.yaml" || name == "metadata.yml") return NoteKind::kMetadata;
  if (name.ends_with(".txt") && HasOneOf(name, {"infer", "config", "pgie"})) return NoteKind::kDeepStream;
  return IsLabelFileName(file_name) ? NoteKind::kLabels : NoteKind::kNone;
}

std::vector<Path> SmallFilesOf(const Path& folder) {
  std::vector<Path> files;
  std::error_code ec;
  size_t entries = 0;
  for (auto it = std::filesystem::directory_iterator(folder, ec); !ec && it != std::filesystem::directory_iterator();
       it.increment(ec)) {
    if (++entries > kMostEntries) break;
    std::error_code entry_error;
    if (!it->is_regular_file(entry_error) || it->file_size(entry_error) > static_cast<uintmax_t>(kLargestNote) ||
        entry_error) {
      continue;
    }
    files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  if (files.size() > kMostFiles) files.resize(kMostFiles);
  return files;
}

}  // namespace deepedge
