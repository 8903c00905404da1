#include "deepedge/bench/tracker_bench.h"

#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "deepedge/base/thread.h"
#include "deepedge/bench/throughput_bench.h"
#include "deepedge/pipeline/track/scene_watch.h"
#include "deepedge/pipeline/track/tracker.h"

namespace deepedge {
namespace {

constexpr int kResults = 20;  // a round; the clock of CPU time counts microseconds
constexpr double kInterval = 0.1;
constexpr float kThreshold = 0.4F;

struct Drifting {
  float x, y, speed_x, speed_y;
};

float Real(std::mt19937& random, float from, float to) {
  return from + (to - from) * static_cast<float>(random() % 65536) / 65536.0F;
}

SceneRules Rules() {
  SceneRules rules;
  for (int z = 0; z < 4; ++z) {
    Zone zone{.name = std::to_string(z), .corners = {}, .dwell_s = 5, .labels = {}};
    const float x = z % 2 == 0 ? 0.25F : 0.75F;
    const float y = z < 2 ? 0.25F : 0.75F;
    for (int i = 0; i < 8; ++i) {
      const float angle = 0.785F * static_cast<float>(i);
      zone.corners.push_back({x + 0.2F * std::cos(angle), y + 0.2F * std::sin(angle)});
    }
    rules.zones.push_back(std::move(zone));
  }
  rules.lines = {{.name = "a", .from = {0.5F, 0.9F}, .to = {0.5F, 0.1F}, .labels = {}},
                 {.name = "b", .from = {0.1F, 0.5F}, .to = {0.9F, 0.5F}, .labels = {}}};
  return rules;
}

void Move(std::vector<Drifting>& all) {
  for (Drifting& one : all) {
    one.x += one.speed_x;
    one.y += one.speed_y;
    if (one.x < 0 || one.x > 0.9F) one.speed_x = -one.speed_x;
    if (one.y < 0 || one.y > 0.9F) one.speed_y = -one.speed_y;
  }
}

std::vector<DetectedObject> Detect(const std::vector<Drifting>& all, std::mt19937& random) {
  std::vector<DetectedObject> objects;
  for (const Drifting& one : all) {
    const auto luck = random() % 10;
    const float x = one.x + Real(random, -0.003F, 0.003F);
    const float y = one.y + Real(random, -0.003F, 0.003F);
    if (luck == 0) continue;
    objects.push_back(
        {.label = 0, .score = luck == 1 ? 0.2F : 0.7F, .box = Clip({x, y, x + 0.06F, y + 0.12F}), .keypoints = {}});
  }
  return objects;
}

std::vector<SceneObject> Tracked(const std::vector<DetectedObject>& objects, const TrackerOutput& out) {
  std::vector<SceneObject> tracked;
  for (size_t i = 0; i < objects.size(); ++i) {
    tracked.push_back({out.tracks[i], objects[i].label, objects[i].score, objects[i].box});
  }
  return tracked;
}

std::vector<int64_t> Ids(const std::vector<Track>& tracks) {
  std::vector<int64_t> ids;
  for (const Track& track : tracks) ids.push_back(track.id);
  return ids;
}

}  // namespace

Result<TrackerCost> MeasureTracker(const TrackerBenchOptions& options) {
  std::mt19937 random(1);
  std::vector<Drifting> all;
  for (int i = 0; i < options.boxes; ++i) {
    all.push_back(
        {Real(random, 0, 0.9F), Real(random, 0, 0.9F), Real(random, -0.01F, 0.01F), Real(random, -0.01F, 0.01F)});
  }
  Tracker tracker;
  DE_TRY(const std::unique_ptr<SceneWatch> watch, SceneWatch::Create(Rules()));
  std::vector<double> tracking;
  std::vector<double> watching;
  double time = 0;
  for (int round = 0; round < options.rounds; ++round) {
    Duration track_time{};
    Duration watch_time{};
    for (int i = 0; i < kResults; ++i, time += kInterval) {
      Move(all);
      const std::vector<DetectedObject> objects = Detect(all, random);
      const Duration start = ThreadCpuTime();
      const TrackerOutput out = tracker.Update({.time_s = time, .objects = objects, .threshold = kThreshold});
      const Duration between = ThreadCpuTime();
      const std::vector<SceneObject> tracked = Tracked(objects, out);
      const std::vector<int64_t> ended = Ids(out.ended);
      watch->Update({.time_s = time, .objects = tracked, .ended = ended});
      track_time += between - start;
      watch_time += ThreadCpuTime() - between;
    }
    tracking.push_back(static_cast<double>(track_time.count()) / kResults);
    watching.push_back(static_cast<double>(watch_time.count()) / kResults);
  }
  return TrackerCost{.tracker_us = Median(tracking), .watch_us = Median(watching)};
}

}  // namespace deepedge
