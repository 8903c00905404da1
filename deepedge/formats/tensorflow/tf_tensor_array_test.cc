#include "deepedge/formats/tensorflow/tf_tensor_array.h"

#include <random>

#include "deepedge/formats/tensorflow/graph_def.h"
#include "deepedge/formats/tensorflow/test_graph_def.h"

namespace deepedge {
namespace {

class TfTensorArrayTest : public FilesTest {
 protected:
  Result<ModelFiles> Rewrite(const std::string& graph) {
    std::error_code ec;
    std::filesystem::remove(folder() / "arrays.pb", ec);
    return RewriteJoinedArrays({ModelFormat::kTfFrozen, Write("g.pb", graph), {}}, folder());
  }
  bool Rewrites(const std::string& graph) {
    const auto rewritten = Rewrite(graph);
    EXPECT_TRUE(rewritten.ok()) << rewritten.error().message;
    return rewritten.ok() && rewritten.value().graph == folder() / "arrays.pb";
  }
};

TEST_F(TfTensorArrayTest, LetsTheLoopCarryWhatIsJoined) {
  const std::string source = TestTfJoiningLoop() + BytesField(4, NumberField(1, 27));
  EXPECT_TRUE(HasJoinedArrays(Write("g.pb", source)).value());
  ASSERT_TRUE(Rewrites(source));
  const Path path = folder() / "arrays.pb";
  EXPECT_FALSE(HasJoinedArrays(path).value());
  EXPECT_TRUE(ReadFile(path).value().ends_with(BytesField(4, NumberField(1, 27)))) << "other fields stay";
  auto file = BoundedFile::Open(path);
  ASSERT_TRUE(file.ok());
  TfGraph graph(file.value(), path);
  ASSERT_TRUE(graph.Read().ok());
  for (const TfNode& node : graph.nodes()) EXPECT_FALSE(node.op.starts_with("TensorArray")) << node.name;
  using Names = std::vector<std::string>;
  EXPECT_EQ(graph.Find("write")->op, "ConcatV2");
  EXPECT_EQ(graph.Find("write")->inputs, (Names{"a", "value", "write/axis"}));
  EXPECT_EQ(graph.Find("write/axis")->inputs, Names{"^a"});
  EXPECT_EQ(graph.Find("a/enter")->inputs, Names{"array"});
  EXPECT_EQ(graph.Find("join")->inputs, Names{"a/exit"});
  EXPECT_EQ(graph.Find("array/enter"), nullptr);
  EXPECT_EQ(graph.Find("size"), nullptr) << "a constant that nobody uses would be an output";
  const auto empty = graph.ReadConstant(*graph.Find("array"));
  ASSERT_TRUE(empty.ok()) << empty.error().message;
  EXPECT_EQ(empty.value().dims, (std::vector<int64_t>{0, 2}));
}

TEST_F(TfTensorArrayTest, TakesTheTypeOfTheElements) {
  ASSERT_TRUE(Rewrites(TestTfJoiningLoop({}, 3)));
  const Path path = folder() / "arrays.pb";
  auto file = BoundedFile::Open(path);
  ASSERT_TRUE(file.ok());
  TfGraph graph(file.value(), path);
  ASSERT_TRUE(graph.Read().ok());
  for (const char* name : {"a/enter", "a/merge", "a/switch", "a", "a/next", "a/exit", "write", "join"}) {
    const TfNode* node = graph.Find(name);
    ASSERT_NE(node, nullptr) << name;
    ASSERT_NE(node->Find("T"), nullptr) << name;
    EXPECT_EQ(node->Find("T")->number, kTfInt32) << name;
    EXPECT_EQ(std::count_if(node->attributes.begin(), node->attributes.end(),
                            [](const TfAttribute& a) { return a.key == "T"; }),
              1)
        << name;
  }
}

TEST_F(TfTensorArrayTest, ReadsOtherFormsOfTheSameLoop) {
  const std::string int_type = TestTfType("T", 3);
  const std::string merge = TestTfType("T", 1) + TestTfInt("N", 2);
  const std::string rows = TestTfShape("element_shape", {-1, 2});
  const std::string known = TestTfAttribute("element_shape_except0", BytesField(7, BytesField(2, NumberField(1, 2))));
  for (const auto& [what, other] : std::map<std::string, std::map<std::string, std::string>>{
           {"the other order", {{"a/merge", TestTfNode("a/merge", "Merge", {"a/next", "a/enter"}, merge)}}},
           {"one + i", {{"add", TestTfNode("add", "AddV2", {"one:0", "i"}, int_type)}}},
           {"with places from the start", {{"size", TestTfInts("size", {}, {4})}}},
           {"one place for each turn",
            {{"size", ""}, {"array", TestTfNode("array", "TensorArrayV3", {"turns"}, TestTfType("dtype", 1) + rows)}}},
           {"no Identity",
            {{"a", ""},
             {"write", TestTfNode("write", "TensorArrayWriteV3", {"array/enter", "i", "value", "a/switch:1"}, "")}}},
           {"the shape at the end",
            {{"array", TestTfNode("array", "TensorArrayV3", {"size"}, TestTfType("dtype", 1))},
             {"join", TestTfNode("join", "TensorArrayConcatV3", {"array", "a/exit"}, known)}}},
       }) {
    EXPECT_TRUE(Rewrites(TestTfJoiningLoop(other))) << what;
  }
}

TEST_F(TfTensorArrayTest, LeavesWhatItIsNotSureOf) {
  const std::string type = TestTfType("dtype", 1);
  const std::string any = TestTfAttribute("element_shape", BytesField(7, NumberField(3, 1)));
  const std::string open = TestTfAttribute(
      "element_shape", BytesField(7, BytesField(2, NumberField(1, 4)) + BytesField(2, NumberField(1, ~uint64_t{0}))));
  const std::string whole = TestTfShape("element_shape", {1, 2});
  const std::string same =
      TestTfShape("element_shape", {-1, 2}) + TestTfAttribute("identical_element_shapes", NumberField(5, 1));
  const std::string four = TestTfInts("size", {}, {4});
  const auto one_more = [](const std::string& node, const std::string& more) {
    return std::map<std::string, std::string>{{node, more}};
  };
  const std::string extra = TestTfNode("y", "Identity", {"join"}, TestTfType("T", 1));
  for (const auto& [what, other] : std::map<std::string, std::map<std::string, std::string>>{
           {"starts with zeros",
            {{"size", four}, {"array", TestTfNode("array", "TensorArrayV3", {"size"}, type + whole)}}},
           {"takes the shape of the first",
            {{"size", four}, {"array", TestTfNode("array", "TensorArrayV3", {"size"}, type + same)}}},
           {"of a size that nobody else asks for",
            {{"size", TestTfNode("size", "Neg", {"turns"}, TestTfType("T", 3))}}},
           {"elements of any rank", {{"array", TestTfNode("array", "TensorArrayV3", {"size"}, type + any)}}},
           {"elements of open width", {{"array", TestTfNode("array", "TensorArrayV3", {"size"}, type + open)}}},
           {"starts at one", {{"zero", TestTfInts("zero", {}, {1})}}},
           {"every other place", {{"one", TestTfInts("one", {}, {2})}}},
           {"always the same place",
            {{"write", TestTfNode("write", "TensorArrayWriteV3", {"array/enter", "one", "value", "a"}, "")}}},
           {"reads an element",
            one_more("y", extra + TestTfNode("r", "TensorArrayReadV3", {"array", "zero", "a/exit"}, type))},
           {"reads in the loop",
            one_more("y", extra + TestTfNode("r", "TensorArrayReadV3", {"array/enter", "i", "a"}, type))},
           {"asks for lengths", one_more("y", extra + TestTfNode("l", "Identity", {"join:1"}, TestTfType("T", 9)))},
           {"asks for the size", one_more("y", extra + TestTfNode("s", "TensorArraySizeV3", {"array", "a/exit"}, ""))},
           {"stacks", {{"join", TestTfNode("join", "TensorArrayGatherV3", {"array", "begin", "a/exit"}, type)}}},
           {"joins in the loop",
            one_more("y", extra + TestTfNode("j", "TensorArrayConcatV3", {"array/enter", "a"}, type))},
           {"does not loop", {{"a/next", ""}}},
           {"has no condition", {{"cond", ""}}},
           {"does not end", {{"a/exit", ""}}},
           {"has no elements", {{"write", ""}}},
       }) {
    EXPECT_FALSE(Rewrites(TestTfJoiningLoop(other))) << what;
  }
}

TEST_F(TfTensorArrayTest, SurvivesDamage) {
  const std::string graph = TestTfJoiningLoop();
  std::mt19937 random(3);  // NOLINT(cert-msc51-cpp): the same damage in every run
  int good = 0;
  for (int round = 0; round < 500; ++round) {
    std::string damaged = graph;
    for (int i = 0; i < 2; ++i) damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
    if (round % 4 == 0) damaged.resize(random() % damaged.size());
    HasJoinedArrays(Write("g.pb", damaged)).Ignore("only that it comes back counts");
    good += Rewrite(damaged).ok() ? 1 : 0;
  }
  EXPECT_GT(good, 0);
  EXPECT_LT(good, 500);
}

}  // namespace
}  // namespace deepedge
