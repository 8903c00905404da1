#include "deepedge/runtime/calibration/measure_post.h"

#include <fmt/format.h>

#include "deepedge/model/model_card_names.h"
#include "deepedge/pipeline/post/output_decoder.h"
#include "deepedge/runtime/calibration/made_up_outputs.h"

namespace deepedge {
namespace {

Result<CostSample<PostWork>> MeasureOne(OutputDecoderKind kind, int side, int objects, int rounds) {
  const MadeUpOutput output = MakeUpOutput(kind, side, objects);
  DE_TRY(const auto decoder, MakeOutputDecoder(output.card, output.specs));
  std::vector<TensorView> views;
  CostSample<PostWork> sample{.work = {.kind = kind}};
  for (const Tensor& tensor : output.tensors) {
    views.push_back(tensor.View());
    sample.work.elements += static_cast<double>(ElementCount(tensor.shape));
  }
  const Placement place = PlacePicture(ResizeRule::kStretch, 1280, 720, side, side);
  DE_TRY(const InferenceResult seen, decoder->Decode(views, place));
  sample.work.objects = static_cast<double>(seen.objects.size() + seen.text.size());
  sample.us = LeastCpuUs(rounds, [&] { decoder->Decode(views, place).Ignore("it was read before"); });
  return sample;
}

}  // namespace

void MeasurePost(const PostMeasuring& plan, Measuring& measuring, MediaSamples& samples) {
  for (const OutputDecoderKind kind : MadeUpKinds()) {
    for (const int side : plan.sides) {
      for (const int objects : plan.objects) {
        if (!ShowsObjects(kind) && objects != plan.objects.front()) continue;
        if (!measuring.GoOn()) return;
        auto sample = MeasureOne(kind, side, objects, plan.rounds);
        if (!sample.ok()) {
          measuring.Note(
              fmt::format("reading {}: not measured: {}", NameOf(kDecoderNames, kind), sample.error().message));
          continue;
        }
        if (sample.value().us > 0) samples.post.push_back(std::move(sample).value());
      }
    }
  }
}

}  // namespace deepedge
