#include "deepedge/pipeline/card/probe_score.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

DetectedObject Object(float score, Box box, int label = 0) { return {.label = label, .score = score, .box = box}; }

constexpr Box kLeft{0.1F, 0.2F, 0.3F, 0.5F};
constexpr Box kLeftMirrored{0.7F, 0.2F, 0.9F, 0.5F};

double ValueOf(ProbeResults results) {
  const auto sanity = SanityOf(results);
  return sanity ? sanity->value : -100;
}

TEST(ProbeScore, BoxesCountWhenTheMirrorImageHasThemToo) {
  struct Case {
    const char* what;
    std::vector<DetectedObject> seen;
    std::vector<DetectedObject> mirrored;
    std::vector<DetectedObject> noise;
    double value;
  };
  const std::vector<Case> cases = {
      {"found again: the lower score", {Object(0.9F, kLeft)}, {Object(0.7F, kLeftMirrored)}, {}, 0.7},
      {"not found again", {Object(0.8F, kLeft)}, {}, {}, -0.4},
      {"only in the mirror image", {}, {Object(0.8F, kLeft)}, {}, -0.4},
      {"another label is another thing", {Object(0.8F, kLeft, 1)}, {Object(0.8F, kLeftMirrored, 2)}, {}, -0.8},
      {"the same place is not the mirrored one", {Object(0.8F, kLeft)}, {Object(0.8F, kLeft)}, {}, -0.8},
      {"noise is taken away", {Object(0.9F, kLeft)}, {Object(0.9F, kLeftMirrored)}, {Object(0.8F, kLeft)}, 0.5},
      {"the whole picture is no thing", {Object(0.8F, {0, 0, 1, 1})}, {Object(0.8F, {0, 0, 1, 1})}, {}, -0.8},
      {"fainter than the threshold on one side", {Object(0.6F, kLeft)}, {Object(0.3F, kLeftMirrored)}, {}, 0.3},
      {"fainter on both", {Object(0.3F, kLeft)}, {Object(0.3F, kLeftMirrored)}, {}, 0},
  };
  for (const Case& c : cases) {
    ProbeResults results{.threshold = 0.5F};
    results.parts.emplace_back();
    results.parts[0].seen.objects = c.seen;
    results.parts[0].mirrored.objects = c.mirrored;
    results.noise.objects = c.noise;
    EXPECT_NEAR(ValueOf(results), c.value, 1e-6) << c.what;
  }
}

InferenceResult Classes(std::vector<float> scores) {
  InferenceResult result;
  for (size_t i = 0; i < scores.size(); ++i) result.classes.push_back({static_cast<int>(i), scores[i], ""});
  return result;
}

// Parts that the network calls by these scores, in both views.
ProbeResults Parts(const std::vector<std::vector<float>>& seen, const std::vector<std::vector<float>>& mirrored) {
  ProbeResults results;
  for (size_t i = 0; i < seen.size(); ++i)
    results.parts.push_back({Classes(seen[i]), Classes(mirrored[i]), std::nullopt});
  return results;
}

TEST(ProbeScore, ClassesTellPartsApart) {
  const std::vector<std::vector<float>> sure{{1, 0}, {0, 1}};
  const std::vector<std::vector<float>> constant{{1, 0}, {1, 0}};
  const std::vector<std::vector<float>> unsure{{0.5F, 0.5F}, {0.5F, 0.5F}};
  const std::vector<std::vector<float>> swapped{{0, 1}, {1, 0}};
  EXPECT_GT(ValueOf(Parts(sure, sure)), 0.9);
  EXPECT_EQ(ValueOf(Parts(constant, constant)), 0);
  EXPECT_EQ(ValueOf(Parts(unsure, unsure)), 0);
  EXPECT_EQ(ValueOf(Parts(sure, swapped)), 0);
}

TEST(ProbeScore, EmbeddingsOfMirrorImagesAreNear) {
  ProbeResults results;
  for (const auto& vector : {std::vector<float>{1, 0, 0}, std::vector<float>{0, 1, 0}}) {
    ProbePair pair;
    pair.seen.embedding = vector;
    pair.mirrored.embedding = vector;
    results.parts.push_back(pair);
  }
  EXPECT_NEAR(ValueOf(results), 1, 1e-6);
  std::swap(results.parts[0].mirrored, results.parts[1].mirrored);
  EXPECT_EQ(ValueOf(results), 0);
}

TEST(ProbeScore, MasksAreMirrored) {
  ProbePair pair;
  pair.seen.mask = {.width = 4, .height = 1, .runs = {{1, 1}, {-1, 3}}, .shares = {{1, 0.25F}}};
  pair.mirrored.mask = {.width = 4, .height = 1, .runs = {{-1, 3}, {1, 1}}, .shares = {{1, 0.25F}}};
  ProbeResults results{.parts = {pair}};
  EXPECT_NEAR(ValueOf(results), 1, 1e-6);
  results.noise.mask = pair.seen.mask;  // the same is seen where nothing is
  EXPECT_NEAR(ValueOf(results), 0, 1e-6);
}

TEST(ProbeScore, WithoutPartsNothingIsSaid) { EXPECT_FALSE(SanityOf({}).has_value()); }

TEST(ProbeScore, TheEvidenceIsLeftOnlyForClearlySanerResults) {
  using Unit = SanityUnit;
  struct Case {
    const char* what;
    Sanity candidate;
    Sanity usual;
    double prior;
    bool saner;
  };
  const std::vector<Case> cases = {
      {"twice as many things against a guess", {4, Unit::kThings}, {2, Unit::kThings}, 0.5, true},
      {"the same against a likely reading", {4, Unit::kThings}, {2, Unit::kThings}, 0.88, false},
      {"less than one thing more", {1.5, Unit::kThings}, {0.7, Unit::kThings}, 0.5, false},
      {"two things against none", {2, Unit::kThings}, {0, Unit::kThings, true}, 0.5, false},
      {"four things against none", {4, Unit::kThings}, {0, Unit::kThings, true}, 0.5, true},
      {"a share against silence", {0.9, Unit::kShare}, {0, Unit::kShare, true}, 0.5, false},
      {"a much larger share", {0.9, Unit::kShare}, {0.4, Unit::kShare}, 0.6, true},
      {"surer, where the usual says something too", {0.9, Unit::kSeparate}, {0.4, Unit::kSeparate}, 0.5, false},
      {"something, where the usual says nothing", {0.5, Unit::kSeparate}, {0.1, Unit::kSeparate}, 0.5, true},
      {"nothing much either", {0.2, Unit::kSeparate}, {0.05, Unit::kSeparate}, 0.5, false},
  };
  for (const Case& c : cases) EXPECT_EQ(IsClearlySaner(c.candidate, c.usual, c.prior), c.saner) << c.what;
}

}  // namespace
}  // namespace deepedge
