#include "deepedge/pipeline/card/prober.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "deepedge/pipeline/card/probe_views.h"

namespace deepedge {
namespace {

// That a result names while trying. Of scores that say nothing a short list would be another one for every picture, and
// seem to tell them apart.
constexpr int kMostClasses = 5000;

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

}  // namespace

Result<std::optional<Sanity>> Prober::Try(ModelCard card, const std::vector<RgbPicture>& parts) {
  card.output.top_k = kMostClasses;
  const float threshold = card.threshold;
  card.threshold = threshold / 2;
  const bool of_all = SeesParts(card.output.kind);
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

Result<InferenceResult> Prober::Run(const ModelCard& card, const OutputDecoder& decoder, const RgbPicture& picture) {
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

}  // namespace deepedge
