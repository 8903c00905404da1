#include "deepedge/pipeline/card/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "deepedge/base/text.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostLabels = 100'000;

std::string Unquoted(std::string_view text) {
  std::string trimmed(Trim(text));
  if (trimmed.size() >= 2 && (trimmed.front() == '"' || trimmed.front() == '\'') && trimmed.back() == trimmed.front()) {
    return trimmed.substr(1, trimmed.size() - 2);
  }
  return trimmed;
}

// All numbers of a text, whatever stands between them.
std::vector<float> NumbersIn(std::string_view text) {
  std::vector<float> numbers;
  size_t at = 0;
  while (at < text.size() && numbers.size() < 64) {
    const char c = text[at];
    const bool starts = (c >= '0' && c <= '9') ||
                        ((c == '-' || c == '.') && at + 1 < text.size() && text[at + 1] >= '0' && text[at + 1] <= '9');
    if (!starts) {
      ++at;
      continue;
    }
    float value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (error == std::errc() && std::isfinite(value)) numbers.push_back(value);
    at = std::max(at + 1, static_cast<size_t>(end - text.data()));
  }
  return numbers;
}

std::optional<std::array<float, 3>> ThreeNumbers(std::string_view text) {
  const std::vector<float> numbers = NumbersIn(text);
  if (numbers.size() == 1) return std::array<float, 3>{numbers[0], numbers[0], numbers[0]};
  if (numbers.size() == 3) return std::array<float, 3>{numbers[0], numbers[1], numbers[2]};
  return std::nullopt;
}

bool AllNonzero(const std::array<float, 3>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return v != 0; });
}

std::optional<Said<std::string>> TaskNamed(std::string_view word, const std::string& where) {
  const std::string task = LowerCase(std::string(word));
  for (const auto& [name, meaning] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{{"detect", "detection"},
                                                                            {"ssd", "detection"},
                                                                            {"yolo", "detection"},
                                                                            {"segment", "detection"},
                                                                            {"classif", "classification"},
                                                                            {"pose", "detection"},
                                                                            {"obb", "obb"}}) {
    if (task.find(name) != std::string::npos) return Said<std::string>{std::string(meaning), where};
  }
  return std::nullopt;
}

std::optional<ChannelOrder> OrderNamed(std::string_view word) {
  const std::string order = LowerCase(std::string(word));
  if (order.find("bgr") != std::string::npos) return ChannelOrder::kBgr;
  if (order.find("rgb") != std::string::npos) return ChannelOrder::kRgb;
  if (order.find("gray") != std::string::npos || order.find("grey") != std::string::npos) return ChannelOrder::kGray;
  return std::nullopt;
}

// Labels end up in a card, which is text.
bool ArePlain(const std::vector<std::string>& labels) {
  return std::all_of(labels.begin(), labels.end(), [](const std::string& label) { return IsPlainText(label); });
}

void AddLabels(std::vector<std::string> labels, const std::string& where, double confidence, Notes* notes) {
  if (!labels.empty() && ArePlain(labels)) notes->labels.push_back({std::move(labels), where, confidence});
}

std::string Lookup(const std::map<std::string, std::string>& metadata, const std::string& key) {
  const auto it = metadata.find(key);
  return it == metadata.end() ? "" : it->second;
}

// Ultralytics writes its export settings into the file.
void ReadUltralytics(const std::map<std::string, std::string>& metadata, Notes* notes) {
  const std::string where = "the file's metadata";
  AddLabels(ParseNameDictionary(Lookup(metadata, "onnx.names")), where, 0.98, notes);
  AddLabels(ParseNameDictionary(Lookup(metadata, "onnx.classes")), where, 0.9, notes);
  const std::string task = Lookup(metadata, "onnx.task");
  if (!task.empty()) notes->task = TaskNamed(task, where);
  const bool ultralytics = !Lookup(metadata, "onnx.stride").empty() && !Lookup(metadata, "onnx.names").empty();
  if (ultralytics) notes->family = Said<std::string>{"ultralytics", where};
  const std::vector<float> size = NumbersIn(Lookup(metadata, "onnx.imgsz"));
  if (size.size() == 2 && size[0] >= 8 && size[1] >= 8 && size[0] <= 8192 && size[1] <= 8192) {
    notes->size = Said<std::array<int, 2>>{{static_cast<int>(size[1]), static_cast<int>(size[0])}, where};
  }
  const std::vector<float> points = NumbersIn(Lookup(metadata, "onnx.kpt_shape"));
  if (points.size() == 2 && points[0] >= 1 && points[0] <= 1000 && (points[1] == 2 || points[1] == 3)) {
    notes->keypoints = static_cast<int>(points[0]);
    notes->keypoint_size = static_cast<int>(points[1]);
  }
  const std::string nms = Lookup(metadata, "onnx.end2end") + Lookup(metadata, "onnx.args");
  notes->end_to_end = nms.find("True") != std::string::npos && nms.find("'nms': True") != std::string::npos;
  notes->end_to_end = notes->end_to_end || Lookup(metadata, "onnx.end2end") == "True";
}

// What stands behind a key in a dictionary as Python or JSON writes it: a list or dictionary whole, else up to a comma.
std::string ValueBehind(std::string_view text, std::string_view key) {
  size_t at = std::string_view::npos;
  for (const char quote : {'\'', '"'}) {
    if (at == std::string_view::npos) at = text.find(fmt::format("{0}{1}{0}", quote, key));
  }
  if (at == std::string_view::npos) return {};
  at = text.find(':', at + key.size() + 2);
  if (at == std::string_view::npos) return {};
  at = text.find_first_not_of(" \n\t", at + 1);
  if (at == std::string_view::npos) return {};
  if (text[at] == '{' || text[at] == '[') {
    const size_t end = text.find(text[at] == '{' ? '}' : ']', at);
    return end == std::string_view::npos ? std::string() : std::string(text.substr(at, end + 1 - at));
  }
  return Unquoted(text.substr(at, text.find_first_of(",}\n", at) - at));
}

// The same settings as one text, as TFLite files have them.
void ReadUltralyticsText(const std::string& text, Notes* notes) {
  if (text.empty()) return;
  std::map<std::string, std::string> metadata;
  for (const char* key : {"names", "task", "stride", "imgsz", "kpt_shape", "end2end", "args"}) {
    if (std::string value = ValueBehind(text, key); !value.empty()) metadata[fmt::format("onnx.{}", key)] = value;
  }
  ReadUltralytics(metadata, notes);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::istringstream stream{std::string(text)};
  std::string word;
  while (stream >> word && words.size() < kMostLabels) words.push_back(word);
  return words;
}

// OpenVINO's Model API writes how a network is to be fed and read.
void ReadModelInfo(const std::map<std::string, std::string>& metadata, Notes* notes) {
  const std::string where = "model_info";
  const auto get = [&](const char* key) { return Lookup(metadata, std::string("ov.model_info.") + key); };
  AddLabels(Words(ToUtf8(get("labels"))), where, 0.98, notes);
  if (const std::string type = get("model_type"); !type.empty()) notes->task = TaskNamed(type, where);
  const auto mean = ThreeNumbers(get("mean_values"));
  const auto std = ThreeNumbers(get("scale_values"));
  if (mean || std) {
    ValueRule rule;
    if (mean) rule.mean = *mean;
    if (std && AllNonzero(*std)) rule.std = *std;
    notes->values = Said<ValueRule>{rule, where};
  }
  const std::string reverse = LowerCase(get("reverse_input_channels"));
  if (reverse == "true" || reverse == "yes") notes->order = Said<ChannelOrder>{ChannelOrder::kRgb, where};
  if (reverse == "false" || reverse == "no") notes->order = Said<ChannelOrder>{ChannelOrder::kBgr, where};
  const std::string resize = get("resize_type");
  if (resize == "standard") notes->resize = Said<ResizeRule>{ResizeRule::kStretch, where};
  if (resize == "fit_to_window") notes->resize = Said<ResizeRule>{ResizeRule::kLetterboxTopLeft, where};
  if (resize == "fit_to_window_letterbox") notes->resize = Said<ResizeRule>{ResizeRule::kLetterboxCentered, where};
  const std::vector<float> pad = NumbersIn(get("pad_value"));
  if (pad.size() == 1 && pad[0] >= 0 && pad[0] <= 255) notes->pad = Said<uint8_t>{static_cast<uint8_t>(pad[0]), where};
  const std::vector<float> threshold = NumbersIn(get("confidence_threshold"));
  if (threshold.size() == 1 && threshold[0] > 0 && threshold[0] < 1) notes->threshold = threshold[0];
}

// Numbers behind every `key` of a text like "scale: 0.0039 mean_value: 104 mean_value: 117".
std::vector<float> NumbersAfter(std::string_view text, std::string_view key) {
  std::vector<float> numbers;
  for (size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + key.size())) {
    const std::string_view rest = text.substr(at + key.size(), 96);
    const size_t end = rest.find_first_of("\n;}abcdfghijklmnopqrstuvwxyz", 2);
    for (const float number : NumbersIn(rest.substr(0, end))) numbers.push_back(number);
  }
  return numbers;
}

void ReadCaffeTransform(const std::map<std::string, std::string>& metadata, Notes* notes) {
  const std::string text = Lookup(metadata, "caffe.transform");
  if (text.empty()) return;
  const std::vector<float> scale = NumbersAfter(text, "scale");
  const std::vector<float> mean = NumbersAfter(text, "mean_value");
  ValueRule rule;
  if (mean.size() == 1) rule.mean = {mean[0], mean[0], mean[0]};
  if (mean.size() == 3) rule.mean = {mean[0], mean[1], mean[2]};
  if (scale.size() == 1 && scale[0] > 0) rule.std.fill(1 / scale[0]);
  if (!mean.empty() || !scale.empty()) notes->values = Said<ValueRule>{rule, "the network's transform_param"};
}

}  // namespace

namespace {

std::vector<std::string> ReadNames(std::string_view text) {
  // Lists first: JSON as it is.
  const std::string trimmed(Trim(text));
  if (trimmed.size() < 2) return {};
  std::vector<std::string> names;
  const Json json = Json::parse(trimmed, nullptr, false);
  if (json.is_array()) {
    for (const Json& entry : json) {
      if (!entry.is_string()) return {};
      names.push_back(entry.get<std::string>());
    }
    return names;
  }
  if (json.is_object()) {
    for (size_t i = 0; i < json.size(); ++i) {
      const auto it = json.find(std::to_string(i));
      if (it == json.end() || !it->is_string()) return {};
      names.push_back(it->get<std::string>());
    }
    return names;
  }
  // Python's form: {0: 'person', 1: "driver's seat"} or ['a', 'b'].
  size_t at = 1;
  const bool dictionary = trimmed.front() == '{';
  if (!dictionary && trimmed.front() != '[') return {};
  while (names.size() < kMostLabels) {
    const size_t quote = trimmed.find_first_of("'\"", at);
    if (quote == std::string::npos) break;
    if (dictionary) {
      const std::vector<float> key = NumbersIn(std::string_view(trimmed).substr(at, quote - at));
      if (key.size() != 1 || key[0] != static_cast<float>(names.size())) return {};
    }
    std::string name;
    size_t end = quote + 1;
    while (end < trimmed.size() && trimmed[end] != trimmed[quote]) {
      if (trimmed[end] == '\\' && end + 1 < trimmed.size()) ++end;
      name += trimmed[end++];
    }
    if (end >= trimmed.size()) return {};
    names.push_back(std::move(name));
    at = end + 1;
  }
  return names;
}

std::vector<std::string> ReadLines(std::string_view text) {
  std::vector<std::string> lines;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line(Trim(text.substr(at, end - at)));
    if (line.size() > 200 || lines.size() >= kMostLabels) return {};
    lines.push_back(std::move(line));
    at = end + 1;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty() || std::count(lines.begin(), lines.end(), "") > 1) return {};
  // Numbered lines: drop the numbers where every line has the next one.
  for (const int first : {0, 1}) {
    std::vector<std::string> plain;
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string number = std::to_string(i + static_cast<size_t>(first));
      if (!lines[i].starts_with(number)) break;
      const size_t after = lines[i].find_first_not_of(":;,. \t", number.size());
      if (after == std::string::npos || after == number.size()) break;
      plain.push_back(lines[i].substr(after));
    }
    if (plain.size() == lines.size()) return plain;
  }
  return lines;
}

std::vector<std::string> PlainOrNone(std::vector<std::string> labels) {
  if (!ArePlain(labels)) labels.clear();
  return labels;
}

}  // namespace

std::vector<std::string> ParseNameDictionary(std::string_view text) { return PlainOrNone(ReadNames(ToUtf8(text))); }

std::vector<std::string> ParseLabelLines(std::string_view text) {
  std::string clean = ToUtf8(text);
  std::replace(clean.begin(), clean.end(), '\t', ' ');
  return PlainOrNone(ReadLines(clean));
}

Notes Merge(Notes first, Notes second) {
  const auto take = [](auto& into, auto& from) {
    if (!into) into = std::move(from);
  };
  take(first.order, second.order);
  take(first.values, second.values);
  take(first.resize, second.resize);
  take(first.pad, second.pad);
  take(first.size, second.size);
  take(first.task, second.task);
  take(first.family, second.family);
  take(first.threshold, second.threshold);
  take(first.keypoints, second.keypoints);
  take(first.keypoint_size, second.keypoint_size);
  for (auto& labels : second.labels) first.labels.push_back(std::move(labels));
  first.end_to_end = first.end_to_end || second.end_to_end;
  return first;
}

Notes NotesInMetadata(const std::map<std::string, std::string>& metadata) {
  Notes notes;
  ReadUltralytics(metadata, &notes);
  ReadUltralyticsText(Lookup(metadata, "tflite.notes"), &notes);
  ReadModelInfo(metadata, &notes);
  ReadCaffeTransform(metadata, &notes);
  AddLabels(ParseLabelLines(Lookup(metadata, "tflite.labels")), "the file's own labels", 0.97, &notes);
  return notes;
}

Notes NotesInModelProc(std::string_view text, const std::string& where) {
  Notes notes;
  const Json json = Json::parse(text, nullptr, false, true);
  if (!json.is_object() || !json.contains("output_postproc")) return notes;
  try {
    if (json.contains("input_preproc")) {
      for (const Json& input : json["input_preproc"]) {
        const Json& params = input.contains("params") ? input["params"] : input;
        for (const char* key : {"color_format", "color_space"}) {
          if (!params.contains(key) || !params[key].is_string()) continue;
          if (const auto order = OrderNamed(params[key].get<std::string>()))
            notes.order = Said<ChannelOrder>{*order, where};
        }
        ValueRule rule;
        bool given = false;
        if (params.contains("range") && params["range"].size() == 2) {
          const float low = params["range"][0].get<float>();
          const float high = params["range"][1].get<float>();
          if (high > low) {
            rule.std.fill(255 / (high - low));
            rule.mean.fill(-low * 255 / (high - low));
            given = true;
          }
        }
        if (params.contains("mean") && params.contains("std") && params["mean"].size() == 3 &&
            params["std"].size() == 3) {
          for (size_t c = 0; c < 3; ++c) {
            rule.mean[c] = rule.mean[c] + params["mean"][c].get<float>() * rule.std[c];
            rule.std[c] *= params["std"][c].get<float>();
          }
          given = AllNonzero(rule.std);
        }
        if (given) notes.values = Said<ValueRule>{rule, where};
        if (params.contains("resize") && params["resize"].is_string()) {
          const std::string resize = params["resize"].get<std::string>();
          if (resize == "aspect-ratio") notes.resize = Said<ResizeRule>{ResizeRule::kLetterboxCentered, where};
          if (resize == "no-aspect-ratio") notes.resize = Said<ResizeRule>{ResizeRule::kStretch, where};
        }
      }
    }
    for (const Json& output : json["output_postproc"]) {
      if (output.contains("labels") && output["labels"].is_array()) {
        std::vector<std::string> labels;
        for (const Json& label : output["labels"]) labels.push_back(label.get<std::string>());
        AddLabels(std::move(labels), where, 0.98, &notes);
      }
    }
  } catch (const Json::exception&) {
    return notes;
  }
  return notes;
}

std::string LabelFileInTritonConfig(std::string_view text) {
  constexpr std::string_view kKey = "label_filename";
  const size_t at = text.find(kKey);
  if (at == std::string_view::npos) return "";
  const size_t colon = text.find(':', at);
  if (colon == std::string_view::npos || colon - at > kKey.size() + 4) return "";
  const size_t end = text.find_first_of("\n,}]", colon);
  return Unquoted(text.substr(colon + 1, end == std::string_view::npos ? end : end - colon - 1));
}

Notes NotesInDeepStream(std::string_view text, const std::string& where, std::string* label_file) {
  Notes notes;
  std::map<std::string, std::string> keys;
  bool property = false;
  std::istringstream lines{std::string(text)};
  std::string line;
  while (std::getline(lines, line)) {
    const std::string trimmed(Trim(line));
    if (trimmed.starts_with('[')) property = trimmed == "[property]";
    const size_t equals = trimmed.find('=');
    if (!property || trimmed.starts_with('#') || equals == std::string::npos) continue;
    keys[std::string(Trim(trimmed.substr(0, equals)))] = Trim(trimmed.substr(equals + 1));
  }
  if (keys.empty()) return notes;
  ValueRule rule;
  bool given = false;
  if (const auto scale = NumbersIn(keys["net-scale-factor"]); scale.size() == 1 && scale[0] > 0) {
    rule.std.fill(1 / scale[0]);
    if (std::abs(rule.std[0] - 255) < 0.5F) rule.std.fill(255);
    given = true;
  }
  if (const auto offsets = ThreeNumbers(keys["offsets"])) {
    rule.mean = *offsets;
    given = true;
  }
  if (given) notes.values = Said<ValueRule>{rule, where};
  const std::string format = keys["model-color-format"];
  if (format == "0") notes.order = Said<ChannelOrder>{ChannelOrder::kRgb, where};
  if (format == "1") notes.order = Said<ChannelOrder>{ChannelOrder::kBgr, where};
  if (format == "2") notes.order = Said<ChannelOrder>{ChannelOrder::kGray, where};
  const bool keep = keys["maintain-aspect-ratio"] == "1";
  if (!keys["maintain-aspect-ratio"].empty()) {
    const bool centred = keys["symmetric-padding"] == "1";
    notes.resize = Said<ResizeRule>{!keep     ? ResizeRule::kStretch
                                    : centred ? ResizeRule::kLetterboxCentered
                                              : ResizeRule::kLetterboxTopLeft,
                                    where};
  }
  if (label_file != nullptr) *label_file = keys["labelfile-path"];
  return notes;
}

Notes NotesInHuggingFace(std::string_view text, const std::string& where) {
  Notes notes;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return notes;
  try {
    if (json.contains("id2label")) AddLabels(ParseNameDictionary(json["id2label"].dump()), where, 0.97, &notes);
    const bool normalises = json.value("do_normalize", false);
    const bool rescales = json.value("do_rescale", true);
    if (json.contains("image_mean") || json.contains("image_processor_type") ||
        json.contains("feature_extractor_type")) {
      const float scale = rescales ? json.value("rescale_factor", 1.0F / 255) : 1.0F;
      ValueRule rule;
      if (scale > 0) rule.std.fill(std::round(1 / scale));
      if (normalises && json.contains("image_mean") && json.contains("image_std")) {
        for (size_t c = 0; c < 3; ++c) {
          const float unit = rule.std[c];
          rule.mean[c] = json["image_mean"].at(c).get<float>() * unit;
          rule.std[c] = json["image_std"].at(c).get<float>() * unit;
        }
      }
      if (AllNonzero(rule.std)) notes.values = Said<ValueRule>{rule, where};
      notes.order = Said<ChannelOrder>{ChannelOrder::kRgb, where};
    }
    if (json.contains("size") && json["size"].is_object()) {
      const int height = json["size"].value("height", 0);
      const int width = json["size"].value("width", 0);
      if (height >= 8 && width >= 8 && height <= 8192 && width <= 8192)
        notes.size = Said<std::array<int, 2>>{{width, height}, where};
    }
  } catch (const Json::exception&) {
    return notes;
  }
  return notes;
}

Notes NotesInUltralyticsYaml(std::string_view text, const std::string& where) {
  std::map<std::string, std::string> metadata;
  std::string names;
  std::string list;
  std::string section;
  std::istringstream lines{std::string(text)};
  std::string line;
  int next = 0;
  const auto end_list = [&] {
    if (!list.empty()) metadata["onnx." + section] = std::exchange(list, {});
  };
  while (std::getline(lines, line)) {
    const size_t colon = line.find(':');
    const bool nested = !line.empty() && (line[0] == ' ' || line[0] == '-');
    if (!nested) {
      if (colon == std::string::npos) continue;
      end_list();
      section = Trim(line.substr(0, colon));
      const std::string value(Trim(line.substr(colon + 1)));
      if (!value.empty()) metadata["onnx." + section] = value;
    } else if (section == "names" && colon != std::string::npos) {
      if (Trim(line.substr(0, colon)) != std::to_string(next)) return {};
      names += fmt::format("{}\"{}\"", next++ == 0 ? "" : ",", Unquoted(line.substr(colon + 1)));
    } else if (line.find('-') != std::string::npos) {
      list += " " + line.substr(line.find('-') + 1);
    }
  }
  end_list();
  if (!names.empty()) metadata["onnx.names"] = "[" + names + "]";
  Notes notes = NotesInMetadata(metadata);
  for (auto& labels : notes.labels) labels.where = where;
  if (notes.size) notes.size->where = where;
  if (notes.task) notes.task->where = where;
  if (notes.family) notes.family->where = where;
  return notes;
}

}  // namespace deepedge
