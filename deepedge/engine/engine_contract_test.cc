// What every Engine must do: the same tests for the one on OpenVINO and for the fake.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <span>
#include <thread>

#include "deepedge/engine/engine.h"
#include "deepedge/engine/fake/fake_engine.h"
#include "deepedge/engine/openvino/openvino_engine.h"
#include "deepedge/engine/openvino/test_models.h"

namespace deepedge {
namespace {

// An engine with the networks that the tests use: "affine" (static) and "dynamic", both y = 2x + 1, and one that cannot
// take two pictures at once.
struct EngineUnderTest {
  std::unique_ptr<Engine> engine;
  ModelFiles affine;
  ModelFiles dynamic;
  ModelFiles single;
  ModelFiles layered;    // of several layers, one input and one output of fixed shape
  bool computes = true;  // the fake gives the answer to an input of ones, whatever the input
};

std::unique_ptr<EngineUnderTest> MakeOpenVino(const Path& folder) {
  auto engine = CreateOpenVinoEngine();
  EXPECT_TRUE(engine.ok());
  return std::make_unique<EngineUnderTest>(
      EngineUnderTest{std::move(engine).value(), test_models::WriteAffine(folder), test_models::WriteDynamic(folder),
                      test_models::WriteMixing(folder), test_models::WriteConvolutions(folder)});
}

FakeModel FakeAffine(const std::string& name, const Shape& shape, const Shape& given) {
  std::vector<float> threes(static_cast<size_t>(ElementCount(given)), 3.0F);
  const auto bytes = std::as_bytes(std::span(threes));
  return {.profile = {.model = name,
                      .inputs = {{"x", ElementType::kF32, shape}},
                      .outputs = {{"y", ElementType::kF32, shape}},
                      .run_time = Duration(100)},
          .outputs = {{ElementType::kF32, given, {bytes.begin(), bytes.end()}}},
          .output_operations = {"Add"}};
}

std::unique_ptr<EngineUnderTest> MakeFake(const Path& folder) {
  auto engine = std::make_unique<FakeEngine>([](Duration) {});
  engine->Add(FakeAffine("affine", {1, 3, 4, 6}, {1, 3, 4, 6}));
  engine->Add(FakeAffine("dynamic", {-1, 3, -1, -1}, {2, 3, 5, 7}));
  FakeModel single = FakeAffine("single", {1, 3, 4, 6}, {1, 3, 4, 6});
  single.takes_batches = false;
  engine->Add(single);
  FakeModel layered = FakeAffine("layered", {1, 3, 4, 6}, {1, 3, 4, 6});
  layered.profile.layers = {.layers = {{.name = "a"}, {.name = "b"}, {.name = "c"}},
                            .cuts = {{.after_op = 2, .next_layer = 1}, {.after_op = 5, .next_layer = 2}},
                            .operations = 9};
  engine->Add(layered);
  return std::make_unique<EngineUnderTest>(EngineUnderTest{std::move(engine),
                                                           {ModelFormat::kOnnx, folder / "affine.onnx", {}},
                                                           {ModelFormat::kOnnx, "dynamic", {}},
                                                           {ModelFormat::kOnnx, "single", {}},
                                                           {ModelFormat::kOnnx, "layered", {}},
                                                           false});
}

struct Kind {
  const char* name;
  std::unique_ptr<EngineUnderTest> (*make)(const Path& folder);
};

class EngineContract : public ::testing::TestWithParam<Kind> {
 protected:
  EngineContract() : folder_(TemporaryFolder::Create("de_engine_test").value()), it_(GetParam().make(folder_.path())) {}

  Engine& engine() { return *it_->engine; }
  const EngineUnderTest& it() const { return *it_; }
  const Path& folder() const { return folder_.path(); }

  std::unique_ptr<CompiledModel> Compile(const ModelFiles& files, const CompileOptions& options = {}) {
    auto model = engine().Compile(files, options);
    EXPECT_TRUE(model.ok()) << model.status().error().message;
    return model.ok() ? std::move(model).value() : nullptr;
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<EngineUnderTest> it_;
};

void FillWith(const MutableTensorView& tensor, float value) {
  const auto numbers = tensor.As<float>();
  std::fill(numbers.begin(), numbers.end(), value);
}

bool AllAre(const TensorView& tensor, float value) {
  const auto numbers = tensor.As<float>();
  return std::all_of(numbers.begin(), numbers.end(), [&](float v) { return v == value; });
}

TEST_P(EngineContract, DescribesItself) {
  EXPECT_FALSE(engine().name().empty());
  EXPECT_FALSE(engine().Description().empty());
}

TEST_P(EngineContract, InspectsWithoutCompiling) {
  const auto info = engine().Inspect(it().affine);
  ASSERT_TRUE(info.ok()) << info.error().message;
  ASSERT_EQ(info.value().inputs.size(), 1U);
  EXPECT_EQ(info.value().inputs[0].name, "x");
  EXPECT_EQ(info.value().inputs[0].type, ElementType::kF32);
  EXPECT_EQ(info.value().inputs[0].shape, (Shape{1, 3, 4, 6}));
  ASSERT_EQ(info.value().outputs.size(), 1U);
  EXPECT_EQ(info.value().outputs[0].name, "y");
  EXPECT_EQ(info.value().output_operations, std::vector<std::string>{"Add"});
  const auto dynamic = engine().Inspect(it().dynamic);
  ASSERT_TRUE(dynamic.ok());
  EXPECT_EQ(dynamic.value().inputs[0].shape, (Shape{-1, 3, -1, -1}));
}

TEST_P(EngineContract, RunsASlot) {
  const auto model = Compile(it().affine);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->concurrency(), 1);
  const MutableTensorView input = model->Input(0, 0);
  EXPECT_EQ(input.shape, model->inputs()[0].shape);
  EXPECT_EQ(input.data.size(), 1U * 3 * 4 * 6 * 4);
  FillWith(input, 1);
  ASSERT_TRUE(model->Run(0).ok());
  const TensorView output = model->Output(0, 0);
  EXPECT_EQ(output.shape, (Shape{1, 3, 4, 6}));
  EXPECT_TRUE(AllAre(output, 3));
}

TEST_P(EngineContract, KeepsInputsBetweenRuns) {
  const auto model = Compile(it().affine);
  ASSERT_TRUE(model);
  FillWith(model->Input(0, 0), 1);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(model->Run(0).ok());
    EXPECT_TRUE(AllAre(model->Output(0, 0), 3));
    EXPECT_EQ(model->Input(0, 0).As<float>()[5], 1);
  }
}

TEST_P(EngineContract, SlotsRunInParallelWithoutMixing) {
  constexpr int kThreads = 4;
  const auto model = Compile(it().affine, {.concurrency = kThreads});
  ASSERT_TRUE(model);
  EXPECT_EQ(model->concurrency(), kThreads);
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (int slot = 0; slot < kThreads; ++slot) {
    threads.emplace_back([&, slot] {
      for (int i = 0; i < 50; ++i) {
        const float x = it().computes ? static_cast<float>(slot * 100 + i) : 1.0F;
        FillWith(model->Input(slot, 0), x);
        if (!model->Run(slot).ok() || !AllAre(model->Output(slot, 0), 2 * x + 1)) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST_P(EngineContract, ModelsMayBeCompiledAndDroppedBesideOthers) {
  const auto kept = Compile(it().affine);
  ASSERT_TRUE(kept);
  FillWith(kept->Input(0, 0), 1);
  std::atomic<int> wrong{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) {
        if (!engine().Compile(it().affine, {.concurrency = 2}).ok()) ++wrong;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    if (!kept->Run(0).ok() || !AllAre(kept->Output(0, 0), 3)) ++wrong;
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST_P(EngineContract, ResizesInputsThatAreNotFixed) {
  const auto model = Compile(it().dynamic, {.concurrency = 2});
  ASSERT_TRUE(model);
  ASSERT_TRUE(model->ResizeInput(1, 0, {2, 3, 5, 7}).ok());
  const MutableTensorView input = model->Input(1, 0);
  EXPECT_EQ(input.shape, (Shape{2, 3, 5, 7}));
  FillWith(input, 1);
  ASSERT_TRUE(model->Run(1).ok());
  EXPECT_EQ(model->Output(1, 0).shape, (Shape{2, 3, 5, 7}));
  EXPECT_TRUE(AllAre(model->Output(1, 0), 3));
  ASSERT_TRUE(model->ResizeInput(1, 0, {1, 3, 2, 2}).ok());
  EXPECT_EQ(model->Input(1, 0).data.size(), 3U * 2 * 2 * 4);
}

TEST_P(EngineContract, RefusesShapesThatDoNotFit) {
  const auto fixed = Compile(it().affine);
  const auto dynamic = Compile(it().dynamic);
  ASSERT_TRUE(fixed && dynamic);
  EXPECT_TRUE(fixed->ResizeInput(0, 0, {1, 3, 4, 6}).ok());
  EXPECT_EQ(fixed->ResizeInput(0, 0, {2, 3, 4, 6}).error().code, ErrorCode::kBadInput);
  for (const Shape& shape : {Shape{1, 4, 5, 5}, Shape{3, 5, 5}, Shape{1, 3, -1, 5}, Shape{}}) {
    const Status status = dynamic->ResizeInput(0, 0, shape);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kBadInput);
    EXPECT_NE(status.error().message.find("takes ?x3x?x?, not"), std::string::npos) << status.error().message;
  }
}

TEST_P(EngineContract, MakesANetworkForAnotherShape) {
  const auto model = Compile(it().affine, {.input_shapes = {{"x", {2, 3, 5, 7}}}});
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->inputs()[0].shape, (Shape{2, 3, 5, 7}));
  EXPECT_EQ(model->Input(0, 0).As<float>().size(), 210U);
  const auto unknown = engine().Compile(it().affine, {.input_shapes = {{"nothing", {1, 3, 4, 6}}}});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kBadInput);
}

TEST_P(EngineContract, TakesPackedPicturesWhenAsked) {
  const PictureInput picture{.width = 6, .height = 4};
  const auto model = Compile(it().affine, {.picture = picture});
  ASSERT_TRUE(model);
  EXPECT_EQ(model->inputs()[0].type, ElementType::kU8);
  EXPECT_EQ(model->inputs()[0].shape, (Shape{1, 4, 6, 3}));
  const auto pixels = model->Input(0, 0).As<uint8_t>();
  ASSERT_EQ(pixels.size(), 4U * 6 * 3);
  std::fill(pixels.begin(), pixels.end(), uint8_t{1});
  ASSERT_TRUE(model->Run(0).ok());
  EXPECT_TRUE(AllAre(model->Output(0, 0), 3));
}

TEST_P(EngineContract, TakesSeveralPicturesInOneRun) {
  const auto model = Compile(it().affine, {.picture = PictureInput{.width = 6, .height = 4}, .max_batch = 4});
  ASSERT_TRUE(model);
  ASSERT_EQ(model->max_batch(), 4);
  EXPECT_EQ(model->inputs()[0].shape, (Shape{1, 4, 6, 3}));
  EXPECT_EQ(model->outputs()[0].shape, (Shape{1, 3, 4, 6}));
  EXPECT_EQ(model->Input(0, 0).shape, (Shape{1, 4, 6, 3}));
  EXPECT_EQ(model->Output(0, 0).shape, (Shape{1, 3, 4, 6}));
  for (const int count : {3, 1, 4, 2}) {
    ASSERT_TRUE(model->SetBatch(0, count).ok());
    const MutableTensorView input = model->Input(0, 0);
    EXPECT_EQ(input.shape, (Shape{count, 4, 6, 3}));
    ASSERT_EQ(input.data.size(), static_cast<size_t>(count) * 72);
    for (size_t i = 0; i < input.data.size(); ++i) input.As<uint8_t>()[i] = it().computes ? uint8_t(i / 72 + 1) : 1;
    ASSERT_TRUE(model->Run(0).ok());
    const TensorView output = model->Output(0, 0);
    ASSERT_EQ(output.shape, (Shape{count, 3, 4, 6}));
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      const TensorView one{output.type, {1, 3, 4, 6}, output.data.subspan(i * 72 * 4, 72 * 4)};
      EXPECT_TRUE(AllAre(one, it().computes ? static_cast<float>(2 * (i + 1) + 1) : 3.0F)) << "picture " << i;
    }
  }
}

TEST_P(EngineContract, KeepsPicturesWhenTheBatchChanges) {
  const auto model = Compile(it().affine, {.picture = PictureInput{.width = 6, .height = 4}, .max_batch = 3});
  ASSERT_TRUE(model);
  const auto all_zero = [](std::span<const uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t v) { return v == 0; });
  };
  ASSERT_TRUE(model->SetBatch(0, 3).ok());
  EXPECT_TRUE(all_zero(model->Input(0, 0).As<uint8_t>()));
  std::ranges::fill(model->Input(0, 0).As<uint8_t>(), uint8_t{7});
  ASSERT_TRUE(model->SetBatch(0, 1).ok());
  EXPECT_EQ(model->Input(0, 0).As<uint8_t>()[71], 7);
  ASSERT_TRUE(model->SetBatch(0, 3).ok());
  EXPECT_EQ(model->Input(0, 0).As<uint8_t>()[215], 7);
}

TEST_P(EngineContract, EverySlotHasABatchOfItsOwn) {
  const auto model =
      Compile(it().affine, {.picture = PictureInput{.width = 6, .height = 4}, .max_batch = 2, .concurrency = 2});
  ASSERT_TRUE(model);
  ASSERT_TRUE(model->SetBatch(1, 2).ok());
  ASSERT_TRUE(model->Run(0).ok() && model->Run(1).ok());
  EXPECT_EQ(model->Output(0, 0).shape, (Shape{1, 3, 4, 6}));
  EXPECT_EQ(model->Output(1, 0).shape, (Shape{2, 3, 4, 6}));
}

TEST_P(EngineContract, TakesOnePictureWhereTheNetworkCannotTakeMore) {
  const auto model = Compile(it().single, {.picture = PictureInput{.width = 6, .height = 4}, .max_batch = 8});
  ASSERT_TRUE(model);
  EXPECT_EQ(model->max_batch(), 1);
  EXPECT_TRUE(model->SetBatch(0, 1).ok());
  EXPECT_EQ(model->Input(0, 0).shape, (Shape{1, 4, 6, 3}));
  EXPECT_TRUE(model->Run(0).ok());
  const auto small = Compile(it().affine, {.picture = PictureInput{.width = 6, .height = 4},
                                           .max_batch = 8,
                                           .batch_from_bytes = 1000});  // its weights are less
  ASSERT_TRUE(small);
  EXPECT_EQ(small->max_batch(), 1);
  const auto tensors = Compile(it().affine, {.max_batch = 8});  // not pictures: one
  ASSERT_TRUE(tensors);
  EXPECT_EQ(tensors->max_batch(), 1);
}

TEST_P(EngineContract, StopsOnABatchThatIsTooLarge) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto model = Compile(it().affine, {.picture = PictureInput{.width = 6, .height = 4}, .max_batch = 2});
  ASSERT_TRUE(model);
  EXPECT_DEATH(static_cast<void>(model->SetBatch(0, 3)), "pictures");
  EXPECT_DEATH(static_cast<void>(model->SetBatch(0, 0)), "pictures");
}

std::vector<int> AllCuts(const LayerGraph& graph) {
  std::vector<int> cuts;
  for (const CutPoint& cut : graph.cuts) cuts.push_back(cut.after_op);
  return cuts;
}

void FillWithSteps(const MutableTensorView& tensor, int begin) {
  for (float& v : tensor.As<float>()) v = static_cast<float>(begin++ % 17) / 8 - 1;
}

// But for the order in which an engine forms sums, which may follow from the layout that a tensor comes in.
bool SameNumbers(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::abs(x - y) <= 1e-5F * std::max(1.0F, std::abs(y)); });
}

std::vector<float> FloatsOf(const TensorView& tensor) {
  const auto numbers = tensor.As<float>();
  return {numbers.begin(), numbers.end()};
}

TEST_P(EngineContract, StagesGiveWhatTheWholeGives) {
  const std::vector<int> cuts = AllCuts(engine().Analyse(it().layered, {}).value());
  ASSERT_GE(cuts.size(), 2U);
  const auto whole = Compile(it().layered);
  const auto cut = Compile(it().layered, {.concurrency = 2, .cuts = cuts});
  ASSERT_TRUE(whole && cut);
  EXPECT_EQ(whole->stages(), 1);
  ASSERT_EQ(cut->stages(), static_cast<int>(cuts.size()) + 1);
  EXPECT_EQ(cut->concurrency(), 2);
  EXPECT_EQ(cut->inputs()[0].name, whole->inputs()[0].name);
  EXPECT_EQ(cut->outputs()[0].name, whole->outputs()[0].name);
  for (int round = 0; round < 3; ++round) {
    FillWithSteps(whole->Input(0, 0), round);
    ASSERT_TRUE(whole->RunStage(0, 0).ok());
    const std::vector<float> wanted = FloatsOf(whole->Output(0, 0));
    for (const int slot : {0, 1}) {
      FillWithSteps(cut->Input(slot, 0), round);
      ASSERT_TRUE(cut->Run(slot).ok());
      EXPECT_TRUE(SameNumbers(FloatsOf(cut->Output(slot, 0)), wanted));
    }
  }
}

TEST_P(EngineContract, StagesInOrderAreARun) {
  const std::vector<int> cuts = AllCuts(engine().Analyse(it().layered, {}).value());
  const auto model = Compile(it().layered, {.concurrency = 2, .cuts = cuts});
  ASSERT_TRUE(model);
  FillWithSteps(model->Input(0, 0), 3);
  FillWithSteps(model->Input(1, 0), 5);
  ASSERT_TRUE(model->Run(0).ok() && model->Run(1).ok());
  const std::array<std::vector<float>, 2> wanted{FloatsOf(model->Output(0, 0)), FloatsOf(model->Output(1, 0))};
  // Slots take turns, each stage in a thread of its own; one slot begins anew on the way.
  ASSERT_TRUE(model->RunStage(1, 0).ok());
  for (int stage = 0; stage < model->stages(); ++stage) {
    for (const int slot : {0, 1}) {
      std::jthread([&] { EXPECT_TRUE(model->RunStage(slot, stage).ok()); });
    }
  }
  for (const int slot : {0, 1}) EXPECT_EQ(FloatsOf(model->Output(slot, 0)), wanted[static_cast<size_t>(slot)]);
}

TEST_P(EngineContract, StopsOnStagesOutOfOrder) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::vector<int> cuts = AllCuts(engine().Analyse(it().layered, {}).value());
  const auto model = Compile(it().layered, {.cuts = cuts});
  ASSERT_TRUE(model);
  EXPECT_DEATH(static_cast<void>(model->RunStage(0, model->stages())), "stage");
  ASSERT_TRUE(model->RunStage(0, 0).ok());
  EXPECT_DEATH(static_cast<void>(model->RunStage(0, 2)), "stage");
}

TEST_P(EngineContract, RefusesCutsThatAreNoPlaces) {
  const std::vector<int> cuts = AllCuts(engine().Analyse(it().layered, {}).value());
  const auto refused = [&](const CompileOptions& options, const std::string& place) {
    const auto model = engine().Compile(it().layered, options);
    if (model.ok()) return ::testing::AssertionFailure() << "was compiled";
    const std::string& message = model.error().message;
    if (model.error().code != ErrorCode::kBadInput) return ::testing::AssertionFailure() << message;
    const std::string named = it().layered.graph.string() + ": cut after operation " + place + ": ";
    if (!message.starts_with(named)) return ::testing::AssertionFailure() << message;
    return ::testing::AssertionSuccess();
  };
  const std::string first = std::to_string(cuts[0]);
  EXPECT_TRUE(refused({.cuts = {cuts[1], cuts[0]}}, first));
  EXPECT_TRUE(refused({.cuts = {cuts[0], cuts[0]}}, first));
  EXPECT_TRUE(refused({.cuts = {0}}, "0"));
  EXPECT_TRUE(refused({.cuts = {-1}}, "-1"));
  EXPECT_TRUE(refused({.cuts = {cuts[0], 100000}}, "100000"));
  const PictureInput picture{.width = 16, .height = 16};
  EXPECT_TRUE(refused({.picture = picture, .max_batch = 2, .cuts = {cuts[0]}}, first));
}

TEST_P(EngineContract, NamesTheFileThatIsMissing) {
  const ModelFiles missing{ModelFormat::kOnnx, folder() / "missing.onnx", {}};
  const auto inspected = engine().Inspect(missing);
  ASSERT_FALSE(inspected.ok());
  EXPECT_EQ(inspected.error().code, ErrorCode::kNotFound);
  EXPECT_NE(inspected.error().message.find("missing.onnx: "), std::string::npos);
  const auto compiled = engine().Compile(missing, {});
  ASSERT_FALSE(compiled.ok());
  EXPECT_EQ(compiled.error().code, ErrorCode::kNotFound);
}

TEST_P(EngineContract, StopsOnASlotThatDoesNotExist) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // the engine's library may have threads
  const auto model = Compile(it().affine);
  ASSERT_TRUE(model);
  EXPECT_DEATH(static_cast<void>(model->Run(1)), "slot");
  EXPECT_DEATH(static_cast<void>(model->Input(-1, 0)), "slot");
  EXPECT_DEATH(static_cast<void>(model->Input(0, 1)), "index");
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineContract,
                         ::testing::Values(Kind{"OpenVino", MakeOpenVino}, Kind{"Fake", MakeFake}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace deepedge
