#include "deepedge/profiler/meter/proc_text.h"

#include <gtest/gtest.h>

#include "deepedge/profiler/meter/fake_tree_for_test.h"

namespace deepedge {
namespace {

TEST(ProcText, AmountsAreDigitsThatFit) {
  EXPECT_EQ(ParseAmount("0"), 0);
  EXPECT_EQ(ParseAmount("9223372036854775807"), INT64_MAX);
  for (const char* text :
       {"", "-1", "+1", "9223372036854775808", "1e3", "1 ", " 1", "0x10", "nan", "99999999999999999999999999999999"}) {
    EXPECT_FALSE(ParseAmount(text)) << text;
  }
}

TEST(ProcText, DecimalsHaveNeitherSignNorExponent) {
  EXPECT_DOUBLE_EQ(ParseDecimal("39.52").value(), 39.52);
  EXPECT_DOUBLE_EQ(ParseDecimal("7").value(), 7);
  for (const char* text : {"", ".5", "5.", "-1.0", "1e9", "inf", "nan", "1.0.0", "111111111111111111111.0"}) {
    EXPECT_FALSE(ParseDecimal(text)) << text;
  }
}

TEST(ProcText, ListsOfCpusAreAscending) {
  EXPECT_EQ(ParseCpuList("0-3,7\n").value(), (std::vector<int>{0, 1, 2, 3, 7}));
  EXPECT_TRUE(ParseCpuList("\n").value().empty());
  for (const char* text : {"3-1", "0,0", "1,0", "0-", "-", "a", "0,", ",0", "0-99999999999", "4096", "0--1"}) {
    const auto cpus = ParseCpuList(text);
    ASSERT_FALSE(cpus.ok()) << text;
    EXPECT_NE(cpus.error().message.find("list of CPUs"), std::string::npos);
  }
}

TEST(ProcText, ListsOfCpusAreWrittenAsTheyAreRead) {
  for (const char* text : {"", "0", "0-1", "0-3,7", "1,3,5-6"}) {
    EXPECT_EQ(CpuListText(ParseCpuList(text).value()), text);
  }
}

TEST(ProcText, LinesAndWords) {
  std::string_view rest = "a  b\t c\n\nlast";
  EXPECT_EQ(Words(*NextLine(rest)), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(NextLine(rest), "");
  EXPECT_EQ(NextLine(rest), "last");
  EXPECT_FALSE(NextLine(rest));
}

TEST(ProcText, ReadsOnlyTheBeginningAndNamesWhatIsMissing) {
  const FakeTree tree;
  tree.Write("proc/x", "0123456789");
  tree.Write("proc/empty", "");
  EXPECT_EQ(ReadProcFile(tree.root(), "proc/x", 4).value(), "0123");
  EXPECT_EQ(ReadProcFile(tree.root(), "proc/none").error().code, ErrorCode::kNotFound);
  EXPECT_NE(ReadProcFile(tree.root(), "proc/empty").error().message.find("proc/empty: is empty"), std::string::npos);
  EXPECT_FALSE(ReadProcFile(tree.root(), "proc").ok());
}

}  // namespace
}  // namespace deepedge
