#include "deepedge/formats/tflite_labels.h"

#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

using TfliteLabelsTest = FilesTest;

std::string Little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

struct File {
  std::string name;
  std::string content;
  uint64_t method = 0;
};

// An archive behind other bytes, offsets counted from the start of the archive or of the whole file.
std::string Archive(const std::string& before, const std::vector<File>& files, bool from_start = true) {
  std::string text = before;
  std::string directory;
  const size_t base = from_start ? 0 : before.size();
  for (const File& file : files) {
    const std::string sizes = Little(file.content.size(), 4) + Little(file.content.size(), 4);
    directory += "PK\1\2" + Little(20, 2) + Little(20, 2) + Little(0, 2) + Little(file.method, 2) + Little(0, 8) +
                 sizes + Little(file.name.size(), 2) + Little(0, 2) + Little(0, 2) + Little(0, 8) +
                 Little(text.size() - base, 4) + file.name;
    text += "PK\3\4" + Little(20, 2) + Little(0, 2) + Little(file.method, 2) + Little(0, 8) + sizes +
            Little(file.name.size(), 2) + Little(0, 2) + file.name + file.content;
  }
  const size_t offset = text.size() - base;
  return text + directory + "PK\5\6" + Little(0, 4) + Little(files.size(), 2) + Little(files.size(), 2) +
         Little(directory.size(), 4) + Little(offset, 4) + Little(0, 2);
}

TEST_F(TfliteLabelsTest, ReadsTheTextFileOfAnAppendedArchive) {
  const std::string model(100, 'm');
  const auto labels = [&](const std::string& content) { return ReadTfliteLabels(Write("m.tflite", content)).value(); };
  EXPECT_EQ(labels(Archive(model, {{"labelmap.txt", "cat\ndog\n"}})), "cat\ndog\n");
  EXPECT_EQ(labels(Archive(model, {{"labelmap.txt", "cat\ndog\n"}}, false)), "cat\ndog\n");
  EXPECT_EQ(labels(Archive(model, {{"readme.txt", "x"}, {"a.png", "y"}, {"labels.txt", "cat"}})), "cat");
  EXPECT_EQ(labels(Archive(model, {{"labels.txt", "damaged", 8}})), "");
  EXPECT_EQ(labels(Archive(model, {{"labels.txt", "unknown", 9}})), "");
  EXPECT_EQ(labels(model), "");
  EXPECT_EQ(labels("PK\5\6"), "");
}

TEST_F(TfliteLabelsTest, TellsNotesFromLabels) {
  const std::string notes = "{'names': {0: 'cat'}}";
  const Path model = Write("m.tflite", Archive("model", {{"temp_meta.txt", notes}}));
  EXPECT_EQ(ReadTfliteNotes(model).value(), notes);
  EXPECT_EQ(ReadTfliteLabels(model).value(), "");
}

TEST_F(TfliteLabelsTest, SurvivesDamage) {
  const std::string good = Archive("model", {{"labels.txt", "cat\ndog\n"}, {"b.txt", "x"}});
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'\0', '\x7F', '\xFF'}) {
      std::string damaged = good;
      damaged[at] = byte;
      const auto labels = ReadTfliteLabels(Write("m.tflite", damaged));
      EXPECT_LE(labels.ok() ? labels.value().size() : 0, good.size());
    }
  }
}

}  // namespace
}  // namespace deepedge
