#include "deepedge/pipeline/cascade/answer_of.h"

#include <gtest/gtest.h>

#include "deepedge/pipeline/cascade/pass_on.h"
#include "deepedge/pipeline/cascade/suppress_across.h"

namespace deepedge {
namespace {

const std::vector<std::string> kLabels{"cat", "dog"};

TEST(AnswerOf, SaysTheOneThingThatMatters) {
  InferenceResult classes;
  classes.classes = {{1, 0.8F}, {0, 0.2F}};
  InferenceResult objects;
  objects.objects = {{.label = 5, .score = 0.6F}};
  InferenceResult numbers;
  numbers.values = {{"age", 31.2F, "years"}};
  InferenceResult embedding;
  embedding.embedding = {1, 0};
  struct Case {
    const InferenceResult& result;
    const char* identity;
    const char* label;
    float score;
  };
  const InferenceResult nothing;
  const Case cases[] = {{classes, "", "dog", 0.8F},         {objects, "", "class 5", 0.6F},
                        {numbers, "", "age 31.2 years", 1}, {embedding, "", "", 1},
                        {embedding, "anna", "anna", 0.7F},  {nothing, "", "", 0}};
  for (const Case& one : cases) {
    const Answer answer = AnswerOf(one.result, kLabels, one.identity, 0.7F);
    EXPECT_EQ(answer.label, one.label);
    EXPECT_FLOAT_EQ(answer.score, one.score) << one.label;
  }
}

InferenceResult With(std::vector<DetectedObject> objects) {
  InferenceResult result;
  result.objects = std::move(objects);
  return result;
}

TEST(SuppressAcross, KeepsAThingWhereItScoresBest) {
  const Box box{0.1F, 0.1F, 0.3F, 0.3F};
  const Box near{0.11F, 0.1F, 0.31F, 0.3F};
  const Box far{0.6F, 0.6F, 0.8F, 0.8F};
  InferenceResult first = With({{.label = 0, .score = 0.7F, .box = box}, {.label = 0, .score = 0.6F, .box = far}});
  InferenceResult second = With({{.label = 0, .score = 0.9F, .box = near}, {.label = 1, .score = 0.5F, .box = box}});
  InferenceResult* results[] = {&first, &second};
  SuppressAcross(results, 0.5F);
  ASSERT_EQ(first.objects.size(), 1U) << "the same thing is in the second part, and better";
  EXPECT_EQ(first.objects[0].box, far);
  EXPECT_EQ(second.objects.size(), 2U) << "another label stays";
}

TEST(SuppressAcross, LeavesOnePartToItsOwnDecoder) {
  const Box box{0.1F, 0.1F, 0.3F, 0.3F};
  InferenceResult only = With({{.score = 0.7F, .box = box}, {.score = 0.6F, .box = box}});
  InferenceResult* results[] = {&only};
  SuppressAcross(results, 0.5F);
  EXPECT_EQ(only.objects.size(), 2U);
}

TEST(PassOn, ClassesFillThePartAndTextHasItsBox) {
  const Box part{0.2F, 0.2F, 0.6F, 0.6F};
  InferenceResult classes;
  classes.classes = {{1, 0.8F}, {0, 0.2F}};
  const auto of_classes = ObjectsToPassOn(classes, part);
  ASSERT_EQ(of_classes.size(), 2U);
  EXPECT_EQ(of_classes[0].label, 1);
  EXPECT_EQ(of_classes[0].box, part);

  InferenceResult text;
  text.text = {
      {.corners = {Point{0.3F, 0.2F}, Point{0.5F, 0.25F}, Point{0.48F, 0.35F}, Point{0.28F, 0.3F}}, .score = 0.9F}};
  const auto of_text = ObjectsToPassOn(text, part);
  ASSERT_EQ(of_text.size(), 1U);
  EXPECT_EQ(of_text[0].box, (Box{0.28F, 0.2F, 0.5F, 0.35F}));

  EXPECT_TRUE(PassesOn("detection"));
  EXPECT_FALSE(PassesOn("embedding"));
}

}  // namespace
}  // namespace deepedge
