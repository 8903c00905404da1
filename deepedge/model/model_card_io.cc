#include "deepedge/model/model_card_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "deepedge/base/text.h"
#include "deepedge/base/utf8.h"
#include "deepedge/model/map_reader.h"
#include "deepedge/model/model_card_names.h"
#include "deepedge/model/variant_yaml.h"

namespace deepedge {
namespace {

constexpr int64_t kLargestLabelFile = 4 << 20;
constexpr int kLargestSide = 16384;
constexpr float kLargestNumber = 1e6F;
constexpr size_t kMostLabels = 100'000;
constexpr int64_t kMostAnchors = 1'000'000;
constexpr int kMostPatches = 32;

using Problems = std::vector<Problem>;

// One number for all channels, or three.
void ReadPerChannel(Problems& problems, MapReader& map, std::string_view key, float lowest,
                    std::array<float, 3>* numbers) {
  const nlohmann::json* value = map.Take(key);
  if (value == nullptr) return;
  if (!value->is_array()) {
    float number = (*numbers)[0];
    ReadNumber(problems, *value, map.PointerOf(key), &number, lowest, kLargestNumber);
    numbers->fill(number);
    return;
  }
  std::vector<float> three;
  map.Numbers(key, &three, lowest, kLargestNumber, 3, 3);
  if (three.size() == 3) std::copy(three.begin(), three.end(), numbers->begin());
}

void ReadInput(Problems& problems, const nlohmann::json& value, PictureInput* input) {
  MapReader map(problems, value, "/input");
  map.Text("tensor", &input->tensor);
  map.Choice<TensorLayout>("layout", &input->layout, kLayoutNames);
  map.Flag("transposed", &input->transposed);
  map.Number("width", &input->width, 1, kLargestSide);
  map.Number("height", &input->height, 1, kLargestSide);
  map.Choice<ChannelOrder>("color", &input->order, kColorNames);
  ReadPerChannel(problems, map, "mean", -kLargestNumber, &input->mean);
  ReadPerChannel(problems, map, "std", 1e-6F, &input->std);
  map.Choice<ResizeRule>("resize", &input->resize, kResizeNames);
  int pad = input->pad;
  map.Number("pad", &pad, 0, 255);
  input->pad = static_cast<uint8_t>(pad);
  map.Number("pyramid", &input->pyramid, 0.1F, 0.95F);
  map.Number("patches", &input->patches, 1, kMostPatches);
  map.Number("patch_size", &input->patch_size, 0.01F, 4.0F);
  if ((input->patches > 0) != (input->patch_size > 0)) map.Report("patches", "patches and patch_size go together");
  map.RefuseOtherKeys();
}

// Pairs of width and height in `unit`, each up to `largest`.
void ReadBoxSizes(Problems& problems, MapReader& map, std::string_view key, std::string_view unit, float largest,
                  std::vector<std::array<float, 2>>* sizes) {
  const nlohmann::json* list = map.Take(key);
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > 100) {
    map.Report(key, "expected a list of [width, height] pairs");
    return;
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string pointer = PointerTo(map.PointerOf(key), i);
    const nlohmann::json& pair = (*list)[i];
    if (!pair.is_array() || pair.size() != 2) {
      problems.push_back({pointer, fmt::format("expected [width, height], {}", unit)});
      continue;
    }
    std::array<float, 2> size{};
    for (size_t k = 0; k < 2; ++k) ReadNumber(problems, pair[k], PointerTo(pointer, k), &size[k], 1e-6F, largest);
    sizes->push_back(size);
  }
}

AnchorLevel ReadAnchorLevel(Problems& problems, const nlohmann::json& value, const std::string& pointer) {
  AnchorLevel level;
  MapReader map(problems, value, pointer);
  map.Number("columns", &level.columns, 1, 4096);
  map.Number("rows", &level.rows, 1, 4096);
  std::vector<float> step;
  map.Numbers("step", &step, 1e-6F, 1.0F, 2, 2);
  if (step.size() == 2) level.step = {step[0], step[1]};
  ReadBoxSizes(problems, map, "sizes", "fractions of the input", 100.0F, &level.sizes);
  for (const char* key : {"columns", "rows"}) {
    if (!map.Has(key)) map.Report(key, "is missing");
  }
  map.RefuseOtherKeys();
  return level;
}

void ReadAnchors(Problems& problems, MapReader& output, OutputDecoderSpec* spec) {
  const nlohmann::json* levels = output.Take("anchors");
  if (levels == nullptr) return;
  if (!levels->is_array() || levels->empty() || levels->size() > 100) {
    output.Report("anchors", "expected a list of tables with columns, rows and sizes");
    return;
  }
  int64_t count = 0;
  for (size_t i = 0; i < levels->size(); ++i) {
    AnchorLevel level = ReadAnchorLevel(problems, (*levels)[i], PointerTo(output.PointerOf("anchors"), i));
    count += int64_t{level.columns} * level.rows * static_cast<int64_t>(level.sizes.size());
    spec->anchors.push_back(std::move(level));
  }
  if (count > kMostAnchors) output.Report("anchors", fmt::format("{} anchors, more than {}", count, kMostAnchors));
}

void ReadAnchorRule(Problems& problems, MapReader& output, OutputDecoderSpec* spec) {
  const nlohmann::json* value = output.Take("anchor_rule");
  if (value == nullptr) return;
  SsdAnchorRule rule;
  MapReader map(problems, *value, output.PointerOf("anchor_rule"));
  map.Numbers("strides", &rule.strides, 1, 4096, 1, 32);
  map.Number("min_scale", &rule.min_scale, 0.0F, 10.0F);
  map.Number("max_scale", &rule.max_scale, 0.0F, 10.0F);
  map.Numbers("aspect_ratios", &rule.aspect_ratios, 0.01F, 100.0F, 1, 32);
  map.Flag("interpolated_square", &rule.interpolated_square);
  map.Flag("reduce_lowest", &rule.reduce_lowest);
  map.Flag("unit_sizes", &rule.unit_sizes);
  if (!map.Has("strides")) map.Report("strides", "is missing");
  map.RefuseOtherKeys();
  spec->anchor_rule = std::move(rule);
}

// Calls `read(entry, index)` for every table of a list.
template <typename Read>
void ReadTables(MapReader& output, std::string_view key, size_t most, Read read) {
  const nlohmann::json* list = output.Take(key);
  if (list == nullptr) return;
  if (!list->is_array() || list->empty() || list->size() > most) {
    output.Report(key, fmt::format("expected a list of 1 to {} entries", most));
    return;
  }
  for (size_t i = 0; i < list->size(); ++i) read((*list)[i], PointerTo(output.PointerOf(key), i));
}

void ReadHeads(Problems& problems, MapReader& output, OutputDecoderSpec* spec) {
  ReadTables(output, "heads", 32, [&](const nlohmann::json& value, const std::string& pointer) {
    OutputHead head;
    MapReader map(problems, value, pointer);
    map.Number("stride", &head.stride, 1, 4096);
    map.Text("boxes", &head.boxes);
    map.Text("scores", &head.scores);
    map.Text("quality", &head.quality);
    map.Text("landmarks", &head.landmarks);
    if (map.Has("anchors")) {
      ReadBoxSizes(problems, map, "anchors", "pixels of the input", float{kLargestSide}, &head.anchors);
    }
    if (head.stride == 0 && head.boxes.empty()) map.Report("stride", "stride or boxes (a tensor's name) is needed");
    map.RefuseOtherKeys();
    spec->heads.push_back(std::move(head));
  });
  ReadTables(output, "class_heads", 100, [&](const nlohmann::json& value, const std::string& pointer) {
    ClassHead head;
    MapReader map(problems, value, pointer);
    map.Text("name", &head.name);
    map.Text("tensor", &head.tensor);
    map.Number("classes", &head.classes, 1, 100'000);
    for (const char* key : {"name", "classes"}) {
      if (!map.Has(key)) map.Report(key, "is missing");
    }
    map.RefuseOtherKeys();
    spec->class_heads.push_back(std::move(head));
  });
}

void ReadValues(Problems& problems, MapReader& output, OutputDecoderSpec* spec) {
  ReadTables(output, "values", 1000, [&](const nlohmann::json& value, const std::string& pointer) {
    ValueSpec number;
    MapReader map(problems, value, pointer);
    map.Text("name", &number.name);
    map.Text("tensor", &number.tensor);
    map.Number("index", &number.index, 0, 1'000'000);
    map.Number("scale", &number.scale, -kLargestNumber, kLargestNumber);
    map.Number("offset", &number.offset, -kLargestNumber, kLargestNumber);
    map.Text("unit", &number.unit);
    if (!map.Has("name")) map.Report("name", "is missing");
    map.RefuseOtherKeys();
    spec->values.push_back(std::move(number));
  });
}

void ReadColumns(Problems& problems, MapReader& output, OutputDecoderSpec* spec) {
  ReadTables(output, "columns", 1000, [&](const nlohmann::json& value, const std::string& pointer) {
    RowColumn column = RowColumn::kIgnored;
    ReadChoice<RowColumn>(problems, value, pointer, &column, kRowColumnNames);
    spec->columns.push_back(column);
  });
}

// [from, to] or [from, to, x channel, y channel]; without channels those of limb i are 2i and 2i + 1.
void ReadLimbs(Problems& problems, MapReader& output, OutputDecoderSpec* spec) {
  ReadTables(output, "limbs", 200, [&](const nlohmann::json& value, const std::string& pointer) {
    if (!value.is_array() || (value.size() != 2 && value.size() != 4)) {
      problems.push_back({pointer, "expected [from, to] or [from, to, x channel, y channel]"});
      return;
    }
    const int place = static_cast<int>(spec->limbs.size());
    Limb limb{.x_channel = 2 * place, .y_channel = 2 * place + 1};
    int* const numbers[] = {&limb.from, &limb.to, &limb.x_channel, &limb.y_channel};
    for (size_t k = 0; k < value.size(); ++k) {
      ReadNumber(problems, value[k], PointerTo(pointer, k), numbers[k], 0, 1000);
    }
    spec->limbs.push_back(limb);
  });
}

// How rows, maps and boxes are put together.
void ReadForm(Problems& problems, MapReader& map, OutputDecoderSpec* spec) {
  map.Flag("objectness", &spec->objectness);
  if (map.Has("box_form")) {
    spec->box_form = BoxForm::kCorners;
    map.Choice<BoxForm>("box_form", &*spec->box_form, kBoxFormNames);
  }
  map.Number("keypoint_size", &spec->keypoint_size, 2, 3);
  map.Flag("keypoints_first", &spec->keypoints_first);
  map.Number("ignored_columns", &spec->ignored_columns, 0, 10'000);
  ReadColumns(problems, map, spec);
  map.Choice<YoloBoxRule>("box_rule", &spec->box_rule, kYoloBoxRuleNames);
  map.Number("scale_xy", &spec->scale_xy, 0.0F, 10.0F);
  map.Flag("activated", &spec->activated);
  map.Flag("shared_classes", &spec->shared_classes);
  map.Number("bins", &spec->bins, 1, 256);
  map.Flag("distances_in_pixels", &spec->distances_in_pixels);
  if (map.Has("cell_offset")) map.Number("cell_offset", &spec->cell_offset.emplace(0.0F), 0.0F, 1.0F);
  map.Flag("boxes_first", &spec->boxes_first);
  map.Number("boxes_per_cell", &spec->boxes_per_cell, 1, 100);
  map.Flag("log_sizes", &spec->log_sizes);
  map.Flag("l2_normalize", &spec->l2_normalize);
  map.Flag("class_ids", &spec->class_ids);
  map.Number("map_threshold", &spec->map_threshold, 0.0F, 1.0F);
  map.Number("unclip", &spec->unclip, 0.0F, 10.0F);
  map.Flag("rotated", &spec->rotated);
  map.Number("window", &spec->window, 1, kLargestSide);
  map.Number("stride", &spec->stride, 1, kLargestSide);
  map.Number("max_move", &spec->max_move, 0.0F, 10.0F);
  map.Texts("point_names", &spec->point_names);
  ReadLimbs(problems, map, spec);
}

void CheckOutput(MapReader& map, const OutputDecoderSpec& spec) {
  if (spec.sigmoid && spec.softmax) map.Report("softmax", "sigmoid and softmax exclude each other");
  if (spec.background >= 0 && spec.background < spec.label_offset - 1) {
    map.Report("background", "lies before the numbers that label_offset skips");
  }
  if (spec.background == 0 && spec.label_offset == 0) {
    map.Report("background", "class 0 cannot be background and the first label; say label_offset: 1");
  }
  const int given = (spec.anchors.empty() ? 0 : 1) + (spec.anchor_rule ? 1 : 0);
  if (spec.kind == OutputDecoderKind::kSsdAnchors && given != 1) {
    map.Report("decoder", "ssd_anchors needs one of anchors and anchor_rule");
  }
  if (given > 1) map.Report("anchor_rule", "anchors and anchor_rule exclude each other");
  if (spec.kind == OutputDecoderKind::kYoloAnchors) {
    const bool all =
        std::all_of(spec.heads.begin(), spec.heads.end(), [](const auto& h) { return !h.anchors.empty(); });
    if (spec.heads.empty() || !all) map.Report("heads", "yolo_anchors needs heads, each with anchors");
  }
  if ((spec.window > 0) != (spec.stride > 0)) map.Report("window", "window and stride go together");
}

// What input and output have to agree on.
void CheckTogether(MapReader& map, const ModelCard& card) {
  const bool windows = card.output.kind == OutputDecoderKind::kWindow && card.output.window > 0;
  if (card.input.pyramid > 0 && !windows) {
    map.Report("input", "pyramid needs the decoder window with window and stride");
  }
  const bool points = card.output.kind == OutputDecoderKind::kPatchPoints;
  if ((card.input.patches > 0) != points) map.Report("input", "patches and the decoder patch_points go together");
}

void ReadOutput(Problems& problems, const nlohmann::json& value, OutputDecoderSpec* spec) {
  MapReader map(problems, value, "/output");
  map.Choice<OutputDecoderKind>("decoder", &spec->kind, kDecoderNames);
  if (!map.Has("decoder")) map.Report("decoder", "is missing");
  map.Text("boxes", &spec->boxes);
  map.Text("scores", &spec->scores);
  map.Text("classes", &spec->classes);
  map.Text("count", &spec->count);
  map.Text("landmarks", &spec->landmarks);
  map.Text("quality", &spec->quality);
  map.Text("offsets", &spec->offsets);
  map.Text("pafs", &spec->pafs);
  map.Text("tensor", &spec->tensor);
  map.Texts("tensors", &spec->tensors);
  ReadHeads(problems, map, spec);
  ReadValues(problems, map, spec);
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
  ReadAnchors(problems, map, spec);
  ReadAnchorRule(problems, map, spec);
  map.Numbers("strides", &spec->strides, 1, 4096, 1, 16);
  ReadForm(problems, map, spec);
  map.Number("nms_iou", &spec->nms_iou, 0.0F, 1.0F);
  map.Number("merge_iou", &spec->merge_iou, 0.0F, 1.0F);
  map.Flag("nms_per_label", &spec->nms_per_label);
  map.Number("top_k", &spec->top_k, 1, 100'000);
  map.Number("score_scale", &spec->score_scale, 1e-12F, kLargestNumber);
  map.Number("score_zero", &spec->score_zero, -kLargestNumber, kLargestNumber);
  CheckOutput(map, *spec);
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

void ReadLabels(MapReader& map, const LabelFileReader& read_label_file, std::vector<std::string>* labels) {
  map.Texts("labels", labels);
  std::string file;
  map.Text("labels_file", &file);
  if (!map.Has("labels_file")) return;
  if (map.Has("labels")) return map.Report("labels_file", "labels and labels_file exclude each other");
  // A card may come from elsewhere: it can name only files of its own folder.
  if (file.empty() || file.find('/') != std::string::npos || file == "..") {
    return map.Report("labels_file", "expected the name of a file beside the card");
  }
  const Result<std::string> text = read_label_file(file);
  if (!text.ok()) return map.Report("labels_file", text.error().message);
  *labels = Lines(ToUtf8(text.value()));
  if (labels->empty() || labels->size() > kMostLabels) {
    map.Report("labels_file", fmt::format("{}: expected 1 to {} lines, one label each", file, kMostLabels));
  }
}

void CheckHash(MapReader& map, const std::string& hash) {
  if (!hash.empty() && !IsSha256(hash)) {
    map.Report("sha256", "expected 64 hexadecimal digits in lower case");
  }
}

void ReadTask(MapReader& map, ModelCard* card) {
  const std::string_view task = TaskOf(card->output.kind);
  card->task = task;
  std::string given(task);
  map.Text("task", &given);
  if (given != task) {
    map.Report("task",
               fmt::format("'{}' does not go with decoder {}; allowed: {}", given, ToString(card->output.kind), task));
  }
}

ModelCard ReadCard(Problems& problems, const nlohmann::json& root, const LabelFileReader& read_label_file) {
  ModelCard card;
  MapReader map(problems, root, "");
  map.Text("name", &card.name);
  map.Text("licence", &card.licence);
  map.Text("source", &card.source);
  map.Text("sha256", &card.sha256);
  map.Number("version", &card.version, 1, 1'000'000'000);
  CheckHash(map, card.sha256);
  if (const auto* input = map.Take("input")) ReadInput(problems, *input, &card.input);
  if (const auto* output = map.Take("output")) {
    ReadOutput(problems, *output, &card.output);
  } else {
    map.Report("output", "is missing");
  }
  ReadTask(map, &card);
  ReadLabels(map, read_label_file, &card.labels);
  ReadVariants(problems, map, &card.variants);
  map.Number("threshold", &card.threshold, 0.0F, 1.0F);
  const bool needs_picture = card.output.kind != OutputDecoderKind::kRaw;
  if (needs_picture && problems.empty() && (card.input.width == 0 || card.input.height == 0)) {
    map.Report("input", "width and height are missing");
  }
  CheckTogether(map, card);
  map.RefuseOtherKeys();
  return card;
}

}  // namespace

std::string_view ToString(OutputDecoderKind kind) { return NameOf(kDecoderNames, kind); }

Result<ModelCard> ParseModelCard(const std::string& text, const std::string& file_name,
                                 const LabelFileReader& read_label_file) {
  DE_TRY(const YamlDocument document, ParseYaml(text, file_name));
  Problems problems;
  ModelCard card = ReadCard(problems, document.json(), read_label_file);
  if (!problems.empty()) return ToError(document.source(), std::move(problems));
  return card;
}

Result<ModelCard> LoadModelCard(const Path& path) {
  DE_TRY(const std::string text, ReadFile(path, kMaxYamlBytes));
  return ParseModelCard(text, path.string(), [&path](const std::string& name) {
    return ReadFile(path.parent_path() / name, kLargestLabelFile);
  });
}

}  // namespace deepedge
