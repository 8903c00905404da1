// NotesBeside of notes.h: which of the files beside a model say something about it.
#include <algorithm>

#include "deepedge/pipeline/card/notes.h"

namespace deepedge {
namespace {

constexpr int64_t kLargestFile = 1 << 20;
constexpr size_t kMostFiles = 64;
constexpr size_t kMostEntries = 1000;

// Small files of a folder, by name.
std::vector<Path> SmallFiles(const Path& folder) {
  std::vector<Path> files;
  std::error_code ec;
  size_t entries = 0;
  for (auto it = std::filesystem::directory_iterator(folder, ec); !ec && it != std::filesystem::directory_iterator();
       it.increment(ec)) {
    if (++entries > kMostEntries) break;
    std::error_code entry_error;
    if (!it->is_regular_file(entry_error) || it->file_size(entry_error) > kLargestFile || entry_error) continue;
    files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  if (files.size() > kMostFiles) files.resize(kMostFiles);
  return files;
}

bool IsLabelFile(const Path& file) {
  const std::string name = LowerCase(file.filename().string());
  if (name.ends_with(".names") || name.ends_with(".labels")) return true;
  if (!name.ends_with(".txt")) return false;
  for (const char* word : {"label", "class", "synset", "names", "categories"}) {
    if (name.find(word) != std::string::npos) return true;
  }
  return false;
}

void AddLabelFile(const Path& file, double confidence, Notes* notes) {
  const auto text = ReadFile(file, kLargestFile);
  if (!text.ok()) return;
  std::vector<std::string> labels = ParseLabelLines(text.value());
  if (!labels.empty()) notes->labels.push_back({std::move(labels), file.filename().string(), confidence});
}

// A name from another file: a plain name only, so that nothing outside the folder is read.
void AddNamedLabelFile(const Path& folder, const std::string& name, Notes* notes) {
  const Path plain = Path(name).filename();
  if (!plain.empty()) AddLabelFile(folder / plain, 0.97, notes);
}

Notes ReadOne(const Path& file) {
  const std::string name = LowerCase(file.filename().string());
  const std::string where = file.filename().string();
  const bool json = name.ends_with(".json");
  const bool config = name.ends_with(".pbtxt") && name.find("config") != std::string::npos;
  const bool yaml = name == "metadata.yaml" || name == "metadata.yml";
  const bool deepstream =
      name.ends_with(".txt") && (name.find("infer") != std::string::npos || name.find("config") != std::string::npos ||
                                 name.find("pgie") != std::string::npos);
  if (!json && !config && !yaml && !deepstream) return {};
  const auto text = ReadFile(file, kLargestFile);
  if (!text.ok()) return {};
  if (yaml) return NotesInUltralyticsYaml(text.value(), where);
  std::string label_file;
  Notes notes;
  if (json) notes = Merge(NotesInModelProc(text.value(), where), NotesInHuggingFace(text.value(), where));
  if (config) notes = NotesInTritonConfig(text.value(), where, &label_file);
  if (deepstream) notes = NotesInDeepStream(text.value(), where, &label_file);
  if (!label_file.empty()) AddNamedLabelFile(file.parent_path(), label_file, &notes);
  return notes;
}

}  // namespace

Notes NotesBeside(const ModelFiles& files) {
  std::vector<Path> folders{FolderOfModel(files)};
  std::error_code ec;
  const Path whole = std::filesystem::absolute(folders[0], ec).lexically_normal();
  const Path clean = whole.has_filename() ? whole : whole.parent_path();
  if (!ec && IsVersionFolder(clean)) folders.push_back(clean.parent_path());
  Notes notes;
  for (const Path& folder : folders) {
    const std::vector<Path> small = SmallFiles(folder);
    for (const Path& file : small) notes = Merge(std::move(notes), ReadOne(file));
    const std::string stem = LowerCase(files.graph.stem().string());
    for (const bool own : {true, false}) {  // a list that is called like the model comes first
      for (const Path& file : small) {
        const bool called = LowerCase(file.filename().string()).starts_with(stem);
        if (IsLabelFile(file) && called == own) AddLabelFile(file, own ? 0.95 : 0.9, &notes);
      }
    }
  }
  return notes;
}

}  // namespace deepedge
