// AnswerBook: what one model of a cascade has said of the objects of one stream, and from that whether it is asked
// about an object again. An answer holds for a track until it is old or was unsure; nobody is asked twice at the same
// time. Pure state machine; times are media times in seconds. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace deepedge {

struct AskRule {
  double answer_s = 5;      // how long an answer holds
  double unsure_below = 0;  // answers with a smaller score do not
  int every = 1;            // of the times that the gate opens for an object, every so many
  bool first = false;       // a track that was answered once is never asked about again
};

struct Answer {
  std::string label;
  float score = 0;
  int64_t pts_us = 0;  // of the frame that was looked at
};

class AnswerBook {
 public:
  explicit AnswerBook(const AskRule& rule) : rule_(rule) {}

  // The gate has opened for an object of this track (0: it has none) at this time: is the model to be asked? When the
  // answer is yes, it counts as asked until PutAnswer or TakeBack.
  bool Ask(int64_t track, double now_s);
  // Of a track that is over by now nothing is kept.
  void PutAnswer(int64_t track, double now_s, Answer answer);
  // What was asked will not be answered: the frame was dropped, or the model failed.
  void TakeBack(int64_t track);
  // The last answer, however old; nothing for an object without a track.
  const Answer* Find(int64_t track) const;
  // The track is over: what is known of it is forgotten.
  void Forget(int64_t track) { entries_.erase(track); }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    int64_t opened = 0;  // how often its gate has
    bool asked = false;
    std::optional<Answer> answer;
    double answered_s = 0;
    double touched_s = 0;
  };

  Entry& EntryOf(int64_t track, double now_s);
  bool Holds(const Entry& entry, double now_s) const;

  AskRule rule_;
  std::map<int64_t, Entry> entries_;  // by track; what has none shares entry 0, which holds counts only
};

}  // namespace deepedge
