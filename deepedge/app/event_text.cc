#include "deepedge/app/event_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>
#include <vector>

#include "deepedge/base/text.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostShown = 8;  // objects or classes of one result
constexpr int kDeepest = 16;      // cascades, as in event_json.cc

std::string Text(const Json& json, const char* key) {
  const auto at = json.is_object() ? json.find(key) : json.end();
  return at != json.end() && at->is_string() ? at->get<std::string>() : "";
}

double Number(const Json& json, const char* key) {
  const auto at = json.is_object() ? json.find(key) : json.end();
  constexpr double kLargest = 1e15;
  return at != json.end() && at->is_number() ? std::clamp(at->get<double>(), -kLargest, kLargest) : 0;
}

// An object or a list; an empty list where there is none.
const Json& Part(const Json& json, const char* key) {
  static const Json kNone = Json::array();
  const auto at = json.is_object() ? json.find(key) : json.end();
  return at != json.end() && at->is_structured() ? *at : kNone;
}

// "person 7", or "person" for one without a track.
std::string Who(const Json& object) {
  std::string who = Text(object, "label");
  if (who.empty()) who = "object";
  const auto track = static_cast<int64_t>(Number(object, "track"));
  return track > 0 ? fmt::format("{} {}", who, track) : who;
}

std::string WhoAndScore(const Json& object) { return fmt::format("{} {:.2f}", Who(object), Number(object, "score")); }

std::string Seconds(double seconds) {
  if (seconds < 99.95) return fmt::format("{:.3g} s", seconds);
  if (seconds < 5400) return fmt::format("{:.3g} min", seconds / 60);
  return fmt::format("{:.3g} h", seconds / 3600);
}

template <typename Describe>
void AppendEach(const Json& list, std::vector<std::string>& words, Describe describe) {
  if (!list.is_array()) return;
  size_t shown = 0;
  for (const Json& item : list) {
    if (shown++ < kMostShown) words.push_back(describe(item));
  }
  if (shown > kMostShown) words.push_back(fmt::format("{} more", shown - kMostShown));
}

// "person 7 0.91 > age: adult 0.80 > ..."
std::string ObjectWords(const Json& object) {
  std::string words = WhoAndScore(object);
  for (const Json& answer : Part(object, "answers")) {
    words += fmt::format(" > {}: {} {:.2f}", Text(answer, "model"), Text(answer, "label"), Number(answer, "score"));
  }
  return words;
}

std::string Found(const Json& event) {
  std::vector<std::string> words;
  if (const std::string identity = Text(event, "identity"); !identity.empty()) {
    words.push_back(fmt::format("{} {:.2f}", identity, Number(event, "similarity")));
  } else if (const size_t length = Part(event, "embedding").size(); length > 0) {
    words.push_back(fmt::format("embedding of {} numbers", length));
  }
  AppendEach(Part(event, "objects"), words, ObjectWords);
  AppendEach(Part(event, "classes"), words, WhoAndScore);
  if (const size_t points = Part(event, "keypoints").size(); points > 0) {
    words.push_back(fmt::format("{} keypoints", points));
  }
  AppendEach(Part(Part(event, "mask"), "shares"), words, [](const Json& share) {
    return fmt::format("{} {:.0f} %", Text(share, "label"), 100 * Number(share, "share"));
  });
  if (const size_t regions = Part(event, "text").size(); regions > 0) {
    words.push_back(fmt::format("{} regions of text", regions));
  }
  AppendEach(Part(event, "values"), words, [](const Json& value) {
    const std::string unit = Text(value, "unit");
    return fmt::format("{} {:.4g}{}{}", Text(value, "name"), Number(value, "value"), unit.empty() ? "" : " ", unit);
  });
  return words.empty() ? "nothing" : fmt::format("{}", fmt::join(words, ", "));
}

// Parents from the outermost on: "person 7 0.88 > face 0.97 > ".
std::string ParentWords(const Json& event) {
  std::string words;
  int depth = 0;
  for (const Json* parent = &Part(event, "parent"); !parent->empty() && depth < kDeepest; ++depth) {
    words = WhoAndScore(*parent) + " > " + words;
    parent = &Part(*parent, "parent");
  }
  return words;
}

std::string CountWords(const Json& event) {
  std::vector<std::string> words;
  for (const auto& [label, count] : Part(event, "counts").items()) {
    if (count.is_number_integer() && count != 0) words.push_back(fmt::format("{} {}", count.get<int64_t>(), label));
  }
  const std::string zone = Text(event, "zone");
  return fmt::format("{} in {}", words.empty() ? "nothing" : fmt::format("{}", fmt::join(words, ", ")),
                     zone.empty() ? "the picture" : zone);
}

std::string DownWords(const Json& event) {
  std::string words = fmt::format("{} is down: {}", Text(event, "stream"), Text(event, "reason"));
  if (event.contains("retry_in_us"))
    words += fmt::format(", next attempt in {}", Seconds(Number(event, "retry_in_us") / 1e6));
  return words;
}

// Events of one object, which all have a track, a label and a score. Empty: not one of them.
std::string ObjectEventWords(const Json& event, std::string_view type) {
  const std::string score = fmt::format("({:.2f})", Number(event, "score"));
  const std::string dwell = Seconds(Number(event, "dwell_s"));
  const std::string zone = Text(event, "zone");
  if (type == "track_started") return fmt::format("{} appeared {}", Who(event), score);
  if (type == "track_ended")
    return fmt::format("{} is gone after {} {}", Who(event), Seconds(Number(event, "age_s")), score);
  if (type == "zone_entered") return fmt::format("{} entered {} {}", Who(event), zone, score);
  if (type == "zone_left") return fmt::format("{} left {} after {} {}", Who(event), zone, dwell, score);
  if (type == "dwell") return fmt::format("{} has been in {} for {} {}", Who(event), zone, dwell, score);
  if (type == "line_crossed") {
    return fmt::format("{} crossed {}, {} {}", Who(event), Text(event, "line"), Text(event, "direction"), score);
  }
  return "";
}

// Control characters could do things to the terminal, and line breaks would make two events of one.
std::string Printable(std::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const size_t length = Utf8CharacterLength(text);
    const auto first = static_cast<uint8_t>(text[0]);
    const bool is_control =
        first < 0x20 || first == 0x7F || (length == 2 && first == 0xC2 && static_cast<uint8_t>(text[1]) < 0xA0);
    printable += length == 0 || is_control ? "?" : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return printable;
}

bool AnyHasLabel(const Json& list, std::string_view label) {
  for (const Json& item : list) {
    if (Text(item, "label") == label) return true;
    for (const Json& answer : Part(item, "answers")) {
      if (Text(answer, "label") == label) return true;
    }
  }
  return false;
}

// The digits from `at` on, as a number; not set where one is no digit.
std::optional<int> Digits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = 10 * number + (c - '0');
  }
  return number;
}

// "2026-11-25", "2026-11-25T10:00", "2026-11-25 10:00:00Z". Not set: not of this form, or no such day or time.
std::optional<int64_t> ParseDate(std::string_view text) {
  const bool is_utc = text.ends_with('Z');
  if (is_utc) text.remove_suffix(1);
  if (text.size() != 10 && text.size() != 16 && text.size() != 19) return std::nullopt;
  std::string form = "0000-00-00T00:00:00";
  form.resize(text.size());
  for (size_t i = 0; i < form.size(); ++i) {
    const bool fits = form[i] == '0' || text[i] == form[i] || (form[i] == 'T' && text[i] == ' ');
    if (!fits) return std::nullopt;
  }
  std::array<int, 6> parts{};  // year, month, day, hour, minute, second
  constexpr std::array<size_t, 6> kAt{0, 5, 8, 11, 14, 17};
  for (size_t i = 0; i < parts.size() && kAt[i] < text.size(); ++i) {
    const auto number = Digits(text, kAt[i], i == 0 ? 4 : 2);
    if (!number) return std::nullopt;
    parts[i] = *number;
  }
  std::tm time{};
  time.tm_year = parts[0] - 1900;
  time.tm_mon = parts[1] - 1;
  time.tm_mday = parts[2];
  time.tm_hour = parts[3];
  time.tm_min = parts[4];
  time.tm_sec = parts[5];
  time.tm_isdst = -1;
  if (parts[0] < 1970 || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;
  const time_t seconds = is_utc ? timegm(&time) : std::mktime(&time);
  // The 31st of a month that has 30 days has become the 1st of the next.
  if (time.tm_mon != parts[1] - 1 || time.tm_mday < parts[2]) return std::nullopt;
  return int64_t{seconds} * 1'000'000;
}

}  // namespace

std::string EventWords(const Json& event) {
  const std::string type = Text(event, "type");
  if (type == "result") return fmt::format("{}{}: {}", ParentWords(event), Text(event, "model"), Found(event));
  if (type == "counts") return CountWords(event);
  if (type == "stream_down") return DownWords(event);
  if (type == "stream_up") {
    return fmt::format("{} is up: {}, {:.0f}x{:.0f}", Text(event, "stream"), Text(event, "codec"),
                       Number(event, "width"), Number(event, "height"));
  }
  if (std::string words = ObjectEventWords(event, type); !words.empty()) return words;
  return event.dump(-1, ' ', false, Json::error_handler_t::replace);  // of a later version
}

std::string EventLine(const StoredEvent& event) {
  const Json json = Json::parse(event.json, nullptr, false);
  const std::string words = json.is_object() ? EventWords(json) : event.json;
  return Printable(fmt::format("{}  {:<10}  {}", LocalTimeText(event.at_us), event.stream, words));
}

bool HasLabel(const Json& event, std::string_view label) {
  if (Text(event, "label") == label || Text(event, "identity") == label) return true;
  if (AnyHasLabel(Part(event, "objects"), label) || AnyHasLabel(Part(event, "classes"), label)) return true;
  for (const auto& [name, count] : Part(event, "counts").items()) {
    if (name == label && count != 0) return true;
  }
  int depth = 0;
  for (const Json* parent = &Part(event, "parent"); !parent->empty() && depth < kDeepest; ++depth) {
    if (Text(*parent, "label") == label) return true;
    parent = &Part(*parent, "parent");
  }
  return false;
}

std::string LocalTimeText(int64_t epoch_us) {
  const auto floored = static_cast<int64_t>(std::floor(static_cast<double>(epoch_us) / 1e6));
  const auto seconds = static_cast<time_t>(floored);
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return fmt::format("{} us", epoch_us);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
                     local.tm_hour, local.tm_min, local.tm_sec, (epoch_us - floored * 1'000'000) / 1000);
}

Result<int64_t> ParseMoment(std::string_view text, int64_t now_us) {
  const Error error{
      ErrorCode::kBadInput,
      fmt::format("'{}' is no time; allowed: so long ago (10m, 2h, 3d), 2026-11-25T10:00:00 in local time or "
                  "with a Z at the end, or seconds since 1970",
                  text)};
  int64_t seconds = 0;
  const auto number = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (number.ec == std::errc() && number.ptr == text.data() + text.size()) {
    if (seconds < 0 || seconds > 1'000'000'000'000) return error;
    return seconds * 1'000'000;
  }
  if (const auto date = ParseDate(text)) return *date;
  const bool is_days = text.ends_with('d');
  const auto ago = ParseDuration(is_days ? std::string(text.substr(0, text.size() - 1)) + "h" : std::string(text));
  if (!ago.ok()) return error;
  return now_us - ago.value().count() * (is_days ? 24 : 1);
}

}  // namespace deepedge
