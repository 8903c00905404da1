#include "deepedge/profiler/probe/probe_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace deepedge {
namespace {

// Packed pictures of noise over a gradient.
std::vector<Tensor> NoisePictures(const PictureInput& picture) {
  std::minstd_rand random(11);
  std::vector<Tensor> pictures;
  const Shape shape{1, int64_t{picture.Parts()} * picture.height, picture.width, ChannelCount(picture.order)};
  constexpr int kPictures = 3;
  for (int i = 0; i < kPictures; ++i) {
    Tensor tensor{.type = ElementType::kU8, .shape = shape, .data = {}};
    tensor.data.resize(static_cast<size_t>(ElementCount(shape)));
    for (size_t k = 0; k < tensor.data.size(); ++k) {
      tensor.data[k] = static_cast<std::byte>((k / 97 + random() % 64) % 256);
    }
    pictures.push_back(std::move(tensor));
  }
  return pictures;
}

}  // namespace

Result<ModelFiles> MakeInt8ForTiming(Engine& engine, const ProbeTarget& target, const Path& folder,
                                     const std::string& file_name) {
  if (!target.picture) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: takes no pictures to quantize it by", target.name)};
  }
  PictureInput picture = *target.picture;
  picture.pyramid = 0;
  const QuantizeOptions options{.picture = picture,
                                .calibration = NoisePictures(picture),
                                .good_enough = [](const ModelFiles&) { return Result<bool>(true); }};
  DE_TRY(auto files, engine.Quantize(target.files, options, folder / (file_name + ".xml")));
  if (files) return std::move(*files);
  return Error{ErrorCode::kUnsupported, fmt::format("{}: no int8 form", target.name)};
}

Result<ProbeTarget> TargetOf(const std::string& name, const ModelFiles& files, const ModelCard& card,
                             const std::vector<TensorSpec>& inputs) {
  ProbeTarget target{.name = name, .files = files};
  if (card.input.width > 0 && card.input.height > 0) {
    target.picture = card.input;
    return target;
  }
  for (const TensorSpec& input : inputs) {
    Shape shape = input.shape;
    if (!shape.empty() && shape.front() < 0) shape.front() = 1;
    if (!IsStatic(shape) || shape.empty()) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: what it costs depends on the size of input '{}', which is "
                                                        "open: {}",
                                                        name, input.name, ToString(input.shape))};
    }
    if (shape != input.shape) target.input_shapes.emplace(input.name, shape);
  }
  return target;
}

std::vector<VariantKey> SizesOf(const ProbeTarget& target, int64_t most_pixels) {
  if (!target.picture) return {VariantKey{}};
  const PictureInput& picture = *target.picture;
  std::vector<VariantKey> sizes{{.width = picture.width, .height = picture.height}};
  if (!target.resizable) return sizes;
  const auto scaled = [](int side, int quarters) { return std::max(32, (side * quarters / 4 + 16) / 32 * 32); };
  for (const int quarters : {2, 3, 6}) {
    const VariantKey size{.width = scaled(picture.width, quarters), .height = scaled(picture.height, quarters)};
    const bool known = std::find(sizes.begin(), sizes.end(), size) != sizes.end();
    if (!known && int64_t{size.width} * size.height <= most_pixels) sizes.push_back(size);
  }
  return sizes;
}

bool CanResize(Engine& engine, const ProbeTarget& target) {
  if (!target.picture || target.picture->patches > 0) return false;
  ProbeTarget trial = target;
  trial.resizable = true;
  const std::vector<VariantKey> sizes = SizesOf(trial, int64_t{1} << 40);
  return sizes.size() > 1 && std::all_of(sizes.begin() + 1, sizes.end(), [&](const VariantKey& size) {
           const auto request = RequestFor(trial, {size});
           return request.ok() && engine.Analyse(request.value().files, request.value().options).ok();
         });
}

Status AddForm(Engine& engine, const ProbeTarget& target, const Setting& setting, MeasuredModel& model) {
  if (GraphFor(model, setting) != nullptr) return {};
  DE_TRY(const CompileRequest request, RequestFor(target, setting));
  AnalysedForm form{.int8 = setting.variant.precision == Precision::kInt8,
                    .width = setting.variant.width,
                    .height = setting.variant.height};
  DE_TRY(form.graph, engine.Analyse(request.files, request.options));
  model.forms.push_back(std::move(form));
  return {};
}

}  // namespace deepedge
