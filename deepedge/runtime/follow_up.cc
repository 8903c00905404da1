#include "deepedge/runtime/follow_up.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "deepedge/base/check.h"
#include "deepedge/media/jpeg.h"
#include "deepedge/pipeline/cascade/pass_on.h"
#include "deepedge/pipeline/crop/crop_box.h"
#include "deepedge/runtime/loaded_model.h"
#include "deepedge/runtime/model_inference.h"

namespace deepedge {
namespace {

double Seconds(const ResultEvent& event) { return static_cast<double>(event.pts_us) / 1e6; }

Moment MomentOf(const ResultEvent& event) {
  return {.frame = event.frame,
          .pts_us = event.pts_us,
          .captured_us = event.captured_us,
          .available_us = event.available_us};
}

SceneEventKind KindOf(SceneChangeKind kind) {
  switch (kind) {
    case SceneChangeKind::kZoneEntered: return SceneEventKind::kZoneEntered;
    case SceneChangeKind::kZoneLeft: return SceneEventKind::kZoneLeft;
    case SceneChangeKind::kDwell: return SceneEventKind::kDwell;
    case SceneChangeKind::kLineCrossed: break;
  }
  return SceneEventKind::kLineCrossed;
}

}  // namespace

FollowUp::FollowUp(Options options, const LoadedModel& model, TaskEnvironment environment)
    : options_(std::move(options)), model_(model), environment_(environment) {
  if (!options_.track) return;
  auto scene = SceneWatch::Create(options_.scene);
  DE_CHECK(scene.ok());
  scene_ = std::move(scene).value();
}

void FollowUp::Handle(const FramePtr& frame, ResultEvent event, LaneId lane, InferenceCost& cost) {
  const Tracked tracked = TrackObjects(*frame, event.result, lane, cost);
  if (options_.reid != nullptr) event.available_us = environment_.clock.EpochMicros(environment_.clock.Now());
  for (const int64_t track : tracked.tracks) {
    ObjectNote& note = event.notes.emplace_back();
    note.track = track;
    for (const auto& cascade : cascades_) cascade->AppendAnswers(track, note.answers);
  }
  const std::vector<FoundObject> found =
      cascades_.empty() ? std::vector<FoundObject>() : ToPassOn(event, tracked.tracks);

  pictures_ = 0;
  PublishTracks(frame.get(), event, tracked.output.started, false);
  PublishScene(frame.get(), event, tracked);
  PublishTracks(nullptr, event, tracked.output.ended, true);
  ForgetTracks(tracked.output.ended);
  if (options_.track) {
    last_ = {.stream = event.stream,
             .model = event.model,
             .frame = event.frame,
             .pts_us = event.pts_us,
             .captured_us = event.captured_us};
  }
  if (options_.report) environment_.events.Publish(std::move(event));
  for (const auto& cascade : cascades_) {
    if (!found.empty()) cascade->Offer(frame, found);
  }
}

void FollowUp::End() {
  if (!options_.track || last_.stream.empty()) return;
  Tracked tracked;
  tracked.output.ended = tracker_.EndAll();
  if (tracked.output.ended.empty()) return;
  last_.available_us = environment_.clock.EpochMicros(environment_.clock.Now());
  PublishScene(nullptr, last_, tracked);
  PublishTracks(nullptr, last_, tracked.output.ended, true);
  ForgetTracks(tracked.output.ended);
}

void FollowUp::ForgetTracks(const std::vector<Track>& ended) {
  for (const Track& track : ended) {
    for (const auto& cascade : cascades_) cascade->ForgetTrack(track.id);
  }
}

FollowUp::Tracked FollowUp::TrackObjects(const Frame& frame, InferenceResult& result, LaneId lane,
                                         InferenceCost& cost) {
  Tracked tracked;
  if (options_.track) {
    const auto embeddings =
        options_.reid != nullptr ? Embed(frame, result.objects, lane, cost) : std::vector<std::vector<float>>();
    tracked.output = tracker_.Update({.time_s = static_cast<double>(frame.pts_us) / 1e6,
                                      .objects = result.objects,
                                      .threshold = model_.threshold,
                                      .embeddings = embeddings,
                                      .aspect = static_cast<double>(frame.picture.width) / frame.picture.height});
  }
  std::vector<DetectedObject> reported;
  for (size_t i = 0; i < result.objects.size(); ++i) {
    if (result.objects[i].score < model_.threshold) continue;
    if (options_.track) tracked.tracks.push_back(tracked.output.tracks[i]);
    reported.push_back(std::move(result.objects[i]));
  }
  result.objects = std::move(reported);
  return tracked;
}

std::vector<std::vector<float>> FollowUp::Embed(const Frame& frame, const std::vector<DetectedObject>& objects,
                                                LaneId lane, InferenceCost& cost) {
  constexpr size_t kMost = 32;  // of a crowd the best: the others go by place
  const PictureView& picture = frame.picture;
  const PictureInput& input = options_.reid->card.input;
  std::vector<std::vector<float>> embeddings(objects.size());
  std::vector<size_t> owners;
  std::vector<PictureView> views;
  for (size_t i = 0; i < objects.size() && views.size() < kMost; ++i) {
    if (objects[i].score < model_.threshold) continue;
    const auto part = CropBox(objects[i].box, picture.width, picture.height, input.width, input.height, {});
    if (!part) continue;
    owners.push_back(i);
    views.push_back(Crop(picture, *part).picture);
  }
  auto results = RunModelOnPictures(*options_.reid, static_cast<int>(lane.value), environment_.tools[lane.value].scaler,
                                    views, environment_.clock, cost, environment_.RunsOf(lane));
  if (!results.ok()) {
    error_ = "embeddings for tracks: " + results.error().message;
    return {};
  }
  for (size_t i = 0; i < owners.size(); ++i) {
    std::vector<float>& embedding = results.value()[i].embedding;
    double sum = 0;
    for (const float value : embedding) sum += static_cast<double>(value) * value;
    if (sum <= 0 || !std::isfinite(sum)) continue;
    for (float& value : embedding) value = static_cast<float>(value / std::sqrt(sum));
    embeddings[owners[i]] = std::move(embedding);
  }
  return embeddings;
}

template <typename T>
void FollowUp::PublishWithPicture(const Frame* frame, T event) {
  // A lane is not spent on the pictures of a crowd that flickers, nor a broker on a face as large as the picture.
  constexpr int kMostOfAFrame = 8;
  constexpr int kLongestSide = 1280;
  const bool wanted = std::ranges::count(options_.snapshots.types, TypeOf(event)) > 0;
  if (wanted && frame != nullptr && pictures_ < kMostOfAFrame) {
    ++pictures_;
    const CropRule rule{.margin = options_.snapshots.margin, .aspect = CropAspect::kKeep};
    const auto part = CropBox(event.box, frame->picture.width, frame->picture.height, 1, 1, rule);
    auto jpeg =
        part ? EncodeJpeg(frame->picture, *part, {.quality = options_.snapshots.quality, .longest_side = kLongestSide})
             : Result<std::vector<uint8_t>>(std::vector<uint8_t>());
    // A picture that cannot be made is no reason to keep the event back.
    if (jpeg.ok() && !jpeg.value().empty()) {
      event.picture = std::make_shared<const std::vector<uint8_t>>(std::move(jpeg).value());
    }
  }
  environment_.events.Publish(std::move(event));
}

void FollowUp::PublishTracks(const Frame* frame, const ResultEvent& event, const std::vector<Track>& tracks,
                             bool ended) {
  for (const Track& track : tracks) {
    PublishWithPicture(frame, TrackEvent{.ended = ended,
                                         .stream = event.stream,
                                         .model = event.model,
                                         .moment = MomentOf(event),
                                         .track = track.id,
                                         .label = model_.card.LabelOf(track.label),
                                         .score = track.best_score,
                                         .box = track.box,
                                         .age_s = track.Age()});
  }
}

void FollowUp::PublishScene(const Frame* frame, const ResultEvent& event, const Tracked& tracked) {
  if (!scene_) return;
  std::vector<SceneObject> objects;
  for (size_t i = 0; i < tracked.tracks.size(); ++i) {
    const DetectedObject& object = event.result.objects[i];
    if (tracked.tracks[i] == 0) continue;
    // The track's label flickers less than the object's.
    const Track* const track = tracker_.Find(tracked.tracks[i]);
    objects.push_back({.track = tracked.tracks[i],
                       .label = track != nullptr ? track->label : object.label,
                       .score = object.score,
                       .box = object.box});
  }
  std::vector<int64_t> ended;
  for (const Track& track : tracked.output.ended) ended.push_back(track.id);
  const SceneReport report = scene_->Update({.time_s = Seconds(event), .objects = objects, .ended = ended});
  for (const SceneChange& change : report.events) {
    const bool is_seen = std::ranges::count(tracked.tracks, change.track) > 0;
    PublishChange(is_seen ? frame : nullptr, change, event);
  }
  for (const SceneCounts& place : report.counts) {
    CountEvent counts{.stream = event.stream, .model = event.model, .moment = MomentOf(event)};
    if (place.zone != kWholePicture) counts.zone = options_.scene.zones[place.zone].name;
    for (const LabelCount& label : place.labels) counts.counts[model_.card.LabelOf(label.label)] += label.count;
    environment_.events.Publish(std::move(counts));
  }
}

void FollowUp::PublishChange(const Frame* frame, const SceneChange& change, const ResultEvent& event) {
  const bool crossed = change.kind == SceneChangeKind::kLineCrossed;
  PublishWithPicture(frame, SceneEvent{.kind = KindOf(change.kind),
                                       .stream = event.stream,
                                       .model = event.model,
                                       .moment = MomentOf(event),
                                       .place = crossed ? options_.scene.lines[change.place].name
                                                        : options_.scene.zones[change.place].name,
                                       .track = change.track,
                                       .label = model_.card.LabelOf(change.label),
                                       .score = change.score,
                                       .box = change.box,
                                       .direction = !crossed                                  ? ""
                                                    : change.direction == CrossDirection::kIn ? "in"
                                                                                              : "out",
                                       .dwell_s = change.seconds});
}

std::vector<FoundObject> FollowUp::ToPassOn(const ResultEvent& event, const std::vector<int64_t>& tracks) const {
  std::vector<FoundObject> found;
  for (DetectedObject& object : ObjectsToPassOn(event.result, {0, 0, 1, 1})) {
    const size_t index = found.size();
    const int64_t track = index < tracks.size() ? tracks[index] : 0;
    const Track* const known = track != 0 ? tracker_.Find(track) : nullptr;
    auto as_parent = std::make_shared<ParentObject>();
    *as_parent = {.model = model_.name,
                  .label = model_.card.LabelOf(object.label),
                  .score = object.score,
                  .box = object.box,
                  .track = track,
                  .parent = nullptr};
    found.push_back({.object = std::move(object),
                     .track = track,
                     .track_age_s = known != nullptr ? known->Age() : 0,
                     .zones = ZonesAt(as_parent->box),
                     .as_parent = std::move(as_parent)});
  }
  return found;
}

std::vector<int> FollowUp::ZonesAt(const Box& box) const {
  std::vector<int> zones;
  const Point point = PointOf(box, options_.scene.point);
  for (size_t i = 0; i < options_.scene.zones.size(); ++i) {
    if (PointInPolygon(point, options_.scene.zones[i].corners)) zones.push_back(static_cast<int>(i));
  }
  return zones;
}

bool FollowUp::CanAccept() const {
  return std::ranges::all_of(cascades_, [](const auto& cascade) { return cascade->CanAccept(); });
}

bool FollowUp::IsIdle() const {
  return std::ranges::all_of(cascades_, [](const auto& cascade) { return cascade->IsIdle(); });
}

void FollowUp::DropWaiting() {
  for (const auto& cascade : cascades_) cascade->DropWaiting();
}

std::vector<CascadeReport> FollowUp::Reports() const {
  std::vector<CascadeReport> reports;
  for (const auto& cascade : cascades_) cascade->AppendReports(model_.name, reports);
  return reports;
}

}  // namespace deepedge
