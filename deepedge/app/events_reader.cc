#include "deepedge/app/events_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

#include "deepedge/app/event_text.h"
#include "deepedge/events/outbox/store.h"

namespace deepedge {
namespace {

constexpr size_t kPage = 500;
constexpr Duration kLookEvery = std::chrono::milliseconds(500);

uint64_t InodeOf(const Path& file) {
  struct stat status{};
  return stat(file.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

bool Fits(const EventsRequest& request, const StoredEvent& event) {
  if (event.at_us < request.since_us || event.at_us > request.until_us) return false;
  if (!request.stream.empty() && event.stream != request.stream) return false;
  if (!Wants(request.types, event.type)) return false;
  return request.label.empty() || HasLabel(nlohmann::json::parse(event.json, nullptr, false), request.label);
}

Status EventsReader::ReadFirst(const Show& show) {
  inode_ = InodeOf(request_.file);
  return request_.limit ? ReadNewest(show) : ReadAll(show);
}

Status EventsReader::ReadAll(const Show& show) {
  return Walk([&](const StoredEvent& event) { return Fits(request_, event) ? show(event) : Status(); });
}

Status EventsReader::ReadNewest(const Show& show) {
  const size_t limit = *request_.limit;
  std::deque<StoredEvent> newest;
  const bool is_in_query = request_.label.empty() && request_.until_us == EventsRequest().until_us;
  if (limit == 0 || is_in_query) {
    DE_TRY(const auto last, ReadEvents(request_.file, {.limit = 1, .newest = true}));
    if (!last.empty()) after_ = last.back().number;
    if (limit == 0) return {};
    DE_TRY(const auto found, ReadEvents(request_.file, {.since_us = request_.since_us,
                                                        .types = request_.types,
                                                        .stream = request_.stream,
                                                        .limit = limit,
                                                        .newest = true}));
    newest.assign(found.begin(), found.end());
    if (!newest.empty()) after_ = std::max(after_, newest.back().number);
  } else {
    DE_TRY_STATUS(Walk([&](const StoredEvent& event) {
      if (!Fits(request_, event)) return Status();
      newest.push_back(event);
      if (newest.size() > limit) newest.pop_front();
      return Status();
    }));
  }
  for (const StoredEvent& event : newest) DE_TRY_STATUS(show(event));
  return {};
}

Status EventsReader::ReadNext(const Show& show) {
  const uint64_t inode = InodeOf(request_.file);
  if (inode == 0) return {};
  if (inode != inode_) after_ = 0;
  inode_ = inode;
  Status shown;
  const Status read = Walk([&](const StoredEvent& event) {
    if (Fits(request_, event)) shown = show(event);
    return shown;
  });
  if (!shown.ok() || read.ok()) return shown;
  const bool may_pass = read.error().code == ErrorCode::kUnavailable || read.error().code == ErrorCode::kNotFound;
  return may_pass ? Status() : read;
}

Status EventsReader::Walk(const Show& take) {
  while (true) {
    // Nothing but the number narrows this: what the user does not want would else be looked through again each time.
    DE_TRY(const auto page,
           ReadEvents(request_.file, {.since_us = request_.since_us, .after = after_, .limit = kPage}));
    for (const StoredEvent& event : page) {
      after_ = event.number;
      DE_TRY_STATUS(take(event));
    }
    if (page.empty()) return {};  // a page may be short for its bytes
  }
}

Status FollowEvents(EventsReader& reader, const EventsReader::Show& show, Wakeup& wakeup, const Clock& clock) {
  while (true) {
    if (wakeup.Wait(clock.Now() + kLookEvery, clock) != Wakeup::Reason::kTimeReached) return {};
    DE_TRY_STATUS(reader.ReadNext(show));
  }
}

}  // namespace deepedge
