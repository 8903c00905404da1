// NotesBeside of notes.h: which of the files beside a model say something about it.
#include <algorithm>

#include "deepedge/base/text.h"
#include "deepedge/model/note_files.h"
#include "deepedge/pipeline/card/notes.h"

namespace deepedge {
namespace {

void AddLabelFile(const Path& file, double confidence, Notes* notes) {
  const auto text = ReadFile(file, kLargestNote);
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
  const std::string where = file.filename().string();
  const NoteKind kind = NoteKindOf(where);
  if (kind == NoteKind::kNone || kind == NoteKind::kLabels) return {};
  const auto text = ReadFile(file, kLargestNote);
  if (!text.ok()) return {};
  if (kind == NoteKind::kMetadata) return NotesInUltralyticsYaml(text.value(), where);
  std::string label_file;
  Notes notes;
  if (kind == NoteKind::kJson)
    notes = Merge(NotesInModelProc(text.value(), where), NotesInHuggingFace(text.value(), where));
  if (kind == NoteKind::kTriton) label_file = LabelFileInTritonConfig(text.value());
  if (kind == NoteKind::kDeepStream) notes = NotesInDeepStream(text.value(), where, &label_file);
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
    const std::vector<Path> small = SmallFilesOf(folder);
    for (const Path& file : small) notes = Merge(std::move(notes), ReadOne(file));
    const std::string stem = LowerCase(files.graph.stem().string());
    for (const bool own : {true, false}) {  // a list that is called like the model comes first
      for (const Path& file : small) {
        const bool called = LowerCase(file.filename().string()).starts_with(stem);
        if (IsLabelFileName(file.filename().string()) && called == own) AddLabelFile(file, own ? 0.95 : 0.9, &notes);
      }
    }
  }
  return notes;
}

}  // namespace deepedge
