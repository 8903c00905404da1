#include "deepedge/profiler/interference/co_location.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace deepedge {
namespace {

constexpr Boundness kCompute = {.compute = 1, .cache = 0, .memory = 0};
constexpr Boundness kMemory = {.compute = 0, .cache = 0, .memory = 1};

NeighbourLoad Beside(const Boundness& bound, double share = 1) {
  NeighbourLoad load;
  AddNeighbour(load, bound, share);
  return load;
}

double True(const CoLocation::Vector& gamma, const Boundness& own, const NeighbourLoad& load) {
  const double a[3] = {own.compute, own.cache, own.memory};
  const double b[3] = {load.compute, load.cache, load.memory};
  double slow = 1;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) slow += a[i] * b[j] * gamma[static_cast<size_t>(3 * i + j)];
  }
  return slow;
}

// Stages as they are: mixtures, most of them with one class that matters.
class Stages {
 public:
  explicit Stages(unsigned seed) : random_(seed) {}

  Boundness Draw() {
    double part[3];
    double sum = 0;
    for (double& p : part) sum += p = std::pow(uniform_(random_), 3) + 1e-6;
    return {.compute = part[0] / sum, .cache = part[1] / sum, .memory = part[2] / sum};
  }
  double Uniform() { return uniform_(random_); }
  double Normal() { return normal_(random_); }

 private:
  std::mt19937 random_;
  std::uniform_real_distribution<double> uniform_;
  std::normal_distribution<double> normal_;
};

// Overlaps of the true box for a part of the run's time: what a clock would show, with noise.
void Teach(CoLocation& learner, const CoLocation::Vector& truth, Stages& stages, int overlaps, double noise) {
  for (int i = 0; i < overlaps; ++i) {
    const Boundness own = stages.Draw();
    const Boundness other = stages.Draw();
    const double work = 0.3 + 0.7 * stages.Uniform();  // that has a neighbour
    const double together = True(truth, own, Beside(other)) - 1;
    const double slowdown = 1 + work * together;
    const double time = work * (1 + together) / slowdown;
    learner.Learn({.own = own,
                   .neighbours = Beside(other, time),
                   .slowdown = slowdown * std::exp(noise * stages.Normal()),
                   .noise = noise * slowdown});
  }
}

// Mean and worst error of predicted slowdowns, relative.
struct Errors {
  double mean = 0;
  double worst = 0;
};

Errors ErrorsOf(const CoLocation& learner, const CoLocation::Vector& truth, Stages& stages) {
  Errors errors;
  constexpr int kPairs = 500;
  for (int i = 0; i < kPairs; ++i) {
    const Boundness own = stages.Draw();
    const NeighbourLoad load = Beside(stages.Draw());
    const double error = std::abs(learner.Predict(own, load).factor / True(truth, own, load) - 1);
    errors.mean += error / kPairs;
    errors.worst = std::max(errors.worst, error);
  }
  return errors;
}

constexpr CoLocation::Vector kOtherBox = {0.03, 0.05, 0.10, 0.02, 0.22, 0.30, 0.10, 0.25, 0.90};

TEST(CoLocation, IsThePriorWhenNothingWasSeen) {
  const CoLocation prior;
  EXPECT_NEAR(prior.Predict(kCompute, Beside(kCompute)).factor, 1.02, 1e-9);
  EXPECT_NEAR(prior.Predict(kCompute, Beside(kMemory)).factor, 1.06, 1e-9);
  EXPECT_NEAR(prior.Predict(kMemory, Beside(kCompute)).factor, 1.06, 1e-9);
  EXPECT_NEAR(prior.Predict(kMemory, Beside(kMemory)).factor, 1.47, 1e-9);
  EXPECT_NEAR(prior.Predict(kMemory, Beside(kMemory)).sd, 0.20, 1e-9);
  EXPECT_EQ(prior.Predict(kMemory, {}).factor, 1);
  EXPECT_EQ(prior.Predict(kMemory, {}).sd, 0);
}

TEST(CoLocation, NeighboursAddUpOverTheirShare) {
  const CoLocation prior;
  EXPECT_NEAR(prior.Predict(kMemory, Beside(kMemory, 0.5)).factor, 1.235, 1e-9);
  NeighbourLoad two = Beside(kMemory);
  AddNeighbour(two, kMemory, 0.5);
  AddNeighbour(two, kCompute, 1);
  EXPECT_NEAR(prior.Predict(kMemory, two).factor, 1 + 1.5 * 0.47 + 0.06, 1e-9);
}

TEST(CoLocation, RecoversTheBoxFromNoisyPairs) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Stages stages(seed);
    CoLocation learner;
    const Errors before = ErrorsOf(learner, kOtherBox, stages);
    Teach(learner, kOtherBox, stages, 500, 0.05);
    const Errors early = ErrorsOf(learner, kOtherBox, stages);
    EXPECT_LT(early.mean, 0.02) << "seed " << seed << ", prior " << before.mean;
    Teach(learner, kOtherBox, stages, 2500, 0.05);
    const Errors late = ErrorsOf(learner, kOtherBox, stages);
    EXPECT_LT(late.mean, 0.01) << "seed " << seed;
    EXPECT_LT(late.worst, 0.05) << "seed " << seed;
    for (size_t i = 0; i < kOtherBox.size(); ++i) EXPECT_NEAR(learner.gamma()[i], kOtherBox[i], 0.06) << i;
    EXPECT_EQ(learner.overlaps(), 3000);
  }
}

TEST(CoLocation, ItsStandardDeviationIsHonest) {
  int inside = 0;
  int all = 0;
  double widest = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Stages stages(100 + seed);
    CoLocation learner;
    Teach(learner, kOtherBox, stages, 400, 0.05);
    for (int i = 0; i < 50; ++i, ++all) {
      const Boundness own = stages.Draw();
      const NeighbourLoad load = Beside(stages.Draw());
      const Slowdown predicted = learner.Predict(own, load);
      inside += std::abs(predicted.factor - True(kOtherBox, own, load)) <= 1.645 * predicted.sd ? 1 : 0;
      widest = std::max(widest, predicted.sd);
    }
  }
  EXPECT_GT(inside, 0.80 * all);
  EXPECT_LT(widest, 0.1);
}

TEST(CoLocation, NeverPredictsLessThanAloneAndKeepsGammaAboveZero) {
  Stages stages(7);
  CoLocation learner;
  for (int i = 0; i < 3000; ++i) {
    // As if every neighbour made it faster: predictions of the time alone were too high.
    learner.Learn({.own = stages.Draw(), .neighbours = Beside(stages.Draw()), .slowdown = 0.8, .noise = 0.05});
    for (const double gamma : learner.gamma()) ASSERT_GE(gamma, 0);
    ASSERT_GE(learner.Predict(stages.Draw(), Beside(stages.Draw())).factor, 1);
  }
  EXPECT_LT(learner.Predict(kMemory, Beside(kMemory)).factor, 1.05);
}

TEST(CoLocation, APausedProcessTeachesLittle) {
  Stages stages(8);
  CoLocation learner;
  Teach(learner, kOtherBox, stages, 1500, 0.05);
  const double before = learner.Predict(kMemory, Beside(kMemory)).factor;
  for (int i = 0; i < 3; ++i) {
    learner.Learn({.own = kMemory, .neighbours = Beside(kMemory), .slowdown = 500, .noise = 0.1});
  }
  EXPECT_NEAR(learner.Predict(kMemory, Beside(kMemory)).factor, before, 0.06);

  // Also where it knows nothing yet, and also when it goes on: one in twenty.
  CoLocation fresh;
  for (int i = 0; i < 1000; ++i) {
    fresh.Learn({.own = kMemory, .neighbours = Beside(kMemory), .slowdown = i % 20 == 0 ? 10 : 1.5, .noise = 0.05});
  }
  EXPECT_NEAR(fresh.Predict(kMemory, Beside(kMemory)).factor, 1.5, 0.05);
}

TEST(CoLocation, NoCoefficientMovesMoreThanAStepAtOnce) {
  CoLocation learner;
  const double before = learner.gamma()[8];
  learner.Learn({.own = kMemory, .neighbours = Beside(kMemory), .slowdown = 6, .noise = 0.01});
  EXPECT_GT(learner.gamma()[8], before);
  EXPECT_LE(learner.gamma()[8], before + 0.1 + 1e-12);
}

TEST(CoLocation, ForgetsWhatIsNoLongerTrueAndKeepsWhatIsNotSeen) {
  CoLocation learner;
  const auto teach = [&](const Boundness& own, const Boundness& other, double slowdown, int overlaps) {
    for (int i = 0; i < overlaps; ++i) {
      learner.Learn({.own = own, .neighbours = Beside(other), .slowdown = slowdown, .noise = 0.05});
    }
  };
  teach(kMemory, kMemory, 1.9, 2000);
  EXPECT_NEAR(learner.Predict(kMemory, Beside(kMemory)).factor, 1.9, 0.02);
  const double known = learner.Predict(kMemory, Beside(kMemory)).sd;
  // A week of convolutions: what memory costs is still known as well as before.
  teach(kCompute, kCompute, 1.04, 20000);
  EXPECT_NEAR(learner.Predict(kMemory, Beside(kMemory)).factor, 1.9, 0.02);
  EXPECT_NEAR(learner.Predict(kMemory, Beside(kMemory)).sd, known, 0.1 * known);
  EXPECT_NEAR(learner.Predict(kCompute, Beside(kCompute)).factor, 1.04, 0.005);
  // The memory of the box was changed.
  teach(kMemory, kMemory, 1.2, 3000);
  EXPECT_NEAR(learner.Predict(kMemory, Beside(kMemory)).factor, 1.2, 0.02);
}

TEST(CoLocation, OverlapsThatSayNothingMakeItForgetNothing) {
  CoLocation learner;
  for (int i = 0; i < 1000; ++i) {
    learner.Learn({.own = kMemory, .neighbours = Beside(kMemory), .slowdown = 1.9, .noise = 0.05});
  }
  const double known = learner.gamma_sd(2, 2);
  for (int i = 0; i < 20000; ++i) {
    learner.Learn({.own = kMemory, .neighbours = Beside(kMemory), .slowdown = 1.9, .noise = 10});
  }
  EXPECT_NEAR(learner.gamma_sd(2, 2), known, 0.1 * known);
}

TEST(CoLocation, NeverKnowsLessThanThePrior) {
  CoLocation learner;
  const double prior = learner.gamma_sd(2, 2);
  for (int i = 0; i < 20000; ++i) {  // a glimpse each
    learner.Learn({.own = kMemory, .neighbours = Beside(kMemory, 0.003), .slowdown = 1, .noise = 0.05});
    ASSERT_LE(learner.gamma_sd(2, 2), prior * (1 + 1e-9));
  }
}

TEST(CoLocation, StaysSoundOverMillionsOfOverlaps) {
  Stages stages(9);
  CoLocation learner;
  Teach(learner, kOtherBox, stages, 200000, 0.05);
  EXPECT_LT(ErrorsOf(learner, kOtherBox, stages).worst, 0.08);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      EXPECT_GT(learner.gamma_sd(i, j), 0);
      EXPECT_LT(learner.gamma_sd(i, j), 0.2);
    }
  }
}

TEST(CoLocation, LeavesOutWhatIsNoOverlap) {
  CoLocation learner;
  const double nan = std::nan("");
  const OverlapSeen wrong[] = {
      {.own = kMemory, .neighbours = {}, .slowdown = 2},
      {.own = kMemory, .neighbours = Beside(kMemory), .slowdown = nan},
      {.own = kMemory, .neighbours = Beside(kMemory), .slowdown = 0},
      {.own = kMemory, .neighbours = Beside(kMemory, nan), .slowdown = 2},
      {.own = kMemory, .neighbours = Beside(kMemory), .slowdown = 2, .noise = nan},
      {.own = {.compute = nan, .cache = 0, .memory = 0}, .neighbours = Beside(kMemory), .slowdown = 2},
  };
  for (const OverlapSeen& seen : wrong) learner.Learn(seen);
  EXPECT_EQ(learner.overlaps(), 0);
  EXPECT_EQ(learner.gamma(), CoLocation().gamma());
}

TEST(CoLocation, ComesBackFromItsText) {
  Stages stages(10);
  CoLocation learner;
  Teach(learner, kOtherBox, stages, 300, 0.05);
  auto back = CoLocation::FromJson(learner.ToJson());
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back.value().overlaps(), 300);
  Teach(learner, kOtherBox, stages, 0, 0.05);
  for (int i = 0; i < 50; ++i) {
    const Boundness own = stages.Draw();
    const NeighbourLoad load = Beside(stages.Draw());
    EXPECT_NEAR(back.value().Predict(own, load).factor, learner.Predict(own, load).factor, 1e-9);
    EXPECT_NEAR(back.value().Predict(own, load).sd, learner.Predict(own, load).sd, 1e-7);
  }
}

TEST(CoLocation, RefusesADamagedText) {
  const std::string good = CoLocation().ToJson();
  std::string indefinite = good;
  indefinite.insert(indefinite.find("\"covariance\":[") + 14, "-");
  std::string negative = good;
  negative.replace(negative.find("\"gamma\":[") + 9, 4, "-9");
  for (const std::string& text : {std::string(), std::string("[]"), std::string("{}"), good.substr(0, good.size() / 2),
                                  indefinite, negative, std::string(R"({"gamma":[1],"covariance":[1],"overlaps":1})"),
                                  std::string(R"({"gamma":"x","covariance":{},"overlaps":null})")}) {
    const auto read = CoLocation::FromJson(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
  }
}

}  // namespace
}  // namespace deepedge
