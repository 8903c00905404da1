#include "deepedge/pipeline/track/scene_for_test.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace deepedge {
namespace {

double Real(std::mt19937& random, double from, double to) {
  return from + (to - from) * (static_cast<double>(random()) / 4294967296.0);
}

// Sum of twelve: the same on every library, unlike std::normal_distribution.
double Normal(std::mt19937& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += Real(random, 0, 1);
  return sum;
}

// The largest share of `box` that another walker in front covers.
double Covered(const std::vector<Walker>& walkers, size_t who, double time_s) {
  const Box box = Clip(BoxOf(walkers[who], time_s));
  double most = 0;
  for (size_t i = 0; i < walkers.size(); ++i) {
    const Box other = Clip(BoxOf(walkers[i], time_s));
    if (i == who || time_s < walkers[i].from_s || time_s > walkers[i].to_s || other.y2 <= box.y2) continue;
    const Box common{std::max(box.x1, other.x1), std::max(box.y1, other.y1), std::min(box.x2, other.x2),
                     std::min(box.y2, other.y2)};
    most = std::max(most, static_cast<double>(common.Area() / box.Area()));
  }
  return most;
}

bool Apart(const std::vector<Walker>& walkers, size_t who, double time_s) {
  const Box box = BoxOf(walkers[who], time_s);
  for (size_t i = 0; i < walkers.size(); ++i) {
    const bool there = time_s >= walkers[i].from_s && time_s <= walkers[i].to_s;
    if (i != who && there && Iou(BoxOf(walkers[i], time_s), box) > 0.2F) return false;
  }
  return true;
}

}  // namespace

Box BoxOf(const Walker& w, double time_s) {
  const double x = w.x + w.speed_x * (time_s - w.from_s);
  const double y = w.y + w.speed_y * (time_s - w.from_s);
  return {static_cast<float>(x - w.width / 2), static_cast<float>(y - w.height / 2),
          static_cast<float>(x + w.width / 2), static_cast<float>(y + w.height / 2)};
}

SeenFrame See(const std::vector<Walker>& walkers, const DetectorFaults& faults, double time_s, std::mt19937& random) {
  std::vector<std::pair<DetectedObject, int>> seen;
  for (size_t i = 0; i < walkers.size(); ++i) {
    const Walker& walker = walkers[i];
    Walker noisy = walker;
    const double sigma = faults.jitter * std::sqrt(walker.width * walker.height);
    noisy.x += sigma * Normal(random);
    noisy.y += sigma * Normal(random);
    noisy.width += sigma * Normal(random);
    noisy.height += sigma * Normal(random);
    const bool missed = Real(random, 0, 1) < faults.missed;
    const bool weak = Real(random, 0, 1) < faults.weak;
    const bool flickers = Real(random, 0, 1) < faults.flicker;
    const double score = Real(random, 0.6, 0.9);
    const Box box = Clip(BoxOf(noisy, time_s));
    if (missed || time_s < walker.from_s || time_s > walker.to_s || box.Area() < 0.3 * walker.width * walker.height) {
      continue;
    }
    const double covered = faults.occlusion ? Covered(walkers, i, time_s) : 0;
    if (covered > 0.8) continue;
    DetectedObject object{.label = flickers ? faults.other_label : walker.label,
                          .score = static_cast<float>(weak || covered > 0.4 ? 0.25 : score),
                          .box = box,
                          .keypoints = {}};
    seen.emplace_back(std::move(object), static_cast<int>(i));
  }
  for (double left = faults.false_boxes; Real(random, 0, 1) < left; left -= 1) {
    const Walker ghost{.x = Real(random, 0, 1), .y = Real(random, 0, 1)};
    seen.emplace_back(DetectedObject{.label = 0, .score = 0.45F, .box = Clip(BoxOf(ghost, 0)), .keypoints = {}}, -1);
  }
  std::sort(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.first.score > b.first.score; });
  SeenFrame frame;
  for (auto& [object, who] : seen) {
    frame.objects.push_back(std::move(object));
    frame.walkers.push_back(who);
    frame.apart.push_back(who < 0 || Apart(walkers, static_cast<size_t>(who), time_s));
  }
  return frame;
}

void Score::Add(const SeenFrame& frame, const std::vector<int64_t>& tracks, float threshold) {
  for (size_t i = 0; i < frame.objects.size(); ++i) {
    const int who = frame.walkers[i];
    if (frame.objects[i].score < threshold || who < 0 || !frame.apart[i]) continue;
    ++boxes;
    if (tracks[i] == 0) {
      ++untracked;
      continue;
    }
    const auto [known, is_new] = last.emplace(who, tracks[i]);
    if (!is_new && known->second != tracks[i]) ++switches;
    known->second = tracks[i];
  }
}

std::vector<Walker> Crowd(int count, double until_s, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Walker> walkers;
  for (int lane = 0; lane < count; ++lane) {
    for (double time = -Real(random, 0, 10); time < until_s;) {
      const double depth = Real(random, 0.2, 0.9);
      const double speed = depth * Real(random, 0.08, 0.2);
      const bool right = random() % 2 == 0;
      const double stay = 1 / speed;
      walkers.push_back({.from_s = time,
                         .to_s = time + stay,
                         .x = right ? 0.0 : 1.0,
                         .y = depth,
                         .speed_x = right ? speed : -speed,
                         .width = depth * 0.1,
                         .height = depth * 0.35});
      time += stay;
    }
  }
  return walkers;
}

}  // namespace deepedge
