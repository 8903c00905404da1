#include "deepedge/engine/openvino/detection_post_process.h"

#include <gtest/gtest.h>

#include <cmath>
#include <openvino/core/model.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/runtime/properties.hpp>
#include <vector>

namespace deepedge {
namespace {

struct Detections {
  std::vector<float> boxes;
  std::vector<float> classes;
  std::vector<float> scores;
  float count = 0;
};

// Four anchors: 0 and 1 nearly the same box, 2 and 3 elsewhere. Scores are for background and two classes.
Detections Compute(const std::vector<float>& offsets, const std::vector<float>& scores,
                   const DetectionPostProcess& rule) {
  using ov::op::v0::Parameter;
  const auto given_offsets = std::make_shared<Parameter>(ov::element::f32, ov::Shape{1, 4, 4});
  const auto given_scores = std::make_shared<Parameter>(ov::element::f32, ov::Shape{1, 4, scores.size() / 4});
  const std::vector<float> anchors{0.5F, 0.5F, 0.2F, 0.2F, 0.5F, 0.51F, 0.2F, 0.2F,
                                   0.2F, 0.2F, 0.1F, 0.1F, 0.8F, 0.8F,  0.4F, 0.2F};
  const auto outputs = BuildDetectionPostProcess(given_offsets, given_scores,
                                                 ov::op::v0::Constant::create(ov::element::f32, {4, 4}, anchors), rule);
  const auto model = std::make_shared<ov::Model>(outputs, ov::ParameterVector{given_offsets, given_scores});
  static ov::Core core;
  auto request =
      core.compile_model(model, "CPU", ov::hint::inference_precision(ov::element::f32)).create_infer_request();
  request.set_input_tensor(0, ov::Tensor(ov::element::f32, {1, 4, 4}, const_cast<float*>(offsets.data())));
  request.set_input_tensor(1,
                           ov::Tensor(ov::element::f32, {1, 4, scores.size() / 4}, const_cast<float*>(scores.data())));
  request.infer();
  const auto values = [&](size_t i) {
    const ov::Tensor tensor = request.get_output_tensor(i);
    return std::vector<float>(tensor.data<float>(), tensor.data<float>() + tensor.get_size());
  };
  return {values(0), values(1), values(2), values(3)[0]};
}

void ExpectBox(const Detections& found, size_t i, const std::array<float, 4>& box) {
  for (size_t k = 0; k < 4; ++k) EXPECT_NEAR(found.boxes[4 * i + k], box[k], 1e-5) << "box " << i << " number " << k;
}

constexpr DetectionPostProcess kRule{.y_scale = 10,
                                     .x_scale = 10,
                                     .h_scale = 5,
                                     .w_scale = 5,
                                     .least_score = 0.1F,
                                     .overlap = 0.6F,
                                     .classes = 2,
                                     .max_detections = 3};

TEST(DetectionPostProcess, KeepsTheBestOfOverlappingBoxes) {
  const std::vector<float> offsets{0, 0, 0,
                                   0,  //
                                   0, 0, 0,
                                   0,  //
                                   5, 0, 5 * std::log(2.0F),
                                   0,  // cy = 0.2 + 0.5 * 0.1, h = 0.2
                                   0, 0, 0,
                                   0};
  const std::vector<float> scores{0.9F, 0.3F,  0.7F,  //
                                  0.0F, 0.8F,  0.1F,  //
                                  0.9F, 0.2F,  0.5F,  //
                                  0.9F, 0.05F, 0.02F};
  const Detections found = Compute(offsets, scores, kRule);
  EXPECT_EQ(found.count, 2);
  EXPECT_EQ(found.scores, (std::vector<float>{0.8F, 0.5F, 0}));
  EXPECT_EQ(found.classes, (std::vector<float>{0, 1, 0}));
  ExpectBox(found, 0, {0.4F, 0.41F, 0.6F, 0.61F});
  ExpectBox(found, 1, {0.15F, 0.15F, 0.35F, 0.25F});
  ExpectBox(found, 2, {0, 0, 0, 0});
}

TEST(DetectionPostProcess, SuppressesWithinClassesWhenToldSo) {
  DetectionPostProcess rule = kRule;
  rule.by_class = true;
  const std::vector<float> offsets(16, 0);
  const std::vector<float> scores{0.3F, 0.7F,  // no background column
                                  0.8F, 0.2F,  //
                                  0.0F, 0.5F,  //
                                  0.0F, 0.4F};
  const Detections found = Compute(offsets, scores, rule);
  // Both classes keep their best of the first two boxes; the fourth that is left is one too many.
  EXPECT_EQ(found.count, 3);
  EXPECT_EQ(found.scores, (std::vector<float>{0.8F, 0.7F, 0.5F}));
  EXPECT_EQ(found.classes, (std::vector<float>{0, 1, 1}));
  ExpectBox(found, 1, {0.4F, 0.4F, 0.6F, 0.6F});
}

TEST(DetectionPostProcess, NothingFoundIsNoError) {
  const Detections found = Compute(std::vector<float>(16, 0), std::vector<float>(12, 0), kRule);
  EXPECT_EQ(found.count, 0);
  EXPECT_EQ(found.scores, (std::vector<float>{0, 0, 0}));
}

TEST(DetectionPostProcess, ScoresOfOtherClassesAreRefused) {
  EXPECT_ANY_THROW(Compute(std::vector<float>(16, 0), std::vector<float>(20, 0), kRule));
}

}  // namespace
}  // namespace deepedge
