#include "deepedge/pipeline/cascade/answer_book.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace deepedge {
namespace {

// Tracks that nobody said are over; more than any scene has at once.
constexpr size_t kMostTracks = 4096;

}  // namespace

AnswerBook::Entry& AnswerBook::EntryOf(int64_t track, double now_s) {
  if (entries_.size() >= kMostTracks && !entries_.contains(track)) {
    entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.touched_s; }));
  }
  Entry& entry = entries_[track];
  entry.touched_s = now_s;
  return entry;
}

bool AnswerBook::Holds(const Entry& entry, double now_s) const {
  if (!entry.answer) return false;
  if (rule_.first) return true;
  if (entry.answer->score < rule_.unsure_below) return false;
  // A clock that was set back makes no answer hold longer.
  return std::abs(now_s - entry.answered_s) < rule_.answer_s;
}

bool AnswerBook::Ask(int64_t track, double now_s) {
  Entry& entry = EntryOf(track, now_s);
  if (track != 0 && (entry.asked || Holds(entry, now_s))) return false;
  if (entry.opened++ % std::max(1, rule_.every) != 0) return false;
  entry.asked = true;
  return true;
}

void AnswerBook::PutAnswer(int64_t track, double now_s, Answer answer) {
  // A track that was forgotten meanwhile stays forgotten.
  const auto found = entries_.find(track);
  if (track == 0 || found == entries_.end()) return;
  Entry& entry = found->second;
  entry.asked = false;
  entry.answer = std::move(answer);
  entry.answered_s = now_s;
}

void AnswerBook::TakeBack(int64_t track) {
  const auto found = entries_.find(track);
  if (found == entries_.end()) return;
  found->second.asked = false;
  if (found->second.opened > 0) --found->second.opened;
}

const Answer* AnswerBook::Find(int64_t track) const {
  if (track == 0) return nullptr;
  const auto found = entries_.find(track);
  return found != entries_.end() && found->second.answer ? &*found->second.answer : nullptr;
}

}  // namespace deepedge
