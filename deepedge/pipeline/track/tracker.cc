#include "deepedge/pipeline/track/tracker.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "deepedge/pipeline/track/assignment.h"

namespace deepedge {
namespace {

constexpr size_t kMostObjects = 300;
constexpr size_t kMostTracks = 300;
constexpr size_t kMostEnded = 100;
constexpr size_t kMostVotes = 4;
constexpr size_t kLongestEmbedding = 4096;
constexpr float kWeakScore = 0.1F;
constexpr float kStrongIou = 0.2F;
constexpr float kWeakIou = 0.5F;
constexpr float kGapIou = 0.5F;
constexpr float kOtherLabelIou = 0.7F;
constexpr float kTwinIou = 0.85F;
constexpr double kFarthest = 6.0;     // squared distance in standard deviations
constexpr double kMostSizes = 3.0;    // between centres
constexpr double kHeightRatio = 0.5;  // of logarithms
constexpr double kCosineWeight = 0.3;
constexpr double kEmbeddingShare = 0.2;  // of the newest in a track's
constexpr double kBackwards = 0.5;       // seconds that time may go back without a new recording
constexpr double kIntervalShare = 0.25;  // of the newest in the usual interval
constexpr double kRecordKept = 0.995;    // a match
constexpr double kRounding = 1e-6;       // seconds

bool Finite(const Box& box) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

// 0 where one is missing or of another length.
double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.empty() || a.size() != b.size()) return 0;
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// The same direction with length 1; empty where there is none.
std::vector<float> Unit(std::vector<float> vector) {
  const double square = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0);
  if (vector.size() > kLongestEmbedding || !std::isfinite(square) || !(square > 0)) return {};
  const auto scale = static_cast<float>(1 / std::sqrt(square));
  for (float& value : vector) value *= scale;
  return vector;
}

double CentreX(const Box& box) { return (static_cast<double>(box.x1) + box.x2) / 2; }
double CentreY(const Box& box) { return (static_cast<double>(box.y1) + box.y2) / 2; }

// Above 0 where the box may be that of the track, more the nearer.
double Nearness(const Track& track, const BoxFilter& filter, const Box& box, double seconds, double aspect) {
  const Box& last = track.box;
  const double size = std::sqrt(static_cast<double>(last.Area()));
  const Box expected = filter.Predicted(seconds);
  const double x = (CentreX(box) - CentreX(expected)) * std::sqrt(aspect);
  const double y = (CentreY(box) - CentreY(expected)) / std::sqrt(aspect);
  if (x * x + y * y >= kMostSizes * kMostSizes * size * size) return 0;
  const double height_ratio = (box.y2 - box.y1) / (last.y2 - last.y1);
  if (!(std::abs(std::log(height_ratio)) < kHeightRatio)) return 0;
  return std::max(0.0, kFarthest - filter.CentreDistance(box, seconds, aspect));
}

}  // namespace

// One result while it is dealt with: what is still free on both sides, and what is expected.
struct Tracker::Frame {
  // The same object under a second label.
  struct Twin {
    size_t object = 0;
    int label = 0;
    float score = 0;
  };
  struct Candidate {
    size_t object = 0;
    int label = 0;
    float score = 0;
    Box box;
    bool strong = false;
    std::vector<float> embedding;
    std::vector<Twin> twins;
    bool matched = false;

    bool HasLabel(int wanted) const {
      return label == wanted ||
             std::any_of(twins.begin(), twins.end(), [&](const Twin& twin) { return twin.label == wanted; });
    }
  };

  std::vector<Candidate> candidates;  // best first
  std::vector<bool> seen;             // parallel to tracks_
  std::vector<double> gap_s;          // since the track was last measured
  std::vector<Box> predicted;
  double aspect = 1;
  std::vector<int64_t>* tracks = nullptr;  // of the output

  using Gain = std::function<double(size_t track, const Candidate& candidate)>;

  // The objects that may have a track. Everything is checked here, nothing of the input is trusted after.
  void ReadObjects(const TrackerInput& input);
  bool IsTwin(const DetectedObject& object, size_t at);

  void Tell(const Candidate& candidate, int64_t id) const {
    (*tracks)[candidate.object] = id;
    for (const Twin& twin : candidate.twins) (*tracks)[twin.object] = id;
  }

  // Pairs of (track, candidate) among those that are free.
  std::vector<std::pair<size_t, size_t>> Pair(const std::function<bool(size_t)>& wanted_track, bool strong,
                                              const Gain& gain) const;
};

bool Tracker::Frame::IsTwin(const DetectedObject& object, size_t at) {
  const Box box = Clip(object.box);
  for (Candidate& better : candidates) {
    if (better.label == object.label || Iou(better.box, box) < kTwinIou) continue;
    better.twins.push_back({at, object.label, object.score});
    return true;
  }
  return false;
}

std::vector<std::pair<size_t, size_t>> Tracker::Frame::Pair(const std::function<bool(size_t)>& wanted_track,
                                                            bool strong, const Gain& gain) const {
  std::vector<size_t> rows;
  std::vector<size_t> columns;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i] && wanted_track(i)) rows.push_back(i);
  }
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!candidates[i].matched && candidates[i].strong == strong) columns.push_back(i);
  }
  std::vector<double> gains;
  gains.reserve(rows.size() * columns.size());
  for (const size_t row : rows) {
    for (const size_t column : columns) gains.push_back(gain(row, candidates[column]));
  }
  const std::vector<int> answer = AssignGreedily(gains, rows.size(), columns.size());
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t i = 0; i < answer.size(); ++i) {
    if (answer[i] != kUnassigned) pairs.emplace_back(rows[i], columns[static_cast<size_t>(answer[i])]);
  }
  return pairs;
}

void Tracker::Record::Add(double predicted, double actual) {
  product += predicted * actual;
  square += predicted * predicted;
}

float Tracker::Record::Gain() const {
  return square > 0 ? static_cast<float>(std::clamp(product / square, 0.0, 1.0)) : 0.5F;
}

TrackerOutput Tracker::Update(const TrackerInput& input) {
  TrackerOutput out;
  out.tracks.assign(input.objects.size(), 0);
  AdvanceTime(input.time_s, &out);
  Frame frame;
  frame.aspect = std::isfinite(input.aspect) && input.aspect > 0 ? std::clamp(input.aspect, 0.1, 10.0) : 1.0;
  frame.tracks = &out.tracks;
  frame.ReadObjects(input);
  frame.seen.assign(tracks_.size(), false);
  for (size_t i = 0; i < tracks_.size(); ++i) {
    frame.gap_s.push_back(*now_s_ - tracks_[i].last_s);
    const bool known = frame.gap_s[i] <= options_.keep_at_most_s + kRounding;
    frame.predicted.push_back(known ? memories_[i].filter.Predicted(frame.gap_s[i]) : tracks_[i].box);
  }
  MatchStrong(frame);
  MatchWeak(frame);
  MatchAfterGap(frame);
  Revive(frame, &out);
  Forget(frame, &out);  // frame's lists are no longer parallel to tracks_
  Start(frame, &out);
  for (Track& track : tracks_) {
    track.position_gain = positions_.Gain();
    track.size_gain = sizes_.Gain();
  }
  return out;
}

void Tracker::AdvanceTime(double time_s, TrackerOutput* out) {
  if (!now_s_.has_value()) {
    now_s_ = std::isfinite(time_s) ? time_s : 0;
    return;
  }
  if (!std::isfinite(time_s)) return;
  const double step = time_s - *now_s_;
  if (step < -kBackwards) {
    out->ended = EndAll();
    now_s_ = time_s;
  }
  if (!(step > 0)) return;
  now_s_ = time_s;
  const double counted = std::min(step, options_.keep_at_most_s);
  interval_s_ = interval_s_ > 0 ? interval_s_ + kIntervalShare * (counted - interval_s_) : counted;
}

void Tracker::Frame::ReadObjects(const TrackerInput& input) {
  std::vector<std::pair<float, size_t>> order;
  const float least = std::min(kWeakScore, input.threshold);
  for (size_t i = 0; i < input.objects.size(); ++i) {
    const DetectedObject& object = input.objects[i];
    if (!std::isfinite(object.score) || !(object.score >= least) || !Finite(object.box)) continue;
    if (Clip(object.box).Area() > 0) order.emplace_back(-object.score, i);
  }
  const size_t count = std::min(order.size(), kMostObjects);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end());
  const bool embedded = input.embeddings.size() == input.objects.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t at = order[i].second;
    const DetectedObject& object = input.objects[at];
    if (IsTwin(object, at)) continue;
    candidates.push_back({.object = at,
                          .label = object.label,
                          .score = object.score,
                          .box = Clip(object.box),
                          .strong = object.score >= input.threshold,
                          .embedding = embedded ? Unit(input.embeddings[at]) : std::vector<float>()});
  }
}

void Tracker::MatchStrong(Frame& frame) {
  const auto recent = [&](size_t i) { return frame.gap_s[i] <= options_.keep_at_most_s + kRounding; };
  const auto by_overlap = [&](size_t i, const Frame::Candidate& candidate) {
    if (!candidate.HasLabel(tracks_[i].label)) return 0.0;
    const double iou = Iou(frame.predicted[i], candidate.box);
    if (iou < kStrongIou) return 0.0;
    return iou + kCosineWeight * (1 + Cosine(memories_[i].embedding, candidate.embedding));
  };
  const auto by_distance = [&](size_t i, const Frame::Candidate& candidate) {
    if (!candidate.HasLabel(tracks_[i].label)) return 0.0;
    return Nearness(tracks_[i], memories_[i].filter, candidate.box, frame.gap_s[i], frame.aspect);
  };
  const auto by_place = [&](size_t i, const Frame::Candidate& candidate) {
    const double iou = Iou(frame.predicted[i], candidate.box);
    return iou >= kOtherLabelIou ? iou : 0.0;
  };
  Take(frame, frame.Pair(recent, true, by_overlap));
  Take(frame, frame.Pair(recent, true, by_place));
  Take(frame, frame.Pair(recent, true, by_distance));
}

void Tracker::MatchWeak(Frame& frame) {
  const auto recent = [&](size_t i) { return frame.gap_s[i] <= options_.keep_at_most_s + kRounding; };
  const auto by_overlap = [&](size_t i, const Frame::Candidate& candidate) {
    const double iou = Iou(frame.predicted[i], candidate.box);
    return iou >= (candidate.HasLabel(tracks_[i].label) ? kWeakIou : kOtherLabelIou) ? iou : 0.0;
  };
  Take(frame, frame.Pair(recent, false, by_overlap));
}

void Tracker::MatchAfterGap(Frame& frame) {
  const auto old = [&](size_t i) { return frame.gap_s[i] > options_.keep_at_most_s + kRounding; };
  const auto by_place = [&](size_t i, const Frame::Candidate& candidate) {
    const double iou = Iou(tracks_[i].box, candidate.box);
    return candidate.HasLabel(tracks_[i].label) && iou >= kGapIou ? iou : 0.0;
  };
  Take(frame, frame.Pair(old, true, by_place));
  Take(frame, frame.Pair(old, false, by_place));
}

void Tracker::Take(Frame& frame, const std::vector<std::pair<size_t, size_t>>& pairs) {
  for (const auto& [track, candidate] : pairs) Measure(track, frame, candidate);
}

void Tracker::Measure(size_t at, Frame& frame, size_t candidate_at) {
  Frame::Candidate& candidate = frame.candidates[candidate_at];
  Track& track = tracks_[at];
  Memory& memory = memories_[at];
  candidate.matched = true;
  frame.seen[at] = true;
  frame.Tell(candidate, track.id);
  const double seconds = frame.gap_s[at];
  if (seconds > options_.keep_at_most_s + kRounding) {
    memory.filter = BoxFilter(candidate.box, frame.aspect);
  } else {
    if (track.hits >= 2) Learn(track, candidate.box, seconds, frame.aspect);
    memory.filter.Correct(candidate.box, seconds, frame.aspect);
  }
  track.velocity = memory.filter.Velocity();
  track.box = candidate.box;
  track.last_s = *now_s_;
  track.misses = 0;
  track.hits = std::min(track.hits, 1'000'000'000) + 1;
  track.score = candidate.score;
  track.best_score = std::max(track.best_score, candidate.score);
  track.label = memory.VoteFor(candidate.label, candidate.score, track.label);
  for (const Frame::Twin& twin : candidate.twins) track.label = memory.VoteFor(twin.label, twin.score, track.label);
  if (candidate.strong) memory.Remember(candidate.embedding);
}

// The label with the most score so far; the old one where two have as much.
int Tracker::Memory::VoteFor(int label, double score, int old_label) {
  const auto of = [&](int wanted) {
    return std::find_if(votes.begin(), votes.end(), [&](const Vote& vote) { return vote.label == wanted; });
  };
  if (of(label) == votes.end()) {
    if (votes.size() == kMostVotes) {
      votes.erase(
          std::min_element(votes.begin(), votes.end(), [](const Vote& a, const Vote& b) { return a.score < b.score; }));
    }
    votes.push_back({label, 0});
  }
  of(label)->score += score;
  const auto most =
      std::max_element(votes.begin(), votes.end(), [](const Vote& a, const Vote& b) { return a.score < b.score; });
  const auto old = of(old_label);
  return old != votes.end() && old->score >= most->score ? old_label : most->label;
}

void Tracker::Memory::Remember(const std::vector<float>& newest) {
  if (newest.empty()) return;
  if (embedding.size() != newest.size()) {
    embedding = newest;
    return;
  }
  std::vector<float> mean = embedding;
  for (size_t i = 0; i < mean.size(); ++i) {
    mean[i] = static_cast<float>((1 - kEmbeddingShare) * mean[i] + kEmbeddingShare * newest[i]);
  }
  mean = Unit(std::move(mean));
  embedding = mean.empty() ? newest : std::move(mean);
}

void Tracker::Learn(const Track& track, const Box& measured, double seconds, double aspect) {
  const Box& last = track.box;
  const double size = std::sqrt(static_cast<double>(last.Area()));
  if (!(size > 0)) return;
  const double x = std::sqrt(aspect) / size;
  const double y = 1 / (std::sqrt(aspect) * size);
  positions_.Forget();
  positions_.Add(track.velocity.x * seconds * x, (CentreX(measured) - CentreX(last)) * x);
  positions_.Add(track.velocity.y * seconds * y, (CentreY(measured) - CentreY(last)) * y);
  sizes_.Forget();
  sizes_.Add(track.velocity.width * seconds * x, ((measured.x2 - measured.x1) - (last.x2 - last.x1)) * x);
  sizes_.Add(track.velocity.height * seconds * y, ((measured.y2 - measured.y1) - (last.y2 - last.y1)) * y);
}

void Tracker::Record::Forget() {
  product *= kRecordKept;
  square *= kRecordKept;
}

void Tracker::Revive(Frame& frame, TrackerOutput* out) {
  std::erase_if(ended_, [&](const Ended& old) { return *now_s_ - old.track.last_s > options_.revive_s; });
  for (size_t c = 0; c < frame.candidates.size(); ++c) {
    const Frame::Candidate& candidate = frame.candidates[c];
    if (candidate.matched || !candidate.strong || candidate.embedding.empty()) continue;
    const size_t found = FindByEmbedding(frame, c);
    if (found == tracks_.size() + ended_.size()) continue;
    const bool had_ended = found >= tracks_.size();
    const size_t at = had_ended ? Resurrect(found - tracks_.size(), frame) : found;
    memories_[at].filter = BoxFilter(candidate.box, frame.aspect);  // it was elsewhere, so its speed is unknown
    tracks_[at].velocity = {};
    frame.gap_s[at] = 0;
    Measure(at, frame, c);
    if (had_ended) out->started.push_back(tracks_[at]);
  }
}

// Index of the most similar track that is free: into tracks_, and after these into ended_; one past both: none.
size_t Tracker::FindByEmbedding(const Frame& frame, size_t c) const {
  const Frame::Candidate& candidate = frame.candidates[c];
  double best = options_.revive_cosine;
  size_t found = tracks_.size() + ended_.size();
  const auto look = [&](const Track& track, const Memory& memory, size_t index) {
    if (!candidate.HasLabel(track.label)) return;
    const double cosine = Cosine(memory.embedding, candidate.embedding);
    if (cosine < best) return;
    best = cosine;
    found = index;
  };
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (!frame.seen[i]) look(tracks_[i], memories_[i], i);
  }
  for (size_t i = 0; i < ended_.size(); ++i) look(ended_[i].track, ended_[i].memory, tracks_.size() + i);
  return found;
}

size_t Tracker::Resurrect(size_t old, Frame& frame) {
  tracks_.push_back(ended_[old].track);
  tracks_.back().revived = true;
  memories_.push_back(std::move(ended_[old].memory));
  ended_.erase(ended_.begin() + static_cast<std::ptrdiff_t>(old));
  frame.seen.push_back(false);
  frame.gap_s.push_back(0);
  return tracks_.size() - 1;
}

void Tracker::Start(Frame& frame, TrackerOutput* out) {
  for (Frame::Candidate& candidate : frame.candidates) {
    if (candidate.matched || !candidate.strong) continue;
    Track track{.id = ++last_id_, .label = candidate.label, .first_s = *now_s_, .last_s = *now_s_, .hits = 1};
    track.score = candidate.score;
    track.best_score = candidate.score;
    track.box = candidate.box;
    Memory memory{.filter = BoxFilter(candidate.box, frame.aspect), .votes = {}, .embedding = candidate.embedding};
    memory.VoteFor(candidate.label, candidate.score, candidate.label);
    for (const Frame::Twin& twin : candidate.twins) memory.VoteFor(twin.label, twin.score, candidate.label);
    frame.Tell(candidate, track.id);
    out->started.push_back(track);
    tracks_.push_back(track);
    memories_.push_back(std::move(memory));
  }
}

// After this as many tracks live as Start() leaves room for.
void Tracker::Forget(const Frame& frame, TrackerOutput* out) {
  const double keep =
      std::clamp(options_.keep_misses * interval_s_, options_.keep_at_least_s, options_.keep_at_most_s) - kRounding;
  std::vector<bool> over(tracks_.size(), false);
  std::vector<size_t> unseen;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (frame.seen[i]) continue;
    ++tracks_[i].misses;
    over[i] = frame.gap_s[i] > options_.keep_at_most_s + kRounding ||
              (tracks_[i].misses >= options_.keep_misses && frame.gap_s[i] >= keep);
    if (!over[i]) unseen.push_back(i);
  }
  const auto births = static_cast<size_t>(std::count_if(frame.candidates.begin(), frame.candidates.end(),
                                                        [](const auto& c) { return c.strong && !c.matched; }));
  std::sort(unseen.begin(), unseen.end(), [&](size_t a, size_t b) { return frame.gap_s[a] > frame.gap_s[b]; });
  size_t living = tracks_.size() - static_cast<size_t>(std::count(over.begin(), over.end(), true));
  for (const size_t i : unseen) {
    if (living + births <= kMostTracks) break;
    over[i] = true;
    --living;
  }
  End(over, out);
}

void Tracker::End(const std::vector<bool>& over, TrackerOutput* out) {
  size_t kept = 0;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (over[i]) {
      out->ended.push_back(tracks_[i]);
      if (!memories_[i].embedding.empty()) ended_.push_back({tracks_[i], std::move(memories_[i])});
      continue;
    }
    if (kept != i) {
      tracks_[kept] = tracks_[i];
      memories_[kept] = std::move(memories_[i]);
    }
    ++kept;
  }
  tracks_.erase(tracks_.begin() + static_cast<std::ptrdiff_t>(kept), tracks_.end());
  memories_.erase(memories_.begin() + static_cast<std::ptrdiff_t>(kept), memories_.end());
  if (ended_.size() > kMostEnded) ended_.erase(ended_.begin(), ended_.end() - kMostEnded);
}

std::vector<Track> Tracker::EndAll() {
  std::vector<Track> ended = std::move(tracks_);
  tracks_.clear();
  memories_.clear();
  ended_.clear();
  return ended;
}

const Track* Tracker::Find(int64_t id) const {
  const auto found = std::find_if(tracks_.begin(), tracks_.end(), [&](const Track& track) { return track.id == id; });
  return found == tracks_.end() ? nullptr : &*found;
}

}  // namespace deepedge
