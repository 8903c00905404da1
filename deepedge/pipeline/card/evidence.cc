#include "deepedge/pipeline/card/evidence.h"

#include <fmt/format.h>

#include <algorithm>

#include "deepedge/base/text.h"
#include "deepedge/pipeline/card/finding.h"

namespace deepedge {
namespace {

constexpr int64_t kLargestSide = 16384;

bool OnlyDigits(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsChannels(int64_t size) { return size == 3 || size == 1; }

bool IsSide(int64_t size) { return size == -1 || (size >= 8 && size <= kLargestSide); }

bool LooksNchw(const Shape& shape) { return IsChannels(shape[1]) && IsSide(shape[2]) && IsSide(shape[3]); }
bool LooksNhwc(const Shape& shape) { return IsChannels(shape[3]) && IsSide(shape[1]) && IsSide(shape[2]); }

// Patches stacked along the channels: a network with a pair of numbers for each of them. 0 for anything else.
int PatchesOf(const GraphInfo& graph, const Shape& shape) {
  constexpr int64_t kMost = 32;
  const int64_t patches = shape[1] / 3;
  const bool several = shape[1] % 3 == 0 && patches >= 2 && patches <= kMost && IsSide(shape[2]) && IsSide(shape[3]);
  if (!several || graph.outputs.size() != static_cast<size_t>(patches)) return 0;
  const bool pairs = std::all_of(graph.outputs.begin(), graph.outputs.end(),
                                 [](const TensorSpec& output) { return ListLength(output.shape) == 2; });
  return pairs ? static_cast<int>(patches) : 0;
}

std::optional<PictureShape> FindPicture(const GraphInfo& graph, std::string* why_not) {
  if (graph.inputs.size() != 1) {
    *why_not = fmt::format("it has {} inputs ({})", graph.inputs.size(), DescribeTensors(graph.inputs));
    return std::nullopt;
  }
  const TensorSpec& tensor = graph.inputs.front();
  const InputFacts facts = graph.facts.inputs.empty() ? InputFacts{} : graph.facts.inputs[0];
  Shape shape = tensor.shape;
  if (shape.size() == 4 && facts.layout && facts.channels > 0) {  // an open number of channels is the convolution's
    int64_t& channels = shape[*facts.layout == TensorLayout::kNchw ? 1 : 3];
    if (channels < 0) channels = facts.channels;
  }
  *why_not =
      fmt::format("its input is no picture of three colours or of grey: {} {}", ToString(shape), ToString(tensor.type));
  if (shape.size() != 4) return std::nullopt;
  const int patches = PatchesOf(graph, shape);
  if (patches > 0) shape[1] = 3;
  const bool nchw = LooksNchw(shape);
  const bool nhwc = LooksNhwc(shape);
  if (!nchw && !nhwc) return std::nullopt;
  PictureShape picture{.tensor = tensor.name, .type = tensor.type, .patches = patches};
  const auto known = facts.layout;
  picture.layout = nchw ? TensorLayout::kNchw : TensorLayout::kNhwc;
  if (known && (*known == TensorLayout::kNchw ? nchw : nhwc)) {
    picture.layout = *known;
    picture.layout_known = true;
  }
  const bool channels_first = picture.layout == TensorLayout::kNchw;
  const int64_t channels = shape[channels_first ? 1 : 3];
  const int64_t height = shape[channels_first ? 2 : 1];
  const int64_t width = shape[channels_first ? 3 : 2];
  // A long strip of one channel is more likely sound or text: 1x49x10x1.
  if (channels == 1 && height > 0 && width > 0 && (height < 16 || width < 16)) return std::nullopt;
  picture.channels = static_cast<int>(channels);
  picture.height = static_cast<int>(std::max<int64_t>(height, 0));
  picture.width = static_cast<int>(std::max<int64_t>(width, 0));
  why_not->clear();
  return picture;
}

}  // namespace

std::string_view ConfidenceWord(double confidence) {
  if (confidence >= 0.9) return "certain";
  return confidence >= 0.6 ? "likely" : "guess";
}

std::string ToSentence(const Finding& finding) {
  return fmt::format("{}: {} ({}: {})", finding.field, finding.value, ConfidenceWord(finding.confidence),
                     finding.reason);
}

std::string ToString(const ValueRule& rule) {
  const auto list = [](const std::array<float, 3>& v) {
    return v[0] == v[1] && v[1] == v[2] ? fmt::format("{}", v[0]) : fmt::format("[{}, {}, {}]", v[0], v[1], v[2]);
  };
  const bool no_mean = rule.mean == kBytes.mean;
  const std::string minus = no_mean ? "v" : fmt::format("v - {}", list(rule.mean));
  if (rule.std == kBytes.std) return minus;
  return fmt::format(fmt::runtime(no_mean ? "{} / {}" : "({}) / {}"), minus, list(rule.std));
}

Shape WithoutBatch(const Shape& shape) {
  if (shape.size() > 1 && (shape[0] == 1 || shape[0] < 0)) return Shape(shape.begin() + 1, shape.end());
  return shape;
}

int64_t ListLength(const Shape& shape) {
  int64_t length = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1 || (i == 0 && shape[i] < 0 && shape.size() > 1)) continue;
    if (shape[i] < 0 || length != 1) return 0;
    length = shape[i];
  }
  return length;
}

std::string NameOfModel(const ModelFiles& files) {
  const Path path = files.graph.lexically_normal();
  const Path last = path.has_filename() ? path : path.parent_path();
  const bool is_folder = files.format == ModelFormat::kTfSavedModel;
  std::string name = is_folder ? last.filename().string() : last.stem().string();
  // Names that say nothing: take the folder's.
  if (OnlyDigits(name) || name == "model" || name == "__model__" || name == "saved_model" || name == "inference" ||
      name == "deploy" || name == "net" || name == "best" || name == "detect") {
    Path folder = last.parent_path();
    if (OnlyDigits(folder.filename().string())) folder = folder.parent_path();
    if (!folder.filename().empty()) name = folder.filename().string();
  }
  return name;
}

const OutputFacts& Evidence::Facts(size_t output) const {
  static const OutputFacts kNone;
  return output < graph.facts.outputs.size() ? graph.facts.outputs[output] : kNone;
}

const InputFacts& Evidence::InputFactsOf(size_t input) const {
  static const InputFacts kNone;
  return input < graph.facts.inputs.size() ? graph.facts.inputs[input] : kNone;
}

Evidence MakeEvidence(const ModelFiles& files, const GraphInfo& graph, Notes notes) {
  const Path last = files.graph.lexically_normal();
  Evidence evidence{.format = files.format,
                    .name = NameOfModel(files),
                    .words = LowerCase(last.parent_path().filename().string() + "/" + last.filename().string()),
                    .graph = graph,
                    .notes = std::move(notes),
                    .picture = std::nullopt,
                    .no_picture_because = {}};
  evidence.picture = FindPicture(graph, &evidence.no_picture_because);
  return evidence;
}

}  // namespace deepedge
