// Every type of layer on numbers that can be followed by hand.
#include <cmath>

#include "deepedge/formats/caffe/caffe_test_net.h"

namespace deepedge {
namespace {

class LayersTest : public CaffeTest {};

TEST_F(LayersTest, PointwiseLayers) {
  const std::vector<float> in{-2, -0.5F, 0.5F, 8};
  struct Case {
    const char* layer;
    std::vector<float> out;
    std::vector<TestBlob> blobs;
  };
  const auto map = [&](auto f) {
    std::vector<float> out;
    for (const float x : in) out.push_back(static_cast<float>(f(static_cast<double>(x))));
    return out;
  };
  const Case cases[] = {
      {"type: 'ReLU'", {0, 0, 0.5F, 8}},
      {"type: 'ReLU' relu_param { negative_slope: 0.1 }", {-0.2F, -0.05F, 0.5F, 8}},
      {"type: 'ReLU6'", {0, 0, 0.5F, 6}},
      {"type: 'PReLU'", {-4, -1.5F, 0.5F, 8}, {{{2}, {2, 3}}}},
      {"type: 'PReLU' prelu_param { channel_shared: true }", {-4, -1, 0.5F, 8}, {{{1}, {2}}}},
      {"type: 'ELU' elu_param { alpha: 2 }", map([](double x) { return x > 0 ? x : 2 * (std::exp(x) - 1); })},
      {"type: 'Sigmoid'", map([](double x) { return 1 / (1 + std::exp(-x)); })},
      {"type: 'TanH'", map([](double x) { return std::tanh(x); })},
      {"type: 'AbsVal'", {2, 0.5F, 0.5F, 8}},
      {"type: 'BNLL'", map([](double x) { return std::log1p(std::exp(x)); })},
      {"type: 'Power' power_param { power: 2 scale: 3 shift: 1 }",
       map([](double x) { return (1 + 3 * x) * (1 + 3 * x); })},
      {"type: 'Exp' exp_param { base: 2 scale: 0.5 shift: 1 }", map([](double x) { return std::exp2(1 + x / 2); })},
      {"type: 'Exp'", map([](double x) { return std::exp(x); })},
      {"type: 'Log' log_param { base: 10 shift: 3 }", map([](double x) { return std::log10(x + 3); })},
      {"type: 'Threshold' threshold_param { threshold: 0.5 }", {0, 0, 0, 1}},
      {"type: 'Clip' clip_param { min: -1 max: 1 }", {-1, -0.5F, 0.5F, 1}},
      {"type: 'Swish' swish_param { beta: 2 }", map([](double x) { return x / (1 + std::exp(-2 * x)); })},
      {"type: 'HSwish'", map([](double x) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; })},
      {"type: 'HSigmoid'", map([](double x) { return std::clamp(x + 3, 0.0, 6.0) / 6; })},
      {"type: 'Mish'", map([](double x) { return x * std::tanh(std::log1p(std::exp(x))); })},
      {"type: 'Dropout' dropout_param { dropout_ratio: 0.4 }", in},
      {"type: 'Dropout' dropout_param { dropout_ratio: 0.5 scale_train: false }", {-1, -0.25F, 0.25F, 4}},
      {"type: 'Bias'", {-1, 1.5F, 1.5F, 10}, {{{2}, {1, 2}}}},
      {"type: 'Scale'", {-4, -1.5F, 1, 24}, {{{2}, {2, 3}}}},
      {"type: 'Scale' scale_param { bias_term: true }", {-3, 0.5F, 2, 26}, {{{2}, {2, 3}}, {{2}, {1, 2}}}},
      {"type: 'BN'", {-3, 0.5F, 2, 26}, {{{1, 2, 1, 1}, {2, 3}}, {{1, 2, 1, 1}, {1, 2}}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.layer);
    // Two pictures of two channels: in the order of the numbers above.
    ExpectNear(RunLayer("2,2,1,1", std::string(c.layer) + " ", c.blobs, {in[0], in[1]}).values, {c.out[0], c.out[1]});
    ExpectNear(RunLayer("2,2,1,1", std::string(c.layer) + " ", c.blobs, {in[2], in[3]}).values, {c.out[2], c.out[3]});
  }
}

TEST_F(LayersTest, BatchNormDividesByItsFactor) {
  const std::vector<TestBlob> blobs{{{2}, {2, 4}}, {{2}, {6, 14}}, {{1}, {2}}};
  ExpectNear(RunLayer("1,2,1,2", "type: 'BatchNorm' batch_norm_param { eps: 1 }", blobs, {1, 3, 2, 5}).values,
             {0, 1, 0, 3 / std::sqrt(8.0F)});
  // A factor of zero stands for statistics of zero.
  ExpectNear(RunLayer("1,2,1,1", "type: 'BatchNorm' batch_norm_param { eps: 4 }",
                      {{{2}, {2, 4}}, {{2}, {6, 14}}, {{1}, {0}}}, {1, 3})
                 .values,
             {0.5F, 1.5F});
}

TEST_F(LayersTest, LocalResponseDividesAlphaByTheWindow) {
  // Each channel sees its neighbours: 1, 2, 3 squared and summed.
  const auto lrn = [](double x, double sum, double size) {
    return static_cast<float>(x / std::pow(2 + 3.0 / size * sum, 0.5));
  };
  const auto across =
      RunLayer("1,3,1,1", "type: 'LRN' lrn_param { local_size: 3 alpha: 3 beta: 0.5 k: 2 }", {}, {1, 2, 3});
  ExpectNear(across.values, {lrn(1, 5, 3), lrn(2, 14, 3), lrn(3, 13, 3)});
  const auto within = RunLayer(
      "1,1,1,3", "type: 'LRN' lrn_param { local_size: 3 alpha: 9 beta: 1 norm_region: WITHIN_CHANNEL }", {}, {1, 2, 3});
  ExpectNear(within.values, {1.0F / 6, 2.0F / 15, 3.0F / 14});
}

TEST_F(LayersTest, NormalizesLengths) {
  ExpectNear(RunLayer("1,2,1,2", "type: 'Normalize' norm_param { across_spatial: false channel_shared: false }",
                      {{{2}, {10, 20}}}, {3, 0, 4, 5})
                 .values,
             {6, 0, 16, 20}, 1e-4F);
  ExpectNear(RunLayer("1,2,1,1", "type: 'Normalize' norm_param { }", {{{}, {5}}}, {3, 4}).values, {3, 4}, 1e-4F);
  ExpectNear(RunLayer("1,1,1,2", "type: 'MVN'", {}, {1, 3}).values, {-1, 1});
  ExpectNear(RunLayer("1,1,1,2", "type: 'MVN' mvn_param { normalize_variance: false }", {}, {1, 4}).values,
             {-1.5F, 1.5F});
}

TEST_F(LayersTest, ChangesShapes) {
  struct Case {
    const char* input;
    const char* layer;
    ov::Shape shape;
    std::vector<float> out;
  };
  const Case cases[] = {
      {"1,2,1,3", "type: 'Flatten'", {1, 6}, {1, 2, 3, 4, 5, 6}},
      {"1,1,2,3", "type: 'Flatten' flatten_param { axis: 0 end_axis: 1 }", {1, 2, 3}, {1, 2, 3, 4, 5, 6}},
      {"1,2,1,3", "type: 'Reshape' reshape_param { shape { dim: 0 dim: -1 } }", {1, 6}, {1, 2, 3, 4, 5, 6}},
      {"1,6", "type: 'Reshape' reshape_param { shape { dim: [3, 2] } axis: 1 }", {1, 3, 2}, {1, 2, 3, 4, 5, 6}},
      {"1,6",
       "type: 'Reshape' reshape_param { shape { dim: 1 dim: 1 } axis: -1 num_axes: 0 }",
       {1, 6, 1, 1},
       {1, 2, 3, 4, 5, 6}},
      {"1,2,1,3",
       "type: 'Reshape' reshape_param { shape { dim: 2 dim: 1 } axis: 1 num_axes: 1 }",
       {1, 2, 1, 1, 3},
       {1, 2, 3, 4, 5, 6}},
      {"1,2,1,3",
       "type: 'Permute' permute_param { order: 0 order: 2 order: 3 order: 1 }",
       {1, 1, 3, 2},
       {1, 4, 2, 5, 3, 6}},
      {"1,2,1,3", "type: 'Permute' permute_param { order: 3 }", {3, 1, 2, 1}, {1, 4, 2, 5, 3, 6}},
      {"1,6,1,1", "type: 'ShuffleChannel' shuffle_channel_param { group: 2 }", {1, 6, 1, 1}, {1, 4, 2, 5, 3, 6}},
      {"1,6", "type: 'Tile' tile_param { axis: 0 tiles: 2 }", {2, 6}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}},
      {"1,1,2,3", "type: 'Upsample' upsample_param { scale: 2 }", {1, 1, 4, 6}, {1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3,
                                                                                 4, 4, 5, 5, 6, 6, 4, 4, 5, 5, 6, 6}},
      {"1,1,2,3",
       "type: 'Interp' interp_param { height: 3 width: 3 }",
       {1, 1, 3, 3},
       {1, 2, 3, 2.5F, 3.5F, 4.5F, 4, 5, 6}},
      {"1,1,2,3",
       "type: 'Interp' interp_param { zoom_factor: 2 }",
       {1, 1, 3, 5},
       {1, 1.5F, 2, 2.5F, 3, 2.5F, 3, 3.5F, 4, 4.5F, 4, 4.5F, 5, 5.5F, 6}},
      {"1,2,1,3", "type: 'ArgMax' argmax_param { axis: 3 }", {1, 2, 1, 1}, {2, 2}},
      {"1,6", "type: 'ArgMax' argmax_param { top_k: 2 out_max_val: true }", {1, 2, 2}, {5, 4, 6, 5}},
      {"1,6", "type: 'ArgMax'", {1, 1, 1}, {5}},
      {"1,2,1,3", "type: 'Reduction' reduction_param { axis: 2 operation: MEAN coeff: 2 }", {1, 2}, {4, 10}},
      {"1,6", "type: 'Reduction' reduction_param { operation: SUMSQ }", {}, {91}},
      {"1,2,1,3", "type: 'Slice' slice_param { axis: 3 } top: 'b' top: 'c'", {1, 2, 1, 1}, {1, 4}},
      {"1,6", "type: 'Slice' slice_param { slice_point: 2 slice_point: 5 } top: 'b' top: 'c'", {1, 2}, {1, 2}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.layer);
    const auto out = RunLayer(c.input, c.layer, {}, {1, 2, 3, 4, 5, 6});
    EXPECT_EQ(out.shape, c.shape);
    ExpectNear(out.values, c.out);
  }
}

TEST_F(LayersTest, CombinesBottoms) {
  struct Case {
    const char* layer;
    const char* second_shape;
    std::vector<float> second;
    std::vector<float> out;
  };
  const Case cases[] = {
      {"type: 'Eltwise'", "1,2,1,2", {5, 6, 7, 8}, {6, 8, 10, 12}},
      {"type: 'Eltwise' eltwise_param { operation: SUM coeff: 1 coeff: -2 }",
       "1,2,1,2",
       {5, 6, 7, 8},
       {-9, -10, -11, -12}},
      {"type: 'Eltwise' eltwise_param { operation: PROD }", "1,2,1,2", {5, 6, 7, 8}, {5, 12, 21, 32}},
      {"type: 'Eltwise' eltwise_param { operation: MAX }", "1,2,1,2", {0, 6, 1, 8}, {1, 6, 3, 8}},
      {"type: 'Concat'", "1,1,1,2", {5, 6}, {1, 2, 3, 4, 5, 6}},
      {"type: 'Concat' concat_param { concat_dim: 3 }", "1,2,1,1", {5, 6}, {1, 2, 5, 3, 4, 6}},
      {"type: 'Scale' scale_param { axis: 0 }", "1,2", {10, 100}, {10, 20, 300, 400}},
      {"type: 'Bias' bias_param { axis: 0 }", "1,2", {10, 20}, {11, 12, 23, 24}},
      {"type: 'Crop' crop_param { axis: 3 offset: 1 }", "1,2,1,1", {0, 0}, {2, 4}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.layer);
    const auto outputs = Run(InputText("a", "1,2,1,2") + InputText("b", c.second_shape) +
                                 "layer { name: 'x' bottom: 'a' bottom: 'b' top: 'x' " + c.layer + " }",
                             {}, {{1, 2, 3, 4}, c.second});
    if (outputs.empty()) continue;
    ExpectNear(outputs[0].values, c.out);
  }
  const auto axpy = Run(InputText("s", "1,2,1,1") + InputText("a", "1,2,1,2") + InputText("b", "1,2,1,2") +
                            "layer { name: 'x' type: 'Axpy' bottom: 's' bottom: 'a' bottom: 'b' top: 'x' }",
                        {}, {{2, 3}, {1, 2, 3, 4}, {10, 10, 10, 10}});
  ExpectNear(axpy.at(0).values, {12, 14, 19, 22});
}

TEST_F(LayersTest, Filters) {
  const std::vector<float> in{1, 2, 3, 4};
  // A kernel of ones with padding: sums of neighbours.
  const std::string conv = "type: 'Convolution' convolution_param { num_output: 1 kernel_size: 3 pad: 1 ";
  ExpectNear(RunLayer("1,1,2,2", conv + "}", {{{1, 1, 3, 3}, std::vector<float>(9, 1)}, {{1}, {0.5F}}}, in).values,
             {10.5F, 10.5F, 10.5F, 10.5F});
  // Every second neighbour: only the number itself and zeros around.
  const std::string dilated =
      "type: 'Convolution' convolution_param { num_output: 1 kernel_h: 3 kernel_w: 3 pad_h: 2 pad_w: 2 dilation: 2 "
      "bias_term: false }";
  ExpectNear(RunLayer("1,1,2,2", dilated, {{{1, 1, 3, 3}, {9, 9, 9, 9, 2, 9, 9, 9, 9}}}, in).values, {2, 4, 6, 8});
  // Two groups: each output sees its own channels only.
  const std::string grouped =
      "type: 'Convolution' convolution_param { num_output: 2 group: 2 kernel_size: 1 bias_term: false }";
  ExpectNear(RunLayer("1,4,1,1", grouped, {{{2, 2, 1, 1}, {1, 10, 100, 1000}}}, in).values, {21, 4300});
}

TEST_F(LayersTest, DepthwiseLayersNeedNoGroup) {
  const std::vector<TestBlob> blobs{{{2, 1, 1, 1}, {2, 3}}};
  for (const char* type : {"DepthwiseConvolution", "ConvolutionDepthwise"}) {
    for (const char* group : {"", "group: 2"}) {
      const std::string layer = std::string("type: '") + type +
                                "' convolution_param { num_output: 2 kernel_size: 1 bias_term: false " + group + " }";
      ExpectNear(RunLayer("1,2,1,2", layer, blobs, {1, 2, 3, 4}).values, {2, 4, 9, 12});
    }
  }
}

TEST_F(LayersTest, DeconvolutionSpreadsItsKernel) {
  const std::string layer =
      "type: 'Deconvolution' convolution_param { num_output: 1 kernel_size: 2 stride: 2 bias_term: false }";
  ExpectNear(RunLayer("1,1,1,2", layer, {{{1, 1, 2, 2}, {1, 2, 3, 4}}}, {1, 10}).values, {1, 2, 10, 20, 3, 4, 30, 40});
  const std::string grouped =
      "type: 'Deconvolution' convolution_param { num_output: 2 group: 2 kernel_size: 2 stride: 2 pad: 0 }";
  ExpectNear(RunLayer("1,2,1,1", grouped, {{{2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}}, {{2}, {100, 200}}}, {1, 2}).values,
             {101, 102, 103, 104, 210, 212, 214, 216});
}

TEST_F(LayersTest, InnerProductOfAnyAxis) {
  const std::string layer = "type: 'InnerProduct' inner_product_param { num_output: 2 bias_term: false ";
  const std::vector<TestBlob> matrix{{{2, 3}, {1, 2, 3, 4, 5, 6}}};
  ExpectNear(RunLayer("1,3,1,1", layer + "}", matrix, {1, 10, 100}).values, {321, 654});
  ExpectNear(RunLayer("1,2,3", layer + "axis: 2 }", matrix, {1, 0, 0, 0, 1, 0}).values, {1, 4, 2, 5});
  ExpectNear(RunLayer("1,3", layer + "transpose: true }", {{{3, 2}, {1, 4, 2, 5, 3, 6}}}, {1, 10, 100}).values,
             {321, 654});
}

}  // namespace
}  // namespace deepedge
