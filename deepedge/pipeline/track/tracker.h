// Tracker: gives the objects of one task the same number from result to result.
//
// One Tracker per task (stream and model); give it every result in order, also the empty ones, with the media time of
// the frame. It has no clock: the time between results is what the numbers say, so it does not matter whether they come
// 30 times a second or every 10 s, or change from one to the other.
//
//   Tracker tracker;
//   const TrackerOutput now = tracker.Update({.time_s = 12.4, .objects = result.objects, .threshold = 0.4F});
//   // now.tracks[i] is the track of result.objects[i], 0 if it has none
//
// Association in two stages, as ByteTrack does (Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every
// Detection Box", ECCV 2022), over constant-velocity Kalman filters (box_filter.h):
//
//   1 strong boxes (score >= threshold)
//     a same label, IoU >= 0.2 with the predicted box; greatest IoU first (assignment.h says why)
//     b the rest, any label, IoU >= 0.7: a label that flickers. The track's label is the one with the most score so far
//     c the rest, same label, by distance of centres: d2 < 6 in units of its uncertainty, less than 3 sizes apart,
//       heights within a factor of e^0.5; nearest first
//   2 weak boxes (0.1 <= score < threshold), tracks left over: IoU >= 0.5, same label (0.7, any label). They keep the
//     track and its place; a weak box without a track gets none.
//   3 a strong box that is left revives a track that is lost or has ended, by embedding; otherwise it starts a track.
//
// Twins. Detectors that suppress overlaps within a label only show one object under two labels, a car and a truck. A
// box that overlaps a better one of another label by an IoU of 0.85 or more has no track of its own but the better
// one's (the same id appears twice in `tracks`), votes for its label, and counts as a label that the better one has.
//
// Embeddings (optional, one unit vector per object) decide between tracks that overlap about equally (the cosine counts
// as 0.3 of an IoU in 1a), and revive: same label, cosine >= 0.6, ended at most 30 s ago. A revived track has its old
// id and is among the started ones again.
//
// Forgetting. A result that does not show a track is a miss. The track ends when it has 3 misses in a row or more, and
// was last measured longer ago than K = 3 x the usual interval of results, but at least 1 s and at most 15 s. (30 a
// second: 1 s, 30 misses, as in ByteTrack; 5 a second: 1 s, 5 misses; every 2 s: 3 misses, 6 s; every 5 s: 15 s.) Last
// measured more than 15 s ago it ends with the first miss. The usual interval is a running mean over some 4 results, so
// it follows a rate that changes. After a gap of more than 15 s without any result velocities say nothing: only a box
// that lies where the track was (IoU >= 0.5 with the last box, same label) goes on with it.
//
// Hostile input is safe and cheap: at most 300 objects (the best) get a track, at most 300 tracks live; boxes and
// scores that are not finite, and boxes without area, are passed over. Time that goes back by up to 0.5 s, or is not a
// number, counts as no time; further back, a new recording has begun: all tracks end. Ids do not start again.
//
// Pure apart from its own state: no clock, lock or I/O. Thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "deepedge/model/inference_result.h"
#include "deepedge/pipeline/track/box_filter.h"
#include "deepedge/pipeline/track/track.h"

namespace deepedge {

struct TrackerOptions {
  double keep_at_least_s = 1.0;
  double keep_at_most_s = 15.0;
  int keep_misses = 3;  // and so many usual intervals
  double revive_s = 30.0;
  float revive_cosine = 0.6F;
};

struct TrackerInput {
  double time_s = 0;                                    // media time of the frame
  std::span<const DetectedObject> objects;              // best first, with the weak ones
  float threshold = 0.4F;                               // score from which an object is reported
  std::span<const std::vector<float>> embeddings = {};  // empty, or one for each object; an empty one: not known
  double aspect = 16.0 / 9;                             // width through height of the picture
};

struct TrackerOutput {
  std::vector<int64_t> tracks;  // parallel to the objects; 0: none; twins share one
  std::vector<Track> started;   // in this frame
  std::vector<Track> ended;     // as they were when last measured
};

class Tracker {
 public:
  explicit Tracker(const TrackerOptions& options = {}) : options_(options) {}

  TrackerOutput Update(const TrackerInput& input);

  // Ends all tracks: the stream is over, or another one begins.
  std::vector<Track> EndAll();

  // Live tracks in no order, those not seen in the last result (misses > 0) included; valid until the next call.
  std::span<const Track> tracks() const { return tracks_; }
  const Track* Find(int64_t id) const;  // null: not alive

  // The usual interval between results; 0 before the second one.
  double interval_s() const { return interval_s_; }

 private:
  struct Vote {
    int label = 0;
    double score = 0;
  };
  // What a Track does not show; parallel to tracks_.
  struct Memory {
    BoxFilter filter;
    std::vector<Vote> votes;  // for the labels with the most score
    std::vector<float> embedding;

    int VoteFor(int label, double score, int old_label);  // returns the label that leads
    void Remember(const std::vector<float>& newest);
  };
  struct Ended {
    Track track;
    Memory memory;
  };
  // How far predicted shifts came true, over all tracks: Σ predicted x actual / Σ predicted², older ones fading.
  struct Record {
    double product = 0.125;
    double square = 0.25;

    void Forget();
    void Add(double predicted, double actual);
    float Gain() const;
  };
  struct Frame;

  void AdvanceTime(double time_s, TrackerOutput* out);
  void MatchStrong(Frame& frame);
  void MatchWeak(Frame& frame);
  void MatchAfterGap(Frame& frame);
  void Take(Frame& frame, const std::vector<std::pair<size_t, size_t>>& pairs);
  void Measure(size_t at, Frame& frame, size_t candidate);
  void Learn(const Track& track, const Box& measured, double seconds, double aspect);
  void Revive(Frame& frame, TrackerOutput* out);
  size_t FindByEmbedding(const Frame& frame, size_t candidate) const;
  size_t Resurrect(size_t old, Frame& frame);
  void Forget(const Frame& frame, TrackerOutput* out);
  void End(const std::vector<bool>& over, TrackerOutput* out);
  void Start(Frame& frame, TrackerOutput* out);

  TrackerOptions options_;
  std::vector<Track> tracks_;
  std::vector<Memory> memories_;
  std::vector<Ended> ended_;  // those with an embedding that may be revived, oldest first
  Record positions_;
  Record sizes_;
  std::optional<double> now_s_;
  double interval_s_ = 0;
  int64_t last_id_ = 0;
};

}  // namespace deepedge
