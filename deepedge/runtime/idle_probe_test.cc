#include "deepedge/runtime/idle_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <utility>

#include "deepedge/base/file.h"
#include "deepedge/engine/fake/fake_engine.h"
#include "deepedge/profiler/probe/measured_model.h"

namespace deepedge {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr std::string_view kBox = "box-1";
const Setting kSetting{{Precision::kFp32, 64, 64}};

// A box of two cores whose lanes are as busy as `busy`; every run of the network takes 20 us of its clock.
class IdleProbeTest : public ::testing::Test {
 protected:
  IdleProbeTest()
      : folder_(TemporaryFolder::Create("idle_probe").value()),
        store_(ProfileStore::Open(folder_.path(), clock_).value()) {
    Add("net", std::nullopt);
    Add("broken", Error{ErrorCode::kInternal, "no luck"});
  }

  void Add(const std::string& name, std::optional<Error> error) {
    engine_.Add({.profile = {.model = name,
                             .inputs = {{"x", ElementType::kF32, {1, 3, 64, 64}}},
                             .outputs = {{"y", ElementType::kF32, {1, 1}}},
                             .run_time = Duration(20)},
                 .outputs = {{.type = ElementType::kF32, .shape = {1, 1}, .data = std::vector<std::byte>(4)}},
                 .run_error = std::move(error)});
  }
  static IdleTarget Target(const std::string& name) {
    return {.target = {.name = name, .files = {.graph = name}, .picture = PictureInput{.width = 64, .height = 64}},
            .sha256 = name + "-file"};
  }
  IdleProbe Make(std::vector<IdleTarget> targets, IdleProbe::Options options = {}) {
    options.box = kBox;
    options.cores = 2;
    IdleProbe::Hooks hooks{
        .next = [this](const std::string& model) { return next_(model); },
        .load = [this] { return LaneLoad{.busy = lanes_, .lanes = 2, .decode_waits = decode_waits_}; },
        .done = [this](const std::string& model, const ProbeResult& result) { done_.emplace_back(model, result); }};
    return IdleProbe(std::move(options), std::move(targets), std::move(hooks), engine_, store_.get(), clock_);
  }
  // The box goes on for so long, and the probe looks five times a second.
  void GoOn(IdleProbe& probe, Duration time) {
    const Time until = clock_.Now() + time;
    while (clock_.Now() < until) {
      clock_.Advance(milliseconds(200));
      lanes_ += Duration(static_cast<int64_t>(busy_ * 2 * 200'000));
      probe.Step();
    }
  }

  ManualClock clock_{{5'000'000}};
  TemporaryFolder folder_;
  std::unique_ptr<ProfileStore> store_;
  FakeEngine engine_{[this](Duration d) { clock_.Advance(d); }};
  Duration lanes_{0};
  double busy_ = 0.3;
  bool decode_waits_ = false;
  std::function<std::optional<Setting>(const std::string&)> next_ = [this](const std::string&) {
    clock_.Advance(Duration(50));  // deciding takes time, too
    return done_.empty() ? std::optional<Setting>(kSetting) : std::nullopt;
  };
  std::vector<std::pair<std::string, ProbeResult>> done_;
};

TEST_F(IdleProbeTest, MeasuresWhatIsWantedAndKeepsIt) {
  IdleProbe probe = Make({Target("net")});
  GoOn(probe, std::chrono::minutes(3));
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].first, "net");
  const ProbeResult& result = done_[0].second;
  EXPECT_EQ(result.setting, kSetting);
  EXPECT_EQ(result.runs, 10);
  EXPECT_EQ(result.origin, ProbeOrigin::kIdle);
  EXPECT_EQ(result.memory_bytes, 0);
  EXPECT_NEAR(result.busy, 0.3, 0.01);
  const auto rows = store_->Measurements(kBox, "net-file").value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].text, ToJson(result));
  EXPECT_EQ(probe.Report().probes, 1);
  EXPECT_EQ(probe.Report().failed, 0);
}

TEST_F(IdleProbeTest, ANetworkThatWasNeverCompiledIsBegunWithAtOnce) {
  IdleProbe probe = Make({Target("net")});
  GoOn(probe, std::chrono::seconds(4));
  EXPECT_GT(probe.Report().spent, milliseconds(1));
}

TEST_F(IdleProbeTest, SpendsNoMoreThanItsShare) {
  next_ = [](const std::string&) { return std::optional<Setting>(kSetting); };  // never content
  IdleProbe probe = Make({Target("net")});
  const Time start = clock_.Now();
  GoOn(probe, std::chrono::minutes(10));
  const double share =
      static_cast<double>(probe.Report().spent.count()) / (2.0 * static_cast<double>((clock_.Now() - start).count()));
  EXPECT_LE(share, 0.0101);
  EXPECT_GT(share, 0.004);
  EXPECT_GT(done_.size(), 10U);
}

TEST_F(IdleProbeTest, DoesNothingOnABusyBox) {
  IdleProbe probe = Make({Target("net")});
  busy_ = 0.9;
  GoOn(probe, std::chrono::minutes(1));
  EXPECT_EQ(probe.Report().spent, Duration(0));
  busy_ = 0.3;
  decode_waits_ = true;
  GoOn(probe, std::chrono::minutes(1));
  EXPECT_EQ(probe.Report().spent, Duration(0));
  decode_waits_ = false;
  GoOn(probe, std::chrono::minutes(1));
  EXPECT_GT(probe.Report().spent, Duration(0));
}

TEST_F(IdleProbeTest, AModelThatFailsIsLeftAloneForLongerEachTime) {
  int asked = 0;
  next_ = [&](const std::string& model) {
    if (model == "broken") ++asked;
    return model == "broken" || done_.empty() ? std::optional<Setting>(kSetting) : std::nullopt;
  };
  IdleProbe probe = Make({Target("broken"), Target("net")});
  GoOn(probe, std::chrono::minutes(30));
  EXPECT_EQ(asked, 5) << "at once, and after pauses of 1, 2, 4 and 8 minutes";
  EXPECT_EQ(probe.Report().failed, asked);
  EXPECT_THAT(probe.Report().last_error, HasSubstr("no luck"));
  EXPECT_EQ(done_.size(), 1U) << "the other one is measured all the same";
  EXPECT_TRUE(store_->Measurements(kBox, "broken-file").value().empty());
}

TEST_F(IdleProbeTest, NotOnSeveralCoresBesideOthers) {
  next_ = [](const std::string&) {
    Setting setting = kSetting;
    setting.cores = 2;
    return std::optional<Setting>(setting);
  };
  IdleProbe probe = Make({Target("net")});
  GoOn(probe, std::chrono::seconds(10));
  EXPECT_EQ(probe.Report().failed, 1);
  EXPECT_THAT(probe.Report().last_error, HasSubstr("on 2 cores"));
}

TEST_F(IdleProbeTest, EndsWithWhatItHasWhenTheBoxLeavesNoTime) {
  IdleProbe probe = Make({Target("net")}, {.runs = 1'000'000, .longest = std::chrono::minutes(5)});
  GoOn(probe, std::chrono::minutes(6));
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_GE(done_[0].second.runs, 3);
}

TEST_F(IdleProbeTest, ItsThreadAsksAndStops) {
  std::latch asked(1);
  bool first = true;  // of its thread
  IdleProbe probe({.box = std::string(kBox), .cores = 1, .look = milliseconds(1)}, {Target("net")},
                  {.next =
                       [&](const std::string&) {
                         if (std::exchange(first, false)) asked.count_down();
                         return std::optional<Setting>();
                       },
                   .load =
                       [this] {
                         clock_.Advance(milliseconds(200));
                         return LaneLoad{.lanes = 1};
                       }},
                  engine_, nullptr, clock_);
  probe.Start();
  asked.wait();
  probe.Stop();
  EXPECT_EQ(probe.Report().failed, 0);
}

}  // namespace
}  // namespace deepedge
