// Every real network of the test data set, cut into stages and whole, on the same input: the same numbers come out.
// Needs the data set, in the folder that DEEPEDGE_TESTDATA names or else beside the source tree; skipped where there is
// none. A network that cannot be cut must say why.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "deepedge/base/file.h"
#include "deepedge/engine/openvino/openvino_engine.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/profiler/stages/choose_stages.h"

namespace deepedge {
namespace {

Path TestData() {
  const char* named = std::getenv("DEEPEDGE_TESTDATA");
  return named != nullptr ? Path(named) : Path(DEEPEDGE_SOURCE_DIR).parent_path() / "shared" / "testdata";
}

constexpr const char* kModels[] = {"caffe/aizoo_mask",
                                   "caffe/lenet_mnist",
                                   "caffe/mtcnn/det1.prototxt",
                                   "caffe/mtcnn/det2.prototxt",
                                   "caffe/mtcnn/det3.prototxt",
                                   "caffe/mtcnn/det4.prototxt",
                                   "caffe/ultraface_rfb_320",
                                   "cntk/cifar10_v2_pscntk",
                                   "cntk/resnet20_cifar10_v1",
                                   "darknet/yolo_fastest_1.1",
                                   "onnx/cntk_mnist_opset7",
                                   "onnx/hyperlpr_plate_det",
                                   "onnx/light_resnet50",
                                   "onnx/light_vgg19",
                                   "onnx/osnet_x0_25",
                                   "onnx/ppocrv3_det_fd",
                                   "onnx/shufflenet_v2_int8",
                                   "onnx/squeezenet_fp16",
                                   "onnx/super_resolution",
                                   "onnx/ultraface_rfb_320",
                                   "onnx/yolox_nano",
                                   "openvino/emotions_0003_int8",
                                   "openvino/face_detection_retail_0004_fp32",
                                   "openvino/person_vehicle_bike_0078_fp16",
                                   "paddle/aizoo_mask",
                                   "paddle/ppocrv3_det",
                                   "tf/aizoo_mask",
                                   "tf/opencv_face_uint8",
                                   "tf_savedmodel/aizoo_mask",
                                   "tf_savedmodel/kws_ref_model",
                                   "tflite/deeplabv3_257",
                                   "tflite/movenet_lightning_int8",
                                   "tflite/ssd_mobilenet_v1_coco_quant",
                                   "tflite/vww_96/vww_96_float.tflite",
                                   "tflite/vww_96/vww_96_int8.tflite",
                                   "torch7/elab_face_detector"};

class CutModels : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(TestData() / "models")) GTEST_SKIP() << "no test data in " << TestData();
  }
  static Engine& engine() {
    static const std::unique_ptr<Engine> engine = CreateOpenVinoEngine().value();
    return *engine;
  }
};

// Open dimensions are given a size: one small picture, or of the size that the network was made for where it takes no
// other.
CompileOptions WithShapes(const GraphInfo& info, std::string_view model) {
  const bool face = model == "tf/opencv_face_uint8";
  CompileOptions options;
  for (size_t i = 0; i < info.inputs.size(); ++i) {
    const TensorSpec& input = info.inputs[i];
    if (IsStatic(input.shape)) continue;
    Shape shape = input.shape;
    for (size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] < 0) shape[d] = d == 0 ? 1 : d == 3 && face ? 3 : face ? 300 : 160;
    }
    options.input_shapes[input.name] = shape;
  }
  return options;
}

void FillWithNoise(CompiledModel& model) {
  std::minstd_rand random(5);
  for (size_t i = 0; i < model.inputs().size(); ++i) {
    const MutableTensorView view = model.Input(0, i);
    if (view.type == ElementType::kF32) {
      for (float& v : view.As<float>()) v = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
    } else if (view.type == ElementType::kF16) {
      for (uint16_t& v : view.As<uint16_t>()) v = static_cast<uint16_t>(0x3000 + random() % 0x0C00);
    } else {
      for (std::byte& v : view.data) v = static_cast<std::byte>(random() % 100);
    }
  }
}

// As few as there must be for four stages of equal arithmetic, whatever they cost.
StageChoice ForceStages(const LayerGraph& graph) {
  std::vector<double> us;
  double total = 0;
  for (const Layer& layer : graph.layers) {
    us.push_back(static_cast<double>(layer.flops) / 1e4 + 0.1);
    total += us.back();
  }
  return ChooseStages(graph, us, {.longest_us = total / 4, .shortest_us = 0, .whole_below_us = 0, .most_cost = 1e9});
}

// Empty, or how the second differs. Most networks give the same bits. But the device sums in another order where a
// tensor comes to it in another layout, as behind a border; and where it joins scales of 8-bit numbers across the place
// of a cut, a number between two levels is now and then rounded to the other one.
std::string Difference(const TensorView& whole, const TensorView& cut, bool int8) {
  if (whole.shape != cut.shape || whole.type != cut.type) return "another shape";
  if (std::ranges::equal(whole.data, cut.data)) return {};
  if (whole.type != ElementType::kF32) return "other bits";
  const auto a = whole.As<float>();
  const auto b = cut.As<float>();
  double largest = 0;
  double difference = 0;
  double squares = 0;
  double squared_difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return "not a number";
    if (std::isnan(a[i])) continue;
    largest = std::max(largest, std::abs(static_cast<double>(a[i])));
    difference = std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    squares += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    squared_difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  }
  if (difference <= 1e-5 * largest || (int8 && squared_difference <= 0.01 * squares)) return {};
  return fmt::format("differs by {:.3g}, the largest number is {:.3g}", difference, largest);
}

TEST_P(CutModels, GivesTheSameNumbersCutAndWhole) {
  const auto files = FindModelFiles(TestData() / "models" / GetParam());
  ASSERT_TRUE(files.ok()) << files.error().message;
  const auto info = engine().Inspect(files.value());
  ASSERT_TRUE(info.ok()) << info.error().message;
  CompileOptions options = WithShapes(info.value(), GetParam());
  const auto graph = engine().Analyse(files.value(), options);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const StageChoice choice = ForceStages(graph.value());
  const bool int8 = std::ranges::any_of(graph.value().layers, [](const Layer& layer) { return layer.int8; });
  // Cut or told why not.
  if (choice.bound != StageBound::kShortEnough) {
    EXPECT_FALSE(choice.reason.empty());
  }
  if (choice.cuts.empty()) {
    EXPECT_NE(choice.bound, StageBound::kShortEnough);
    return;
  }
  const auto whole = engine().Compile(files.value(), options);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  options.cuts = PlacesOf(graph.value(), choice);
  const auto cut = engine().Compile(files.value(), options);
  ASSERT_TRUE(cut.ok()) << cut.error().message;
  ASSERT_EQ(cut.value()->stages(), static_cast<int>(options.cuts.size()) + 1);
  FillWithNoise(*whole.value());
  FillWithNoise(*cut.value());
  ASSERT_TRUE(whole.value()->Run(0).ok());
  ASSERT_TRUE(cut.value()->Run(0).ok());
  ASSERT_EQ(cut.value()->outputs().size(), whole.value()->outputs().size());
  for (size_t i = 0; i < whole.value()->outputs().size(); ++i) {
    EXPECT_EQ(cut.value()->outputs()[i].name, whole.value()->outputs()[i].name);
    EXPECT_EQ(Difference(whole.value()->Output(0, i), cut.value()->Output(0, i), int8), "")
        << whole.value()->outputs()[i].name;
  }
}

std::string TestName(const ::testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, CutModels, ::testing::ValuesIn(kModels), TestName);

}  // namespace
}  // namespace deepedge
