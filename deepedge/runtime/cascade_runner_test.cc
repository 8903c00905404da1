#include "deepedge/runtime/cascade_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "deepedge/base/thread.h"
#include "deepedge/runtime/follow_up.h"
#include "deepedge/runtime/test_fakes.h"

namespace deepedge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Waits for a latch on the only lane, so that what is submitted meanwhile stays waiting.
class BlockingJob final : public Job {
 public:
  void Run(const RunContext&) override {
    started.count_down();
    go_on.wait();
  }
  std::latch started{1};
  std::latch go_on{1};
};

class MarkerJob final : public Job {
 public:
  void Run(const RunContext&) override { reached.count_down(); }
  std::latch reached{1};
};

class CascadeTest : public ::testing::Test, public TaskListener {
 protected:
  CascadeTest() {
    lanes_ = std::make_unique<Lanes>(Lanes::Options{.cpus = {AllowedCpus().front()}}, clock_);
    tools_.resize(1);
  }
  ~CascadeTest() override { lanes_->Stop(); }

  void HandleTaskProgress() override { ++progress_; }

  LoadedModel& AddModel(
      const std::string& name, InferenceResult result, std::function<Status()> on_run = [] { return Status(); }) {
    models_.push_back(testing::MakeFakeModel(name, 1, std::move(on_run)));
    models_.back()->decoder = std::make_unique<testing::FixedResultDecoder>(std::move(result));
    return *models_.back();
  }

  std::unique_ptr<CascadeRunner> MakeRunner(LoadedModel& model, CascadeRunner::Options options = {}) {
    options.stream = "gate";
    return std::make_unique<CascadeRunner>(std::move(options), model, lanes_->AddResource(1), Environment(), *this);
  }
  TaskEnvironment Environment() { return {.lanes = *lanes_, .clock = clock_, .events = sink_, .tools = tools_}; }

  FramePtr MakeFrame(int64_t number, int64_t pts_us) {
    return std::make_shared<const Frame>(
        Frame{.number = number, .pts_us = pts_us, .captured = clock_.Now(), .picture = picture_.View()});
  }
  static FoundObject Object(int64_t track, float score = 0.9F, Box box = {0.2F, 0.2F, 0.4F, 0.6F}) {
    FoundObject found;
    found.object = {.label = 1, .score = score, .box = box, .keypoints = {}};
    found.track = track;
    auto parent = std::make_shared<ParentObject>();
    parent->model = "person";
    parent->label = "dog";
    parent->track = track;
    found.as_parent = parent;
    return found;
  }
  // Returns when nothing waits and the only lane has left the last job: what it ran may then be destroyed.
  void FinishJobs(const CascadeRunner& runner) {
    while (!runner.IsIdle()) std::this_thread::yield();
    markers_.push_back(std::make_unique<MarkerJob>());
    lanes_->Submit(*markers_.back(), {});
    markers_.back()->reached.wait();
  }
  static CascadeReport ReportOf(const CascadeRunner& runner) {
    std::vector<CascadeReport> reports;
    runner.AppendReports("person", reports);
    return reports.at(0);
  }

  RealClock clock_;
  testing::RememberingSink sink_;
  std::vector<LaneTools> tools_;
  RgbPicture picture_{.width = 100, .height = 50, .pixels = std::vector<uint8_t>(100 * 50 * 3)};
  std::atomic<int> progress_ = 0;
  std::vector<std::unique_ptr<LoadedModel>> models_;
  std::vector<std::unique_ptr<MarkerJob>> markers_;
  std::unique_ptr<Lanes> lanes_;
};

InferenceResult OneClass(int label, float score) {
  InferenceResult result;
  result.classes = {{.label = label, .score = score}};
  return result;
}

InferenceResult Objects(std::vector<DetectedObject> objects) {
  InferenceResult result;
  result.objects = std::move(objects);
  return result;
}

TEST_F(CascadeTest, TellsWhatItSawWithTheParent) {
  const auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)));
  lanes_->Start();
  const FoundObject objects[] = {Object(7)};
  runner->Offer(MakeFrame(3, 100000), objects);
  FinishJobs(*runner);
  const auto events = sink_.All<ResultEvent>();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].model, "mood");
  EXPECT_EQ(events[0].frame, 3);
  ASSERT_NE(events[0].parent, nullptr);
  EXPECT_EQ(events[0].parent->model, "person");
  EXPECT_EQ(events[0].parent->track, 7);

  std::vector<ChildAnswer> answers;
  runner->AppendAnswers(7, answers);
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].label, "cat");
  EXPECT_EQ(answers[0].pts_us, 100000);
  runner->AppendAnswers(8, answers);
  EXPECT_THAT(answers, SizeIs(1)) << "nothing is known of another track";
  EXPECT_EQ(ReportOf(*runner).path, "person > mood");
  EXPECT_EQ(ReportOf(*runner).counts.answered, 1);
}

TEST_F(CascadeTest, DoesNothingWhileTheGateIsClosed) {
  const auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)), {.gate = {.min_score = 0.95}});
  lanes_->Start();
  const FoundObject objects[] = {Object(7)};
  runner->Offer(MakeFrame(0, 0), objects);
  EXPECT_TRUE(runner->IsIdle());
  lanes_->Stop();
  EXPECT_EQ(lanes_->Use()[0].jobs, 0);
  EXPECT_THAT(sink_.All<ResultEvent>(), IsEmpty());
  EXPECT_EQ(ReportOf(*runner).counts.offered, 1);
  EXPECT_EQ(ReportOf(*runner).counts.asked, 0);
}

TEST_F(CascadeTest, AsksAgainAboutWhatANewerFrameReplaced) {
  const auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)));
  BlockingJob blocking;
  lanes_->Start();
  lanes_->Submit(blocking, {});
  blocking.started.wait();
  const FoundObject objects[] = {Object(7), Object(8)};
  runner->Offer(MakeFrame(0, 0), objects);
  EXPECT_FALSE(runner->CanAccept());
  runner->Offer(MakeFrame(1, 40000), objects);
  blocking.go_on.count_down();
  FinishJobs(*runner);
  const CascadeCounts counts = ReportOf(*runner).counts;
  EXPECT_EQ(counts.asked, 2) << "both are being asked about; what is asked does not change while it waits";
  EXPECT_EQ(counts.answered, 2);
}

TEST_F(CascadeTest, NewestObjectsWinWhereTheyAreOthers) {
  const auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)));
  BlockingJob blocking;
  lanes_->Start();
  lanes_->Submit(blocking, {});
  blocking.started.wait();
  const FoundObject first[] = {Object(7)};
  const FoundObject second[] = {Object(8)};
  runner->Offer(MakeFrame(0, 0), first);
  runner->Offer(MakeFrame(1, 40000), second);
  blocking.go_on.count_down();
  FinishJobs(*runner);
  EXPECT_EQ(ReportOf(*runner).counts.replaced, 1);
  EXPECT_EQ(ReportOf(*runner).counts.answered, 1);
  runner->Offer(MakeFrame(2, 80000), first);
  FinishJobs(*runner);
  EXPECT_EQ(ReportOf(*runner).counts.answered, 2) << "the one that was replaced may be asked about again";
}

TEST_F(CascadeTest, LosesNothingWhereNothingMayBeLost) {
  const auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)), {.lossless = true});
  BlockingJob blocking;
  lanes_->Start();
  lanes_->Submit(blocking, {});
  blocking.started.wait();
  for (int64_t i = 1; i <= 3; ++i) {
    const FoundObject objects[] = {Object(i)};
    runner->Offer(MakeFrame(i, i * 40000), objects);
  }
  EXPECT_FALSE(runner->CanAccept());
  blocking.go_on.count_down();
  FinishJobs(*runner);
  EXPECT_TRUE(runner->CanAccept());
  EXPECT_EQ(ReportOf(*runner).counts.answered, 3);
  EXPECT_THAT(sink_.All<ResultEvent>(), SizeIs(3));
}

TEST_F(CascadeTest, AFailedLookIsCountedAndTriedAgain) {
  const auto runner =
      MakeRunner(AddModel("mood", OneClass(0, 0.8F), [] { return Status(Error{ErrorCode::kInternal, "no luck"}); }));
  lanes_->Start();
  const FoundObject objects[] = {Object(7)};
  for (int i = 0; i < 2; ++i) {
    runner->Offer(MakeFrame(i, i * 40000), objects);
    FinishJobs(*runner);
  }
  EXPECT_EQ(ReportOf(*runner).counts.failed, 2);
  EXPECT_EQ(ReportOf(*runner).last_error, "no luck");
  EXPECT_THAT(sink_.All<ResultEvent>(), IsEmpty());
}

TEST_F(CascadeTest, AsksEverySoManyTimes) {
  const auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)), {.ask = {.answer_s = 0, .every = 3}});
  lanes_->Start();
  const FoundObject objects[] = {Object(7)};
  for (int i = 0; i < 7; ++i) {
    runner->Offer(MakeFrame(i, i * 40000), objects);
    FinishJobs(*runner);
  }
  EXPECT_EQ(ReportOf(*runner).counts.answered, 3);
}

TEST_F(CascadeTest, WhatCannotBeCutOutIsAFailureAndTheRestIsAnswered) {
  const auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)));
  lanes_->Start();
  const FoundObject objects[] = {Object(7), Object(8, 0.9F, {1.2F, 0.2F, 1.4F, 0.6F})};
  runner->Offer(MakeFrame(0, 0), objects);
  FinishJobs(*runner);
  const CascadeCounts counts = ReportOf(*runner).counts;
  EXPECT_EQ(counts.answered, 1);
  EXPECT_EQ(counts.failed, 1);
  EXPECT_EQ(counts.Waiting(), 0);
}

TEST_F(CascadeTest, GoesOnWithWhatItFinds) {
  const auto runner =
      MakeRunner(AddModel("face", Objects({{.label = 0, .score = 0.9F, .box = {0, 0, 1, 1}, .keypoints = {}},
                                           {.label = 0, .score = 0.6F, .box = {0.5F, 0.5F, 1, 1}, .keypoints = {}}})));
  runner->AddBelow(MakeRunner(AddModel("mood", OneClass(1, 0.7F))));
  lanes_->Start();
  const FoundObject objects[] = {Object(7)};
  runner->Offer(MakeFrame(0, 0), objects);
  FinishJobs(*runner);
  std::vector<int64_t> tracks;
  for (const ResultEvent& event : sink_.All<ResultEvent>()) {
    if (event.model != "mood") continue;
    ASSERT_NE(event.parent, nullptr);
    EXPECT_EQ(event.parent->model, "face");
    ASSERT_NE(event.parent->parent, nullptr);
    EXPECT_EQ(event.parent->parent->model, "person");
    tracks.push_back(event.parent->track);
  }
  EXPECT_THAT(tracks, ElementsAre(7, 0)) << "the best of what was found goes on as the parent's track";
  std::vector<ChildAnswer> answers;
  runner->AppendAnswers(7, answers);
  EXPECT_THAT(answers, SizeIs(2));
  runner->ForgetTrack(7);
  answers.clear();
  runner->AppendAnswers(7, answers);
  EXPECT_THAT(answers, IsEmpty());
}

TEST_F(CascadeTest, BoxesAreThoseOfTheWholePicture) {
  const auto runner = MakeRunner(AddModel("face", Objects({{.score = 0.9F, .box = {0, 0, 0.5F, 1}, .keypoints = {}}})),
                                 {.crop = {.aspect = CropAspect::kKeep}});
  lanes_->Start();
  const FoundObject objects[] = {Object(7)};
  runner->Offer(MakeFrame(0, 0), objects);
  FinishJobs(*runner);
  const auto events = sink_.All<ResultEvent>();
  ASSERT_THAT(events, SizeIs(1));
  const Box box = events[0].result.objects.at(0).box;
  EXPECT_NEAR(box.x1, 0.2F, 0.02F);
  EXPECT_NEAR(box.x2, 0.3F, 0.02F);
  EXPECT_NEAR(box.y2, 0.6F, 0.02F);
}

TEST_F(CascadeTest, SaysNothingOfItsOwnWhereOnlyWhatFollowsMatters) {
  const auto runner =
      MakeRunner(AddModel("face", Objects({{.score = 0.9F, .box = {0, 0, 1, 1}, .keypoints = {}}})), {.report = false});
  runner->AddBelow(MakeRunner(AddModel("mood", OneClass(1, 0.7F))));
  lanes_->Start();
  const FoundObject objects[] = {Object(7)};
  runner->Offer(MakeFrame(0, 0), objects);
  FinishJobs(*runner);
  const auto events = sink_.All<ResultEvent>();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].model, "mood");
}

TEST_F(CascadeTest, WhatWaitsAtTheEndIsCounted) {
  const auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)));
  const FoundObject objects[] = {Object(7)};
  runner->Offer(MakeFrame(0, 0), objects);  // the lanes do not run
  lanes_->Stop();
  runner->DropWaiting();
  EXPECT_TRUE(runner->IsIdle());
  EXPECT_EQ(ReportOf(*runner).counts.stopped, 1);
  EXPECT_EQ(ReportOf(*runner).counts.Waiting(), 0);
}

class FollowUpTest : public CascadeTest {
 protected:
  static void Handle(FollowUp& follow_up, const FramePtr& frame, ResultEvent event) {
    InferenceCost cost;
    follow_up.Handle(frame, std::move(event), LaneId{0}, cost);
  }
  ResultEvent Result(int64_t number, std::vector<DetectedObject> objects) {
    return {.stream = "gate",
            .model = "person",
            .frame = number,
            .pts_us = number * 100000,
            .task = "detection",
            .result = Objects(std::move(objects))};
  }
};

TEST_F(FollowUpTest, GivesTracksAndSaysWhenTheyBeginAndEnd) {
  LoadedModel& model = AddModel("person", {});
  model.threshold = 0.5F;
  FollowUp follow_up({.track = true}, model, Environment());
  const DetectedObject strong{.label = 1, .score = 0.9F, .box = {0.2F, 0.2F, 0.4F, 0.6F}, .keypoints = {}};
  DetectedObject faint = strong;
  faint.score = 0.2F;
  Handle(follow_up, MakeFrame(0, 0), Result(0, {strong}));
  Handle(follow_up, MakeFrame(1, 100000), Result(1, {faint}));
  Handle(follow_up, MakeFrame(2, 200000), Result(2, {strong}));
  for (int64_t i = 3; i < 40; ++i) Handle(follow_up, MakeFrame(i, i * 100000), Result(i, {}));

  const auto results = sink_.All<ResultEvent>();
  ASSERT_THAT(results, SizeIs(40));
  ASSERT_THAT(results[0].notes, SizeIs(1));
  EXPECT_EQ(results[0].notes[0].track, 1);
  EXPECT_THAT(results[1].result.objects, IsEmpty()) << "a faint object keeps its track and is not reported";
  ASSERT_THAT(results[2].notes, SizeIs(1));
  EXPECT_EQ(results[2].notes[0].track, 1);
  const auto tracks = sink_.All<TrackEvent>();
  ASSERT_THAT(tracks, SizeIs(2));
  EXPECT_FALSE(tracks[0].ended);
  EXPECT_EQ(tracks[0].label, "dog");
  EXPECT_TRUE(tracks[1].ended);
  EXPECT_NEAR(tracks[1].age_s, 0.2, 1e-6);
  const auto counts = sink_.All<CountEvent>();
  ASSERT_THAT(counts, SizeIs(2));
  EXPECT_EQ(counts[0].counts.at("dog"), 1);
  EXPECT_EQ(counts[1].counts.at("dog"), 0);
}

TEST_F(FollowUpTest, EverythingEndsWithTheScene) {
  LoadedModel& model = AddModel("person", {});
  FollowUp::Options options{.track = true};
  options.scene.zones.push_back({.name = "all", .corners = {{0, 0}, {1, 0}, {1, 1}, {0, 1}}, .labels = {}});
  FollowUp follow_up(options, model, Environment());
  Handle(follow_up, MakeFrame(0, 0),
         Result(0, {{.label = 1, .score = 0.9F, .box = {0.2F, 0.2F, 0.4F, 0.6F}, .keypoints = {}}}));
  follow_up.End();
  follow_up.End();  // again: there is nothing left to end
  const auto tracks = sink_.All<TrackEvent>();
  ASSERT_THAT(tracks, SizeIs(2));
  EXPECT_TRUE(tracks[1].ended);
  const auto scene = sink_.All<SceneEvent>();
  ASSERT_THAT(scene, SizeIs(2));
  EXPECT_EQ(scene[1].kind, SceneEventKind::kZoneLeft);
  const auto counts = sink_.All<CountEvent>();
  ASSERT_THAT(counts, SizeIs(4)) << "of the picture and of the zone, up and down";
  EXPECT_EQ(counts[2].counts.at("dog"), 0);
  EXPECT_EQ(counts[3].counts.at("dog"), 0);
}

TEST_F(FollowUpTest, FindsATrackAgainByItsEmbedding) {
  LoadedModel& model = AddModel("person", {});
  InferenceResult same;
  same.embedding = {3, 4};
  LoadedModel& reid = AddModel("reid", same);
  FollowUp follow_up({.track = true, .reid = &reid}, model, Environment());
  const DetectedObject here{.label = 1, .score = 0.9F, .box = {0.1F, 0.2F, 0.2F, 0.6F}, .keypoints = {}};
  const DetectedObject elsewhere{.label = 1, .score = 0.9F, .box = {0.7F, 0.3F, 0.8F, 0.7F}, .keypoints = {}};
  Handle(follow_up, MakeFrame(0, 0), Result(0, {here}));
  for (int64_t i = 1; i < 30; ++i) Handle(follow_up, MakeFrame(i, i * 100000), Result(i, {}));
  Handle(follow_up, MakeFrame(30, 3000000), Result(30, {elsewhere}));
  const auto results = sink_.All<ResultEvent>();
  EXPECT_EQ(results.front().notes.at(0).track, 1);
  EXPECT_EQ(results.back().notes.at(0).track, 1);
}

TEST_F(FollowUpTest, SaysWhatHappensAtZonesAndLines) {
  LoadedModel& model = AddModel("person", {});
  FollowUp::Options options{.track = true};
  options.scene.zones.push_back({.name = "yard", .corners = {{0.5F, 0}, {1, 0}, {1, 1}, {0.5F, 1}}, .labels = {}});
  options.scene.lines.push_back({.name = "door", .from = {0.5F, 1}, .to = {0.5F, 0}, .labels = {}});
  FollowUp follow_up(options, model, Environment());
  for (int64_t i = 0; i < 30; ++i) {
    const float x = 0.2F + 0.02F * static_cast<float>(i);
    Handle(follow_up, MakeFrame(i, i * 100000),
           Result(i, {{.label = 1, .score = 0.9F, .box = {x, 0.2F, x + 0.1F, 0.6F}, .keypoints = {}}}));
  }
  std::vector<std::string> said;
  for (const SceneEvent& event : sink_.All<SceneEvent>()) {
    said.push_back(std::string(TypeOf(event)) + " " + event.place + event.direction);
  }
  EXPECT_THAT(said, ::testing::UnorderedElementsAre("zone_entered yard", "line_crossed doorin"));
}

TEST_F(FollowUpTest, AnswersStandBesideTheTrack) {
  LoadedModel& model = AddModel("person", {});
  FollowUp follow_up({.track = true}, model, Environment());
  auto runner = MakeRunner(AddModel("mood", OneClass(0, 0.8F)));
  const CascadeRunner& cascade = *runner;
  follow_up.AddCascade(std::move(runner));
  lanes_->Start();
  const DetectedObject object{.label = 1, .score = 0.9F, .box = {0.2F, 0.2F, 0.4F, 0.6F}, .keypoints = {}};
  Handle(follow_up, MakeFrame(0, 0), Result(0, {object}));
  FinishJobs(cascade);
  Handle(follow_up, MakeFrame(1, 100000), Result(1, {object}));
  FinishJobs(cascade);
  std::vector<size_t> answers;
  for (const ResultEvent& event : sink_.All<ResultEvent>()) {
    if (event.model == "person") answers.push_back(event.notes.at(0).answers.size());
  }
  EXPECT_THAT(answers, ElementsAre(0, 1));
  EXPECT_EQ(ReportOf(cascade).counts.asked, 1) << "the answer holds";
}

}  // namespace
}  // namespace deepedge
