#include "deepedge/formats/paddle_version.h"

#include "deepedge/formats/sniff.h"
#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

using PaddleVersionTest = FilesTest;

std::string Program(uint64_t version) {
  const std::string block = NumberField(1, 0) + NumberField(2, 0) + BytesField(3, BytesField(1, "x"));
  return BytesField(1, block) + BytesField(4, NumberField(1, version)) + BytesField(5, "");
}

TEST_F(PaddleVersionTest, SetsTheVersionToZeroAndChangesNothingElse) {
  const ModelFiles files{ModelFormat::kPaddle, Write("__model__", Program(1'008'001)), Write("__params__", "weights")};
  EXPECT_EQ(ReadPaddleVersion(files.graph).value(), 1'008'001);
  const Path target = folder() / "rewritten";
  std::filesystem::create_directory(target);
  const auto rewritten = RewritePaddleVersion(files, target);
  ASSERT_TRUE(rewritten.ok()) << rewritten.error().message;
  EXPECT_EQ(rewritten.value().graph, target / "model.pdmodel");
  EXPECT_EQ(ReadPaddleVersion(rewritten.value().graph).value(), 0);
  EXPECT_EQ(ReadFile(rewritten.value().weights).value(), "weights");
  const std::string before = Program(1'008'001);
  const std::string after = ReadFile(rewritten.value().graph).value();
  ASSERT_EQ(after.size(), before.size());
  int different = 0;
  for (size_t i = 0; i < before.size(); ++i) different += before[i] != after[i] ? 1 : 0;
  EXPECT_LE(different, 3);
}

TEST_F(PaddleVersionTest, LeavesAProgramWithoutVersionAlone) {
  const std::string program = BytesField(1, "");
  const ModelFiles files{ModelFormat::kPaddle, Write("__model__", program), {}};
  EXPECT_EQ(ReadPaddleVersion(files.graph).value(), 0);
  const auto rewritten = RewritePaddleVersion(files, folder());
  ASSERT_TRUE(rewritten.ok());
  EXPECT_EQ(ReadFile(rewritten.value().graph).value(), program);
  EXPECT_TRUE(rewritten.value().weights.empty());
}

TEST_F(PaddleVersionTest, RefusesADamagedProgram) {
  const Path path = Write("__model__", Program(1'008'001).substr(0, 12));
  EXPECT_EQ(ReadPaddleVersion(path).status().error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace deepedge
