// Events in words, one line each, for `deepedge events`. Made from their JSON form, which is what the outbox keeps.
// Pure, but for the local time zone.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "deepedge/events/courier.h"

namespace deepedge {

// What happened: "person 7 entered yard (0.91)". Whatever the object holds or lacks, a text comes out.
std::string EventWords(const nlohmann::json& event);

// "2026-11-25 10:00:00.250  gate        person 7 entered yard (0.91)". No control characters, whatever is in the event.
std::string EventLine(const StoredEvent& event);

// Whether the event is about something of this label, or of this name: its object, one of its objects or classes, what
// a cascade said of them, its parents, its counts.
bool HasLabel(const nlohmann::json& event, std::string_view label);

// Local time, with milliseconds.
std::string LocalTimeText(int64_t epoch_us);

// A point in time as users write it, in microseconds since the Unix epoch: "10m" (so long ago; also ms, s, h, d),
// "2026-11-25T10:00:00" or with a blank for the T, seconds or the time of day left out (local time, or with a "Z" at
// the end), seconds since the epoch. Errors: kBadInput.
Result<int64_t> ParseMoment(std::string_view text, int64_t now_us);

}  // namespace deepedge
