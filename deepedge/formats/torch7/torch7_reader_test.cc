#include "deepedge/formats/torch7/torch7_reader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <optional>

#include "deepedge/formats/cost_for_test.h"
#include "deepedge/formats/damage_for_test.h"
#include "deepedge/formats/run_model_for_test.h"
#include "deepedge/formats/test_files.h"
#include "deepedge/formats/torch7/network.h"
#include "deepedge/formats/torch7/write_for_test.h"

namespace deepedge::torch7 {
namespace {

using Numbers = std::vector<float>;

std::string Num(double v) { return Writer::Number(v); }

Result<std::shared_ptr<ov::Model>> Read(const std::string& bytes) {
  KeepSeed("torch7", bytes);
  return ReadTorch7(Path("net.t7"), bytes);
}

void ExpectError(const std::string& bytes, ErrorCode code, const std::vector<std::string>& parts) {
  const auto read = Read(bytes);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, code) << read.error().message;
  EXPECT_NE(read.error().message.find("net.t7: "), std::string::npos) << read.error().message;
  for (const std::string& part : parts) {
    EXPECT_NE(read.error().message.find(part), std::string::npos) << read.error().message << " lacks " << part;
  }
}

std::string Convolution(Writer& w, int64_t from, int64_t to, int64_t kernel, double stride = 1) {
  const auto count = static_cast<size_t>(from * to * kernel * kernel);
  return w.Module("nn.SpatialConvolution", {{"nInputPlane", Num(static_cast<double>(from))},
                                            {"nOutputPlane", Num(static_cast<double>(to))},
                                            {"kW", Num(static_cast<double>(kernel))},
                                            {"kH", Num(static_cast<double>(kernel))},
                                            {"dW", Num(stride)},
                                            {"dH", Num(stride)},
                                            {"weight", w.Tensor({to, from, kernel, kernel}, Numbers(count, 0.5F))},
                                            {"bias", w.Tensor({to}, Numbers(static_cast<size_t>(to), 1))}});
}
std::string Linear(Writer& w, int64_t from, int64_t to) {
  return w.Module("nn.Linear", {{"weight", w.Tensor({to, from}, Numbers(static_cast<size_t>(from * to), 1))}});
}
std::string View(Writer& w, const std::vector<int64_t>& size) {
  return w.Module("nn.View", {{"size", w.LongStorage(size)}});
}

// 3 channels; 5x5 windows, pooling by 4, 7x7 windows leave one place: 32 to 35 would all do.
std::string Detector(Writer& w) {
  const std::string pool =
      w.Module("nn.SpatialMaxPooling", {{"kW", Num(4)}, {"kH", Num(4)}, {"dW", Num(4)}, {"dH", Num(4)}});
  const std::string first = Convolution(w, 3, 2, 5);
  const std::string second = Convolution(w, 2, 4, 7);
  return w.Container("nn.Sequential", {first, w.Module("nn.ReLU"), pool, second, View(w, {4}), Linear(w, 4, 2),
                                       w.Module("nn.LogSoftMax")});
}

TEST(Torch7Reader, WorksOutTheSizeOfTheInput) {
  Writer w;
  const auto read = Read(Detector(w));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value()->input().get_shape(), (ov::Shape{1, 3, 32, 32}));
  EXPECT_EQ(read.value()->input().get_any_name(), "input");
  EXPECT_EQ(read.value()->output().get_any_name(), "output");
  EXPECT_EQ(read.value()->output().get_shape(), (ov::Shape{1, 2}));
  EXPECT_EQ(read.value()->get_rt_info<std::string>("deepedge", "class_count"), "2");
}

TEST(Torch7Reader, LeavesTheSizeOpenWhereNothingFixesIt) {
  Writer w;
  const std::string up = w.Module("nn.SpatialUpSamplingNearest", {{"scale_factor", Num(2)}});
  const std::string first = Convolution(w, 3, 2, 3);
  const auto read = Read(w.Container("nn.Sequential", {first, w.Module("nn.ReLU"), up}));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value()->input().get_partial_shape(), (ov::PartialShape{1, 3, -1, -1}));
  EXPECT_EQ(read.value()->output().get_partial_shape()[1], 2);
}

TEST(Torch7Reader, SaysWhyNoSizeFits) {
  Writer w;
  const std::string first = Convolution(w, 3, 2, 3, 2);
  ExpectError(w.Container("nn.Sequential", {first, View(w, {7}), Linear(w, 7, 2)}), ErrorCode::kBadInput,
              {"no picture of 1x1 to", "'1.2' (nn.View)", "makes 7"});
  Writer other;
  ExpectError(other.Container("nn.Sequential", {other.Module("nn.ReLU")}), ErrorCode::kUnsupported,
              {"how many channels"});
}

TEST(Torch7Reader, ChoosesUsualSizesThenRoundOnes) {
  EXPECT_EQ(ChooseSize({223, 224, 225, 226}), 224);
  EXPECT_EQ(ChooseSize({225, 226, 227, 228}), 227);
  EXPECT_EQ(ChooseSize({32, 33, 34, 35}), 32);
  EXPECT_EQ(ChooseSize({41, 42, 43, 44}), 44);
  EXPECT_EQ(ChooseSize({41}), 41);
}

TEST(Torch7Reader, ReadsFilesOfOtherMachinesAndTypes) {
  const std::vector<double> doubles = {0, 3, 5, 0};
  for (const size_t long_bytes : {size_t{8}, size_t{4}}) {
    SCOPED_TRACE(long_bytes);
    Writer w(long_bytes);
    // A matrix of two numbers from the middle of a longer storage, and one turned over by its strides.
    const std::string row = w.TensorOf("Double", {1, 2}, {2, 1}, 2, w.Storage("Double", doubles));
    const std::string column = w.TensorOf("Float", {2, 2}, {1, 2}, 1, w.Storage("Float", Numbers{1, 2, 3, 4}));
    const std::string halves =
        w.TensorOf("CudaHalf", {2}, {1}, 1, w.Storage("CudaHalf", std::vector<uint16_t>{0x3E00, 0xC000}));
    const std::string first = w.Module("nn.Linear", {{"weight", column}, {"bias", halves}});
    const auto read = Read(w.Container("nn.Sequential", {first, w.Module("nn.Linear", {{"weight", row}})}));
    ASSERT_TRUE(read.ok()) << read.error().message;
    // [1 3; 2 4] (1, 10) + (1.5, -2) = (32.5, 40); 3 * 32.5 + 5 * 40
    EXPECT_EQ(RunForTest(read.value(), {{1, 10}})[0].values, (Numbers{297.5F}));
  }
}

TEST(Torch7Reader, SharesWhatTheFileShares) {
  Writer w;
  const std::string module = w.Module("nn.AddConstant", {{"constant_scalar", Num(1)}});
  const int32_t number = *reinterpret_cast<const int32_t*>(module.data() + 4);  // of the object
  const std::string linear = Linear(w, 2, 2);
  const auto read =
      Read(w.Container("nn.Sequential", {linear, module, Writer::Again(4, number), Writer::Again(4, number)}));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(RunForTest(read.value(), {{1, 2}})[0].values, (Numbers{6, 6}));
}

TEST(Torch7Reader, SkipsFunctionsAndUnusedFields) {
  Writer w;
  const std::string function = Writer::Raw(int32_t{8}) + Writer::Raw(int32_t{900}) + Writer::Bare("code") + w.Table({});
  const std::string module = w.Module("nn.Linear", {{"weight", w.Tensor({1, 2}, {1, 1})},
                                                    {"train", function},
                                                    {"output", w.TensorOf("Float", {}, {}, 1, Writer::Nil())},
                                                    {"_type", Writer::Text("torch.FloatTensor")}});
  EXPECT_TRUE(Read(module).ok());
}

TEST(Torch7Reader, GivesSeveralOutputs) {
  Writer w;
  const std::string first = Linear(w, 2, 3);
  const std::string second = Linear(w, 2, 1);
  const auto read = Read(w.Container("nn.ConcatTable", {first, second}));
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read.value()->outputs().size(), 2U);
  EXPECT_EQ(read.value()->output(0).get_any_name(), "output");
  EXPECT_EQ(read.value()->output(1).get_any_name(), "output_2");
}

TEST(Torch7Reader, FromAFile) {
  struct Folder : FilesTest {
    void TestBody() override {}
    using FilesTest::Write;
  } folder;
  Writer w;
  EXPECT_TRUE(ReadTorch7({ModelFormat::kTorch7, folder.Write("net.t7", Detector(w)), {}}).ok());
  EXPECT_EQ(ReadTorch7({ModelFormat::kTorch7, "nowhere.t7", {}}).error().code, ErrorCode::kNotFound);
}

// ---- What is not read ----

TEST(Torch7Reader, NamesModulesThatAreNotRead) {
  Writer w;
  const std::string first = Linear(w, 2, 2);
  ExpectError(w.Container("nn.Sequential", {first, w.Module("nn.LSTM")}), ErrorCode::kUnsupported,
              {"'1.2'", "(nn.LSTM)"});
  Writer other;
  ExpectError(other.Module("nn.gModule"), ErrorCode::kUnsupported, {"(nn.gModule)"});
}

TEST(Torch7Reader, RefusesClassesThatAreNoText) {
  Writer w;
  ExpectError(w.Module("nn.Re\nLU"), ErrorCode::kBadInput, {"without a class"});
}

TEST(Torch7Reader, RefusesWhatDoesNotFit) {
  struct Case {
    const char* what;
    std::function<std::string(Writer&)> module;
    std::string part;
  };
  const Case cases[] = {
      {"weights of another size",
       [](Writer& w) { return w.Module("nn.Linear", {{"weight", w.Tensor({2, 3}, Numbers(6))}}); }, "wants 3 numbers"},
      {"bias of another size",
       [](Writer& w) {
         return w.Module("nn.Linear", {{"weight", w.Tensor({2, 2}, Numbers(4))}, {"bias", w.Tensor({3}, Numbers(3))}});
       },
       "holds 3 numbers"},
      {"no weights", [](Writer& w) { return w.Module("nn.Linear"); }, "'weight'"},
      {"a tensor past its storage",
       [](Writer& w) {
         return w.Module("nn.Linear",
                         {{"weight", w.TensorOf("Float", {2, 2}, {2, 1}, 2, w.Storage("Float", Numbers(4)))}});
       },
       "past its storage"},
      {"a tensor before its storage",
       [](Writer& w) {
         return w.Module("nn.Linear",
                         {{"weight", w.TensorOf("Float", {2, 2}, {2, 1}, 0, w.Storage("Float", Numbers(4)))}});
       },
       "past its storage"},
      {"a tensor that begins at the least number",
       [](Writer& w) {
         return w.Module("nn.Linear",
                         {{"weight", w.TensorOf("Float", {2, 2}, {2, 1}, std::numeric_limits<int64_t>::min(),
                                                w.Storage("Float", Numbers(4)))}});
       },
       "past its storage"},
      {"a tensor that begins at the greatest number",
       [](Writer& w) {
         return w.Module("nn.Linear",
                         {{"weight", w.TensorOf("Float", {2, 2}, {2, 1}, std::numeric_limits<int64_t>::max(),
                                                w.Storage("Float", Numbers(4)))}});
       },
       "past its storage"},
      {"a tensor of nothing with a size that overflows",
       [](Writer& w) {
         return w.Module(
             "nn.Linear",
             {{"weight", w.TensorOf("Float", {0, int64_t{1} << 62}, {4, 4}, 1, w.Storage("Float", Numbers(4)))}});
       },
       "wants 4611686018427387904 numbers"},
      {"one number as many",
       [](Writer& w) {
         return w.Module("nn.Linear",
                         {{"weight", w.TensorOf("Float", {1 << 20, 2}, {0, 0}, 1, w.Storage("Float", Numbers(4)))}});
       },
       "does not fit its storage"},
      {"sizes that overflow",
       [](Writer& w) {
         return w.Module(
             "nn.Linear",
             {{"weight", w.TensorOf("Float", {int64_t{1} << 62, 2}, {1, 1}, 1, w.Storage("Float", Numbers(4)))}});
       },
       "'weight'"},
      {"a window of 0", [](Writer& w) { return w.Module("nn.SpatialMaxPooling", {{"kW", Num(0)}, {"kH", Num(1)}}); },
       "picture"},
      {"a table to add", [](Writer& w) { return w.Module("nn.CAddTable"); }, "no table"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    Writer w;
    const std::string first = Linear(w, 2, 2);
    ExpectError(w.Container("nn.Sequential", {first, c.module(w)}), ErrorCode::kBadInput, {"'1.2'", c.part.c_str()});
  }
}

TEST(Torch7Reader, NumbersAtTheEdgesOfTheirTypeAreNoTensors) {
  constexpr int64_t kMost = INT64_MAX;
  struct Case {
    std::vector<int64_t> size;
    std::vector<int64_t> stride;
    int64_t offset;
    std::optional<size_t> numbers;  // nothing: refused
  };
  const Case cases[] = {
      {{0, kMost}, {1, 1}, 1, 0},
      {{0, 2}, {2, 1}, kMost, 0},
      {{kMost, 0}, {4, 4}, kMost, std::nullopt},
      {{2, 2}, {kMost, 1}, 1, std::nullopt},
      {{2, 2}, {2, 1}, kMost, std::nullopt},
      {{kMost, 1}, {1, 1}, 1, std::nullopt},
      {{INT64_MIN, 0}, {1, 1}, 1, std::nullopt},
      {{2}, {INT64_MIN}, 1, std::nullopt},
      {{2}, {1}, INT64_MIN, std::nullopt},
      {{1, 4}, {4, 1}, 1, 4},
      {{2, 2}, {1, 1}, 3, std::nullopt},
      {{2, 2}, {1, 1}, 2, 4},
      {{2, 2, 2}, {1, 1, 1}, 1, std::nullopt},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::PrintToString(c.size) + ::testing::PrintToString(c.stride) + std::to_string(c.offset));
    Writer w;
    const std::string bytes = w.TensorOf("Float", c.size, c.stride, c.offset, w.Storage("Float", Numbers(4)));
    const auto file = File::Parse(bytes);
    const auto numbers =
        file.ok() ? file.value().ReadNumbers(file.value().root()) : Result<File::Numbers>(file.error());
    const auto count = numbers.ok() ? std::optional(numbers.value().values.size()) : std::nullopt;
    EXPECT_EQ(count, c.numbers);
  }
}

TEST(Torch7Reader, LongListsOfSizesAreReadOnlyOnce) {
  // 10,000 times the same View of 100,000 axes, before the first module that tells the input.
  Writer w;
  const std::string view = w.Module("nn.View", {{"size", w.LongStorage(std::vector<int64_t>(100'000, 0))}});
  std::vector<std::string> modules{view};
  for (int i = 0; i < 10'000; ++i) modules.push_back(Writer::Again(4, 3));
  const std::string bytes = w.Container("nn.Sequential", modules);
  ASSERT_LT(bytes.size(), 1'200'000U);
  ExpectCheap([&] { EXPECT_FALSE(Read(bytes).ok()); });
}

TEST(Torch7Reader, RefusesRingsAndFloods) {
  // A container that names one of the items in it as its second module. Numbers, from the inside out: storage, tensor,
  // fields of the module, module, list of modules, fields of the container, container.
  const std::pair<int32_t, std::string> items[] = {
      {2, "(torch.FloatTensor)"}, {5, "something else"}, {7, "nested more than"}};
  for (const auto& [number, part] : items) {
    Writer ring;
    const std::string first = Linear(ring, 2, 2);
    ExpectError(ring.Container("nn.Sequential", {first, Writer::Again(4, number)}),
                number == 2 ? ErrorCode::kUnsupported : ErrorCode::kBadInput, {part});
  }
  // Each level holds the next one twice: 2^40 modules from a few.
  Writer flood;
  const std::string first = Linear(flood, 2, 2);
  std::string module = flood.Module("nn.Identity");
  for (int i = 0; i < 40; ++i) {
    const int32_t number = *reinterpret_cast<const int32_t*>(module.data() + 4);
    module = flood.Container("nn.Sequential", {module, Writer::Again(4, number)});
  }
  ExpectError(flood.Container("nn.Sequential", {first, module}), ErrorCode::kBadInput, {"too many modules"});
  Writer doubling;
  std::string table = Linear(doubling, 2, 2);
  for (int i = 0; i < 30; ++i) {
    const std::string twice =
        doubling.Container("nn.ConcatTable", {doubling.Module("nn.Identity"), doubling.Module("nn.Identity")});
    table = doubling.Container("nn.Sequential", {table, twice});
  }
  ExpectError(table, ErrorCode::kBadInput, {"too large"});
  Writer deep;
  std::string nested = Linear(deep, 2, 2);
  for (int i = 0; i < 300; ++i) nested = deep.Container("nn.Sequential", {nested});
  ExpectError(nested, ErrorCode::kBadInput, {"nested"});
}

TEST(Torch7Reader, EveryTruncationIsAnError) {
  Writer w;
  const std::string whole = Detector(w);
  for (size_t length = 0; length < whole.size(); ++length)
    ExpectError(whole.substr(0, length), ErrorCode::kBadInput, {});
}

TEST(Torch7Reader, SurvivesMutations) {
  Writer w;
  ExpectSurvivesMutations(Detector(w), "net.t7", std::chrono::seconds(3),
                          [](const std::string& bytes) { return Read(bytes); });
}

}  // namespace
}  // namespace deepedge::torch7
