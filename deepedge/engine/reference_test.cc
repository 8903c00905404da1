// Real networks of every format that is read, run on their reference inputs and compared with what their own framework
// computed. Needs the test data set (models/, reference/): in the folder that DEEPEDGE_TESTDATA names, else beside the
// source tree; skipped where there is none.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "deepedge/base/file.h"
#include "deepedge/engine/openvino/openvino_engine.h"
#include "deepedge/engine/reference_compare.h"
#include "deepedge/formats/npy.h"
#include "deepedge/formats/sniff.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

Path TestData() {
  const char* named = std::getenv("DEEPEDGE_TESTDATA");
  return named != nullptr ? Path(named) : Path(DEEPEDGE_SOURCE_DIR).parent_path() / "shared" / "testdata";
}

struct ReferenceCase {
  const char* model;      // under models/
  const char* reference;  // under reference/
};

constexpr ReferenceCase kCases[] = {
    {"caffe/aizoo_mask", "caffe/aizoo_mask"},
    {"caffe/lenet_mnist", "caffe/lenet_mnist"},
    {"caffe/mtcnn/det1.prototxt", "caffe/mtcnn/det1"},
    {"caffe/mtcnn/det1.prototxt", "caffe/mtcnn/det1_resized"},
    {"caffe/mtcnn/det2.prototxt", "caffe/mtcnn/det2"},
    {"caffe/mtcnn/det3.prototxt", "caffe/mtcnn/det3"},
    {"caffe/mtcnn/det4.prototxt", "caffe/mtcnn/det4"},
    {"caffe/ultraface_rfb_320", "caffe/ultraface_rfb_320"},
    {"cntk/cifar10_v2_pscntk", "cntk/cifar10_v2_pscntk"},
    {"cntk/resnet20_cifar10_v1", "cntk/resnet20_cifar10_v1"},
    {"darknet/yolo_fastest_1.1", "darknet/yolo_fastest_1.1"},
    {"onnx/cntk_mnist_opset7", "onnx/cntk_mnist_opset7"},
    {"onnx/hyperlpr_plate_det", "onnx/hyperlpr_plate_det"},
    {"onnx/osnet_x0_25", "onnx/osnet_x0_25"},
    {"onnx/ppocrv3_det_fd", "onnx/ppocrv3_det_fd"},
    {"onnx/shufflenet_v2_int8", "onnx/shufflenet_v2_int8"},
    {"onnx/squeezenet_fp16", "onnx/squeezenet_fp16"},
    {"onnx/super_resolution", "onnx/super_resolution"},
    {"onnx/ultraface_rfb_320", "onnx/ultraface_rfb_320"},
    {"onnx/yolox_nano", "onnx/yolox_nano"},
    {"openvino/emotions_0003_int8", "openvino/emotions_0003_int8"},
    {"openvino/face_detection_retail_0004_fp32", "openvino/face_detection_retail_0004_fp32"},
    {"openvino/person_vehicle_bike_0078_fp16", "openvino/person_vehicle_bike_0078_fp16"},
    {"paddle/aizoo_mask", "paddle/aizoo_mask"},
    {"paddle/ppocrv3_det", "paddle/ppocrv3_det"},
    {"tf/aizoo_mask", "tf/aizoo_mask"},
    {"tf/opencv_face_uint8", "tf/opencv_face_uint8/pb"},
    {"tf/opencv_face_uint8/opencv_face_detector.pbtxt", "tf/opencv_face_uint8/pbtxt"},
    {"tf_savedmodel/aizoo_mask", "tf_savedmodel/aizoo_mask"},
    {"tf_savedmodel/kws_ref_model", "tf_savedmodel/kws_ref_model"},
    {"tflite/deeplabv3_257", "tflite/deeplabv3_257"},
    {"tflite/movenet_lightning_int8", "tflite/movenet_lightning_int8"},
    {"tflite/ssd_mobilenet_v1_coco_quant", "tflite/ssd_mobilenet_v1_coco_quant"},
    {"tflite/vww_96/vww_96_float.tflite", "tflite/vww_96/float"},
    {"tflite/vww_96/vww_96_int8.tflite", "tflite/vww_96/int8"},
    {"torch7/elab_face_detector", "torch7/elab_face_detector"},
};

class TestWithData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(TestData() / "reference")) GTEST_SKIP() << "no test data in " << TestData();
  }
  static Engine& engine() {
    static const std::unique_ptr<Engine> engine = CreateOpenVinoEngine().value();
    return *engine;
  }
};

class ReferenceTest : public TestWithData, public ::testing::WithParamInterface<ReferenceCase> {};

// Reads a stored tensor, which may be of a narrower type, into the model's input.
void Fill(const MutableTensorView& input, const Tensor& stored) {
  ASSERT_EQ(ElementCount(input.shape), ElementCount(stored.shape));
  if (input.type == stored.type) {
    ASSERT_EQ(input.data.size(), stored.data.size());
    std::memcpy(input.data.data(), stored.data.data(), stored.data.size());
    return;
  }
  ASSERT_EQ(input.type, ElementType::kF32);
  const std::vector<double> numbers = Numbers(stored.View());
  const auto floats = input.As<float>();
  std::transform(numbers.begin(), numbers.end(), floats.begin(), [](double v) { return static_cast<float>(v); });
}

Shape WithoutOnes(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

std::string FileName(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

std::optional<double> Limit(const Json& tolerance, const char* key) {
  return tolerance.contains(key) ? std::optional(tolerance[key].get<double>()) : std::nullopt;
}

NumberLimits LimitsFrom(const Json& tolerance, const Json& output) {
  return {.rel_l2 = Limit(tolerance, "rel_l2"),
          .max_abs = Limit(tolerance, "max_abs"),
          .max_abs_rel = Limit(tolerance, "max_abs_rel"),
          .largest = std::max(std::abs(output["min"].get<double>()), std::abs(output["max"].get<double>())),
          .same_argmax = tolerance.value("same_argmax", false),
          .median_abs = Limit(tolerance, "median_abs")};
}

DetectionLimits DetectionLimitsFrom(const Json& compare) {
  return {compare["min_score"], compare["min_iou"], compare["score_tol"]};
}

std::vector<double> Column(const std::vector<double>& numbers, size_t columns, size_t column) {
  std::vector<double> result;
  for (size_t i = column; i < numbers.size(); i += columns) result.push_back(numbers[i]);
  return result;
}

std::string CompareColumns(const std::vector<double>& actual, const std::vector<double>& expected, const Json& output) {
  const Json& columns = output["tolerance"]["cols"];
  for (size_t c = 0; c < columns.size(); ++c) {
    const std::string difference = CompareNumbers(Column(actual, columns.size(), c),
                                                  Column(expected, columns.size(), c), LimitsFrom(columns[c], output));
    if (!difference.empty()) return fmt::format("column {}: {}", c, difference);
  }
  return {};
}

std::vector<Detection> DetectionRows(const std::vector<double>& numbers, size_t columns, const Json& compare) {
  std::vector<Detection> rows;
  const size_t label = compare["label_col"];
  const size_t score = compare["score_col"];
  const std::array<size_t, 4> box = compare["box_cols"];
  for (size_t row = 0; row + columns <= numbers.size(); row += columns) {
    rows.push_back({static_cast<int>(numbers[row + label]),
                    numbers[row + score],
                    {numbers[row + box[0]], numbers[row + box[1]], numbers[row + box[2]], numbers[row + box[3]]}});
  }
  return rows;
}

// Detections that lie in several tensors: boxes, classes and scores of the names that `compare` gives.
std::string CompareDetectionGroup(const CompiledModel& model, const Path& folder, const Json& compare) {
  using Read = std::function<std::vector<double>(const std::string& name)>;
  const auto collect = [&](const Read& read) {
    const std::vector<double> boxes = read(compare["boxes"]);
    const std::vector<double> classes = read(compare["classes"]);
    const std::vector<double> scores = read(compare["scores"]);
    std::vector<Detection> rows;
    for (size_t i = 0; i < scores.size(); ++i) {
      rows.push_back({static_cast<int>(classes[i]),
                      scores[i],
                      {boxes[4 * i + 1], boxes[4 * i], boxes[4 * i + 3], boxes[4 * i + 2]}});
    }
    return rows;
  };
  const auto actual = collect([&](const std::string& name) {
    const auto& specs = model.outputs();
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const auto& s) { return s.name == name; });
    return spec == specs.end() ? std::vector<double>()
                               : Numbers(model.Output(0, static_cast<size_t>(spec - specs.begin())));
  });
  const auto expected = collect([&](const std::string& name) {
    return Numbers(ReadNpy(folder / ("out_" + FileName(name) + ".npy")).value().View());
  });
  return CompareDetections(actual, expected, DetectionLimitsFrom(compare));
}

std::string CompareOutput(const CompiledModel& model, size_t index, const Path& folder, const Json& output) {
  const Json compare = output.value("compare", Json::object());
  const std::string kind = compare.value("kind", "numbers");
  if (kind == "in_group") return {};
  if (kind == "detection_group") return CompareDetectionGroup(model, folder, compare);
  const TensorView view = model.Output(0, index);
  const Shape wanted = output["shape"].get<Shape>();
  if (WithoutOnes(view.shape) != WithoutOnes(wanted)) {
    return fmt::format("shape {}, not {}", ToString(view.shape), ToString(wanted));
  }
  std::vector<double> actual = Numbers(view);
  const auto stored = ReadNpy(folder / output["file"].get<std::string>());
  if (!stored.ok()) return stored.error().message;
  const std::vector<double> expected = Numbers(stored.value().View());
  if (output.contains("slice")) {
    actual = Slice(actual, wanted, output["slice"].get<std::vector<std::array<int64_t, 3>>>());
  }
  if (kind == "detections") {
    const size_t columns = static_cast<size_t>(wanted.back());
    return CompareDetections(DetectionRows(actual, columns, compare), DetectionRows(expected, columns, compare),
                             DetectionLimitsFrom(compare));
  }
  if (kind != "numbers") return "no rule for comparing " + kind;
  if (output["tolerance"].contains("cols")) return CompareColumns(actual, expected, output);
  return CompareNumbers(actual, expected, LimitsFrom(output["tolerance"], output));
}

// The model, made for the reference's input where its own is of a fixed, other size.
Result<std::unique_ptr<CompiledModel>> CompileFor(Engine& engine, const Path& path, const Path& folder,
                                                  const Json& meta) {
  DE_TRY(const ModelFiles files, FindModelFiles(path));
  DE_TRY(auto as_it_is, engine.Compile(files, {}));
  CompileOptions options;
  for (const TensorSpec& spec : as_it_is->inputs()) {
    for (const Json& described : meta["inputs"]) {
      if (described["name"].get<std::string>() != spec.name || !IsStatic(spec.shape)) continue;
      DE_TRY(const Tensor stored, ReadNpy(folder / described["file"].get<std::string>()));
      if (ElementCount(stored.shape) != ElementCount(spec.shape)) options.input_shapes[spec.name] = stored.shape;
    }
  }
  if (options.input_shapes.empty()) return as_it_is;
  return engine.Compile(files, options);
}

TEST_P(ReferenceTest, GivesTheSameNumbersAsItsOwnFramework) {
  const ReferenceCase& c = GetParam();
  const Path folder = TestData() / "reference" / c.reference;
  const auto text = ReadFile(folder / "meta.json");
  ASSERT_TRUE(text.ok()) << text.error().message;
  const Json meta = Json::parse(text.value());

  auto compiled = CompileFor(engine(), TestData() / "models" / c.model, folder, meta);
  ASSERT_TRUE(compiled.ok()) << compiled.error().message;
  CompiledModel& model = *compiled.value();

  for (const Json& described : meta["inputs"]) {
    const auto input_name = described["name"].get<std::string>();
    const auto& specs = model.inputs();
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const auto& s) { return s.name == input_name; });
    ASSERT_NE(spec, specs.end()) << input_name << " is not there; the first input is " << specs[0].name;
    const auto index = static_cast<size_t>(spec - specs.begin());
    const auto stored = ReadNpy(folder / described["file"].get<std::string>());
    ASSERT_TRUE(stored.ok()) << stored.error().message;
    if (!IsStatic(spec->shape)) {
      ASSERT_TRUE(model.ResizeInput(0, index, stored.value().shape).ok());
    }
    Fill(model.Input(0, index), stored.value());
  }
  const Status run = model.Run(0);
  ASSERT_TRUE(run.ok()) << run.error().message;

  // Outputs of one group are forms of one result (decoded, or as the network gives it): one of them is enough.
  std::map<std::string, int> compared;
  for (const Json& output : meta["outputs"]) {
    const auto output_name = output["name"].get<std::string>();
    const std::string group = output.value("one_of", "");
    const auto& specs = model.outputs();
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const auto& s) { return s.name == output_name; });
    if (!group.empty()) {
      compared[group] += spec == specs.end() ? 0 : 1;
      if (spec == specs.end()) continue;
    }
    ASSERT_NE(spec, specs.end()) << output_name << " is not there; the first output is " << specs[0].name;
    EXPECT_EQ(CompareOutput(model, static_cast<size_t>(spec - specs.begin()), folder, output), "") << output_name;
  }
  for (const auto& [group, count] : compared) EXPECT_GT(count, 0) << "no output of " << group;
}

// The same networks fed with packed 8-bit pixels, as lanes do it: the preparation happens in the graph.
struct PictureCase {
  const char* model;
  const char* reference;
  PictureInput picture;
  double zero = 0;  // what is added to the stored input to get a pixel of 0..255
};

using PictureReferenceTest = TestWithData;

std::vector<uint8_t> PackedPixels(const Tensor& stored, const PictureCase& c) {
  const std::vector<double> values = Numbers(stored.View());
  const auto width = static_cast<size_t>(c.picture.width);
  const size_t pixels = width * static_cast<size_t>(c.picture.height);
  std::vector<uint8_t> packed;
  for (size_t i = 0; i < pixels * 3; ++i) {
    const size_t at = c.picture.layout == TensorLayout::kNhwc ? i : (i % 3) * pixels + i / 3;
    packed.push_back(static_cast<uint8_t>(values[at] + c.zero));
  }
  return packed;
}

TEST_F(PictureReferenceTest, PackedPixelsGiveTheSameNumbers) {
  const PictureCase cases[] = {
      {"onnx/yolox_nano", "onnx/yolox_nano", {.width = 416, .height = 416, .order = ChannelOrder::kBgr}},
      {"openvino/person_vehicle_bike_0078_fp16",
       "openvino/person_vehicle_bike_0078_fp16",
       {.width = 1024, .height = 1024, .order = ChannelOrder::kBgr}},
      {"tflite/ssd_mobilenet_v1_coco_quant",
       "tflite/ssd_mobilenet_v1_coco_quant",
       {.layout = TensorLayout::kNhwc, .width = 300, .height = 300}},
      {"tflite/movenet_lightning_int8",
       "tflite/movenet_lightning_int8",
       {.layout = TensorLayout::kNhwc, .width = 192, .height = 192}},
      {"tflite/vww_96/vww_96_int8.tflite",
       "tflite/vww_96/int8",
       {.layout = TensorLayout::kNhwc, .width = 96, .height = 96, .mean = {128, 128, 128}},
       128},
  };
  for (const PictureCase& c : cases) {
    const Path folder = TestData() / "reference" / c.reference;
    const Json meta = Json::parse(ReadFile(folder / "meta.json").value());
    const auto files = FindModelFiles(TestData() / "models" / c.model);
    ASSERT_TRUE(files.ok()) << files.error().message;
    auto compiled = engine().Compile(files.value(), {.picture = c.picture});
    ASSERT_TRUE(compiled.ok()) << compiled.error().message;
    CompiledModel& model = *compiled.value();
    const auto stored = ReadNpy(folder / meta["inputs"][0]["file"].get<std::string>());
    ASSERT_TRUE(stored.ok()) << stored.error().message;
    const std::vector<uint8_t> pixels = PackedPixels(stored.value(), c);
    const auto input = model.Input(0, 0).As<uint8_t>();
    ASSERT_EQ(input.size(), pixels.size());
    std::copy(pixels.begin(), pixels.end(), input.begin());
    ASSERT_TRUE(model.Run(0).ok());
    for (size_t i = 0; i < meta["outputs"].size(); ++i) {
      EXPECT_EQ(CompareOutput(model, i, folder, meta["outputs"][i]), "") << c.model;
    }
  }
}

std::string TestName(const ::testing::TestParamInfo<ReferenceCase>& info) {
  std::string name = info.param.reference;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, ReferenceTest, ::testing::ValuesIn(kCases), TestName);

}  // namespace
}  // namespace deepedge
