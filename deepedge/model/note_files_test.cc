#include "deepedge/model/note_files.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(NoteFiles, AreKnownByTheirNames) {
  const struct {
    const char* name;
    NoteKind kind;
  } cases[] = {
      {"labels.txt", NoteKind::kLabels},
      {"coco.names", NoteKind::kLabels},
      {"Classes.TXT", NoteKind::kLabels},
      {"model_proc.json", NoteKind::kJson},
      {"config.pbtxt", NoteKind::kTriton},
      {"graph.pbtxt", NoteKind::kNone},
      {"metadata.yaml", NoteKind::kMetadata},
      {"model.yaml", NoteKind::kNone},
      {"config_infer_primary.txt", NoteKind::kDeepStream},
      {"README.txt", NoteKind::kNone},
      {"net.onnx", NoteKind::kNone},
  };
  for (const auto& c : cases) EXPECT_EQ(NoteKindOf(c.name), c.kind) << c.name;
  EXPECT_TRUE(IsLabelFileName("config_labels.txt"));
  EXPECT_FALSE(IsLabelFileName("notes.txt"));
}

TEST(NoteFiles, OnlySmallRegularFilesAreLookedAt) {
  const auto folder = TemporaryFolder::Create("de_note_files_test");
  ASSERT_TRUE(folder.ok());
  const Path& root = folder.value().path();
  std::filesystem::create_directory(root / "a.json");
  ASSERT_TRUE(WriteFileAtomically(root / "labels.txt", "cat\n").ok());
  ASSERT_TRUE(WriteFileAtomically(root / "large.json", std::string(kLargestNote + 1, ' ')).ok());
  EXPECT_EQ(SmallFilesOf(root), std::vector<Path>{root / "labels.txt"});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(WriteFileAtomically(root / (std::to_string(i) + ".json"), "{}").ok());
  EXPECT_EQ(SmallFilesOf(root).size(), 64U);
}

}  // namespace
}  // namespace deepedge
