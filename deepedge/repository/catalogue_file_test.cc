#include "deepedge/repository/catalogue_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deepedge/model/catalogue.h"

namespace deepedge {
namespace {

using testing::HasSubstr;

const std::string kHash(64, 'a');

std::string OneModel(const std::string& file) {
  return "models:\n  m:\n    licence: MIT\n    files:\n      - " + file + "\n";
}
const std::string kGood = "{ name: net.onnx, sha256: " + kHash + ", size: 3, urls: [net.onnx] }";

TEST(CatalogueFile, ReadsModelsWithTheirCards) {
  const auto catalogue = ParseCatalogue(
      OneModel(kGood) +
          "    card: { input: { width: 32, height: 32 }, output: { decoder: yolox }, labels_file: coco80.txt }\n",
      "c.yaml");
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  const CatalogueModel* model = catalogue.value().Find("m");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->Bytes(), 3);
  EXPECT_EQ(model->licence, "MIT");
  ASSERT_TRUE(model->card.has_value());
  EXPECT_EQ(model->card->labels.size(), 80U);
  EXPECT_EQ(catalogue.value().Find("n"), nullptr);
}

TEST(CatalogueFile, NamesWhatIsWrong) {
  const auto file = [](const std::string& name, const std::string& hash, const std::string& rest) {
    return OneModel("{ name: " + name + ", sha256: '" + hash + "', " + rest + " }");
  };
  const std::pair<std::string, std::string> cases[] = {
      {file("../evil", kHash, "size: 1, urls: [a]"), "c.yaml:5: models.m.files[0].name: expected the name of a file"},
      {file("/etc/x", kHash, "size: 1, urls: [a]"), "without '..'"},
      {file("a/.ssh", kHash, "size: 1, urls: [a]"), "not hidden"},
      {file("a", "AB", "size: 1, urls: [a]"), "64 hexadecimal digits"},
      {file("a", kHash, "urls: [a]"), "size in bytes"},
      {file("a", kHash, "size: -1, urls: [a]"), "from 0 to"},
      {file("a", kHash, "size: 1, urls: []"), "1 to 20 addresses"},
      {file("a", kHash, "size: 1, urls: [a], extra: 1"), "extra"},
      {"models: { 'a/b': { files: [] } }", "no name for a model"},
      {"models: { m: { files: [] } }", "1 to 100 files"},
      {"models: [a]", "a table of at most"},
      {"", "a table of at most"},
      {"other: 1", "other"},
      {OneModel(kGood) + "      - " + kGood, "a second file of that name"},
      {OneModel(kGood) + "    card: { output: { decoder: magic } }", "magic"},
      {OneModel(kGood) + "    card: { output: { decoder: raw }, labels_file: passwd }", "no label list of DeepEdge"},
  };
  for (const auto& [text, part] : cases) {
    const auto catalogue = ParseCatalogue(text, "c.yaml");
    ASSERT_FALSE(catalogue.ok()) << text;
    EXPECT_EQ(catalogue.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(catalogue.error().message, HasSubstr(part));
  }
}

TEST(CatalogueFile, FindsFilesBesideIt) {
  EXPECT_EQ(ResolveCatalogueUrl("nets/a.onnx", "/mnt/stick/c.yaml", {}).value().path, "/mnt/stick/nets/a.onnx");
  EXPECT_EQ(ResolveCatalogueUrl("nets/a.onnx", "https://a.org/x/c.yaml", {}).value().url,
            "https://a.org/x/nets/a.onnx");
  EXPECT_EQ(ResolveCatalogueUrl("o/r@v:a.onnx", "built-in", {}).value().url,
            "https://raw.githubusercontent.com/o/r/v/a.onnx");
  for (const auto& [url, where] :
       std::vector<std::pair<std::string, std::string>>{{"../a.onnx", "/mnt/c.yaml"},
                                                        {"/etc/passwd", "https://a.org/c.yaml"},
                                                        {"a.onnx", "built-in"},
                                                        {"file:///etc/passwd", "https://a.org/c.yaml"},
                                                        {"http://a.org/a.onnx", "https://a.org/c.yaml"}}) {
    EXPECT_FALSE(ResolveCatalogueUrl(url, where, {}).ok()) << url;
  }
}

TEST(CatalogueFile, BuiltInOneIsWhole) {
  const auto catalogue = BuiltInCatalogue();
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  EXPECT_GE(catalogue.value().models.size(), 30U);
  for (const CatalogueModel& model : catalogue.value().models) {
    SCOPED_TRACE(model.name);
    EXPECT_FALSE(model.licence.empty());
    EXPECT_FALSE(model.description.empty());
    for (const CatalogueModelFile& file : model.files) {
      for (const std::string& url : file.urls) {
        const auto spec = ResolveCatalogueUrl(url, "built-in", {});
        ASSERT_TRUE(spec.ok()) << spec.error().message;
        EXPECT_EQ(spec.value().kind, ModelSourceKind::kUrl);
      }
      // A model that DeepEdge has a card for goes by the card's name, with its format behind it if there are several.
      if (const auto card = FindInCatalogue(file.sha256)) {
        EXPECT_THAT(model.name, testing::StartsWith(card->name));
      }
    }
  }
}

TEST(SearchCatalogue, LooksIntoTasksAndLabels) {
  const CatalogueFileContent catalogue = BuiltInCatalogue().value();
  const auto names = [&](std::string_view text) {
    std::vector<std::string> found;
    for (const CatalogueModel* model : SearchCatalogue(catalogue, text)) found.push_back(model->name);
    return found;
  };
  EXPECT_THAT(names("YOLOX"), testing::ElementsAre("yolox_nano"));
  EXPECT_THAT(names("bicycle"), testing::Contains("yolox_nano"));
  EXPECT_THAT(names("face mask"), testing::Contains("aizoo_mask_tf"));
  EXPECT_THAT(names("no such thing"), testing::IsEmpty());
  EXPECT_EQ(names("").size(), catalogue.models.size());
}

}  // namespace
}  // namespace deepedge
