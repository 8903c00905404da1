#include "deepedge/pipeline/agreement.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

DetectedObject Object(int label, float x1, float x2) { return {.label = label, .score = 0.9F, .box = {x1, 0, x2, 1}}; }

double AgreementOf(const InferenceResult& a, const InferenceResult& b) {
  AgreementMeter meter;
  meter.Add(a, b);
  return meter.Value().value_or(-1);
}

TEST(Agreement, OfObjectsIsF1) {
  const InferenceResult both{.objects = {Object(0, 0, 0.2F), Object(1, 0.5F, 0.9F)}};
  EXPECT_EQ(AgreementOf(both, both), 1);
  const InferenceResult one{.objects = {Object(0, 0, 0.2F)}};
  EXPECT_DOUBLE_EQ(AgreementOf(both, one), 2.0 / 3);
  EXPECT_DOUBLE_EQ(AgreementOf(one, both), 2.0 / 3);
  const InferenceResult other_label{.objects = {Object(1, 0, 0.2F)}};
  EXPECT_EQ(AgreementOf(one, other_label), 0);
  const InferenceResult moved{.objects = {Object(0, 0.05F, 0.25F)}};  // IoU 0.15 / 0.25
  EXPECT_EQ(AgreementOf(one, moved), 1);
  const InferenceResult far{.objects = {Object(0, 0.1F, 0.3F)}};  // IoU 0.1 / 0.3
  EXPECT_EQ(AgreementOf(one, far), 0);
}

TEST(Agreement, PairsEachBoxOnce) {
  const InferenceResult one{.objects = {Object(0, 0, 0.2F)}};
  const InferenceResult twice{.objects = {Object(0, 0, 0.2F), Object(0, 0, 0.2F)}};
  EXPECT_DOUBLE_EQ(AgreementOf(one, twice), 2.0 / 3);
}

TEST(Agreement, NothingSeenIsNoEvidence) {
  AgreementMeter meter;
  meter.Add({}, {});
  EXPECT_FALSE(meter.Value());
  EXPECT_EQ(meter.compared(), 0);
  meter.Add({}, {.objects = {Object(0, 0, 1)}});
  EXPECT_EQ(meter.Value(), 0);
}

TEST(Agreement, OfClassesIsTheFirstOfEachHead) {
  const InferenceResult a{.classes = {{.label = 3, .score = 0.8F}, {.label = 1, .score = 0.2F}}};
  const InferenceResult b{.classes = {{.label = 3, .score = 0.4F}, {.label = 2, .score = 0.3F}}};
  const InferenceResult c{.classes = {{.label = 1, .score = 0.6F}, {.label = 3, .score = 0.4F}}};
  EXPECT_EQ(AgreementOf(a, b), 1);
  EXPECT_EQ(AgreementOf(a, c), 0);
  const InferenceResult heads{.classes = {{3, 0.8F, "age"}, {0, 0.9F, "sex"}}};
  const InferenceResult other{.classes = {{2, 0.8F, "age"}, {0, 0.9F, "sex"}}};
  EXPECT_EQ(AgreementOf(heads, other), 0.5);
}

TEST(Agreement, OfVectorsIsTheirCosine) {
  const InferenceResult a{.embedding = {1, 0}};
  EXPECT_EQ(AgreementOf(a, {.embedding = {2, 0}}), 1);
  EXPECT_EQ(AgreementOf(a, {.embedding = {0, 1}}), 0);
  EXPECT_EQ(AgreementOf(a, {.embedding = {-1, 0}}), 0);
  EXPECT_EQ(AgreementOf(a, {}), 0);
}

TEST(Agreement, OfMasksIsTheShareOfEqualPixels) {
  const InferenceResult fine{.mask = {.width = 4, .height = 2, .runs = {{0, 2}, {1, 6}}}};
  const InferenceResult same{.mask = {.width = 4, .height = 2, .runs = {{0, 4}, {1, 4}}}};
  EXPECT_EQ(AgreementOf(fine, fine), 1);
  EXPECT_EQ(AgreementOf(fine, same), 0.75);
  // On a grid of 2x1 the fine mask is looked at in the middle of its left and its right half.
  const InferenceResult coarse{.mask = {.width = 2, .height = 1, .runs = {{1, 2}}}};
  EXPECT_EQ(AgreementOf(fine, coarse), 1);
  EXPECT_EQ(AgreementOf(fine, {}), 0);
}

TEST(Agreement, OfPointsCountsThoseThatWereSeen) {
  const InferenceResult a{.keypoints = {{{0.5F, 0.5F}, 0.9F}, {{0.1F, 0.1F}, 0.1F}, {{0.2F, 0.2F}, 0.5F}}};
  const InferenceResult b{.keypoints = {{{0.52F, 0.5F}, 0.9F}, {{0.9F, 0.9F}, 0.1F}, {{0.4F, 0.2F}, 0.5F}}};
  EXPECT_EQ(AgreementOf(a, a), 1);
  EXPECT_EQ(AgreementOf(a, b), 0.5);
}

TEST(Agreement, OfNumbersIsRelative) {
  const InferenceResult a{.values = {{"age", 30, "years"}, {"yaw", 0, "degrees"}}};
  const InferenceResult b{.values = {{"age", 10, "years"}, {"yaw", 0, "degrees"}}};
  EXPECT_EQ(AgreementOf(a, b), 0.75);
}

TEST(Agreement, OfTextIsThatOfItsBoxes) {
  const TextRegion region{{Point{0, 0}, Point{0.5F, 0}, Point{0.5F, 0.1F}, Point{0, 0.1F}}, 0.9F};
  const TextRegion other{{Point{0, 0.5F}, Point{0.5F, 0.5F}, Point{0.5F, 0.6F}, Point{0, 0.6F}}, 0.9F};
  EXPECT_EQ(AgreementOf({.text = {region}}, {.text = {region}}), 1);
  EXPECT_EQ(AgreementOf({.text = {region}}, {.text = {other}}), 0);
}

}  // namespace
}  // namespace deepedge
