#include "deepedge/events/event.h"

namespace deepedge {
namespace {

std::string_view Type(const ResultEvent& /*event*/) { return "result"; }
std::string_view Type(const TrackEvent& event) { return event.ended ? "track_ended" : "track_started"; }
std::string_view Type(const SceneEvent& event) {
  switch (event.kind) {
    case SceneEventKind::kZoneEntered: return "zone_entered";
    case SceneEventKind::kZoneLeft: return "zone_left";
    case SceneEventKind::kDwell: return "dwell";
    case SceneEventKind::kLineCrossed: return "line_crossed";
  }
  return "?";
}
std::string_view Type(const CountEvent& /*event*/) { return "counts"; }
std::string_view Type(const StreamUpEvent& /*event*/) { return "stream_up"; }
std::string_view Type(const StreamDownEvent& /*event*/) { return "stream_down"; }

}  // namespace

const std::vector<std::string> kEventTypes{"result", "track_started", "track_ended", "zone_entered", "zone_left",
                                           "dwell",  "line_crossed",  "counts",      "stream_up",    "stream_down"};

std::string_view TypeOf(const Event& event) {
  return std::visit([](const auto& one) { return Type(one); }, event);
}

const std::string& StreamOf(const Event& event) {
  return std::visit([](const auto& one) -> const std::string& { return one.stream; }, event);
}

const std::string& IdOf(const Event& event) {
  return std::visit([](const auto& one) -> const std::string& { return one.id; }, event);
}

int64_t TimeOf(const Event& event) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.at_us; }) {
          return one.at_us;
        } else if constexpr (requires { one.moment; }) {
          return one.moment.available_us;
        } else {
          return one.available_us;
        }
      },
      event);
}

std::shared_ptr<const std::vector<uint8_t>> PictureOf(const Event& event) {
  return std::visit(
      [](const auto& one) -> std::shared_ptr<const std::vector<uint8_t>> {
        if constexpr (requires { one.picture; }) {
          return one.picture;
        } else {
          return nullptr;
        }
      },
      event);
}

}  // namespace deepedge
