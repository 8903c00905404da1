#include "deepedge/pipeline/card/choose_reading.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;
using enum SanityUnit;

TEST(ChooseReading, TriesWhatIsNearAndCanBeCompared) {
  struct Case {
    const char* what;
    std::vector<ReadingOdds> readings;
    std::vector<size_t> tried;
  };
  const std::vector<Case> cases = {
      {"nothing", {}, {}},
      {"one reading", {{Kind::kSsd, 0.5}}, {}},
      {"the first is settled", {{Kind::kSsd, 0.9}, {Kind::kDetectionRows, 0.89}}, {}},
      {"near", {{Kind::kDetectionRows, 0.85}, {Kind::kSsd, 0.8}}, {1}},
      {"as near as can be", {{Kind::kDetectionRows, 0.75}, {Kind::kSsd, 0.5}}, {1}},
      {"far", {{Kind::kDetectionRows, 0.85}, {Kind::kSsd, 0.5}}, {}},
      {"the same decoder with other numbers", {{Kind::kSsdAnchors, 0.8}, {Kind::kSsdAnchors, 0.8}}, {1}},
      {"classes and vectors", {{Kind::kClassification, 0.85}, {Kind::kEmbedding, 0.85}}, {1}},
      {"text and a mask", {{Kind::kSegmentation, 0.7}, {Kind::kTextMap, 0.55}}, {}},
      {"points and a mask", {{Kind::kSegmentation, 0.7}, {Kind::kHeatmapPose, 0.65}}, {}},
      {"classes and numbers", {{Kind::kClassification, 0.85}, {Kind::kRegression, 0.7}}, {}},
      {"one of several",
       {{Kind::kClassification, 0.85}, {Kind::kRegression, 0.7}, {Kind::kEmbedding, 0.65}, {Kind::kEmbedding, 0.3}},
       {2}},
      {"three at most",
       {{Kind::kDfl, 0.8}, {Kind::kDfl, 0.8}, {Kind::kYolox, 0.8}, {Kind::kYoloRows, 0.7}, {Kind::kSsd, 0.7}},
       {1, 2, 3}},
  };
  for (const Case& c : cases) EXPECT_EQ(ReadingsToTry(c.readings), c.tried) << c.what;
}

TEST(ChooseReading, LeavesTheEvidenceOnlyForWhatIsClearlySaner) {
  struct Case {
    const char* what;
    std::vector<TriedReading> tried;
    size_t chosen;
  };
  const Sanity silent{0, kThings, true};
  const std::vector<Case> cases = {
      {"nothing else", {{0.8, Sanity{0.1, kThings}}}, 0},
      {"saner", {{0.85, Sanity{0.5, kThings}}, {0.8, Sanity{4, kThings}}}, 1},
      {"a little saner", {{0.85, Sanity{3.5, kThings}}, {0.8, Sanity{4, kThings}}}, 0},
      {"nonsense against things", {{0.85, Sanity{-20, kThings}}, {0.8, Sanity{2, kThings}}}, 1},
      {"nonsense against nothing", {{0.85, Sanity{-20, kThings}}, {0.8, silent}}, 0},
      {"nothing against one thing", {{0.85, silent}, {0.8, Sanity{1.5, kThings}}}, 0},
      {"nothing against several", {{0.85, silent}, {0.8, Sanity{3.5, kThings}}}, 1},
      {"evidence that is as good asks for less", {{0.7, Sanity{5, kThings}}, {0.7, Sanity{6.5, kThings}}}, 1},
      {"evidence that is better asks for more", {{0.89, Sanity{5, kThings}}, {0.2, Sanity{6.5, kThings}}}, 0},
      {"a vector that tells parts apart", {{0.85, Sanity{0.01, kSeparate}}, {0.85, Sanity{0.5, kSeparate}}}, 1},
      {"classes that do", {{0.85, Sanity{0.4, kSeparate}}, {0.85, Sanity{0.9, kSeparate}}}, 0},
      {"other units say nothing", {{0.7, Sanity{0, kShare}}, {0.7, Sanity{9, kThings}}}, 0},
      {"what could not be run is left out",
       {{0.7, Sanity{0.5, kThings}}, {0.7, std::nullopt}, {0.6, Sanity{5, kThings}}},
       2},
      {"of the evidence's nothing can be said", {{0.7, std::nullopt}, {0.7, Sanity{5, kThings}}}, 0},
      {"the sanest of several", {{0.7, Sanity{0, kThings}}, {0.7, Sanity{5, kThings}}, {0.6, Sanity{9, kThings}}}, 2},
      {"of equals the likelier", {{0.7, Sanity{0, kThings}}, {0.7, Sanity{5, kThings}}, {0.6, Sanity{5, kThings}}}, 1},
      {"no evidence at all", {{0, Sanity{0, kThings}}, {0, Sanity{5, kThings}}}, 1},
  };
  for (const Case& c : cases) EXPECT_EQ(ChooseReading(c.tried), c.chosen) << c.what;
}

}  // namespace
}  // namespace deepedge
