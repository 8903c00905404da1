#include "deepedge/formats/paddle_parameters.h"

#include "deepedge/formats/sniff.h"
#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

using PaddleParametersTest = FilesTest;

std::string Variable(std::string_view name, bool persistable, uint64_t type = 7) {
  return BytesField(3, BytesField(1, name) + BytesField(2, NumberField(1, type)) + NumberField(3, persistable ? 1 : 0));
}

std::string Program(const std::string& variables) {
  return BytesField(1, NumberField(1, 0) + NumberField(2, 0) + variables) + BytesField(4, NumberField(1, 0));
}

// A parameter of bytes (uint8).
std::string Parameter(std::string_view numbers, uint64_t count) {
  const std::string description = NumberField(1, 20) + NumberField(2, count);
  std::string file(20, '\0');
  file[16] = static_cast<char>(description.size());
  return file + description + std::string(numbers);
}

TEST_F(PaddleParametersTest, JoinsFilesInTheOrderOfTheirNames) {
  const Path program =
      Write("__model__", Program(Variable("w_2", true) + Variable("feed", true, 9) + Variable("x", false) +
                                 Variable("conv/w_10", true) + Variable("b", true)));
  EXPECT_EQ(PaddleParameterNames(program).value(), (std::vector<std::string>{"b", "conv/w_10", "w_2"}));
  Write("w_2", Parameter("two", 3));
  Write("conv/w_10", Parameter("ten", 3));
  Write("b", Parameter("bias", 4));
  Write("other", Parameter("unused", 6));
  // Found like any model; the folder stands for its weights.
  const auto files = FindModelFiles(folder());
  ASSERT_TRUE(files.ok()) << files.error().message;
  EXPECT_EQ(files.value().graph, program);
  EXPECT_EQ(files.value().weights, folder());
  ASSERT_TRUE(CombinePaddleParameters(program, folder(), folder() / "all").ok());
  EXPECT_EQ(ReadFile(folder() / "all").value(), Parameter("bias", 4) + Parameter("ten", 3) + Parameter("two", 3));
}

TEST_F(PaddleParametersTest, NamesTheFileThatIsWrong) {
  const Path program = Write("__model__", Program(Variable("a", true)));
  const auto combine = [&] { return CombinePaddleParameters(program, folder(), folder() / "all"); };
  EXPECT_EQ(combine().error().code, ErrorCode::kNotFound);
  for (const std::string& wrong : {Parameter("numbers", 8), Parameter("numbers", 6), std::string("short"),
                                   std::string(100, '\xFF'), Parameter("numbers", ~uint64_t{0})}) {
    Write("a", wrong);
    const Status status = combine();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kBadInput);
    EXPECT_NE(status.error().message.find((folder() / "a").string()), std::string::npos) << status.error().message;
  }
  // One file under a thousand names is joined once at most.
  Write("a", Parameter("seven77", 7));
  const Path again = Write("p3", Program(Variable("a", true) + Variable("./a", true) + Variable("x/../a", true)));
  const Status twice = CombinePaddleParameters(again, folder(), folder() / "all");
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message.find("by a second name"), std::string::npos) << twice.error().message;
  const Path outside = Write("p2", Program(Variable("../a", true)));
  EXPECT_EQ(CombinePaddleParameters(outside, folder(), folder() / "all").error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace deepedge
