#include "deepedge/engine/openvino/openvino_engine.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <numeric>
#include <openvino/op/op.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/relu.hpp>
#include <random>
#include <set>
#include <thread>

#include "deepedge/base/file.h"
#include "deepedge/base/thread.h"
#include "deepedge/engine/openvino/openvino_model.h"
#include "deepedge/engine/openvino/test_models.h"
#include "deepedge/formats/sniff.h"

namespace deepedge {
namespace {

// What an operation inside a network saw of the thread that computed it.
struct Seen {
  int tid = 0;
  std::vector<int> cpus;
};
std::mutex seen_mutex;
std::vector<Seen> seen;

// Copies its input and records the thread.
class Probe final : public ov::op::Op {
 public:
  OPENVINO_OP("DeepEdgeProbe")
  Probe() = default;
  explicit Probe(const ov::Output<ov::Node>& x) : Op({x}) { constructor_validate_and_infer_types(); }
  void validate_and_infer_types() override {
    set_output_type(0, get_input_element_type(0), get_input_partial_shape(0));
  }
  std::shared_ptr<ov::Node> clone_with_new_inputs(const ov::OutputVector& inputs) const override {
    return std::make_shared<Probe>(inputs.at(0));
  }
  bool has_evaluate() const override { return true; }
  bool evaluate(ov::TensorVector& outputs, const ov::TensorVector& inputs) const override {
    inputs[0].copy_to(outputs[0]);
    const std::lock_guard lock(seen_mutex);
    seen.push_back({static_cast<int>(gettid()), CallingThreadCpus()});
    return true;
  }
};

std::shared_ptr<ov::Model> ProbedNet() {
  const auto x = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, ov::PartialShape{1, 8, 32, 32});
  const auto before = std::make_shared<ov::op::v0::Relu>(x);
  const auto after = std::make_shared<ov::op::v0::Relu>(std::make_shared<Probe>(before));
  return std::make_shared<ov::Model>(ov::OutputVector{after}, ov::ParameterVector{x});
}

class OpenVinoEngineTest : public ::testing::Test {
 protected:
  OpenVinoEngineTest()
      : folder_(TemporaryFolder::Create("de_openvino_test").value()), engine_(CreateOpenVinoEngine().value()) {}

  Engine& engine() { return *engine_; }
  const Path& folder() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<Engine> engine_;
};

void RunInThread(std::optional<int> cpu, const std::function<void()>& work) {
  Thread thread({.name = "test", .cpu = cpu}, [&](const std::stop_token&) { work(); });
  thread.Join();
}

TEST_F(OpenVinoEngineTest, NetworksAreComputedInTheCallingThreadOnItsCpu) {
  ov::Core core;
  auto model = OpenVinoModel::Create(core, ProbedNet(), {}, "probe");
  ASSERT_TRUE(model.ok()) << model.error().message;
  for (const int cpu : AllowedCpus()) {
    RunInThread(cpu, [&] {
      seen.clear();
      ASSERT_TRUE(model.value()->Run(0).ok());
      ASSERT_EQ(seen.size(), 1U);
      EXPECT_EQ(seen[0].tid, gettid());
      EXPECT_EQ(seen[0].cpus, std::vector<int>{cpu});
      EXPECT_EQ(CallingThreadCpus(), std::vector<int>{cpu});
    });
  }
}

TEST_F(OpenVinoEngineTest, ManyModelsStartNoThreads) {
  const ModelFiles files = test_models::WriteAffine(folder());
  std::vector<std::unique_ptr<CompiledModel>> models;
  models.push_back(engine().Compile(files, {}).value());
  const size_t before = ListThreads().size();
  for (int i = 0; i < 20; ++i) models.push_back(engine().Compile(files, {.concurrency = 2}).value());
  // Compiling may wake the process's own pool of workers, one for each further CPU, once.
  EXPECT_LE(ListThreads().size(), before + std::thread::hardware_concurrency());
}

TEST_F(OpenVinoEngineTest, CompilingKeepsTheCallersCpu) {
  const ModelFiles files = test_models::WriteAffine(folder());
  const int cpu = AllowedCpus().back();
  RunInThread(cpu, [&] {
    EXPECT_TRUE(engine().Compile(files, {.concurrency = 2}).ok());
    EXPECT_EQ(CallingThreadCpus(), std::vector<int>{cpu});
    EXPECT_TRUE(engine().Inspect(files).ok());
    EXPECT_EQ(CallingThreadCpus(), std::vector<int>{cpu});
  });
}

TEST_F(OpenVinoEngineTest, LargeWeightsAreHeldOnceAndComputedOnAllCpus) {
  const ModelFiles files = test_models::WriteLarge(folder());
  std::set<int> old_threads;
  for (const ThreadInfo& thread : ListThreads()) old_threads.insert(thread.tid);
  std::unique_ptr<CompiledModel> model;
  RunInThread(AllowedCpus().front(), [&] { model = engine().Compile(files, {.concurrency = 2}).value(); });
  EXPECT_EQ(model->concurrency(), 2);
  EXPECT_EQ(model->weight_bytes(), int64_t{2200} * 4096 * 4);
  // Its own threads are not crowded on the CPU of the thread that compiled.
  for (const ThreadInfo& thread : ListThreads()) {
    if (old_threads.contains(thread.tid)) continue;
    EXPECT_EQ(thread.affinity, AllowedCpus()) << thread.name;
  }
  std::vector<std::jthread> threads;
  for (int slot = 0; slot < 2; ++slot) {
    threads.emplace_back([&, slot] {
      const auto x = model->Input(slot, 0).As<float>();
      std::fill(x.begin(), x.end(), static_cast<float>(slot + 1));
      EXPECT_TRUE(model->Run(slot).ok());
      EXPECT_EQ(model->Output(slot, 0).As<float>()[4095], 2200.0F * static_cast<float>(slot + 1));
    });
  }
}

TEST_F(OpenVinoEngineTest, SmallWeightsAreCopiedForEachSlot) {
  const ModelFiles files = test_models::WriteAffine(folder());
  const int64_t once = engine().Inspect(files).value().weight_bytes;
  EXPECT_GT(once, 0);
  EXPECT_EQ(engine().Compile(files, {.concurrency = 3}).value()->weight_bytes(), 3 * once);
}

TEST_F(OpenVinoEngineTest, ReadsFilesUnderAnyName) {
  const ModelFiles files = test_models::WriteAffine(folder());
  const ModelFiles odd{ModelFormat::kOpenVinoIr, folder() / "graph", folder() / "weights.of.it"};
  std::filesystem::rename(files.graph, odd.graph);
  std::filesystem::rename(files.weights, odd.weights);
  auto model = engine().Compile(odd, {});
  ASSERT_TRUE(model.ok()) << model.error().message;
  ASSERT_TRUE(model.value()->Run(0).ok());
  EXPECT_EQ(model.value()->Output(0, 0).As<float>()[0], 1.0F);
  const auto current = std::filesystem::current_path();
  std::filesystem::current_path(folder());
  EXPECT_TRUE(engine().Inspect({ModelFormat::kOpenVinoIr, "graph", "weights.of.it"}).ok());
  std::filesystem::current_path(current);
}

TEST_F(OpenVinoEngineTest, AFailedRunLeavesTheSlotUsable) {
  auto compiled = engine().Compile(test_models::WriteRowsOfSix(folder()), {});
  ASSERT_TRUE(compiled.ok()) << compiled.error().message;
  CompiledModel& model = *compiled.value();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(model.ResizeInput(0, 0, {5, 5}).ok());
    const Status failed = model.Run(0);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code, ErrorCode::kInternal);
    EXPECT_NE(failed.error().message.find("rows_of_six.xml: "), std::string::npos);
    ASSERT_TRUE(model.ResizeInput(0, 0, {4, 3}).ok());
    const auto x = model.Input(0, 0).As<float>();
    std::iota(x.begin(), x.end(), 0.0F);
    ASSERT_TRUE(model.Run(0).ok());
    EXPECT_EQ(model.Output(0, 0).shape, (Shape{2, 6}));
    EXPECT_EQ(model.Output(0, 0).As<float>()[11], 11.0F);
  }
}

TEST_F(OpenVinoEngineTest, RefusesShapesThatNoMemoryHolds) {
  auto compiled = engine().Compile(test_models::WriteDynamic(folder()), {});
  ASSERT_TRUE(compiled.ok());
  const Status status = compiled.value()->ResizeInput(0, 0, {int64_t{1} << 40, 3, int64_t{1} << 40, 1});
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("too large"), std::string::npos);
}

TEST_F(OpenVinoEngineTest, RunsModelsOfSeveralInputs) {
  auto compiled = engine().Compile(test_models::WriteTwoInputs(folder()), {});
  ASSERT_TRUE(compiled.ok());
  CompiledModel& model = *compiled.value();
  ASSERT_EQ(model.inputs().size(), 2U);
  EXPECT_EQ(model.inputs()[1].name, "b");
  std::fill_n(model.Input(0, 0).As<float>().begin(), 72, 1.0F);
  std::fill_n(model.Input(0, 1).As<float>().begin(), 72, 2.0F);
  ASSERT_TRUE(model.Run(0).ok());
  EXPECT_EQ(model.Output(0, 0).As<float>()[71], 3.0F);
}

TEST_F(OpenVinoEngineTest, NamesTensorsThatHaveNone) {
  const ModelFiles files = test_models::WriteAffine(folder());
  std::string graph = ReadFile(files.graph).value();
  for (size_t at = graph.find("names=\""); at != std::string::npos; at = graph.find("names=\"")) {
    const size_t start = graph.rfind(' ', at);
    graph.erase(start, graph.find('"', at + 7) + 1 - start);
  }
  ASSERT_TRUE(WriteFileAtomically(files.graph, graph).ok());
  const auto info = engine().Inspect(files);
  ASSERT_TRUE(info.ok()) << info.error().message;
  EXPECT_EQ(info.value().inputs[0].name, "input_0");
  EXPECT_EQ(info.value().outputs[0].name, "output_0");
}

TEST_F(OpenVinoEngineTest, RefusesFilesThatAreSomethingElse) {
  const Path text = folder() / "a.onnx";
  ASSERT_TRUE(WriteFileAtomically(text, "hello world\n").ok());
  testing::internal::CaptureStderr();
  for (const ModelFormat format : {ModelFormat::kOnnx, ModelFormat::kTfFrozen, ModelFormat::kTflite,
                                   ModelFormat::kPaddle, ModelFormat::kOpenVinoIr}) {
    const auto info = engine().Inspect({format, text, {}});
    ASSERT_FALSE(info.ok());
    EXPECT_EQ(info.error().code, ErrorCode::kBadInput);
    EXPECT_EQ(info.error().message, text.string() + ": is not " + std::string(ToString(format)) + " but a text file");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// Whatever the damage, it comes back as an error that names the file, or not at all; and nothing is printed.
TEST_F(OpenVinoEngineTest, SurvivesDamagedFiles) {
  const ModelFiles good = test_models::WriteAffine(folder());
  const std::string graph = ReadFile(good.graph).value();
  const ModelFiles damaged{ModelFormat::kOpenVinoIr, folder() / "damaged.xml", folder() / "damaged.bin"};
  std::mt19937 random(3);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  for (int i = 0; i < 60; ++i) {
    std::string text = graph;
    if (i % 3 == 0) {
      text.resize(random() % text.size());
    } else {
      for (int k = 0; k < 4; ++k) text[random() % text.size()] = static_cast<char>('0' + random() % 75);
    }
    ASSERT_TRUE(WriteFileAtomically(damaged.graph, text).ok());
    ASSERT_TRUE(WriteFileAtomically(damaged.weights, ReadFile(good.weights).value().substr(0, random() % 9)).ok());
    const auto model = engine().Compile(damaged, {});
    if (model.ok()) continue;
    EXPECT_NE(model.error().message.find("damaged.xml: "), std::string::npos) << model.error().message;
    EXPECT_EQ(model.error().message.find('\n'), std::string::npos) << model.error().message;
    EXPECT_EQ(model.error().message.find(".cpp:"), std::string::npos) << model.error().message;
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST_F(OpenVinoEngineTest, DescriptionNamesVersionAndCpu) {
  EXPECT_NE(engine().Description().find("OpenVINO 2026.4.1"), std::string::npos) << engine().Description();
  EXPECT_NE(engine().Description().find("FP32"), std::string::npos) << engine().Description();
}

}  // namespace
}  // namespace deepedge
