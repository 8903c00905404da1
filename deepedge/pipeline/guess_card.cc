// GuessCard of describe_model.h: what a graph tells of itself, carefully.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "deepedge/model/catalogue.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/pipeline/describe_model.h"

namespace deepedge {
namespace {

constexpr std::string_view kCardHelp =
    "put a model.yaml beside it that gives input (layout, width, height, color, mean, std, resize), output.decoder and "
    "labels";

std::string Describe(const std::vector<TensorSpec>& tensors) {
  std::string text;
  for (const TensorSpec& tensor : tensors) {
    text +=
        fmt::format("{}{} {} {}", text.empty() ? "" : ", ", tensor.name, ToString(tensor.shape), ToString(tensor.type));
  }
  return text;
}

Error CannotGuess(const std::string& name, std::string_view reason) {
  return {ErrorCode::kBadInput,
          fmt::format("model '{}': {}, and there is no card for it: {}", name, reason, kCardHelp)};
}

std::string NameOf(const ModelFiles& files) {
  const Path path = files.graph.lexically_normal();
  const Path last = path.has_filename() ? path : path.parent_path();
  const bool is_folder = files.format == ModelFormat::kTfSavedModel;
  std::string name = is_folder ? last.filename().string() : last.stem().string();
  // Names that say nothing: take the folder's.
  const bool digits =
      !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits || name == "model" || name == "__model__" || name == "saved_model" || name == "inference") {
    Path folder = last.parent_path();
    const std::string parent = folder.filename().string();
    if (!parent.empty() && std::all_of(parent.begin(), parent.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      folder = folder.parent_path();
    }
    if (!folder.filename().empty()) name = folder.filename().string();
  }
  return name;
}

// The picture that a graph takes, or why it takes none.
Result<PictureInput> GuessPicture(const std::string& name, const GraphInfo& graph) {
  if (graph.inputs.size() != 1) {
    return CannotGuess(name, fmt::format("it has {} inputs ({})", graph.inputs.size(), Describe(graph.inputs)));
  }
  const TensorSpec& tensor = graph.inputs.front();
  const Shape& shape = tensor.shape;
  const bool one_picture = shape.size() == 4 && (shape[0] == 1 || shape[0] < 0);
  const bool nchw = one_picture && shape[1] == 3;
  const bool nhwc = one_picture && shape[3] == 3;
  if (!nchw && !nhwc) {
    return CannotGuess(
        name, fmt::format("its input is no picture of three colours: {} {}", ToString(shape), ToString(tensor.type)));
  }
  PictureInput input{.tensor = tensor.name, .layout = nchw ? TensorLayout::kNchw : TensorLayout::kNhwc};
  const int64_t height = nchw ? shape[2] : shape[1];
  const int64_t width = nchw ? shape[3] : shape[2];
  if (width < 1 || height < 1 || width > 16384 || height > 16384) {
    return CannotGuess(name, fmt::format("the size of its input {} is not fixed", ToString(shape)));
  }
  input.width = static_cast<int>(width);
  input.height = static_cast<int>(height);
  return input;
}

bool IsRows(const Shape& shape, int64_t columns) { return shape.size() >= 2 && shape.back() == columns; }

// Elements of a shape with one dimension other than 1; a free batch counts as 1.
int64_t ListLength(const Shape& shape) {
  int64_t length = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1 || (i == 0 && shape[i] < 0)) continue;
    if (shape[i] < 0 || length != 1) return 0;
    length = shape[i];
  }
  return length;
}

int64_t YoloxRows(const PictureInput& input) {
  int64_t rows = 0;
  for (const int stride : {8, 16, 32}) rows += int64_t{input.width / stride} * (input.height / stride);
  return rows;
}

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Builds a guess step by step; every step leaves a sentence.
class Guess {
 public:
  Guess(const ModelFiles& files, const GraphInfo& graph, std::string name, PictureInput input)
      : files_(files), graph_(graph) {
    description_.card.name = std::move(name);
    description_.card.input = std::move(input);
  }

  Result<ModelDescription> Make() {
    ModelCard& card = description_.card;
    const bool known = TrySsd() || TryYolox() || TryDetections() || TryClassification();
    if (!known) {
      return CannotGuess(card.name,
                         fmt::format("its outputs are of no form that is known: {}", Describe(graph_.outputs)));
    }
    if (card.labels.empty()) Assume("the labels are unknown: classes are called 'class 0', 'class 1' and so on");
    return std::move(description_);
  }

 private:
  bool TrySsd() {
    if (graph_.outputs.size() != 1) return false;
    const bool by_operation = !graph_.output_operations.empty() && graph_.output_operations[0] == "DetectionOutput";
    const Shape& shape = graph_.outputs[0].shape;
    const bool by_shape = shape.size() == 4 && shape[0] == 1 && shape[1] == 1 && shape[3] == 7;
    if (!IsRows(shape, 7) || !(by_operation || by_shape)) return false;
    Begin(OutputDecoderKind::kSsd, "detection", "rows of image, label, score, x1, y1, x2, y2");
    AssumeValues(files_.format == ModelFormat::kOpenVinoIr ? ChannelOrder::kBgr : ChannelOrder::kRgb);
    return true;
  }

  bool TryYolox() {
    if (graph_.outputs.size() != 1) return false;
    const Shape& shape = graph_.outputs[0].shape;
    PictureInput& input = description_.card.input;
    if (shape.size() != 3 || shape[1] != YoloxRows(input) || shape[2] < 6) return false;
    Begin(OutputDecoderKind::kYolox, "detection", "YOLOX rows on grids of strides 8, 16, 32");
    input.resize = ResizeRule::kLetterboxTopLeft;
    AssumeValues(ChannelOrder::kBgr);
    if (shape[2] == 85) AssumeLabels("coco80.txt", "80 classes");
    return true;
  }

  bool TryDetections() {
    if (graph_.outputs.size() != 3 && graph_.outputs.size() != 4) return false;
    std::array<bool, 3> seen{};
    for (const TensorSpec& output : graph_.outputs) {
      if (output.name.find("detection_boxes") != std::string::npos) seen[0] = IsRows(output.shape, 4);
      if (output.name.find("detection_classes") != std::string::npos) seen[1] = true;
      if (output.name.find("detection_scores") != std::string::npos) seen[2] = true;
    }
    if (!seen[0] || !seen[1] || !seen[2]) return false;
    Begin(OutputDecoderKind::kDetections, "detection", "boxes, classes, scores, suppressed inside the graph");
    description_.card.output.label_offset = 1;
    Assume("the first label is class 1");
    AssumeValues(ChannelOrder::kRgb);
    return true;
  }

  bool TryClassification() {
    if (graph_.outputs.size() != 1) return false;
    const Shape& shape = graph_.outputs[0].shape;
    const bool flat = shape.size() == 2 || (shape.size() == 4 && ListLength(shape) == std::max(shape[1], shape[3]));
    const int64_t classes = flat ? ListLength(shape) : 0;
    if (classes < 2 || classes > 100'000) return false;
    // A power of two without a softmax is more likely an embedding than a list of classes.
    if (!GivesProbabilities() && classes >= 64 && (classes & (classes - 1)) == 0) return false;
    Begin(OutputDecoderKind::kClassification, "classification", fmt::format("scores of {} classes", classes));
    AssumeActivation();
    AssumeImageNetValues();
    if (classes == 1000) AssumeLabels("imagenet1000.txt", "1000 classes");
    if (classes == 1001) {
      AssumeLabels("imagenet1000.txt", "1001 classes");
      description_.card.output.label_offset = 1;
      description_.card.output.background = 0;
    }
    return true;
  }

  void Begin(OutputDecoderKind kind, std::string_view task, std::string_view form) {
    description_.card.output.kind = kind;
    description_.card.task = task;
    Assume(fmt::format("output '{}' {} holds {}", graph_.outputs[0].name, ToString(graph_.outputs[0].shape), form));
  }

  bool GivesProbabilities() const {
    const std::string operation = graph_.output_operations.empty() ? "" : LowerCase(graph_.output_operations[0]);
    const std::string name = LowerCase(graph_.outputs[0].name);
    return operation.find("softmax") != std::string::npos || name.find("soft") != std::string::npos ||
           name.find("prob") != std::string::npos;
  }

  void AssumeActivation() {
    const bool probabilities = GivesProbabilities();
    description_.card.output.softmax = !probabilities;
    Assume(probabilities ? "the scores are probabilities already" : "the scores are logits: softmax is applied");
  }

  void AssumeValues(ChannelOrder order) {
    PictureInput& input = description_.card.input;
    input.order = order;
    if (files_.format == ModelFormat::kTflite && graph_.inputs[0].type == ElementType::kF32) {
      input.mean.fill(127.5F);
      input.std.fill(127.5F);
    }
    AssumeInput();
  }

  void AssumeImageNetValues() {
    PictureInput& input = description_.card.input;
    const bool whole_bytes = graph_.inputs[0].type == ElementType::kU8;
    switch (files_.format) {
      case ModelFormat::kOnnx:
      case ModelFormat::kPaddle:
        if (!whole_bytes) {
          input.mean = {123.675F, 116.28F, 103.53F};
          input.std = {58.395F, 57.12F, 57.375F};
        }
        return AssumeInput();
      case ModelFormat::kTfFrozen:
      case ModelFormat::kTfSavedModel:
      case ModelFormat::kTflite:
        if (!whole_bytes) {
          input.mean.fill(127.5F);
          input.std.fill(127.5F);
        }
        return AssumeInput();
      case ModelFormat::kOpenVinoIrOld:
      case ModelFormat::kCaffe:
      case ModelFormat::kCntkV1:
      case ModelFormat::kCntkV2:
      case ModelFormat::kDarknet:
      case ModelFormat::kTorch7:
      case ModelFormat::kOpenVinoIr: input.order = ChannelOrder::kBgr; return AssumeInput();
    }
  }

  void AssumeInput() {
    const PictureInput& input = description_.card.input;
    Assume(fmt::format("input '{}' is one {} picture, {}x{}, {}, values (v - {}) / {} with v from 0 to 255, {}",
                       input.tensor, input.layout == TensorLayout::kNchw ? "NCHW" : "NHWC", input.width, input.height,
                       input.order == ChannelOrder::kRgb ? "RGB" : "BGR", input.mean[0], input.std[0],
                       input.resize == ResizeRule::kStretch ? "stretched" : "letterboxed"));
  }

  void AssumeLabels(std::string_view list, std::string_view reason) {
    description_.card.labels = CatalogueLabels(list);
    Assume(fmt::format("{}: labels are those of {}", reason, list));
  }

  void Assume(std::string sentence) { description_.assumptions.push_back(std::move(sentence)); }

  const ModelFiles& files_;
  const GraphInfo& graph_;
  ModelDescription description_{.origin = CardOrigin::kGuess};
};

}  // namespace

Result<ModelDescription> GuessCard(const ModelFiles& files, const GraphInfo& graph) {
  const std::string name = NameOf(files);
  DE_TRY(PictureInput input, GuessPicture(name, graph));
  return Guess(files, graph, name, std::move(input)).Make();
}

}  // namespace deepedge
