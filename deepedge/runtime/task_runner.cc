#include "deepedge/runtime/task_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "deepedge/base/check.h"
#include "deepedge/runtime/deadline.h"

namespace deepedge {

void KeepLabels(const std::vector<int>& labels, InferenceResult& result) {
  if (labels.empty()) return;
  const auto unwanted = [&](const auto& found) {
    return std::find(labels.begin(), labels.end(), found.label) == labels.end();
  };
  std::erase_if(result.objects, unwanted);
  std::erase_if(result.classes, unwanted);
}

TaskRunner::TaskRunner(Options options, LoadedModel& model, ResourceId model_slots, TaskEnvironment environment,
                       TaskListener& stream)
    : options_(std::move(options)),
      model_(model),
      model_slots_(model_slots),
      environment_(environment),
      stream_(stream),
      follow_up_({.track = options_.track,
                  .reid = options_.reid,
                  .report = options_.report,
                  .scene = options_.scene,
                  .snapshots = options_.snapshots},
                 model, environment),
      gate_(options_.max_rate) {}

bool TaskRunner::CanAccept() const {
  {
    MutexLock lock(mutex_);
    if (mailbox_ != nullptr) return false;
  }
  return follow_up_.CanAccept();
}

void TaskRunner::Offer(FramePtr frame) {
  Time deadline;
  {
    MutexLock lock(mutex_);
    if (!gate_.Admit(frame->pts_us)) {
      account_.End(EndReason::kAboveMaxRate);
      return;
    }
    deadline = DeadlineOf(*frame, options_.deadline);
    if (mailbox_ != nullptr) account_.End(EndReason::kReplaced);
    mailbox_ = std::move(frame);
    // Already queued: the job keeps the deadline of the frame it was queued for, so that a task whose frames are
    // replaced again and again grows older in the queue and gets its turn.
    if (state_ != State::kIdle) return;
    state_ = State::kQueued;
  }
  environment_.lanes.Submit(*this, {.deadline = deadline, .resource = model_slots_});
}

void TaskRunner::Run(const RunContext& context) {
  FramePtr frame;
  {
    MutexLock lock(mutex_);
    DE_CHECK(state_ == State::kQueued && mailbox_ != nullptr);
    state_ = State::kRunning;
    frame = std::move(mailbox_);
    mailbox_ = nullptr;
  }
  stream_.HandleTaskProgress();

  // A lane is not spent on what nobody can use any more.
  if (!options_.lossless && IsTooLate(frame->captured, options_.deadline, environment_.clock.Now())) {
    account_.End(EndReason::kTooLate);
  } else {
    Infer(frame, context);
  }

  Time deadline;
  const bool again = GoOn(deadline);
  frame.reset();  // the decoder may use the buffer again
  if (again) environment_.lanes.Submit(*this, {.deadline = deadline, .resource = model_slots_});
  stream_.HandleTaskProgress();
}

bool TaskRunner::GoOn(Time& deadline) {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (mailbox_ != nullptr) {
        deadline = DeadlineOf(*mailbox_, options_.deadline);
        state_ = State::kQueued;
        return true;
      }
      if (!std::exchange(end_tracks_, false)) {
        state_ = State::kIdle;
        return false;
      }
    }
    follow_up_.End();
  }
}

void TaskRunner::EndTracks() {
  {
    MutexLock lock(mutex_);
    end_tracks_ = true;
    if (state_ != State::kIdle) return;
    state_ = State::kRunning;
  }
  Time deadline;
  if (GoOn(deadline)) environment_.lanes.Submit(*this, {.deadline = deadline, .resource = model_slots_});
}

void TaskRunner::Infer(const FramePtr& frame, const RunContext& context) {
  InferenceCost cost;
  auto result = RunModelOnPicture(model_, context.slot, environment_.tools[context.lane.value].scaler, frame->picture,
                                  environment_.clock, cost, environment_.RunsOf(context.lane));
  Time available = environment_.clock.Now();
  const bool done = result.ok();
  std::string error = done ? std::string() : result.error().message;
  if (done) follow_up_.Handle(frame, EventOf(*frame, std::move(result).value(), available), context.lane, cost);
  if (options_.reid != nullptr) available = environment_.clock.Now();
  account_.End(done ? EndReason::kDone : EndReason::kInferenceError);

  MutexLock lock(mutex_);
  cost_ += cost;
  if (done) latency_.Add(available - frame->captured);
  if (error.empty()) error = follow_up_.TakeError();
  if (!error.empty()) last_error_ = std::move(error);
}

ResultEvent TaskRunner::EventOf(const Frame& frame, InferenceResult result, Time available) const {
  KeepLabels(options_.labels, result);
  return {.stream = options_.stream,
          .model = model_.name,
          .frame = frame.number,
          .pts_us = frame.pts_us,
          .captured_us = environment_.clock.EpochMicros(frame.captured),
          .available_us = environment_.clock.EpochMicros(available),
          .task = model_.card.task,
          .result = std::move(result),
          .labels = model_.labels,
          .variant = model_.variant};
}

bool TaskRunner::IsIdle() const {
  {
    MutexLock lock(mutex_);
    if (state_ != State::kIdle || mailbox_ != nullptr) return false;
  }
  return follow_up_.IsIdle();
}

void TaskRunner::DropWaiting() {
  {
    MutexLock lock(mutex_);
    if (mailbox_ != nullptr) account_.End(EndReason::kStopped);
    mailbox_ = nullptr;
    state_ = State::kIdle;  // a job that waited for a lane will not run
  }
  follow_up_.DropWaiting();
}

Histogram TaskRunner::Latency() const {
  MutexLock lock(mutex_);
  return latency_;
}

InferenceCost TaskRunner::Cost() const {
  MutexLock lock(mutex_);
  return cost_;
}

std::string TaskRunner::LastError() const {
  MutexLock lock(mutex_);
  return last_error_;
}

}  // namespace deepedge
