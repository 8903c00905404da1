#include "deepedge/events/event_json.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <utility>

#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

constexpr int kScoreDigits = 4;
constexpr int kPositionDigits = 5;

void AppendInteger(int64_t value, std::string& out) {
  const fmt::format_int text(value);
  out.append(text.data(), text.size());
}

// At most `digits` decimals, none that say nothing: 0.91, 1, -0.5.
void AppendNumber(float value, int digits, std::string& out) {
  constexpr int64_t kScales[] = {1, 10, 100, 1000, 10000, 100000};
  constexpr float kLargest = 1e12F;
  if (!std::isfinite(value)) value = 0;
  if (std::abs(value) > kLargest) {
    fmt::format_to(std::back_inserter(out), "{}", value);
    return;
  }
  const int64_t scaled = std::llround(static_cast<double>(value) * static_cast<double>(kScales[digits]));
  const int64_t size = std::abs(scaled);
  if (scaled < 0) out += '-';
  AppendInteger(size / kScales[digits], out);
  int64_t decimals = size % kScales[digits];
  if (decimals == 0) return;
  out += '.';
  for (int place = digits - 1; decimals > 0; --place) {
    out += static_cast<char>('0' + decimals / kScales[place]);
    decimals %= kScales[place];
  }
}

// How many bytes at the start of `text` may stand in a JSON string as they are.
size_t PlainLength(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && text[i] >= 0x20 && text[i] < 0x7F && text[i] != '"' && text[i] != '\\') ++i;
  return i;
}

// One character that is not plain. Escaped is also what some readers take for a line break: U+0085, U+2028, U+2029.
void AppendEscaped(std::string_view character, std::string& out) {
  switch (character[0]) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (character.size() == 1) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", character[0]);
  } else if (character == "\xC2\x85") {
    out += "\\u0085";
  } else if (character == "\xE2\x80\xA8") {
    out += "\\u2028";
  } else if (character == "\xE2\x80\xA9") {
    out += "\\u2029";
  } else {
    out += character;
  }
}

void AppendString(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const size_t plain = PlainLength(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const size_t length = Utf8CharacterLength(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD stands for the byte that is not text
      text.remove_prefix(1);
    } else {
      AppendEscaped(text.substr(0, length), out);
      text.remove_prefix(length);
    }
  }
  out += '"';
}

// Begins an entry that is not the first of its object. Keys are our own and need no escapes.
void AppendKey(std::string_view key, std::string& out) {
  out += ",\"";
  out += key;
  out += "\":";
}

void AppendTextEntry(std::string_view key, std::string_view value, std::string& out) {
  AppendKey(key, out);
  AppendString(value, out);
}

void AppendIntegerEntry(std::string_view key, int64_t value, std::string& out) {
  AppendKey(key, out);
  AppendInteger(value, out);
}

// `append(item)` for each item, with commas, in brackets.
template <typename Items, typename Append>
void AppendList(const Items& items, std::string& out, Append append) {
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += ',';
    first = false;
    append(item);
  }
  out += ']';
}

void AppendKeypoints(const std::vector<Keypoint>& keypoints, std::string& out) {
  AppendKey("keypoints", out);
  AppendList(keypoints, out, [&](const Keypoint& keypoint) {
    out += '[';
    AppendNumber(keypoint.point.x, kPositionDigits, out);
    out += ',';
    AppendNumber(keypoint.point.y, kPositionDigits, out);
    out += ',';
    AppendNumber(keypoint.score, kScoreDigits, out);
    out += ']';
  });
}

void AppendBox(const Box& box, std::string& out) {
  AppendKey("box", out);
  const float corners[] = {box.x1, box.y1, box.x2, box.y2};
  AppendList(corners, out, [&](float corner) { AppendNumber(corner, kPositionDigits, out); });
}

// The last entry; events that have not been through the bus have none.
void AppendId(const std::string& id, std::string& out) {
  if (!id.empty()) AppendTextEntry("id", id, out);
}

// No cascade is deeper than a few models; what a broken one hangs together is cut.
void AppendParent(const ParentObject& first, std::string& out) {
  constexpr int kDeepest = 16;
  int depth = 0;
  for (const ParentObject* parent = &first; parent != nullptr && depth < kDeepest; parent = parent->parent.get()) {
    ++depth;
    AppendKey("parent", out);
    out += R"({"model":)";
    AppendString(parent->model, out);
    AppendTextEntry("label", parent->label, out);
    AppendKey("score", out);
    AppendNumber(parent->score, kScoreDigits, out);
    AppendBox(parent->box, out);
    if (parent->track > 0) AppendIntegerEntry("track", parent->track, out);
  }
  out.append(static_cast<size_t>(depth), '}');
}

class ResultWriter {
 public:
  ResultWriter(const ResultEvent& event, std::string& out) : event_(event), out_(out) {}

  void Write() {
    out_ += R"({"type":"result")";
    AppendTextEntry("stream", event_.stream, out_);
    AppendTextEntry("model", event_.model, out_);
    AppendIntegerEntry("frame", event_.frame, out_);
    AppendIntegerEntry("pts_us", event_.pts_us, out_);
    AppendIntegerEntry("captured_us", event_.captured_us, out_);
    AppendIntegerEntry("available_us", event_.available_us, out_);
    WriteParts();
    AppendTextEntry("variant", event_.variant, out_);
    AppendIntegerEntry("plan", event_.plan, out_);
    if (!event_.identity.empty()) {
      AppendTextEntry("identity", event_.identity, out_);
      AppendKey("similarity", out_);
      AppendNumber(event_.similarity, kScoreDigits, out_);
    }
    if (event_.parent) AppendParent(*event_.parent, out_);
    AppendId(event_.id, out_);
    out_ += '}';
  }

 private:
  // The part of the card's task is written also when nothing was found; a part that holds something is never left out.
  void WriteParts() {
    const InferenceResult& result = event_.result;
    if (event_.task == "detection" || !result.objects.empty()) WriteObjects(result.objects);
    if (event_.task == "classification" || !result.classes.empty()) WriteClasses(result.classes);
    if (event_.task == "pose" || !result.keypoints.empty()) AppendKeypoints(result.keypoints, out_);
    if (event_.task == "embedding" || !result.embedding.empty()) WriteEmbedding(result.embedding);
    if (event_.task == "segmentation" || result.mask.width > 0) WriteMask(result.mask);
    if (event_.task == "text" || !result.text.empty()) WriteText(result.text);
    if (event_.task == "regression" || !result.values.empty()) WriteValues(result.values);
  }

  void WriteLabel(int label) {
    const auto index = static_cast<size_t>(label);
    if (label >= 0 && event_.labels && index < event_.labels->size()) {
      AppendString((*event_.labels)[index], out_);
    } else {
      out_ += "\"class ";
      AppendInteger(label, out_);
      out_ += '"';
    }
  }

  void WriteLabelAndScore(int label, float score) {
    out_ += R"({"label":)";
    WriteLabel(label);
    AppendKey("score", out_);
    AppendNumber(score, kScoreDigits, out_);
  }

  void WriteObjects(const std::vector<DetectedObject>& objects) {
    AppendKey("objects", out_);
    size_t index = 0;
    AppendList(objects, out_, [&](const DetectedObject& object) {
      WriteLabelAndScore(object.label, object.score);
      AppendBox(object.box, out_);
      if (!object.keypoints.empty()) AppendKeypoints(object.keypoints, out_);
      if (index < event_.notes.size()) WriteNote(event_.notes[index]);
      ++index;
      out_ += '}';
    });
  }

  void WriteNote(const ObjectNote& note) {
    if (note.track > 0) AppendIntegerEntry("track", note.track, out_);
    if (note.answers.empty()) return;
    AppendKey("answers", out_);
    AppendList(note.answers, out_, [&](const ChildAnswer& answer) {
      out_ += R"({"model":)";
      AppendString(answer.model, out_);
      AppendTextEntry("label", answer.label, out_);
      AppendKey("score", out_);
      AppendNumber(answer.score, kScoreDigits, out_);
      AppendIntegerEntry("pts_us", answer.pts_us, out_);
      out_ += '}';
    });
  }

  void WriteClasses(const std::vector<ClassScore>& classes) {
    AppendKey("classes", out_);
    AppendList(classes, out_, [&](const ClassScore& entry) {
      WriteLabelAndScore(entry.label, entry.score);
      if (!entry.head.empty()) AppendTextEntry("head", entry.head, out_);
      out_ += '}';
    });
  }

  void WriteEmbedding(const std::vector<float>& embedding) {
    AppendKey("embedding", out_);
    AppendList(embedding, out_, [&](float value) {
      fmt::format_to(std::back_inserter(out_), "{:.6g}", std::isfinite(value) ? value : 0.0F);
    });
  }

  // `runs` are pairs of a label's number (-1: background) and how many pixels have it, row by row.
  void WriteMask(const ClassMask& mask) {
    AppendKey("mask", out_);
    out_ += R"({"width":)";
    AppendInteger(mask.width, out_);
    AppendIntegerEntry("height", mask.height, out_);
    AppendKey("shares", out_);
    AppendList(mask.shares, out_, [&](const LabelShare& share) {
      out_ += R"({"id":)";
      AppendInteger(share.label, out_);
      AppendKey("label", out_);
      WriteLabel(share.label);
      AppendKey("share", out_);
      AppendNumber(share.share, kPositionDigits, out_);
      out_ += '}';
    });
    AppendKey("runs", out_);
    AppendList(mask.runs, out_, [&](const MaskRun& run) {
      out_ += '[';
      AppendInteger(run.label, out_);
      out_ += ',';
      AppendInteger(run.length, out_);
      out_ += ']';
    });
    out_ += '}';
  }

  void WriteText(const std::vector<TextRegion>& text) {
    AppendKey("text", out_);
    AppendList(text, out_, [&](const TextRegion& region) {
      out_ += R"({"score":)";
      AppendNumber(region.score, kScoreDigits, out_);
      AppendKey("corners", out_);
      AppendList(region.corners, out_, [&](const Point& corner) {
        out_ += '[';
        AppendNumber(corner.x, kPositionDigits, out_);
        out_ += ',';
        AppendNumber(corner.y, kPositionDigits, out_);
        out_ += ']';
      });
      out_ += '}';
    });
  }

  void WriteValues(const std::vector<NamedNumber>& values) {
    AppendKey("values", out_);
    AppendList(values, out_, [&](const NamedNumber& value) {
      out_ += R"({"name":)";
      AppendString(value.name, out_);
      AppendKey("value", out_);
      AppendNumber(value.value, kPositionDigits, out_);
      if (!value.unit.empty()) AppendTextEntry("unit", value.unit, out_);
      out_ += '}';
    });
  }

  const ResultEvent& event_;
  std::string& out_;
};

void Append(const ResultEvent& event, std::string& out) { ResultWriter(event, out).Write(); }

void AppendStart(std::string_view type, const std::string& stream, std::string& out) {
  out += R"({"type":)";
  AppendString(type, out);
  AppendTextEntry("stream", stream, out);
}

void AppendMoment(const std::string& model, const Moment& moment, std::string& out) {
  AppendTextEntry("model", model, out);
  AppendIntegerEntry("frame", moment.frame, out);
  AppendIntegerEntry("pts_us", moment.pts_us, out);
  AppendIntegerEntry("captured_us", moment.captured_us, out);
  AppendIntegerEntry("available_us", moment.available_us, out);
}

void AppendSeconds(std::string_view key, double seconds, std::string& out) {
  constexpr int kMillis = 3;
  AppendKey(key, out);
  AppendNumber(static_cast<float>(seconds), kMillis, out);
}

void AppendObject(int64_t track, const std::string& label, float score, const Box& box, std::string& out) {
  AppendIntegerEntry("track", track, out);
  AppendTextEntry("label", label, out);
  AppendKey("score", out);
  AppendNumber(score, kScoreDigits, out);
  AppendBox(box, out);
}

void AppendEnd(const std::string& id, std::string& out) {
  AppendId(id, out);
  out += '}';
}

void Append(const TrackEvent& event, std::string& out) {
  AppendStart(TypeOf(event), event.stream, out);
  AppendMoment(event.model, event.moment, out);
  AppendObject(event.track, event.label, event.score, event.box, out);
  AppendSeconds("age_s", event.age_s, out);
  AppendEnd(event.id, out);
}

void Append(const SceneEvent& event, std::string& out) {
  AppendStart(TypeOf(event), event.stream, out);
  AppendMoment(event.model, event.moment, out);
  AppendTextEntry(event.kind == SceneEventKind::kLineCrossed ? "line" : "zone", event.place, out);
  AppendObject(event.track, event.label, event.score, event.box, out);
  if (event.kind == SceneEventKind::kLineCrossed) AppendTextEntry("direction", event.direction, out);
  if (event.kind == SceneEventKind::kZoneLeft || event.kind == SceneEventKind::kDwell) {
    AppendSeconds("dwell_s", event.dwell_s, out);
  }
  AppendEnd(event.id, out);
}

void Append(const CountEvent& event, std::string& out) {
  AppendStart(TypeOf(event), event.stream, out);
  AppendMoment(event.model, event.moment, out);
  if (!event.zone.empty()) AppendTextEntry("zone", event.zone, out);
  AppendKey("counts", out);
  out += '{';
  bool first = true;
  for (const auto& [label, count] : event.counts) {
    if (!std::exchange(first, false)) out += ',';
    AppendString(label, out);
    out += ':';
    AppendInteger(count, out);
  }
  out += '}';
  AppendEnd(event.id, out);
}

void Append(const StreamUpEvent& event, std::string& out) {
  AppendStart(TypeOf(event), event.stream, out);
  AppendIntegerEntry("at_us", event.at_us, out);
  AppendTextEntry("codec", event.codec, out);
  AppendIntegerEntry("width", event.width, out);
  AppendIntegerEntry("height", event.height, out);
  AppendEnd(event.id, out);
}

void Append(const StreamDownEvent& event, std::string& out) {
  AppendStart(TypeOf(event), event.stream, out);
  AppendIntegerEntry("at_us", event.at_us, out);
  AppendTextEntry("reason", event.reason, out);
  if (event.retry_in_us >= 0) AppendIntegerEntry("retry_in_us", event.retry_in_us, out);
  AppendEnd(event.id, out);
}

}  // namespace

void AppendJson(const Event& event, std::string& out) {
  std::visit([&](const auto& one) { Append(one, out); }, event);
}

std::string ToJsonLine(const Event& event) {
  std::string line;
  AppendJson(event, line);
  return line;
}

}  // namespace deepedge
