#include "deepedge/runtime/cascade_runner.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "deepedge/base/check.h"
#include "deepedge/pipeline/cascade/answer_of.h"
#include "deepedge/pipeline/cascade/pass_on.h"
#include "deepedge/pipeline/cascade/suppress_across.h"
#include "deepedge/pipeline/crop/align.h"
#include "deepedge/pipeline/crop/patches.h"
#include "deepedge/runtime/deadline.h"
#include "deepedge/runtime/model_inference.h"

namespace deepedge {
namespace {

double Seconds(int64_t pts_us) { return static_cast<double>(pts_us) / 1e6; }

// The face as recognisers are trained to have it; false where the object has not the five points of one.
bool TakeAligned(const PictureView& picture, const DetectedObject& object, const PictureInput& input,
                 PictureWarper& warper, RgbPicture& aligned) {
  FaceLandmarks landmarks;
  if (object.keypoints.size() != landmarks.size()) return false;
  for (size_t i = 0; i < landmarks.size(); ++i) landmarks[i] = object.keypoints[i].point;
  const auto transform = AlignFace(landmarks, picture.width, picture.height, input.width, input.height);
  aligned.width = input.width;
  aligned.height = input.height;
  return transform.ok() && warper.WarpInto(picture, transform.value(), input.pad, aligned).ok();
}

}  // namespace

// What the model saw of one object.
struct CascadeRunner::Look {
  size_t object = 0;              // of the question
  Box part;                       // of the picture
  std::vector<Box> patches = {};  // of a model that takes patches: where they lie in the picture
  InferenceResult result;
  std::string identity;
  float similarity = 0;
};

CascadeRunner::CascadeRunner(Options options, LoadedModel& model, ResourceId model_slots, TaskEnvironment environment,
                             TaskListener& stream)
    : options_(std::move(options)),
      model_(model),
      model_slots_(model_slots),
      environment_(environment),
      stream_(stream),
      book_(options_.ask) {}

CascadeRunner::~CascadeRunner() = default;

std::vector<FoundObject> CascadeRunner::Choose(const Frame& frame, std::span<const FoundObject> objects) {
  const PictureSize picture{.width = frame.picture.width, .height = frame.picture.height};
  const LocalTime now = ToLocalTime(environment_.clock.EpochMicros(frame.captured));
  std::vector<FoundObject> chosen;
  for (const FoundObject& found : objects) {
    if (chosen.size() == options_.max_objects) break;
    const GateObject object{.label = found.object.label,
                            .score = found.object.score,
                            .box = found.object.box,
                            .track_age_s = found.track_age_s,
                            .zones = found.zones};
    if (IsOpen(options_.gate, object, picture, now) && book_.Ask(found.track, Seconds(frame.pts_us))) {
      chosen.push_back(found);
    }
  }
  return chosen;
}

void CascadeRunner::Offer(const FramePtr& frame, std::span<const FoundObject> objects) {
  {
    MutexLock lock(mutex_);
    counts_.offered += static_cast<int64_t>(objects.size());
    std::vector<FoundObject> chosen = Choose(*frame, objects);
    if (chosen.empty()) return;
    counts_.asked += static_cast<int64_t>(chosen.size());
    while (!options_.lossless && !waiting_.empty()) {
      TakeBack(waiting_.front(), CascadeEnding::kReplaced);
      waiting_.pop_front();
    }
    waiting_.push_back({.frame = frame, .objects = std::move(chosen)});
    if (state_ != State::kIdle) return;
    state_ = State::kQueued;
  }
  Submit(*frame);
}

void CascadeRunner::Submit(const Frame& frame) {
  environment_.lanes.Submit(*this, {.deadline = DeadlineOf(frame, options_.deadline), .resource = model_slots_});
}

void CascadeRunner::TakeBack(const Question& question, CascadeEnding ending) {
  for (const FoundObject& found : question.objects) book_.TakeBack(found.track);
  counts_.End(ending, static_cast<int64_t>(question.objects.size()));
}

void CascadeRunner::Run(const RunContext& context) {
  Question question;
  {
    MutexLock lock(mutex_);
    DE_CHECK(state_ == State::kQueued && !waiting_.empty());
    state_ = State::kRunning;
    question = std::move(waiting_.front());
    waiting_.pop_front();
  }
  stream_.HandleTaskProgress();

  const Time now = environment_.clock.Now();
  if (!options_.lossless && IsTooLate(question.frame->captured, options_.deadline, now)) {
    MutexLock lock(mutex_);
    TakeBack(question, CascadeEnding::kTooLate);
  } else {
    Answer(question, context);
  }
  question = {};  // the decoder may use the buffer again

  FramePtr next;
  {
    MutexLock lock(mutex_);
    if (!waiting_.empty()) next = waiting_.front().frame;
    state_ = next ? State::kQueued : State::kIdle;
  }
  if (next) Submit(*next);
  stream_.HandleTaskProgress();
}

void CascadeRunner::Answer(const Question& question, const RunContext& context) {
  auto looks = LookAtAll(question, context);
  const Time available = environment_.clock.Now();
  if (looks.ok()) return Tell(question, std::move(looks).value(), available);
  MutexLock lock(mutex_);
  TakeBack(question, CascadeEnding::kFailed);
  last_error_ = looks.error().message;
}

// The parts of a frame that are looked at; views borrow from the frame and from the pictures beside them.
struct CascadeRunner::Parts {
  explicit Parts(size_t objects) : aligned(objects), patches(objects) {}

  std::vector<Look> looks;  // results still empty
  std::vector<PictureView> views;
  std::vector<RgbPicture> aligned;
  std::vector<PatchPictures> patches;
};

// A part that cannot be taken is left out: an object without the points that are wanted, or outside of the picture.
CascadeRunner::Parts CascadeRunner::TakeParts(const Question& question, PictureWarper& warper) const {
  const PictureView& picture = question.frame->picture;
  const PictureInput& input = model_.card.input;
  Parts parts(question.objects.size());
  for (size_t i = 0; i < question.objects.size(); ++i) {
    const DetectedObject& object = question.objects[i].object;
    if (input.patches > 0) {
      auto taken = TakePatches(warper, picture, object, input);
      if (!taken.ok()) continue;
      parts.patches[i] = std::move(taken).value();
      parts.looks.push_back({.object = i, .part = object.box, .patches = parts.patches[i].boxes});
      for (const PictureView& view : parts.patches[i].Views()) parts.views.push_back(view);
    } else if (options_.align && TakeAligned(picture, object, input, warper, parts.aligned[i])) {
      parts.looks.push_back({.object = i, .part = object.box});
      parts.views.push_back(parts.aligned[i].View());
    } else if (const auto box =
                   CropBox(object.box, picture.width, picture.height, input.width, input.height, options_.crop)) {
      const CroppedPicture crop = Crop(picture, *box);
      parts.looks.push_back({.object = i, .part = crop.box});
      parts.views.push_back(crop.picture);
    }
  }
  return parts;
}

Result<std::vector<CascadeRunner::Look>> CascadeRunner::LookAtAll(const Question& question, const RunContext& context) {
  LaneTools& tools = environment_.tools[context.lane.value];
  Parts parts = TakeParts(question, tools.warper);
  InferenceCost cost;
  auto results = RunModelOnPictures(model_, context.slot, tools.scaler, parts.views, environment_.clock, cost,
                                    environment_.RunsOf(context.lane));
  {
    MutexLock lock(mutex_);
    cost_ += cost;
  }
  DE_TRY_STATUS(results.status());
  std::vector<Look> looks = std::move(parts.looks);
  std::vector<InferenceResult*> on_whole;
  for (size_t i = 0; i < looks.size(); ++i) {
    looks[i].result = std::move(results.value()[i]);
    std::erase_if(looks[i].result.objects, [&](const auto& object) { return object.score < model_.threshold; });
    if (looks[i].patches.empty()) {
      ToWhole(looks[i].part, looks[i].result);
    } else {
      FromPatches(looks[i].patches, question.objects[looks[i].object].object.keypoints, looks[i].result);
    }
    on_whole.push_back(&looks[i].result);
  }
  SuppressAcross(on_whole, model_.card.output.nms_iou);
  for (Look& look : looks) {
    if (options_.gallery == nullptr || look.result.embedding.empty()) continue;
    if (const auto found = options_.gallery->Find(look.result.embedding)) {
      look.identity = found->name;
      look.similarity = found->similarity;
    }
  }
  return looks;
}

void CascadeRunner::Tell(const Question& question, std::vector<Look> looks, Time available) {
  const Frame& frame = *question.frame;
  std::vector<FoundObject> found_below;
  {
    MutexLock lock(mutex_);
    latency_.Add(available - frame.captured);
    counts_.answered += static_cast<int64_t>(looks.size());
    counts_.failed += static_cast<int64_t>(question.objects.size() - looks.size());
    std::vector<bool> looked_at(question.objects.size(), false);
    for (const Look& look : looks) {
      looked_at[look.object] = true;
      class Answer answer = AnswerOf(look.result, *model_.labels, look.identity, look.similarity);
      answer.pts_us = frame.pts_us;
      book_.PutAnswer(question.objects[look.object].track, Seconds(frame.pts_us), std::move(answer));
    }
    // What cannot be cut out now will hardly be in the next frame: nothing was said of it, and that holds too.
    for (size_t i = 0; i < looked_at.size(); ++i) {
      if (looked_at[i]) continue;
      last_error_ = model_.card.input.patches > 0 ? "an object has not the points that the model looks at"
                                                  : "an object lies outside of the picture";
      book_.PutAnswer(question.objects[i].track, Seconds(frame.pts_us), {.score = 1, .pts_us = frame.pts_us});
    }
  }
  for (Look& look : looks) {
    const FoundObject& parent = question.objects[look.object];
    if (!below_.empty()) PassOn(parent, look, found_below);
    if (!options_.report) continue;
    environment_.events.Publish(ResultEvent{.stream = options_.stream,
                                            .model = model_.name,
                                            .frame = frame.number,
                                            .pts_us = frame.pts_us,
                                            .captured_us = environment_.clock.EpochMicros(frame.captured),
                                            .available_us = environment_.clock.EpochMicros(available),
                                            .task = model_.card.task,
                                            .result = std::move(look.result),
                                            .labels = model_.labels,
                                            .variant = model_.variant,
                                            .parent = parent.as_parent,
                                            .identity = std::move(look.identity),
                                            .similarity = look.similarity});
  }
  if (found_below.empty()) return;
  std::ranges::stable_sort(found_below, std::greater(), [](const FoundObject& found) { return found.object.score; });
  for (const auto& below : below_) below->Offer(question.frame, found_below);
}

void CascadeRunner::PassOn(const FoundObject& parent, const Look& look, std::vector<FoundObject>& below) const {
  bool is_best = true;
  for (DetectedObject& object : ObjectsToPassOn(look.result, look.part)) {
    // The parent's track goes on with the best of what was found in it: one question at a time is asked about a track.
    const int64_t track = std::exchange(is_best, false) ? parent.track : 0;
    auto as_parent = std::make_shared<ParentObject>();
    *as_parent = {.model = model_.name,
                  .label = model_.card.LabelOf(object.label),
                  .score = object.score,
                  .box = object.box,
                  .track = track,
                  .parent = parent.as_parent};
    below.push_back({.object = std::move(object),
                     .track = track,
                     .track_age_s = parent.track_age_s,
                     .zones = parent.zones,
                     .as_parent = std::move(as_parent)});
  }
}

void CascadeRunner::AppendAnswers(int64_t track, std::vector<ChildAnswer>& answers) const {
  if (track == 0) return;
  {
    MutexLock lock(mutex_);
    const class Answer* const last = book_.Find(track);
    if (last != nullptr && !last->label.empty()) {
      answers.push_back({.model = model_.name, .label = last->label, .score = last->score, .pts_us = last->pts_us});
    }
  }
  for (const auto& below : below_) below->AppendAnswers(track, answers);
}

void CascadeRunner::ForgetTrack(int64_t track) {
  {
    MutexLock lock(mutex_);
    book_.Forget(track);
  }
  for (const auto& below : below_) below->ForgetTrack(track);
}

bool CascadeRunner::CanAccept() const {
  {
    MutexLock lock(mutex_);
    if (!waiting_.empty()) return false;
  }
  return std::ranges::all_of(below_, [](const auto& below) { return below->CanAccept(); });
}

bool CascadeRunner::IsIdle() const {
  {
    MutexLock lock(mutex_);
    if (state_ != State::kIdle || !waiting_.empty()) return false;
  }
  return std::ranges::all_of(below_, [](const auto& below) { return below->IsIdle(); });
}

void CascadeRunner::DropWaiting() {
  {
    MutexLock lock(mutex_);
    for (const Question& question : waiting_) TakeBack(question, CascadeEnding::kStopped);
    waiting_.clear();
    state_ = State::kIdle;  // a job that waited for a lane will not run
  }
  for (const auto& below : below_) below->DropWaiting();
}

void CascadeRunner::AppendReports(const std::string& above, std::vector<CascadeReport>& reports) const {
  const std::string path = above + " > " + model_.name;
  {
    MutexLock lock(mutex_);
    reports.push_back({.stream = options_.stream,
                       .path = path,
                       .counts = counts_,
                       .latency = latency_,
                       .cost = cost_,
                       .last_error = last_error_});
  }
  for (const auto& below : below_) below->AppendReports(path, reports);
}

}  // namespace deepedge
