#include "deepedge/model/model_card_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "deepedge/model/model_card_names.h"
#include "deepedge/model/yaml_map.h"

namespace deepedge {
namespace {

constexpr int64_t kLargestCard = 4 << 20;
constexpr int kLargestSide = 16384;
constexpr float kLargestNumber = 1e6F;
constexpr size_t kMostLabels = 100'000;
constexpr int64_t kMostAnchors = 1'000'000;

// One number for all channels, or three.
void ReadPerChannel(YamlErrors& errors, YamlMap& map, std::string_view key, float lowest, std::array<float, 3>* value) {
  const YAML::Node node = map.Take(key);
  if (!node) return;
  if (node.IsScalar()) {
    float number = 0;
    ReadNumber(errors, node, map.PathOf(key), &number, lowest, kLargestNumber);
    value->fill(number);
    return;
  }
  std::vector<float> numbers;
  map.Numbers(key, &numbers, lowest, kLargestNumber, 3, 3);
  if (numbers.size() == 3) std::copy(numbers.begin(), numbers.end(), value->begin());
}

void ReadInput(YamlErrors& errors, const YAML::Node& node, PictureInput* input) {
  YamlMap map(errors, node, "input");
  map.Text("tensor", &input->tensor);
  map.Choice<TensorLayout>("layout", &input->layout, kLayoutNames);
  map.Number("width", &input->width, 1, kLargestSide);
  map.Number("height", &input->height, 1, kLargestSide);
  map.Choice<ChannelOrder>("color", &input->order, kColorNames);
  ReadPerChannel(errors, map, "mean", -kLargestNumber, &input->mean);
  ReadPerChannel(errors, map, "std", 1e-6F, &input->std);
  map.Choice<ResizeRule>("resize", &input->resize, kResizeNames);
  int pad = input->pad;
  map.Number("pad", &pad, 0, 255);
  input->pad = static_cast<uint8_t>(pad);
  map.RefuseOtherKeys();
}

void ReadAnchorLevel(YamlErrors& errors, const YAML::Node& node, const std::string& path, AnchorLevel* level) {
  YamlMap map(errors, node, path);
  map.Number("columns", &level->columns, 1, 4096);
  map.Number("rows", &level->rows, 1, 4096);
  std::vector<float> step;
  map.Numbers("step", &step, 1e-6F, 1.0F, 2, 2);
  if (step.size() == 2) level->step = {step[0], step[1]};
  const YAML::Node sizes = map.Take("sizes");
  const bool fits = sizes && sizes.IsSequence() && sizes.size() > 0 && sizes.size() <= 100;
  if (!fits) errors.Add(map.MarkOf("sizes"), map.PathOf("sizes"), "expected a list of [width, height] pairs");
  for (size_t i = 0; fits && i < sizes.size(); ++i) {
    const std::string size_path = fmt::format("{}[{}]", map.PathOf("sizes"), i);
    if (!sizes[i].IsSequence() || sizes[i].size() != 2) {
      errors.Add(sizes[i].Mark(), size_path, "expected [width, height], fractions of the input");
      continue;
    }
    std::array<float, 2> size{};
    for (size_t k = 0; k < 2; ++k) ReadNumber(errors, sizes[i][k], size_path, &size[k], 1e-6F, 100.0F);
    level->sizes.push_back(size);
  }
  for (const char* key : {"columns", "rows"}) {
    if (!map.Has(key)) errors.Add(map.MarkOf(key), map.PathOf(key), "is missing");
  }
  map.RefuseOtherKeys();
}

void ReadAnchors(YamlErrors& errors, YamlMap& output, OutputDecoderSpec* spec) {
  const YAML::Node levels = output.Take("anchors");
  if (!levels) return;
  if (!levels.IsSequence() || levels.size() == 0 || levels.size() > 100) {
    errors.Add(levels.Mark(), "output.anchors", "expected a list of maps with columns, rows and sizes");
    return;
  }
  int64_t count = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    AnchorLevel level;
    ReadAnchorLevel(errors, levels[i], fmt::format("output.anchors[{}]", i), &level);
    count += int64_t{level.columns} * level.rows * static_cast<int64_t>(level.sizes.size());
    spec->anchors.push_back(std::move(level));
  }
  if (count > kMostAnchors) {
    errors.Add(levels.Mark(), "output.anchors", fmt::format("{} anchors, more than {}", count, kMostAnchors));
  }
}

void ReadAnchorRule(YamlErrors& errors, YamlMap& output, OutputDecoderSpec* spec) {
  const YAML::Node node = output.Take("anchor_rule");
  if (!node) return;
  SsdAnchorRule rule;
  YamlMap map(errors, node, "output.anchor_rule");
  map.Numbers("strides", &rule.strides, 1, 4096, 1, 32);
  map.Number("min_scale", &rule.min_scale, 0.0F, 10.0F);
  map.Number("max_scale", &rule.max_scale, 0.0F, 10.0F);
  map.Numbers("aspect_ratios", &rule.aspect_ratios, 0.01F, 100.0F, 1, 32);
  map.Flag("interpolated_square", &rule.interpolated_square);
  map.Flag("reduce_lowest", &rule.reduce_lowest);
  map.Flag("unit_sizes", &rule.unit_sizes);
  if (rule.strides.empty()) errors.Add(map.MarkOf("strides"), map.PathOf("strides"), "is missing");
  map.RefuseOtherKeys();
  spec->anchor_rule = std::move(rule);
}

void CheckOutput(YamlErrors& errors, const YamlMap& map, const OutputDecoderSpec& spec) {
  if (spec.sigmoid && spec.softmax) {
    errors.Add(map.MarkOf("softmax"), map.PathOf("softmax"), "sigmoid and softmax exclude each other");
  }
  if (spec.background >= 0 && spec.background < spec.label_offset - 1) {
    errors.Add(map.MarkOf("background"), map.PathOf("background"), "lies before the numbers that label_offset skips");
  }
  if (spec.background == 0 && spec.label_offset == 0) {
    errors.Add(map.MarkOf("background"), map.PathOf("background"),
               "class 0 cannot be background and the first label; say label_offset: 1");
  }
  const bool anchors = spec.kind == OutputDecoderKind::kSsdAnchors;
  const int given = (spec.anchors.empty() ? 0 : 1) + (spec.anchor_rule ? 1 : 0);
  if (anchors && given != 1) {
    errors.Add(map.MarkOf("decoder"), map.PathOf("decoder"), "ssd_anchors needs one of anchors and anchor_rule");
  }
}

void ReadOutput(YamlErrors& errors, const YAML::Node& node, OutputDecoderSpec* spec) {
  YamlMap map(errors, node, "output");
  map.Choice<OutputDecoderKind>("decoder", &spec->kind, kDecoderNames);
  if (!map.Has("decoder")) errors.Add(map.MarkOf("decoder"), map.PathOf("decoder"), "is missing");
  map.Text("boxes", &spec->boxes);
  map.Text("scores", &spec->scores);
  map.Text("classes", &spec->classes);
  map.Text("count", &spec->count);
  map.Flag("sigmoid", &spec->sigmoid);
  map.Flag("softmax", &spec->softmax);
  map.Number("background", &spec->background, -1, 1'000'000);
  map.Number("label_offset", &spec->label_offset, 0, 1'000'000);
  map.Flag("normalized", &spec->normalized);
  std::vector<float> variances;
  map.Numbers("variances", &variances, 1e-6F, kLargestNumber, 4, 4);
  if (variances.size() == 4) std::copy(variances.begin(), variances.end(), spec->variances.begin());
  map.Flag("linear_offsets", &spec->linear_offsets);
  map.Flag("yx_order", &spec->yx_order);
  map.Number("keypoints", &spec->keypoints, 0, 1000);
  ReadAnchors(errors, map, spec);
  ReadAnchorRule(errors, map, spec);
  map.Numbers("strides", &spec->strides, 1, 4096, 1, 16);
  map.Number("nms_iou", &spec->nms_iou, 0.0F, 1.0F);
  map.Flag("nms_per_label", &spec->nms_per_label);
  map.Number("top_k", &spec->top_k, 1, 100'000);
  map.Number("score_scale", &spec->score_scale, 1e-12F, kLargestNumber);
  map.Number("score_zero", &spec->score_zero, -kLargestNumber, kLargestNumber);
  CheckOutput(errors, map, *spec);
  map.RefuseOtherKeys();
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  size_t start = 0;
  while (start < text.size()) {
    size_t end = std::min(text.find('\n', start), text.size());
    const size_t next = end + 1;
    if (end > start && text[end - 1] == '\r') --end;
    lines.push_back(text.substr(start, end - start));
    start = next;
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

void ReadLabels(YamlErrors& errors, YamlMap& map, const LabelFileReader& read_label_file,
                std::vector<std::string>* labels) {
  map.Texts("labels", labels);
  std::string file;
  map.Text("labels_file", &file);
  if (!map.Has("labels_file")) return;
  const YAML::Mark mark = map.MarkOf("labels_file");
  if (map.Has("labels")) errors.Add(mark, "labels_file", "labels and labels_file exclude each other");
  // A card may come from elsewhere: it can name only files of its own folder.
  if (file.empty() || file.find('/') != std::string::npos || file == "..") {
    errors.Add(mark, "labels_file", "expected the name of a file beside the card");
  }
  if (errors.first()) return;
  const Result<std::string> text = read_label_file(file);
  if (!text.ok()) {
    errors.Add(mark, "labels_file", text.error().message);
    return;
  }
  *labels = Lines(text.value());
  if (labels->empty() || labels->size() > kMostLabels) {
    errors.Add(mark, "labels_file", fmt::format("{}: expected 1 to {} lines, one label each", file, kMostLabels));
  }
}

void CheckHash(YamlErrors& errors, const YamlMap& map, const std::string& hash) {
  const bool hex =
      std::all_of(hash.begin(), hash.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!hash.empty() && (hash.size() != 64 || !hex)) {
    errors.Add(map.MarkOf("sha256"), "sha256", "expected 64 hexadecimal digits in lower case");
  }
}

void ReadTask(YamlErrors& errors, YamlMap& map, ModelCard* card) {
  const std::string_view task = TaskOf(card->output.kind);
  card->task = task;
  std::string given(task);
  map.Text("task", &given);
  if (given != task) {
    errors.Add(map.MarkOf("task"), "task",
               fmt::format("'{}' does not go with decoder {}; allowed: {}", given, ToString(card->output.kind), task));
  }
}

void ReadCard(YamlErrors& errors, const YAML::Node& root, const LabelFileReader& read_label_file, ModelCard* card) {
  YamlMap map(errors, root, "");
  map.Text("name", &card->name);
  map.Text("licence", &card->licence);
  map.Text("source", &card->source);
  map.Text("sha256", &card->sha256);
  CheckHash(errors, map, card->sha256);
  const YAML::Node input = map.Take("input");
  if (input) ReadInput(errors, input, &card->input);
  const YAML::Node output = map.Take("output");
  if (output) {
    ReadOutput(errors, output, &card->output);
  } else {
    errors.Add(map.MarkOf("output"), "output", "is missing");
  }
  ReadTask(errors, map, card);
  ReadLabels(errors, map, read_label_file, &card->labels);
  map.Number("threshold", &card->threshold, 0.0F, 1.0F);
  const bool needs_picture = card->output.kind != OutputDecoderKind::kRaw;
  if (needs_picture && (card->input.width == 0 || card->input.height == 0)) {
    errors.Add(map.MarkOf("input"), "input", "width and height are missing");
  }
  map.RefuseOtherKeys();
}

}  // namespace

std::string_view ToString(OutputDecoderKind kind) { return NameOf(kDecoderNames, kind); }

Result<ModelCard> ParseModelCard(const std::string& text, const std::string& file_name,
                                 const LabelFileReader& read_label_file) {
  YamlErrors errors(file_name);
  ModelCard card;
  try {
    const YAML::Node root = YAML::Load(text);
    ReadCard(errors, root, read_label_file, &card);
  } catch (const YAML::Exception& e) {
    errors.Add(e.mark, "", e.msg);
  }
  if (errors.first()) return *errors.first();
  return card;
}

Result<ModelCard> LoadModelCard(const Path& path) {
  DE_TRY(const std::string text, ReadFile(path, kLargestCard));
  return ParseModelCard(text, path.string(),
                        [&path](const std::string& name) { return ReadFile(path.parent_path() / name, kLargestCard); });
}

}  // namespace deepedge
