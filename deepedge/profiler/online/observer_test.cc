#include "deepedge/profiler/online/observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace deepedge {
namespace {

constexpr Boundness kCompute = {.compute = 1, .cache = 0, .memory = 0};
constexpr Boundness kMemory = {.compute = 0, .cache = 0, .memory = 1};

StageKey Key(const std::string& model, int stage = 0) {
  return {.model = model, .setting = {.variant = {Precision::kInt8, 416, 416}}, .stage = stage};
}

// A box whose truth is known: what each stage takes alone against its profile, what a neighbour costs, what other
// programs take.
class TrueBox {
 public:
  struct Stage {
    StageKey key;
    double solo_us = 5000;
    double level = 1;  // truth / profile
    Boundness bound = kCompute;
    int every = 1;  // runs in each of so many steps once
    int generation = 1;
  };

  explicit TrueBox(std::vector<Stage> of) : stages(std::move(of)) {}

  // Each step is 20 ms; a stage runs at most once in it, beside a neighbour or not.
  void Serve(Observer& observer, int steps) {
    for (int step = 0; step < steps; ++step) {
      now = now + std::chrono::milliseconds(20);
      ++steps_;
      for (const Stage& stage : stages) {
        if (steps_ % stage.every != 0) continue;
        NeighbourLoad load;
        double slow = 1;
        if (beside_share > 0 && uniform_(random_) < beside_share) {
          const Boundness& other = stages[random_() % stages.size()].bound;
          AddNeighbour(load, other);
          slow += memory_gamma * stage.bound.memory * other.memory;
        }
        const double us = stage.solo_us * stage.level * slow * kappa * std::exp(noise * normal_(random_));
        observer.Observe({.key = stage.key,
                          .generation = stage.generation,
                          .start = now,
                          .end = now + Duration(std::llround(us)),
                          .solo_us = stage.solo_us,
                          .solo_log_sd = 0.05,
                          .bound = stage.bound},
                         load);
      }
    }
  }

  std::vector<Stage> stages;
  double kappa = 1;
  double noise = 0.03;
  double beside_share = 0;
  double memory_gamma = 0.47;
  Time now{1'000'000'000};

 private:
  std::mt19937 random_{5};
  std::uniform_real_distribution<double> uniform_;
  std::normal_distribution<double> normal_;
  int steps_ = 0;
};

std::vector<TrueBox::Stage> FourModels() {
  return {{.key = Key("yolox"), .solo_us = 9000},
          {.key = Key("resnet"), .solo_us = 20000},
          {.key = Key("mobilenet"), .solo_us = 3000},
          {.key = Key("alexnet"), .solo_us = 2000, .bound = kMemory}};
}

double RatioOf(const Observer& observer, const std::string& model) {
  for (const StageReport& report : observer.Report()) {
    if (report.key.model == model) return report.ratio;
  }
  return 0;
}

SettingCost CostOf(const std::vector<double>& stage_us, double log_sd) {
  SettingCost cost{.setting = Key("").setting};
  double sum = 0;
  for (const double us : stage_us) {
    StageCost stage;
    stage.time = {.median = Duration(std::llround(us)), .p99 = Duration(std::llround(1.2 * us)), .log_sd = log_sd};
    cost.stages.push_back(stage);
    sum += us;
  }
  cost.time = {.median = Duration(std::llround(sum)), .p99 = Duration(std::llround(1.2 * sum)), .log_sd = log_sd};
  return cost;
}

double Us(Duration duration) { return static_cast<double>(duration.count()); }

TEST(Observer, AllStagesSlowerIsTheBoxAndNoDrift) {
  TrueBox truth(FourModels());
  truth.kappa = 1.3;
  Observer observer;
  truth.Serve(observer, 1000);
  EXPECT_NEAR(observer.box().kappa, 1.3, 0.04);
  EXPECT_EQ(observer.box().source, BoxSource::kStages);
  EXPECT_TRUE(observer.Questions(truth.now).empty());
  for (const StageReport& report : observer.Report()) {
    EXPECT_NEAR(report.ratio, 1, 0.05) << report.key.model;
    EXPECT_NEAR(report.actual_us / report.predicted_us, 1, 0.05) << report.key.model;
    EXPECT_NEAR(report.actual_us / report.solo_us, 1.3, 0.05) << report.key.model;
    EXPECT_EQ(report.runs, 1000);
  }
}

TEST(Observer, OneStageSlowerIsTheDriftOfThatOneOnly) {
  TrueBox truth(FourModels());
  truth.stages[0].level = 1.3;
  Observer observer;
  truth.Serve(observer, 300);
  EXPECT_NEAR(observer.box().kappa, 1, 0.04);
  const auto questions = observer.Questions(truth.now);
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0].key, Key("yolox"));
  EXPECT_NEAR(questions[0].ratio, 1.3, 0.06);
  EXPECT_TRUE(questions[0].box_known);
  EXPECT_THAT(questions[0].reason,
              testing::MatchesRegex("yolox int8@416x416 stage 1: (2|3)[0-9] % slower than predicted for [0-9]+ runs"));
  EXPECT_TRUE(observer.Questions(truth.now).empty());
}

TEST(Observer, AFasterStageAsksToo) {
  TrueBox truth(FourModels());
  truth.stages[3].level = 0.8;
  Observer observer;
  truth.Serve(observer, 300);
  const auto questions = observer.Questions(truth.now);
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_THAT(questions[0].reason, testing::HasSubstr("% faster than predicted"));
}

TEST(Observer, ANewProfileAnswers) {
  TrueBox truth(FourModels());
  truth.stages[0].level = 1.3;
  Observer observer;
  truth.Serve(observer, 300);
  ASSERT_EQ(observer.Questions(truth.now).size(), 1u);
  truth.stages[0] = {.key = Key("yolox"), .solo_us = 1.3 * 9000, .generation = 2};
  truth.Serve(observer, 10000);  // longer than the pause before it would ask again
  EXPECT_TRUE(observer.Questions(truth.now).empty());
  EXPECT_NEAR(RatioOf(observer, "yolox"), 1, 0.05);
}

TEST(Observer, AsksAgainWhereNobodyAnswers) {
  TrueBox truth(FourModels());
  truth.stages[0].level = 1.3;
  Observer observer;
  int questions = 0;
  for (int second = 0; second < 250; ++second) {
    truth.Serve(observer, 50);
    questions += static_cast<int>(observer.Questions(truth.now).size());
  }
  EXPECT_EQ(questions, 3);  // at once, after 60 s, after 120 s more
}

TEST(Observer, ForeignLoadThatComesAndGoesShiftsNoProfile) {
  for (const int steps : {7, 60, 500}) {
    TrueBox truth(FourModels());
    Observer observer;
    truth.Serve(observer, 300);
    const auto quiet = observer.Correct("yolox", 1, CostOf({9000}, 0.05));
    for (int i = 0; i < 3000 / steps; ++i) {
      truth.kappa = i % 2 == 0 ? 1.6 : 1;
      truth.Serve(observer, steps);
      EXPECT_TRUE(observer.Questions(truth.now).empty());
    }
    truth.kappa = 1.6;
    truth.Serve(observer, 200);
    const auto loaded = observer.Correct("yolox", 1, CostOf({9000}, 0.05));
    EXPECT_NEAR(Us(loaded.time.median) / Us(quiet.time.median), 1, 0.03) << steps;
    EXPECT_GT(loaded.time.log_sd, quiet.time.log_sd + 0.1) << steps;  // widened instead
    EXPECT_NEAR(observer.box().kappa, 1.6, 0.06);
  }
}

// The fast one sees the load at once, the others once a second: kappa is late, and it must not be taken for drift.
TEST(Observer, AFastStageIsNotJudgedByAStaleBox) {
  TrueBox truth(FourModels());
  for (size_t i = 1; i < truth.stages.size(); ++i) truth.stages[i].every = 50;
  Observer observer;
  truth.Serve(observer, 2000);
  truth.kappa = 1.5;
  for (int i = 0; i < 200; ++i) {
    truth.Serve(observer, 20);
    EXPECT_TRUE(observer.Questions(truth.now).empty()) << i;
  }
  EXPECT_NEAR(observer.box().kappa, 1.5, 0.06);
  EXPECT_NEAR(RatioOf(observer, "yolox"), 1, 0.05);
}

TEST(Observer, WithTwoStagesTheMetersSpeakForTheBox) {
  TrueBox truth({{.key = Key("a")}, {.key = Key("b")}});
  truth.kappa = 1.4;
  Observer observer;
  for (int second = 0; second < 40; ++second) {
    observer.SetMeters(1.4, truth.now);
    truth.Serve(observer, 50);
  }
  EXPECT_EQ(observer.box().source, BoxSource::kMeters);
  EXPECT_NEAR(observer.box().kappa, 1.4, 1e-6);
  EXPECT_TRUE(observer.Questions(truth.now).empty());
  EXPECT_NEAR(RatioOf(observer, "a"), 1, 0.05);

  // A stage of its own, the meters see nothing.
  truth.kappa = 1;
  truth.stages[1].level = 1.25;
  for (int second = 0; second < 40; ++second) {
    observer.SetMeters(1.0, truth.now);
    truth.Serve(observer, 50);
  }
  const auto questions = observer.Questions(truth.now);
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0].key, Key("b"));
  EXPECT_TRUE(questions[0].box_known);
}

TEST(Observer, WithTwoStagesAndNoMetersItSaysSoAndShiftsNothing) {
  TrueBox truth({{.key = Key("a")}, {.key = Key("b")}});
  truth.kappa = 1.4;
  Observer observer;
  truth.Serve(observer, 1000);  // 20 s: may pass
  EXPECT_TRUE(observer.Questions(truth.now).empty());
  truth.Serve(observer, 4000);
  EXPECT_EQ(observer.box().source, BoxSource::kUnknown);
  const auto questions = observer.Questions(truth.now);
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_FALSE(questions[0].box_known);
  EXPECT_THAT(questions[0].reason, testing::HasSubstr("unknown"));
  const auto cost = observer.Correct("a", 1, CostOf({5000}, 0.05));
  EXPECT_EQ(cost.time.median, Duration(5000));
  EXPECT_NEAR(cost.time.log_sd, std::hypot(0.05, std::log(1.4)), 0.02);
}

TEST(Observer, CorrectsTheLevelAndNarrowsTheErrorBar) {
  TrueBox truth(FourModels());
  truth.stages[0].level = 1.06;  // no drift, and still known better than by the profile
  Observer observer;
  truth.Serve(observer, 500);
  const auto cost = observer.Correct("yolox", 1, CostOf({9000}, 0.08));
  EXPECT_NEAR(Us(cost.time.median), 9540, 200);
  EXPECT_LT(cost.time.log_sd, 0.05);
  EXPECT_EQ(cost.time.median, cost.stages[0].time.median);
  // What the profile was much too sure of.
  truth.stages[0].level = 1.3;
  truth.Serve(observer, 500);
  EXPECT_NEAR(Us(observer.Correct("yolox", 1, CostOf({9000}, 0.005)).time.median), 11700, 300);
}

TEST(Observer, CorrectsAWholeByItsStages) {
  auto stages = FourModels();
  stages.push_back({.key = Key("deep", 0), .solo_us = 6000});
  stages.push_back({.key = Key("deep", 1), .solo_us = 3000, .level = 1.2});
  TrueBox truth(stages);
  Observer observer;
  truth.Serve(observer, 500);
  auto profile = CostOf({6000, 3000}, 0.08);
  profile.time.median = Duration(8800);  // measured as a whole it was a little less
  const auto cost = observer.Correct("deep", 1, profile);
  ASSERT_EQ(cost.stages.size(), 2u);
  EXPECT_NEAR(Us(cost.stages[0].time.median), 6000, 200);
  EXPECT_NEAR(Us(cost.stages[1].time.median), 3600, 120);
  EXPECT_NEAR(Us(cost.time.median), 8800 * 9600 / 9000.0, 250);
  EXPECT_GE(cost.time.p99, cost.time.median);
}

TEST(Observer, LeavesACostAloneThatItKnowsNothingOf) {
  TrueBox truth(FourModels());
  Observer observer;
  truth.noise = 0;
  truth.Serve(observer, 100);
  const auto profile = CostOf({9000}, 0.05);
  for (const auto& cost : {observer.Correct("stranger", 1, profile), observer.Correct("yolox", 2, profile),
                           Observer().Correct("yolox", 1, profile)}) {
    EXPECT_EQ(cost.time.median, profile.time.median);
    EXPECT_EQ(cost.time.p99, profile.time.p99);
    EXPECT_NEAR(cost.time.log_sd, 0.05, 1e-3);
  }
  auto no_stages = profile;
  no_stages.stages.clear();
  EXPECT_EQ(observer.Correct("yolox", 1, no_stages).time.median, profile.time.median);
}

TEST(Observer, LearnsTheTail) {
  TrueBox truth(FourModels());
  truth.noise = 0.12;
  Observer observer;
  truth.Serve(observer, 3000);
  const auto cost = observer.Correct("yolox", 1, CostOf({9000}, 0.05));
  EXPECT_NEAR(Us(cost.time.p99) / Us(cost.time.median), std::exp(2.326 * 0.12), 0.08);
}

TEST(Observer, LearnsWhatNeighboursCost) {
  auto stages = FourModels();
  stages.push_back({.key = Key("vgg"), .solo_us = 6000, .level = 0.94, .bound = kMemory});
  TrueBox truth(stages);
  truth.memory_gamma = 0.85;
  truth.beside_share = 0.7;
  truth.kappa = 1.2;  // a load that lasts is not taken for a neighbour
  Observer observer;
  truth.Serve(observer, 2000);
  NeighbourLoad load;
  AddNeighbour(load, kMemory);
  EXPECT_NEAR(observer.neighbours().Predict(kMemory, load).factor, 1.85, 0.08);
  EXPECT_NEAR(observer.neighbours().Predict(kCompute, load).factor, 1.0, 0.03);
  EXPECT_NEAR(observer.box().kappa, 1.2, 0.05);
  EXPECT_TRUE(observer.Questions(truth.now).empty());
}

// With every core always busy no stage is ever seen without a neighbour.
TEST(Observer, LearnsWhatNeighboursCostOnABoxThatIsAlwaysBusy) {
  TrueBox truth({{.key = Key("a"), .bound = kMemory},
                 {.key = Key("b"), .bound = kMemory},
                 {.key = Key("c"), .bound = kMemory},
                 {.key = Key("d"), .bound = kMemory}});
  truth.memory_gamma = 0.85;
  truth.beside_share = 1;
  Observer observer;
  truth.Serve(observer, 4000);
  NeighbourLoad load;
  AddNeighbour(load, kMemory);
  const double predicted = observer.neighbours().Predict(kMemory, load).factor;
  EXPECT_GT(predicted, 1.65);
  EXPECT_NEAR(predicted * observer.box().kappa, 1.85, 0.05);  // together they are right in any case
}

// Then what has changed may be either: the box's factor takes it at once, and neighbours get it back in time.
TEST(Observer, TellsNeighboursFromTheBoxInTheLongRun) {
  TrueBox truth({{.key = Key("a"), .bound = kMemory},
                 {.key = Key("b"), .bound = kMemory},
                 {.key = Key("c"), .bound = kMemory},
                 {.key = Key("d"), .bound = kMemory}});
  Observer observer;
  truth.Serve(observer, 100);
  truth.beside_share = 1;
  truth.Serve(observer, 2000);
  NeighbourLoad load;
  AddNeighbour(load, kMemory);
  EXPECT_NEAR(observer.neighbours().Predict(kMemory, load).factor, 1.47, 0.03);
  truth.memory_gamma = 0.9;
  truth.Serve(observer, 100);
  EXPECT_NEAR(observer.neighbours().Predict(kMemory, load).factor * observer.box().kappa, 1.9, 0.06);
  EXPECT_GT(observer.box().kappa, 1.2);
  truth.Serve(observer, 20000);
  EXPECT_GT(observer.neighbours().Predict(kMemory, load).factor, 1.7);
  EXPECT_LT(observer.box().kappa, 1.12);
}

// Neither where it never runs alone: what all its runs share is the profile's error.
TEST(Observer, RunsOfOneStageAreNotIndependentWitnesses) {
  auto stages = FourModels();
  stages[0].level = 1.25;
  TrueBox truth(stages);
  truth.beside_share = 1;
  Observer observer;
  truth.Serve(observer, 3000);
  NeighbourLoad load;
  AddNeighbour(load, kCompute);
  EXPECT_LT(observer.neighbours().Predict(kCompute, load).factor, 1.04);
}

TEST(Observer, AStageThatItsProfileMisjudgesTeachesNothingAboutNeighbours) {
  auto stages = FourModels();
  stages[0].level = 1.5;  // compute
  TrueBox truth(stages);
  truth.beside_share = 0.5;
  Observer observer;
  truth.Serve(observer, 3000);
  NeighbourLoad load;
  AddNeighbour(load, kCompute);
  EXPECT_LT(observer.neighbours().Predict(kCompute, load).factor, 1.04);
}

TEST(Observer, IsBoundedAndDropsWhatHasNotRunForLongest) {
  Observer observer({.most_stages = 3});
  TrueBox truth({{.key = Key("a")}});
  for (const char* model : {"a", "b", "c", "a", "d"}) {
    truth.stages[0].key = Key(model);
    truth.Serve(observer, 10);
  }
  EXPECT_EQ(observer.stages(), 3u);
  EXPECT_EQ(observer.evicted(), 1);
  EXPECT_EQ(RatioOf(observer, "b"), 0);
  EXPECT_GT(RatioOf(observer, "a"), 0);
  EXPECT_GT(RatioOf(observer, "d"), 0);
}

TEST(Observer, CountsRunsThatSayNothing) {
  Observer observer;
  const StageRun good{.key = Key("a"), .start = {0}, .end = {100}, .solo_us = 100};
  auto backwards = good;
  backwards.end = {-5};
  auto unpredicted = good;
  unpredicted.solo_us = 0;
  auto no_number = good;
  no_number.solo_us = std::nan("");
  for (const auto& run : {backwards, unpredicted, no_number}) observer.Observe(run, {});
  EXPECT_EQ(observer.left_out(), 3);
  EXPECT_EQ(observer.stages(), 0u);
  observer.Observe(good, {.compute = std::nan(""), .share = std::nan("")});
  EXPECT_EQ(observer.observed(), 1);
  EXPECT_NEAR(RatioOf(observer, "a"), 1, 1e-9);
}

TEST(Observer, ComesBackFromItsText) {
  TrueBox truth(FourModels());
  truth.stages[0].level = 1.15;
  truth.beside_share = 0.5;
  Observer observer;
  truth.Serve(observer, 400);
  auto back = Observer::FromJson(observer.ToJson());
  ASSERT_TRUE(back.ok()) << back.error().message;
  const auto before = observer.Report();
  const auto after = back.value().Report();
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].key, after[i].key);
    EXPECT_EQ(before[i].generation, after[i].generation);
    EXPECT_EQ(before[i].runs, after[i].runs);
    EXPECT_NEAR(before[i].ratio, after[i].ratio, 1e-9);
    EXPECT_NEAR(before[i].actual_us, after[i].actual_us, 1e-6);
    EXPECT_NEAR(before[i].p99_ratio, after[i].p99_ratio, 2e-3);
  }
  truth.Serve(back.value(), 200);
  EXPECT_NEAR(RatioOf(back.value(), "yolox"), 1.15, 0.05);
  EXPECT_EQ(back.value().Questions(truth.now).size(), 1u);
  // Into less room: what fits.
  auto small = Observer::FromJson(observer.ToJson(), {.most_stages = 2});
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(small.value().stages(), 2u);
}

TEST(Observer, ANameThatIsNoTextIsStoredAllTheSame) {
  TrueBox truth({{.key = Key("\xff\xfe\"")}});
  Observer observer;
  truth.Serve(observer, 3);
  EXPECT_TRUE(Observer::FromJson(observer.ToJson()).ok());
}

TEST(Observer, RefusesADamagedTextAndSaysWhere) {
  TrueBox truth({{.key = Key("a")}});
  Observer observer;
  truth.Serve(observer, 20);
  const std::string good = observer.ToJson();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  struct Case {
    std::string text;
    std::string says;
  };
  const Case cases[] = {
      {"", "the text"},
      {"null", "the text"},
      {good.substr(0, good.size() - 9), "the text"},
      {with("\"version\":1", "\"version\":9"), "the version"},
      {with("\"overlaps\":0", "\"overlaps\":\"\""), "interference"},
      {with("\"precision\":\"int8\"", "\"precision\":\"int9\""), "stage 1 of 1"},
      {with("\"runs\":20", "\"runs\":-20"), "stage 1 of 1"},
      {with("\"spread\":", "\"spread\":1e9,\"x\":"), "stage 1 of 1"},
      {with("\"first\":", "\"first\":100000,\"x\":"), "damaged"},
      {with("\"stages\":[", "\"stages\":[7,"), "stage 1 of 2"},
      {with("\"stages\":", "\"stages\":7,\"x\":"), "list of stages"},
  };
  for (const Case& c : cases) {
    const auto read = Observer::FromJson(c.text);
    ASSERT_FALSE(read.ok()) << c.says;
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(read.error().message, testing::HasSubstr(c.says));
  }
  // Any text cut off anywhere: an error, no crash.
  for (size_t length = 0; length < good.size(); length += 7) {
    EXPECT_FALSE(Observer::FromJson(good.substr(0, length)).ok());
  }
}

}  // namespace
}  // namespace deepedge
