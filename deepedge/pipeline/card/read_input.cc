// ReadInput of write_card.h. What is said comes first, then what the graph shows, then what the family takes, then
// what networks of the format take.
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "deepedge/pipeline/card/write_card.h"

namespace deepedge {
namespace {

struct Reading {
  double confidence = 0;
  std::string reason;
};

std::string_view ToString(ChannelOrder order) {
  switch (order) {
    case ChannelOrder::kRgb: return "rgb";
    case ChannelOrder::kBgr: return "bgr";
    case ChannelOrder::kGray: return "gray";
  }
  return "?";
}

std::string_view ToString(ResizeRule rule) {
  switch (rule) {
    case ResizeRule::kStretch: return "stretch";
    case ResizeRule::kLetterboxTopLeft: return "letterbox_top_left";
    case ResizeRule::kLetterboxCentered: return "letterbox_centered";
  }
  return "?";
}

bool IsCntk(ModelFormat format) { return format == ModelFormat::kCntkV1 || format == ModelFormat::kCntkV2; }
// Did a network come out of Caffe by way of another format? Its tensors keep Caffe's names.
bool NamedAsInCaffe(const Evidence& evidence) {
  const std::string& input = evidence.graph.inputs.front().name;
  if (evidence.format == ModelFormat::kTfFrozen) return input == "data";
  return evidence.format == ModelFormat::kOnnx &&
         (input == "data_0" || input == "gpu_0/data_0" || input == "gpu_0/data");
}

double Mean(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += std::abs(static_cast<double>(value));
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// A graph that standardises its input tells what comes in: numbers around `mean`, spread by `std`.
std::optional<ValueRule> RuleFromGraph(const InputFacts& facts) {
  if (facts.mean.empty()) return std::nullopt;
  const double signed_mean =
      std::accumulate(facts.mean.begin(), facts.mean.end(), 0.0) / static_cast<double>(facts.mean.size());
  const double spread = Mean(facts.std);
  if (spread >= 30 && spread <= 300 && signed_mean >= 60 && signed_mean <= 180) return kBytes;
  if (spread >= 200 && spread <= 300 && std::abs(signed_mean) < 1) return kBytes;
  if (spread >= 0.15 && spread <= 0.6 && signed_mean >= 0.2 && signed_mean <= 0.65) return kUnit;
  if (spread <= 0.006 && std::abs(signed_mean) < 0.1) return kUnit;  // times 255
  if (spread <= 0.01 && signed_mean <= -0.9 && signed_mean >= -1.1) return kPlusMinusOne;
  if (spread <= 1.1 && spread >= 0.9 && signed_mean >= 60 && signed_mean <= 180) return kBytes;  // minus the mean only
  return std::nullopt;
}

bool Near(float a, double b, double tolerance) { return std::abs(static_cast<double>(a) - b) <= tolerance; }

// The range that a quantised graph was calibrated on.
std::optional<ValueRule> RuleFromRange(const std::array<float, 2>& range) {
  const auto [low, high] = range;
  if (Near(low, 0, 2) && Near(high, 255, 16)) return kBytes;
  if (Near(low, 0, 0.02) && Near(high, 1, 0.1)) return kUnit;
  if (Near(low, -1, 0.1) && Near(high, 1, 0.1)) return kPlusMinusOne;
  if (Near(low, -2.1, 0.4) && Near(high, 2.5, 0.4)) return kImageNetRgb;
  if (Near(low, -123, 8) && Near(high, 151, 8)) return kCaffeBgr;
  return std::nullopt;
}

struct FormatHabit {
  ChannelOrder order = ChannelOrder::kRgb;
  ValueRule values;
  double confidence = 0.5;
  const char* reason = "";
};

FormatHabit HabitOf(const Evidence& evidence) {
  if (NamedAsInCaffe(evidence))
    return {ChannelOrder::kBgr, kCaffeBgr, 0.65,
            "tensors are called as networks from Caffe call them: BGR minus the ImageNet mean"};
  switch (evidence.format) {
    case ModelFormat::kOnnx:
      if (evidence.picture && evidence.picture->layout == TensorLayout::kNhwc) {
        return {ChannelOrder::kRgb, kUnit, 0.55,
                "colours come last, as TensorFlow has them, whose networks often take 0 to 1"};
      }
      return {ChannelOrder::kRgb, kImageNetRgb, 0.6,
              "most ONNX files come from PyTorch, whose networks take ImageNet's mean and deviation"};
    case ModelFormat::kPaddle:
      return {ChannelOrder::kRgb, kImageNetRgb, 0.65, "Paddle's networks take ImageNet's mean and deviation"};
    case ModelFormat::kTfFrozen:
    case ModelFormat::kTfSavedModel:
      return {ChannelOrder::kRgb, kPlusMinusOne, 0.55, "most TensorFlow networks take -1 to 1"};
    case ModelFormat::kTflite:
      return {ChannelOrder::kRgb, kPlusMinusOne, 0.6, "most TFLite networks of floats take -1 to 1"};
    case ModelFormat::kOpenVinoIr:
    case ModelFormat::kOpenVinoIrOld:
      return {ChannelOrder::kBgr, kBytes, 0.8, "Open Model Zoo's networks take BGR as it is"};
    case ModelFormat::kCaffe:
      return {ChannelOrder::kBgr, kCaffeBgr, 0.6, "Caffe's networks take BGR minus the ImageNet mean"};
    case ModelFormat::kCntkV1:
    case ModelFormat::kCntkV2: return {ChannelOrder::kBgr, kBytes, 0.5, "CNTK reads pictures as BGR"};
    case ModelFormat::kDarknet: return {ChannelOrder::kRgb, kUnit, 0.95, "Darknet's networks take RGB / 255"};
    case ModelFormat::kTorch7: return {ChannelOrder::kRgb, kUnit, 0.5, "Torch reads pictures as RGB / 255"};
  }
  return {};
}

class InputReader {
 public:
  InputReader(const Evidence& evidence, const InputHabit& habit)
      : evidence_(evidence), habit_(habit), picture_(*evidence.picture) {}

  InputReading Read() {
    reading_.input.tensor = picture_.tensor;
    reading_.input.patches = picture_.patches;
    if (picture_.patches > 0) reading_.input.patch_size = habit_.patch_size;
    ReadLayout();
    ReadSize();
    ReadOrder();
    ReadValues();
    ReadResize();
    return std::move(reading_);
  }

 private:
  void Note(const char* field, std::string value, double confidence, std::string reason) {
    reading_.findings.push_back({field, std::move(value), confidence, std::move(reason), {}});
  }

  void ReadLayout() {
    reading_.input.layout = picture_.layout;
    const bool nchw = picture_.layout == TensorLayout::kNchw;
    reading_.input.transposed = habit_.transposed;
    if (habit_.transposed) {
      return Note("input.layout", nchw ? "nchw, transposed" : "nhwc, transposed", habit_.confidence,
                  "networks of this family were made with column-major pictures");
    }
    Note("input.layout", nchw ? "nchw" : "nhwc", picture_.layout_known ? 0.99 : 0.95,
         picture_.layout_known ? "the first convolution reads it so"
                               : fmt::format("{} is the dimension of colours", nchw ? "the second" : "the last"));
  }

  void ReadSize() {
    PictureInput& input = reading_.input;
    input.width = picture_.width;
    input.height = picture_.height;
    double confidence = 0.99;
    std::string reason = "the graph's own";
    if (habit_.pyramid > 0) {
      input.pyramid = habit_.pyramid;
      input.width = habit_.free_width;
      input.height = habit_.free_height;
      const auto text = fmt::format("{}x{} and {} times smaller", input.width, input.height, habit_.pyramid);
      return Note("input.size", text, 0.8, "networks of this family look at a picture in several sizes");
    }
    if (input.width == 0 || input.height == 0) {
      int width = habit_.free_width > 0 ? habit_.free_width : 224;
      int height = habit_.free_height > 0 ? habit_.free_height : 224;
      confidence = 0.5;
      reason = "the graph takes any size: a usual one of such networks";
      if (evidence_.notes.size) {
        width = evidence_.notes.size->value[0];
        height = evidence_.notes.size->value[1];
        confidence = evidence_.notes.size->confidence;
        reason = fmt::format("{} says so", evidence_.notes.size->where);
      }
      if (input.width == 0) input.width = width;
      if (input.height == 0) input.height = height;
    }
    Note("input.size", fmt::format("{}x{}", input.width, input.height), confidence, reason);
  }

  void ReadOrder() {
    const FormatHabit format = HabitOf(evidence_);
    Reading reading{format.confidence, format.reason};
    ChannelOrder order = format.order;
    if (habit_.order) {
      order = *habit_.order;
      reading = {habit_.confidence, "networks of this family take it so"};
    }
    if (evidence_.notes.order) {
      order = evidence_.notes.order->value;
      reading = {evidence_.notes.order->confidence, fmt::format("{} says so", evidence_.notes.order->where)};
    }
    if (picture_.channels == 1) {
      order = ChannelOrder::kGray;
      reading = {0.99, "the input has one channel"};
    }
    reading_.input.order = order;
    Note("input.color", std::string(ToString(order)), reading.confidence, reading.reason);
  }

  void ReadValues() {
    ValueRule rule = HabitOf(evidence_).values;
    Reading reading{HabitOf(evidence_).confidence, HabitOf(evidence_).reason};
    const InputFacts& facts = evidence_.InputFactsOf(0);
    if (picture_.channels == 1) {
      // ImageNet's numbers are for colours.
      const bool scaled = facts.std.size() == 1 && facts.std[0] != 1;
      rule = IsCntk(evidence_.format) || scaled || FromCntk() ? kBytes : kUnit;
      reading = {0.5, "grey pictures are mostly given so"};
    }
    const bool of_colours = habit_.values && habit_.values->mean[0] != habit_.values->mean[1];
    if (habit_.values && (picture_.channels != 1 || !of_colours)) {
      rule = *habit_.values;
      reading = {habit_.confidence, "networks of this family take it so"};
    }
    if (const auto seen = facts.range ? RuleFromRange(*facts.range) : std::nullopt) {
      const bool rough = *seen == kImageNetRgb || *seen == kCaffeBgr;
      rule = *seen;
      reading = {rough ? 0.8 : 0.9,
                 fmt::format("the graph was quantised for {:.4g} to {:.4g}", (*facts.range)[0], (*facts.range)[1])};
    }
    if (const auto seen = RuleFromGraph(facts)) {
      rule = *seen;
      reading = {0.92,
                 fmt::format("the graph itself takes {:.4g} away and divides by {:.4g}", facts.mean[0], facts.std[0])};
    }
    if (rule == kBytes && ScalesOnly(facts) && IsCntk(evidence_.format) && IsCifarPicture()) {
      rule = kCifarBgr;
      reading = {0.5, "the graph only scales: CNTK's networks for CIFAR take its mean away before"};
    }
    if (picture_.type == ElementType::kU8) {
      rule = kBytes;
      reading = {0.97, "the input takes bytes"};
    } else if (picture_.type == ElementType::kI8) {
      rule = ValueRule{{128, 128, 128}, {1, 1, 1}};
      reading = {0.9, "the input takes signed bytes"};
    }
    if (evidence_.notes.values && picture_.type != ElementType::kU8) {
      rule = evidence_.notes.values->value;
      reading = {evidence_.notes.values->confidence, fmt::format("{} says so", evidence_.notes.values->where)};
    } else if (reading_.input.order == ChannelOrder::kBgr && rule == kImageNetRgb) {
      rule = kImageNetBgr;
    }
    reading_.input.mean = rule.mean;
    reading_.input.std = rule.std;
    Note("input.values", ToString(rule), reading.confidence, reading.reason);
  }

  static bool ScalesOnly(const InputFacts& facts) { return !facts.mean.empty() && Mean(facts.mean) < 1; }
  bool IsCifarPicture() const { return picture_.channels == 3 && picture_.width == 32 && picture_.height == 32; }

  bool FromCntk() const {
    const auto producer = evidence_.graph.metadata.find("onnx.producer");
    if (producer != evidence_.graph.metadata.end()) return producer->second.find("CNTK") != std::string::npos;
    return evidence_.HasWord("cntk");
  }

  void ReadResize() {
    Reading reading{0.6, "nothing says otherwise"};
    PictureInput& input = reading_.input;
    input.resize = habit_.resize.value_or(ResizeRule::kStretch);
    input.pad = habit_.pad;
    if (habit_.resize) reading = {habit_.confidence, "networks of this family take it so"};
    if (evidence_.notes.resize) {
      input.resize = evidence_.notes.resize->value;
      reading = {evidence_.notes.resize->confidence, fmt::format("{} says so", evidence_.notes.resize->where)};
    }
    if (evidence_.notes.pad) input.pad = evidence_.notes.pad->value;
    Note("input.resize", std::string(ToString(input.resize)), reading.confidence, reading.reason);
  }

  const Evidence& evidence_;
  const InputHabit& habit_;
  const PictureShape& picture_;
  InputReading reading_;
};

}  // namespace

InputReading ReadInput(const Evidence& evidence, const InputHabit& habit) {
  return InputReader(evidence, habit).Read();
}

}  // namespace deepedge
