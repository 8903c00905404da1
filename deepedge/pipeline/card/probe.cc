#include "deepedge/pipeline/card/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "deepedge/media/pixel_ops.h"
#include "deepedge/model/model_card_names.h"
#include "deepedge/pipeline/card/probe_score.h"
#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {
namespace {

constexpr double kSettled = 0.9;  // findings from here on are not tried
constexpr size_t kMostPictures = 4;
constexpr int kMostClasses = 100;  // that a result names while trying

Finding* Find(const char* field, std::vector<Finding>* findings) {
  const auto it = std::find_if(findings->begin(), findings->end(), [&](const Finding& f) { return f.field == field; });
  return it == findings->end() ? nullptr : &*it;
}

bool IsOpen(const char* field, const WrittenCard& card) {
  for (const Finding& finding : card.findings) {
    if (finding.field == field) return finding.confidence < kSettled;
  }
  return false;
}

WrittenCard With(const WrittenCard& card, const char* field, std::string value) {
  WrittenCard other = card;
  if (Finding* finding = Find(field, &other.findings)) finding->value = std::move(value);
  return other;
}

bool IsDetection(const ModelCard& card) { return TaskOf(card.output.kind) == "detection"; }

// Numbers that a network could not tell apart.
bool Alike(const ValueRule& a, const ValueRule& b) {
  for (size_t c = 0; c < 3; ++c) {
    if (std::abs(a.mean[c] - b.mean[c]) > 0.05F * std::max(a.std[c], b.std[c]) ||
        std::abs(a.std[c] / b.std[c] - 1) > 0.05F)
      return false;
  }
  return true;
}

WrittenCard WithValues(const WrittenCard& card, const ValueRule& rule) {
  WrittenCard other = With(card, "input.values", ToString(rule));
  other.card.input.mean = rule.mean;
  other.card.input.std = rule.std;
  return other;
}

void AddValues(const WrittenCard& card, std::vector<WrittenCard>* others) {
  const ValueRule usual{card.card.input.mean, card.card.input.std};
  const bool gray = card.card.input.order == ChannelOrder::kGray;
  const bool bgr = card.card.input.order == ChannelOrder::kBgr;
  std::vector<ValueRule> rules{kUnit, kPlusMinusOne, kBytes};
  if (!gray) rules.push_back(bgr ? kImageNetBgr : kImageNetRgb);
  if (!gray) rules.push_back(bgr ? kCaffeBgr : ValueRule{{123, 117, 104}, {1, 1, 1}});
  for (const ValueRule& rule : rules) {
    if (!Alike(rule, usual)) others->push_back(WithValues(card, rule));
  }
}

WrittenCard WithOtherOrder(const WrittenCard& card) {
  const bool to_bgr = card.card.input.order == ChannelOrder::kRgb;
  WrittenCard other = With(card, "input.color", to_bgr ? "bgr" : "rgb");
  PictureInput& input = other.card.input;
  input.order = to_bgr ? ChannelOrder::kBgr : ChannelOrder::kRgb;
  std::swap(input.mean[0], input.mean[2]);
  std::swap(input.std[0], input.std[2]);
  if (Finding* values = Find("input.values", &other.findings))
    values->value = ToString(ValueRule{input.mean, input.std});
  return other;
}

// A picture mirrored, and one of noise in blocks of its colours: nothing to see in it.
RgbPicture MirrorOf(const RgbPicture& picture) {
  RgbPicture mirror = picture;
  const auto width = static_cast<size_t>(picture.width);
  for (size_t y = 0; y < static_cast<size_t>(picture.height); ++y) {
    for (size_t x = 0; x < width; ++x) {
      std::memcpy(&mirror.pixels[(y * width + x) * 3], &picture.pixels[(y * width + width - 1 - x) * 3], 3);
    }
  }
  return mirror;
}

RgbPicture NoiseOf(const RgbPicture& picture) {
  constexpr size_t kBlock = 8;
  RgbPicture noise = picture;
  const auto width = static_cast<size_t>(picture.width);
  const auto height = static_cast<size_t>(picture.height);
  uint32_t state = 12345;
  for (size_t y = 0; y < height; y += kBlock) {
    for (size_t x = 0; x < width; x += kBlock) {
      state = state * 1664525U + 1013904223U;
      const size_t from_x = (state >> 8) % width;
      state = state * 1664525U + 1013904223U;
      const size_t from_y = (state >> 8) % height;
      for (size_t dy = 0; dy < kBlock && y + dy < height; ++dy) {
        for (size_t dx = 0; dx < kBlock && x + dx < width; ++dx) {
          std::memcpy(&noise.pixels[((y + dy) * width + x + dx) * 3], &picture.pixels[(from_y * width + from_x) * 3],
                      3);
        }
      }
    }
  }
  return noise;
}

RgbPicture CropOf(const RgbPicture& picture, double x1, double y1, double x2, double y2) {
  const int left = static_cast<int>(x1 * picture.width);
  const int top = static_cast<int>(y1 * picture.height);
  RgbPicture crop{.width = std::max(1, static_cast<int>(x2 * picture.width) - left),
                  .height = std::max(1, static_cast<int>(y2 * picture.height) - top),
                  .pixels = {}};
  const auto row_bytes = static_cast<size_t>(crop.width) * 3;
  crop.pixels.resize(row_bytes * static_cast<size_t>(crop.height));
  for (int y = 0; y < crop.height; ++y) {
    const size_t from =
        (static_cast<size_t>(top + y) * static_cast<size_t>(picture.width) + static_cast<size_t>(left)) * 3;
    std::memcpy(&crop.pixels[static_cast<size_t>(y) * row_bytes], &picture.pixels[from], row_bytes);
  }
  return crop;
}

// Does a network say one thing of the whole picture?
bool SeesParts(const ModelCard& card) {
  return card.output.kind == OutputDecoderKind::kClassification || card.output.kind == OutputDecoderKind::kEmbedding;
}

// Detectors see whole pictures; what says one thing of a picture sees parts of it too.
std::vector<RgbPicture> PartsOf(const std::vector<RgbPicture>& pictures, const ModelCard& card) {
  std::vector<RgbPicture> parts;
  for (size_t i = 0; i < pictures.size() && i < kMostPictures; ++i) {
    if (pictures[i].width < 8 || pictures[i].height < 8) continue;
    parts.push_back(pictures[i]);
    if (!SeesParts(card)) continue;
    for (const auto& [x, y] :
         std::initializer_list<std::pair<double, double>>{{0, 0}, {0.5, 0}, {0, 0.5}, {0.5, 0.5}, {0.25, 0.25}}) {
      parts.push_back(CropOf(pictures[i], x, y, x + 0.5, y + 0.5));
    }
  }
  return parts;
}

uint16_t ToHalf(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t sign = (bits >> 16) & 0x8000U;
  const int exponent = static_cast<int>((bits >> 23) & 0xFFU) - 127 + 15;
  if (exponent <= 0) return static_cast<uint16_t>(sign);
  if (exponent >= 31) return static_cast<uint16_t>(sign | 0x7C00U);
  return static_cast<uint16_t>(sign | (static_cast<uint32_t>(exponent) << 10) | ((bits >> 13) & 0x3FFU));
}

Status Store(float value, size_t index, const MutableTensorView& tensor) {
  switch (tensor.type) {
    case ElementType::kF32: tensor.As<float>()[index] = value; return {};
    case ElementType::kF16: tensor.As<uint16_t>()[index] = ToHalf(value); return {};
    case ElementType::kU8:
      tensor.As<uint8_t>()[index] = static_cast<uint8_t>(std::clamp(std::round(value), 0.0F, 255.0F));
      return {};
    case ElementType::kI8:
      tensor.As<int8_t>()[index] = static_cast<int8_t>(std::clamp(std::round(value), -128.0F, 127.0F));
      return {};
    case ElementType::kBool:
    case ElementType::kU16:
    case ElementType::kI16:
    case ElementType::kU32:
    case ElementType::kI32:
    case ElementType::kU64:
    case ElementType::kI64:
    case ElementType::kF64: break;
  }
  return Error{ErrorCode::kUnsupported, fmt::format("pictures of type {} are not tried", ToString(tensor.type))};
}

class Prober {
 public:
  explicit Prober(CompiledModel& model) : model_(model) {}

  // How sane the results are with this card, or nothing where that cannot be said. `parts` is not empty.
  Result<std::optional<Sanity>> Try(ModelCard card, const std::vector<RgbPicture>& parts) {
    card.output.top_k = kMostClasses;
    const float threshold = card.threshold;
    card.threshold = threshold / 2;
    const bool of_all = SeesParts(card);
    DE_TRY(const auto decoder, MakeOutputDecoder(card, model_.outputs()));
    ProbeResults results{.threshold = threshold};
    for (const RgbPicture& part : parts) {
      ProbePair pair;
      DE_TRY(pair.seen, Run(card, *decoder, part));
      DE_TRY(pair.mirrored, Run(card, *decoder, MirrorOf(part)));
      if (of_all) {
        DE_TRY(pair.nearer, Run(card, *decoder, CropOf(part, 0.06, 0.06, 0.94, 0.94)));
      }
      results.parts.push_back(std::move(pair));
    }
    DE_TRY(results.noise, Run(card, *decoder, NoiseOf(parts.front())));
    return SanityOf(results);
  }

 private:
  Result<InferenceResult> Run(const ModelCard& card, const OutputDecoder& decoder, const RgbPicture& picture) {
    const PictureInput& input = card.input;
    const int channels = ChannelCount(input.order);
    const auto plane = static_cast<size_t>(input.width) * static_cast<size_t>(input.height);
    packed_.resize(plane * static_cast<size_t>(channels));
    const Placement place = PlacePicture(input.resize, picture.width, picture.height, input.width, input.height);
    DE_TRY_STATUS(scaler_.ScaleInto(picture.View(), place, input.order, input.pad, packed_));
    const bool nchw = input.layout == TensorLayout::kNchw;
    const Shape shape =
        nchw ? Shape{1, channels, input.height, input.width} : Shape{1, input.height, input.width, channels};
    if (!IsStatic(model_.inputs()[0].shape)) {
      DE_TRY_STATUS(model_.ResizeInput(0, 0, shape));
    }
    const MutableTensorView tensor = model_.Input(0, 0);
    if (ElementCount(tensor.shape) != static_cast<int64_t>(packed_.size())) {
      return Error{ErrorCode::kUnsupported, "the graph takes several pictures at a time"};
    }
    for (size_t i = 0; i < plane; ++i) {
      for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
        const float value =
            (static_cast<float>(packed_[i * static_cast<size_t>(channels) + c]) - input.mean[c]) / input.std[c];
        DE_TRY_STATUS(Store(value, nchw ? c * plane + i : i * static_cast<size_t>(channels) + c, tensor));
      }
    }
    DE_TRY_STATUS(model_.Run(0));
    std::vector<TensorView> outputs;
    for (size_t i = 0; i < model_.outputs().size(); ++i) outputs.push_back(model_.Output(0, i));
    return decoder.Decode(outputs, place);
  }

  CompiledModel& model_;
  PictureScaler scaler_;
  std::vector<uint8_t> packed_;
};

// How sure the evidence is of what the other card has differently.
double PriorAgainst(const WrittenCard& usual, const WrittenCard& other) {
  double prior = 0.5;
  for (size_t i = 0; i < usual.findings.size() && i < other.findings.size(); ++i) {
    if (usual.findings[i].value != other.findings[i].value) prior = std::max(prior, usual.findings[i].confidence);
  }
  return prior;
}

struct Scored {
  WrittenCard card;
  Sanity sanity;
};

// What was settled by trying: said in the findings.
void NoteDifferences(const WrittenCard& usual, const Sanity& usual_sanity, const Sanity& best_sanity,
                     WrittenCard* best) {
  for (Finding& finding : best->findings) {
    for (const Finding& before : usual.findings) {
      if (before.field != finding.field || before.value == finding.value) continue;
      finding.alternatives.push_back(fmt::format("{} ({})", before.value, before.reason));
      finding.confidence = 0.85;
      finding.reason = fmt::format("tried on the pictures: {:.2f} against {:.2f} for {}", best_sanity.value,
                                   usual_sanity.value, before.value);
    }
  }
}

// What the pictures did not speak against gains.
void Confirm(const Sanity& usual_sanity, const Sanity& next_sanity, const char* field, WrittenCard* card) {
  Finding* finding = Find(field, &card->findings);
  if (finding == nullptr || finding->confidence >= kSettled || !IsClearlySaner(usual_sanity, next_sanity, 0.5)) return;
  finding->confidence = std::max(finding->confidence, 0.88);
  finding->reason +=
      fmt::format("; tried on the pictures: {:.2f}, the next {:.2f}", usual_sanity.value, next_sanity.value);
}

}  // namespace

std::vector<WrittenCard> OtherReadings(const WrittenCard& card) {
  std::vector<WrittenCard> others;
  const bool gray = card.card.input.order == ChannelOrder::kGray;
  const bool values = IsOpen("input.values", card);
  if (values) AddValues(card, &others);
  if (IsOpen("input.color", card) && !gray) {
    const WrittenCard other_order = WithOtherOrder(card);
    others.push_back(other_order);
    if (values) AddValues(other_order, &others);
  }
  const OutputDecoderKind kind = card.card.output.kind;
  const bool scaled = kind == OutputDecoderKind::kBoxesScores || kind == OutputDecoderKind::kDetections ||
                      kind == OutputDecoderKind::kDetectionRows;
  if (scaled && IsOpen("output.decoder", card)) {
    WrittenCard other =
        With(card, "output.decoder", card.card.output.normalized ? "boxes in pixels" : "boxes in fractions");
    other.card.output.normalized = !card.card.output.normalized;
    others.push_back(std::move(other));
  }
  return others;
}

Result<WrittenCard> ProbeReadings(Engine& engine, const ModelFiles& files, const WrittenCard& card,
                                  const std::vector<RgbPicture>& pictures) {
  const std::vector<RgbPicture> parts = PartsOf(pictures, card.card);
  if (parts.empty() || card.card.input.width == 0) return card;
  DE_TRY(const auto model, engine.Compile(files, {}));
  Prober prober(*model);
  DE_TRY(const std::optional<Sanity> usual, prober.Try(card.card, parts));
  if (!usual) return card;

  // Orders of colours differ little: the other one is taken only where it is clearly saner than the best of this one.
  Scored best{card, *usual};
  std::optional<Scored> best_other_order;
  std::optional<Sanity> next_values, next_color;
  for (WrittenCard& other : OtherReadings(card)) {
    DE_TRY(const std::optional<Sanity> sanity, prober.Try(other.card, parts));
    if (!sanity) continue;
    const bool same_order = other.card.input.order == card.card.input.order;
    std::optional<Sanity>& next = same_order ? next_values : next_color;
    if (!next || next->value < sanity->value) next = sanity;
    if (same_order && sanity->value > best.sanity.value) best = {std::move(other), *sanity};
    if (!same_order && (!best_other_order || sanity->value > best_other_order->sanity.value)) {
      best_other_order = Scored{std::move(other), *sanity};
    }
  }
  bool changed = IsClearlySaner(best.sanity, *usual, PriorAgainst(card, best.card));
  if (!changed) best = {card, *usual};
  if (best_other_order &&
      IsClearlySaner(best_other_order->sanity, best.sanity, PriorAgainst(card, best_other_order->card))) {
    best = std::move(*best_other_order);
    changed = true;
  }
  if (changed) NoteDifferences(card, *usual, best.sanity, &best.card);
  if (!changed && next_values) Confirm(*usual, *next_values, "input.values", &best.card);
  if (!changed && next_color) Confirm(*usual, *next_color, "input.color", &best.card);

  if (!IsDetection(card.card) || !IsOpen("input.resize", best.card)) return best.card;
  WrittenCard other = best.card;
  const bool stretched = other.card.input.resize == ResizeRule::kStretch;
  other.card.input.resize = stretched ? ResizeRule::kLetterboxCentered : ResizeRule::kStretch;
  if (Finding* finding = Find("input.resize", &other.findings))
    finding->value = stretched ? "letterbox_centered" : "stretch";
  DE_TRY(const std::optional<Sanity> sanity, prober.Try(other.card, parts));
  if (sanity && IsClearlySaner(*sanity, best.sanity, PriorAgainst(best.card, other))) {
    NoteDifferences(best.card, best.sanity, *sanity, &other);
    return other;
  }
  return best.card;
}

}  // namespace deepedge
