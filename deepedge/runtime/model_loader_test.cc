#include "deepedge/runtime/model_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

using testing::HasSubstr;

TEST(LocateModel, TellsMissingFromOutOfReach) {
  auto folder = TemporaryFolder::Create("de_loader_test");
  ASSERT_TRUE(folder.ok());
  const Path& root = folder.value().path();
  std::filesystem::create_directory(root / "here");
  EXPECT_EQ(LocateModel("here", root).value(), root / "here");
  const auto missing = LocateModel("nothing", root);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr((root / "nothing").string()));
  std::filesystem::create_symlink(root / "loop", root / "loop");
  const auto loop = LocateModel("loop", root);
  ASSERT_FALSE(loop.ok());
  EXPECT_EQ(loop.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(loop.error().message, HasSubstr("symbolic links"));
}

TEST(LocateModel, TakesTheVersionThatServesOrTheOneThatIsNamed) {
  auto folder = TemporaryFolder::Create("de_loader_test");
  ASSERT_TRUE(folder.ok());
  const Path& root = folder.value().path();
  for (const char* version : {"1", "2"}) std::filesystem::create_directories(root / "net" / version);
  EXPECT_EQ(LocateModel("net", root).value(), root / "net" / "2");
  ASSERT_TRUE(WriteFileAtomically(root / "net" / "model.yaml", "version: 1\noutput: { decoder: raw }\n").ok());
  EXPECT_EQ(LocateModel("net", root).value(), root / "net" / "1");
  EXPECT_EQ(LocateModel("net@2", root).value(), root / "net" / "2");
  // A path to it says the same as its name.
  EXPECT_EQ(LocateModel((root / "net").string(), "/nowhere").value(), root / "net" / "1");
  const auto missing = LocateModel("net@3", root);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().message, HasSubstr("it has: 1, 2"));
}

TEST(LocateModel, AFolderOfThatNameDoesNotHideAModel) {
  auto folder = TemporaryFolder::Create("de_loader_test");
  ASSERT_TRUE(folder.ok());
  const Path root = folder.value().path() / "models";
  const Path here = folder.value().path() / "here";
  const Path before = std::filesystem::current_path();
  for (const char* name : {"net", "net.v2", "net.onnx"}) std::filesystem::create_directories(root / name);
  for (const char* name : {"net", "net.v2", "own"}) std::filesystem::create_directories(here / name);
  ASSERT_TRUE(WriteFileAtomically(here / "net.onnx", "x").ok());
  std::filesystem::current_path(here);
  const auto place = [&](const char* name) { return LocateModel(name, root).value(); };
  EXPECT_EQ(place("net"), root / "net");
  EXPECT_EQ(place("net.v2"), root / "net.v2");
  EXPECT_EQ(place("./net"), "./net");
  EXPECT_EQ(place("net.onnx"), "net.onnx");  // a file
  EXPECT_EQ(place("own"), "own");            // the repository has none of that name
  std::filesystem::current_path(before);
}

TEST(LocateModel, DoesNotTakeAnAddressWithoutItsHash) {
  const auto refused = LocateModel("https://u:s3cret@a.org/net.onnx", "/nowhere");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("deepedge model add"));
  EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("s3cret")));
}

TEST(PyramidSizes, GoDownToTheWindow) {
  ModelCard card;
  card.input.width = 64;
  card.input.height = 32;
  EXPECT_TRUE(PyramidSizes(card).value().empty()) << "no pyramid";
  card.input.pyramid = 0.5F;
  card.output.window = 8;
  EXPECT_EQ(PyramidSizes(card).value(), (std::vector<LevelSize>{{32, 16}, {16, 8}}));
  card.output.window = 33;
  EXPECT_FALSE(PyramidSizes(card).ok());
  card.output.window = 1;
  card.input.pyramid = 0.95F;
  const auto many = PyramidSizes(card);
  ASSERT_FALSE(many.ok());
  EXPECT_NE(many.error().message.find("more than 32 sizes"), std::string::npos) << many.error().message;
}

TEST(CheckHash, RefusesAFileWithAnotherHash) {
  auto folder = TemporaryFolder::Create("de_loader_test");
  ASSERT_TRUE(folder.ok());
  const Path file = folder.value().path() / "net.onnx";
  ASSERT_TRUE(WriteFileAtomically(file, "abc").ok());
  const std::string right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const ModelFiles files{.format = ModelFormat::kOnnx, .graph = file};
  EXPECT_TRUE(CheckHash(files, right).ok());
  const std::string wrong(64, '0');
  const Status refused = CheckHash(files, wrong);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  for (const std::string& part : {file.string(), right, wrong}) EXPECT_THAT(refused.error().message, HasSubstr(part));
}

TEST(CheckHash, KnowsASavedModelByItsGraph) {
  auto folder = TemporaryFolder::Create("de_loader_test");
  ASSERT_TRUE(folder.ok());
  ASSERT_TRUE(WriteFileAtomically(folder.value().path() / "saved_model.pb", "abc").ok());
  const ModelFiles files{.format = ModelFormat::kTfSavedModel, .graph = folder.value().path()};
  EXPECT_TRUE(CheckHash(files, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").ok());
}

}  // namespace
}  // namespace deepedge
