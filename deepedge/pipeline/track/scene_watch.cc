#include "deepedge/pipeline/track/scene_watch.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace deepedge {
namespace {

constexpr size_t kMostTracks = 1000;
constexpr double kUnseen = 60.0;    // seconds after which a track is taken for ended
constexpr double kBackwards = 0.5;  // seconds

double MarginOf(const Box& box) { return std::clamp(0.25 * std::sqrt(static_cast<double>(box.Area())), 0.005, 0.05); }

bool Wants(const std::vector<int>& labels, int label) {
  return labels.empty() || std::find(labels.begin(), labels.end(), label) != labels.end();
}

bool Usable(const SceneObject& object) {
  return object.track != 0 && std::isfinite(object.box.x1) && std::isfinite(object.box.y1) &&
         std::isfinite(object.box.x2) && std::isfinite(object.box.y2);
}

// Says `now` if it differs from `before`, and replaces that.
void Compare(size_t zone, std::map<int, int> now, std::map<int, int>* before, SceneReport* report) {
  if (now == *before) return;
  std::map<int, int> named = now;
  for (const auto& [label, count] : *before) named.emplace(label, 0);
  SceneCounts counts{.zone = zone, .labels = {}};
  for (const auto& [label, count] : named) counts.labels.push_back({label, count});
  report->counts.push_back(std::move(counts));
  *before = std::move(now);
}

}  // namespace

Result<std::unique_ptr<SceneWatch>> SceneWatch::Create(SceneRules rules, const SceneWatchOptions& options) {
  DE_TRY_STATUS(CheckRules(rules));
  return std::unique_ptr<SceneWatch>(new SceneWatch(std::move(rules), options));
}

SceneWatch::SceneWatch(SceneRules rules, const SceneWatchOptions& options)
    : rules_(std::move(rules)), options_(options), zone_counts_(rules_.zones.size()) {}

SceneReport SceneWatch::Update(const SceneFrame& frame) {
  SceneReport report;
  AdvanceTime(frame.time_s, &report);
  ++update_;
  for (const SceneObject& object : frame.objects) {
    if (!Usable(object)) continue;
    if (!states_.contains(object.track) && states_.size() >= kMostTracks) {
      ++passed_over_;
      continue;
    }
    State& state = states_[object.track];
    if (state.update == update_) continue;  // a twin
    state.update = update_;
    state.zones.resize(rules_.zones.size());
    state.settled.resize(rules_.lines.size());
    state.object = object;
    state.object.box = Clip(object.box);
    state.seen_s = *now_s_;
    WatchZones(state, &report);
    WatchLines(state, &report);
  }
  for (const int64_t track : frame.ended) {
    if (const auto at = states_.find(track); at != states_.end()) Leave(at, &report);
  }
  LeaveStale(&report);
  Count(&report);
  return report;
}

void SceneWatch::AdvanceTime(double time_s, SceneReport* report) {
  if (!now_s_.has_value()) {
    now_s_ = std::isfinite(time_s) ? time_s : 0;
    return;
  }
  if (!std::isfinite(time_s)) return;
  if (time_s < *now_s_ - kBackwards) {
    while (!states_.empty()) Leave(states_.begin(), report);
    now_s_ = time_s;
  }
  now_s_ = std::max(*now_s_, time_s);
}

void SceneWatch::WatchZones(State& state, SceneReport* report) const {
  const Point point = PointOf(state.object.box, rules_.point);
  const double margin = MarginOf(state.object.box);
  for (size_t i = 0; i < rules_.zones.size(); ++i) {
    const Zone& zone = rules_.zones[i];
    InZone& in = state.zones[i];
    const bool within = PointInPolygon(point, zone.corners);
    if (!in.inside) {
      if (!within || !Wants(zone.labels, state.object.label)) continue;
      in = {.inside = true, .entered_s = *now_s_, .last_inside_s = *now_s_};
      report->events.push_back(EventOf(state, SceneChangeKind::kZoneEntered, i));
    } else if (within || DistanceToBorder(point, zone.corners) <= margin) {
      in.last_inside_s = *now_s_;
    } else if (*now_s_ - in.last_inside_s >= options_.settle_s) {
      report->events.push_back(EventOf(state, SceneChangeKind::kZoneLeft, i));
      in = {};
      continue;
    }
    if (zone.dwell_s > 0 && !in.dwelt && in.last_inside_s - in.entered_s >= zone.dwell_s) {
      in.dwelt = true;
      report->events.push_back(EventOf(state, SceneChangeKind::kDwell, i));
    }
  }
}

void SceneWatch::WatchLines(State& state, SceneReport* report) const {
  const Point point = PointOf(state.object.box, rules_.point);
  const double margin = MarginOf(state.object.box);
  for (size_t i = 0; i < rules_.lines.size(); ++i) {
    const Line& line = rules_.lines[i];
    const double side = SideOfLine(point, line.from, line.to);
    if (std::abs(side) <= margin) continue;
    const std::optional<Point> before = std::exchange(state.settled[i], point);
    if (!before.has_value() || (SideOfLine(*before, line.from, line.to) > 0) == (side > 0)) continue;
    if (!Wants(line.labels, state.object.label) || !SegmentsCross(*before, point, line.from, line.to)) continue;
    SceneChange event = EventOf(state, SceneChangeKind::kLineCrossed, i);
    event.direction = side > 0 ? CrossDirection::kIn : CrossDirection::kOut;
    report->events.push_back(event);
  }
}

SceneChange SceneWatch::EventOf(const State& state, SceneChangeKind kind, size_t place) const {
  SceneChange event{.kind = kind,
                    .time_s = *now_s_,
                    .place = place,
                    .track = state.object.track,
                    .label = state.object.label,
                    .score = state.object.score,
                    .box = state.object.box};
  if (kind == SceneChangeKind::kZoneLeft || kind == SceneChangeKind::kDwell) {
    event.seconds = state.zones[place].last_inside_s - state.zones[place].entered_s;
  }
  return event;
}

void SceneWatch::Leave(std::map<int64_t, State>::iterator at, SceneReport* report) {
  for (size_t i = 0; i < at->second.zones.size(); ++i) {
    if (at->second.zones[i].inside) report->events.push_back(EventOf(at->second, SceneChangeKind::kZoneLeft, i));
  }
  states_.erase(at);
}

void SceneWatch::LeaveStale(SceneReport* report) {
  for (auto at = states_.begin(); at != states_.end();) {
    const auto next = std::next(at);
    if (*now_s_ - at->second.seen_s > kUnseen) Leave(at, report);
    at = next;
  }
}

void SceneWatch::Count(SceneReport* report) {
  Counts picture;
  std::vector<Counts> zones(rules_.zones.size());
  for (const auto& [track, state] : states_) {
    ++picture[state.object.label];
    for (size_t i = 0; i < zones.size(); ++i) {
      if (state.zones[i].inside) ++zones[i][state.object.label];
    }
  }
  Compare(kWholePicture, std::move(picture), &picture_counts_, report);
  for (size_t i = 0; i < zones.size(); ++i) Compare(i, std::move(zones[i]), &zone_counts_[i], report);
}

}  // namespace deepedge
