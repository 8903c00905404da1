#include "deepedge/formats/caffe/caffe_reader.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <numeric>

#include "deepedge/formats/caffe/caffe_test_net.h"

namespace deepedge {
namespace {

class CaffeReaderTest : public CaffeTest {};

// A small net in both forms of text: filter, batch norm, scale, activation in place, pooling that rounds up, dense,
// softmax.
constexpr const char* kV2Net =
    "name: 'small'\n"
    "input: 'data' input_shape { dim: 1 dim: 2 dim: 5 dim: 5 }\n"
    "layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' param { lr_mult: 1 }\n"
    "  convolution_param { num_output: 3 kernel_size: 3 pad: 1 stride: 2 weight_filler { type: 'xavier' } } }\n"
    "layer { name: 'relu' type: 'ReLU' bottom: 'conv' top: 'conv' }\n"
    "layer { name: 'pool' type: 'Pooling' bottom: 'conv' top: 'pool' pooling_param { kernel_size: 2 stride: 2 } }\n"
    "layer { name: 'drop' type: 'Dropout' bottom: 'pool' top: 'pool' dropout_param { dropout_ratio: 0.5 } }\n"
    "layer { name: 'fc' type: 'InnerProduct' bottom: 'pool' top: 'fc' inner_product_param { num_output: 4 } }\n"
    "layer { name: 'prob' type: 'Softmax' bottom: 'fc' top: 'prob' }\n";
constexpr const char* kV1Net =
    "name: 'small'\n"
    "input: 'data' input_dim: 1 input_dim: 2 input_dim: 5 input_dim: 5\n"
    "layers { name: 'conv' type: CONVOLUTION bottom: 'data' top: 'conv' blobs_lr: 1 blobs_lr: 2 weight_decay: 1\n"
    "  convolution_param { num_output: 3 kernel_size: 3 pad: 1 stride: 2 } }\n"
    "layers { name: 'relu' type: RELU bottom: 'conv' top: 'conv' }\n"
    "layers { name: 'pool' type: POOLING bottom: 'conv' top: 'pool' pooling_param { kernel_size: 2 stride: 2 } }\n"
    "layers { name: 'drop' type: DROPOUT bottom: 'pool' top: 'pool' }\n"
    "layers { name: 'fc' type: INNER_PRODUCT bottom: 'pool' top: 'fc' inner_product_param { num_output: 4 } }\n"
    "layers { name: 'prob' type: SOFTMAX bottom: 'fc' top: 'prob' }\n";

TestWeights SmallWeights() {
  return {{"conv", {SomeBlob({3, 2, 3, 3}, 1), SomeBlob({3}, 2)}}, {"fc", {SomeBlob({4, 12}, 3), SomeBlob({4}, 4)}}};
}

// The same net as loops.
std::vector<float> SmallNet(const std::vector<float>& in) {
  const TestWeights weights = SmallWeights();
  const auto& kernel = weights.at("conv")[0].values;
  std::vector<double> conv(27);
  for (int o = 0; o < 3; ++o) {
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 3; ++x) {
        double sum = static_cast<double>(weights.at("conv")[1].values[static_cast<size_t>(o)]);
        for (int c = 0; c < 2; ++c) {
          for (int k = 0; k < 9; ++k) {
            const int row = 2 * y - 1 + k / 3;
            const int column = 2 * x - 1 + k % 3;
            if (row < 0 || row > 4 || column < 0 || column > 4) continue;
            sum += static_cast<double>(kernel[static_cast<size_t>((o * 2 + c) * 9 + k)]) *
                   static_cast<double>(in[static_cast<size_t>(c * 25 + row * 5 + column)]);
          }
        }
        conv[static_cast<size_t>(o * 9 + y * 3 + x)] = std::max(sum, 0.0);
      }
    }
  }
  // 3x3 to 2x2: windows at the far sides hold what there is.
  std::vector<double> pool;
  for (size_t o = 0; o < 3; ++o) {
    const auto at = [&](size_t y, size_t x) { return conv[o * 9 + y * 3 + x]; };
    pool.push_back(std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)}));
    pool.push_back(std::max(at(0, 2), at(1, 2)));
    pool.push_back(std::max(at(2, 0), at(2, 1)));
    pool.push_back(at(2, 2));
  }
  std::vector<double> exponents;
  for (size_t o = 0; o < 4; ++o) {
    double sum = static_cast<double>(weights.at("fc")[1].values[o]);
    for (size_t i = 0; i < 12; ++i) sum += static_cast<double>(weights.at("fc")[0].values[o * 12 + i]) * pool[i];
    exponents.push_back(std::exp(sum));
  }
  const double all = std::accumulate(exponents.begin(), exponents.end(), 0.0);
  std::vector<float> out;
  for (const double e : exponents) out.push_back(static_cast<float>(e / all));
  return out;
}

TEST_F(CaffeReaderTest, BothFormsOfTextAndWeightsGiveTheSameNumbers) {
  const auto input = SomeBlob({2, 5, 5}, 9).values;
  const auto expected = SmallNet(input);
  for (const char* text : {kV2Net, kV1Net}) {
    for (const std::string& weights : {CaffeModel(SmallWeights()), OldCaffeModel(SmallWeights())}) {
      const auto model = ReadBytes(text, weights);
      ASSERT_TRUE(model.ok()) << model.error().message;
      EXPECT_EQ(model.value()->get_friendly_name(), "small");
      EXPECT_EQ(model.value()->input(0).get_any_name(), "data");
      const auto outputs = RunModel(model.value(), {input});
      ASSERT_EQ(outputs.size(), 1U);
      EXPECT_EQ(outputs[0].name, "prob");
      ExpectNear(outputs[0].values, expected);
    }
  }
}

TEST_F(CaffeReaderTest, ReadsDoublesAndHalves) {
  const std::string net = InputText("data", "1,2") +
                          "layer { name: 'fc' type: 'InnerProduct' bottom: 'data' top: 'fc' "
                          "inner_product_param { num_output: 2 bias_term: false } }";
  const std::string shape = BytesField(7, BytesField(1, Varint(2) + Varint(2)));
  const std::string doubles = shape + BytesField(8, RawBytes(std::vector<double>{1, 2, 3, -4.5}));
  const std::string halves =
      shape + NumberField(10, 2) + BytesField(12, RawBytes(std::vector<uint16_t>{0x3C00, 0x4000, 0x4200, 0xC480}));
  for (const std::string& blob : {doubles, halves}) {
    const auto model = ReadBytes(net, BytesField(100, BytesField(1, "fc") + BytesField(7, blob)));
    ASSERT_TRUE(model.ok()) << model.error().message;
    ExpectNear(RunModel(model.value(), {{1, 10}}).at(0).values, {21, -42});
  }
}

TEST_F(CaffeReaderTest, TheNumberOfPicturesIsFree) {
  const std::string layer = "layer { name: 'x' type: 'Flatten' bottom: 'data' top: 'x' }";
  const auto shape_of = [&](const std::string& text) {
    const auto model = Read(text, {});
    EXPECT_TRUE(model.ok()) << model.error().message;
    return model.ok() ? model.value()->input(0).get_partial_shape() : ov::PartialShape();
  };
  EXPECT_EQ(shape_of(InputText("data", "64,1,4,4") + layer), (ov::PartialShape{-1, 1, 4, 4}));
  EXPECT_EQ(shape_of(InputText("data", "1,1,4,4") + layer), (ov::PartialShape{1, 1, 4, 4}));
  // A Reshape that says how many there are holds the net to it.
  EXPECT_EQ(
      shape_of(InputText("data", "8,1,4,4") +
               "layer { name: 'x' type: 'Reshape' bottom: 'data' top: 'x' reshape_param { shape { dim: [8, 16] } } }"),
      (ov::PartialShape{8, 1, 4, 4}));
}

TEST_F(CaffeReaderTest, NetsWithoutDenseLayersTakeOtherSizes) {
  const auto model = Read(InputText("data", "1,1,12,12") +
                              "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' convolution_param { "
                              "num_output: 1 kernel_size: 3 bias_term: false } }"
                              "layer { name: 'p' type: 'Pooling' bottom: 'c' top: 'p' pooling_param { kernel_size: 2 "
                              "stride: 2 } }",
                          {{"c", {SomeBlob({1, 1, 3, 3})}}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  model.value()->reshape(ov::PartialShape{1, 1, 23, 40});
  EXPECT_EQ(model.value()->output(0).get_partial_shape(), (ov::PartialShape{1, 1, 11, 19}));
}

TEST_F(CaffeReaderTest, LayersForTrainingAreGone) {
  const std::string text =
      "layer { name: 'train' type: 'Data' top: 'data' top: 'label' include { phase: TRAIN } transform_param { scale: 9 "
      "} }"
      "layer { name: 'test' type: 'Data' top: 'data' top: 'label' include { phase: TEST }"
      "  transform_param { crop_size: 4 mean_value: 104 mean_value: 117 mean_value: 123 mirror: false scale: 0.5 } }"
      "layer { name: 'aug' type: 'NoSuchType' bottom: 'data' top: 'data' exclude { phase: TEST } }"
      "layer { name: 'stage' type: 'NoSuchType' bottom: 'data' top: 'data' include { stage: 'train' } }"
      "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' convolution_param { num_output: 2 kernel_size: 4 "
      "} }"
      "layer { name: 'acc' type: 'Accuracy' bottom: 'c' bottom: 'label' top: 'acc' include { phase: TEST } }"
      "layer { name: 'loss' type: 'SoftmaxWithLoss' bottom: 'c' bottom: 'label' top: 'loss' }";
  const auto model = Read(text, {{"c", {SomeBlob({2, 3, 4, 4}), SomeBlob({2})}}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  ASSERT_EQ(model.value()->inputs().size(), 1U);
  EXPECT_EQ(model.value()->input(0).get_partial_shape(), (ov::PartialShape{1, 3, 4, 4}));
  const auto outputs = RunModel(model.value(), {SomeBlob({3, 4, 4}).values});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].name, "loss");
  EXPECT_NEAR(outputs[0].values[0] + outputs[0].values[1], 1, 1e-5);
  EXPECT_EQ(model.value()->get_rt_info<std::string>("deepedge", "caffe.transform"),
            R"({"scale":0.5,"mean_value":[104.0,117.0,123.0],"crop_size":4,"mirror":false})");
}

TEST_F(CaffeReaderTest, OutputsAreTheTopsThatNobodyReadsInTheOrderOfTheFile) {
  const std::string text =
      InputText("data", "1,4,1,1") + InputText("label", "1,1") +
      "layer { name: 's' type: 'Slice' bottom: 'data' top: 'z' top: 'unused' top: 'a' slice_param { "
      "slice_point: 1 slice_point: 2 } }"
      "layer { name: 'quiet' type: 'Silence' bottom: 'unused' }"
      "layer { name: 'r' type: 'ReLU' bottom: 'z' top: 'z' }"
      "layer { name: 'loss' type: 'EuclideanLoss' bottom: 'a' bottom: 'label' top: 'loss' }";
  const auto outputs = Run(text, {}, {{-1, 2, 3, 4}});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(outputs[0].name, "a");
  ExpectNear(outputs[0].values, {3, 4});
  EXPECT_EQ(outputs[1].name, "z");
  ExpectNear(outputs[1].values, {0});
}

// A detector as SSD is: two maps, one of them normalised, boxes told by step and by size.
std::string SsdText() {
  const auto head = [](const char* name, const char* bottom, int outputs) {
    return fmt::format(
        "layer {{ name: '{0}' type: 'Convolution' bottom: '{1}' top: '{0}' convolution_param {{ num_output: {2} "
        "kernel_size: 1 }} }}"
        "layer {{ name: '{0}_perm' type: 'Permute' bottom: '{0}' top: '{0}_perm' permute_param {{ order: [0, 2, 3, 1] "
        "}} }}"
        "layer {{ name: '{0}_flat' type: 'Flatten' bottom: '{0}_perm' top: '{0}_flat' flatten_param {{ axis: 1 }} }}",
        name, bottom, outputs);
  };
  return InputText("data", "1,3,32,32") +
         "layer { name: 'c1' type: 'Convolution' bottom: 'data' top: 'c1' convolution_param { num_output: 4 "
         "kernel_size: "
         "3 pad: 1 stride: 8 } }"
         "layer { name: 'r1' type: 'ReLU' bottom: 'c1' top: 'c1' }"
         "layer { name: 'norm' type: 'Normalize' bottom: 'c1' top: 'norm' norm_param { across_spatial: false "
         "scale_filler { type: 'constant' value: 20 } channel_shared: false } }"
         "layer { name: 'p1' type: 'Pooling' bottom: 'c1' top: 'p1' pooling_param { kernel_size: 2 stride: 2 } }" +
         head("loc1", "norm", 16) + head("conf1", "norm", 8) + head("loc2", "p1", 8) + head("conf2", "p1", 4) +
         "layer { name: 'prior1' type: 'PriorBox' bottom: 'norm' bottom: 'data' top: 'prior1' prior_box_param { "
         "min_size: 8 max_size: 18 aspect_ratio: 2 flip: true clip: false variance: [0.1, 0.1, 0.2, 0.2] step: 8 "
         "offset: 0.5 } }"
         "layer { name: 'prior2' type: 'PriorBox' bottom: 'p1' bottom: 'data' top: 'prior2' prior_box_param { "
         "min_size: "
         "16 max_size: 25 variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 } }"
         "layer { name: 'loc' type: 'Concat' bottom: 'loc1_flat' bottom: 'loc2_flat' top: 'loc' concat_param { axis: 1 "
         "} }"
         "layer { name: 'conf' type: 'Concat' bottom: 'conf1_flat' bottom: 'conf2_flat' top: 'conf' }"
         "layer { name: 'prior' type: 'Concat' bottom: 'prior1' bottom: 'prior2' top: 'prior' concat_param { axis: 2 } "
         "}"
         "layer { name: 'r' type: 'Reshape' bottom: 'conf' top: 'r' reshape_param { shape { dim: 0 dim: -1 dim: 2 } } }"
         "layer { name: 's' type: 'Softmax' bottom: 'r' top: 's' softmax_param { axis: 2 } }"
         "layer { name: 'f' type: 'Flatten' bottom: 's' top: 'f' flatten_param { axis: 1 } }"
         "layer { name: 'detection_out' type: 'DetectionOutput' bottom: 'loc' bottom: 'f' bottom: 'prior' top: "
         "'detection_out' include { phase: TEST } detection_output_param { num_classes: 2 share_location: true "
         "background_label_id: 0 nms_param { nms_threshold: 0.45 top_k: 100 } save_output_param { "
         "label_map_file: 'x' } code_type: CENTER_SIZE keep_top_k: 10 confidence_threshold: 0.6 } }";
}

// Nothing is learned but that class 1 is seen in the first cell of the second map, at its prior box.
TestWeights SsdWeights() {
  const auto zeros = [](std::vector<int64_t> shape) {
    TestBlob blob = SomeBlob(shape);
    std::fill(blob.values.begin(), blob.values.end(), 0.0F);
    return blob;
  };
  TestWeights weights{{"c1", {SomeBlob({4, 3, 3, 3}), SomeBlob({4})}}, {"norm", {SomeBlob({4})}}};
  for (const auto& [name, outputs] : {std::pair{"loc1", 16}, {"conf1", 8}, {"loc2", 8}, {"conf2", 4}}) {
    weights[name] = {zeros({outputs, 4, 1, 1}), zeros({outputs})};
  }
  weights["conf2"][1].values = {0, 2, 0, -2};
  return weights;
}

TEST_F(CaffeReaderTest, DetectorOfTheSsdKindRuns) {
  const auto outputs = Run(SsdText(), SsdWeights(), {SomeBlob({3, 32, 32}).values});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].name, "detection_out");
  EXPECT_EQ(outputs[0].shape, (ov::Shape{1, 1, 10, 7}));
  // The four cells of the second map see the class, each at its own smaller prior: 16 wide around 8 and 24 of 32.
  const float score = std::exp(2.0F) / (1 + std::exp(2.0F));
  std::vector<std::pair<float, float>> corners;
  for (size_t row = 0; row < 4; ++row) {
    const float* v = outputs[0].values.data() + row * 7;
    EXPECT_EQ(v[0], 0);
    EXPECT_EQ(v[1], 1);
    EXPECT_NEAR(v[2], score, 1e-5);
    EXPECT_NEAR(v[5] - v[3], 0.5, 1e-5);
    EXPECT_NEAR(v[6] - v[4], 0.5, 1e-5);
    corners.emplace_back(std::round(v[4] * 100) / 100, std::round(v[3] * 100) / 100);
  }
  std::sort(corners.begin(), corners.end());
  EXPECT_EQ(corners, (std::vector<std::pair<float, float>>{{0, 0}, {0, 0.5F}, {0.5F, 0}, {0.5F, 0.5F}}));
  EXPECT_EQ(outputs[0].values[28], -1);  // the end of the list
}

TEST_F(CaffeReaderTest, PriorBoxesStandInCaffesOrder) {
  const auto outputs =
      Run(InputText("map", "1,1,1,1") + InputText("data", "1,3,10,20") +
              "layer { name: 'x' type: 'PriorBox' bottom: 'map' bottom: 'data' top: 'x' prior_box_param { "
              "min_size: 4 max_size: 9 aspect_ratio: 4 variance: 0.1 variance: 0.1 variance: 0.2 "
              "variance: 0.2 } }",
          {}, {{0}, std::vector<float>(600)});
  ASSERT_EQ(outputs.size(), 1U);
  ASSERT_EQ(outputs[0].shape, (ov::Shape{1, 2, 16}));
  // Sides of 4, of 6, then 8 x 2 and 2 x 8, around (10, 5).
  const std::vector<float> expected{8 / 20.F, .3F, 12 / 20.F, .7F, 7 / 20.F, .2F, 13 / 20.F, .8F,
                                    6 / 20.F, .4F, 14 / 20.F, .6F, 9 / 20.F, .1F, 11 / 20.F, .9F};
  ExpectNear({outputs[0].values.begin(), outputs[0].values.begin() + 16}, expected);
  ExpectNear({outputs[0].values.begin() + 16, outputs[0].values.begin() + 20}, {.1F, .1F, .2F, .2F});
}

TEST_F(CaffeReaderTest, RegionProposalsOfFasterRcnn) {
  const std::string text =
      InputText("scores", "1,18,2,2") + InputText("deltas", "1,36,2,2") + InputText("im_info", "1,3") +
      InputText("features", "1,4,2,2") +
      "layer { name: 'proposal' type: 'Python' bottom: 'scores' bottom: 'deltas' bottom: 'im_info' top: 'rois' "
      "python_param { module: 'rpn.proposal_layer' layer: 'ProposalLayer' param_str: \"'feat_stride': 16\" } }"
      "layer { name: 'pool' type: 'ROIPooling' bottom: 'features' bottom: 'rois' top: 'pool' roi_pooling_param { "
      "pooled_w: 2 pooled_h: 2 spatial_scale: 0.0625 } }";
  const auto outputs =
      Run(text, {}, {SomeBlob({18, 2, 2}).values, std::vector<float>(144), {64, 64, 1}, SomeBlob({4, 2, 2}).values});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape, (ov::Shape{300, 4, 2, 2}));
}

// ---- Networks whose shapes are known from what was written about them; only their text is at hand ----

Path TestData() {
  const char* named = std::getenv("DEEPEDGE_TESTDATA");
  return named != nullptr ? Path(named) : Path(DEEPEDGE_SOURCE_DIR).parent_path() / "shared" / "testdata";
}

TEST_F(CaffeReaderTest, AlexNetHasItsShapes) {
  const auto text = ReadFile(TestData() / "models/caffe/alexnet_arch/deploy.prototxt");
  if (!text.ok()) GTEST_SKIP() << text.error().message;
  // Narrow dense layers, so that the weights stay small.
  std::string net = text.value();
  for (size_t at = 0; (at = net.find("4096", at)) != std::string::npos;) net.replace(at, 4, "16");
  const auto weights = [](std::vector<int64_t> shape) {
    return std::vector<TestBlob>{SomeBlob(shape), SomeBlob({shape[0]})};
  };
  const auto model = Read(net, {{"conv1", weights({96, 3, 11, 11})},
                                {"conv2", weights({256, 48, 5, 5})},
                                {"conv3", weights({384, 256, 3, 3})},
                                {"conv4", weights({384, 192, 3, 3})},
                                {"conv5", weights({256, 192, 3, 3})},
                                {"fc6", weights({16, 256 * 6 * 6})},
                                {"fc7", weights({16, 16})},
                                {"fc8", weights({1000, 16})}});
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model.value()->input(0).get_partial_shape(), (ov::PartialShape{-1, 3, 227, 227}));
  EXPECT_EQ(model.value()->output(0).get_partial_shape(), (ov::PartialShape{-1, 1000}));
}

TEST_F(CaffeReaderTest, GoogLeNetHasItsShapes) {
  const auto text = ReadFile(TestData() / "models/caffe/googlenet_arch/deploy.prototxt");
  if (!text.ok()) GTEST_SKIP() << text.error().message;
  const auto weights = [](std::vector<int64_t> shape) {
    return std::vector<TestBlob>{SomeBlob(shape), SomeBlob({shape[0]})};
  };
  TestWeights all{{"conv1/7x7_s2", weights({64, 3, 7, 7})},
                  {"conv2/3x3_reduce", weights({64, 64, 1, 1})},
                  {"conv2/3x3", weights({192, 64, 3, 3})},
                  {"loss3/classifier", weights({1000, 1024})}};
  struct Inception {
    const char* name;
    int64_t in, one, three_in, three, five_in, five, pool;
  };
  for (const Inception& i : {Inception{"3a", 192, 64, 96, 128, 16, 32, 32},
                             {"3b", 256, 128, 128, 192, 32, 96, 64},
                             {"4a", 480, 192, 96, 208, 16, 48, 64},
                             {"4b", 512, 160, 112, 224, 24, 64, 64},
                             {"4c", 512, 128, 128, 256, 24, 64, 64},
                             {"4d", 512, 112, 144, 288, 32, 64, 64},
                             {"4e", 528, 256, 160, 320, 32, 128, 128},
                             {"5a", 832, 256, 160, 320, 32, 128, 128},
                             {"5b", 832, 384, 192, 384, 48, 128, 128}}) {
    const std::string name = std::string("inception_") + i.name;
    all[name + "/1x1"] = weights({i.one, i.in, 1, 1});
    all[name + "/3x3_reduce"] = weights({i.three_in, i.in, 1, 1});
    all[name + "/3x3"] = weights({i.three, i.three_in, 3, 3});
    all[name + "/5x5_reduce"] = weights({i.five_in, i.in, 1, 1});
    all[name + "/5x5"] = weights({i.five, i.five_in, 5, 5});
    all[name + "/pool_proj"] = weights({i.pool, i.in, 1, 1});
  }
  const auto model = Read(text.value(), all);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model.value()->output(0).get_any_name(), "prob");
  EXPECT_EQ(model.value()->output(0).get_partial_shape(), (ov::PartialShape{-1, 1000}));
}

}  // namespace
}  // namespace deepedge
