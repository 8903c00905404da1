#include "deepedge/engine/openvino/staged_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "deepedge/engine/openvino/compile_settings.h"
#include "deepedge/engine/openvino/graph_loader.h"
#include "deepedge/engine/openvino/layer_graph.h"
#include "deepedge/engine/openvino/ov_types.h"
#include "deepedge/engine/openvino/requests.h"

namespace deepedge {

Result<std::unique_ptr<CompiledModel>> StagedModel::Create(ov::Core& core, const std::shared_ptr<ov::Model>& model,
                                                           const CompileOptions& options, const Path& file) {
  if (options.max_batch > 1) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: cut after operation {}: a model for batches of up to {} pictures is not cut",
                             file.string(), options.cuts.front(), options.max_batch)};
  }
  std::unique_ptr<StagedModel> result(new StagedModel(file));
  DE_TRY(result->inputs_, SpecsOf(std::as_const(*model).inputs(), "input", file));
  DE_TRY(result->outputs_, SpecsOf(std::as_const(*model).outputs(), "output", file));
  DE_TRY_STATUS(CatchOv(file, ErrorCode::kUnsupported, [&]() -> Status {
    FoldShapes(model);
    std::map<std::string, std::string> layers;
    if (options.time_layers) layers = LayersOfOperations(*model);
    DE_TRY(SplitGraph split, SplitAt(model, options.cuts, file));
    result->output_places_ = std::move(split.outputs);
    result->slots_.resize(static_cast<size_t>(options.concurrency));
    for (Slot& slot : result->slots_) {
      for (const TensorSpec& input : result->inputs_) slot.inputs.push_back(MakeTensor(input, input.shape));
    }
    for (StagePart& part : split.stages) {
      result->CompileStage(core, part, layers, options);
      part.model.reset();
    }
    return {};
  }));
  for (int slot = 0; slot < result->concurrency(); ++slot) DE_TRY_STATUS(result->Run(slot));
  return std::unique_ptr<CompiledModel>(std::move(result));
}

void StagedModel::CompileStage(ov::Core& core, const StagePart& part, const std::map<std::string, std::string>& layers,
                               const CompileOptions& options) {
  const int64_t bytes = WeightBytes(*part.model);
  const CopyPlan plan = PlanCopies(bytes, options.concurrency);
  weight_bytes_ += bytes * plan.copies;
  computes_in_caller_ = computes_in_caller_ && plan.copies == options.concurrency && options.cores == 1;
  ov::CompiledModel compiled;
  for (int slot = 0; slot < concurrency(); ++slot) {
    if (slot < plan.copies) {
      compiled = core.compile_model(part.model, kDevice, CompileProperties(plan.streams, options));
    }
    if (slot == 0) stages_.push_back(DescribeStage(part, compiled));
    AddRequest(SlotAt(slot), compiled);
  }
  if (options.time_layers) layers_.merge(LayersOfKernels(*compiled.get_runtime_model(), layers));
}

StagedModel::Stage StagedModel::DescribeStage(const StagePart& part, const ov::CompiledModel& compiled) const {
  Stage stage{.inputs = part.inputs, .open_inputs = {}, .open_outputs = {}};
  for (size_t i = 0; i < part.inputs.size(); ++i) {
    const StageSource& source = part.inputs[i];
    if (source.stage == StageSource::kGraph) continue;
    const auto& open = stages_[static_cast<size_t>(source.stage)].open_outputs;
    if (std::find(open.begin(), open.end(), source.port) != open.end()) stage.open_inputs.push_back(i);
  }
  for (size_t i = 0; i < compiled.outputs().size(); ++i) {
    if (compiled.output(i).get_partial_shape().is_dynamic()) stage.open_outputs.push_back(i);
  }
  return stage;
}

const ov::Tensor& StagedModel::SourceOf(const Slot& slot, const StageSource& source) const {
  if (source.stage == StageSource::kGraph) return slot.inputs[source.port];
  return slot.computed[static_cast<size_t>(source.stage)][source.port];
}

// For the last of the stages.
void StagedModel::AddRequest(Slot& slot, ov::CompiledModel& compiled) const {
  const Stage& stage = stages_.back();
  ov::InferRequest& request = slot.requests.emplace_back(compiled.create_infer_request());
  for (size_t i = 0; i < stage.inputs.size(); ++i) {
    const ov::Tensor& tensor = SourceOf(slot, stage.inputs[i]);
    if (tensor) request.set_input_tensor(i, tensor);  // the open ones do not exist yet
  }
  std::vector<ov::Tensor>& computed = slot.computed.emplace_back(compiled.outputs().size());
  for (size_t i = 0; i < computed.size(); ++i) {
    const bool open = std::find(stage.open_outputs.begin(), stage.open_outputs.end(), i) != stage.open_outputs.end();
    if (!open) computed[i] = request.get_output_tensor(i);
  }
}

StagedModel::Slot& StagedModel::SlotAt(int slot) {
  DE_CHECK(slot >= 0 && slot < concurrency());
  return slots_[static_cast<size_t>(slot)];
}

const StagedModel::Slot& StagedModel::SlotAt(int slot) const {
  DE_CHECK(slot >= 0 && slot < concurrency());
  return slots_[static_cast<size_t>(slot)];
}

MutableTensorView StagedModel::Input(int slot, size_t index) {
  Slot& owner = SlotAt(slot);
  DE_CHECK(index < inputs_.size());
  return ViewOf(owner.inputs[index], inputs_[index].type);
}

Status StagedModel::ResizeInput(int slot, size_t index, const Shape& shape) {
  static_cast<void>(SlotAt(slot));
  DE_CHECK(index < inputs_.size());
  if (shape == inputs_[index].shape) return {};
  return Error{ErrorCode::kBadInput, fmt::format("{}: input '{}' takes {}, not {}", file_.string(), inputs_[index].name,
                                                 ToString(inputs_[index].shape), ToString(shape))};
}

Status StagedModel::Run(int slot) {
  for (int stage = 0; stage < stages(); ++stage) DE_TRY_STATUS(RunStage(slot, stage));
  return {};
}

Status StagedModel::RunStage(int slot, int stage) {
  Slot& owner = SlotAt(slot);
  DE_CHECK(stage == 0 || (stage == owner.next && stage < stages()));
  owner.next = 0;
  const auto s = static_cast<size_t>(stage);
  const Stage& plan = stages_[s];
  DE_TRY_STATUS(CatchOv(file_, ErrorCode::kInternal, [&]() -> Status {
    for (const size_t i : plan.open_inputs) owner.requests[s].set_input_tensor(i, SourceOf(owner, plan.inputs[i]));
    owner.requests[s].infer();
    for (const size_t i : plan.open_outputs) owner.computed[s][i] = owner.requests[s].get_output_tensor(i);
    return {};
  }));
  owner.next = stage + 1;
  if (owner.next == stages()) ++owner.runs;
  return {};
}

LayerTimes StagedModel::TimesOfLayers(int slot) const {
  if (layers_.empty()) return {};
  auto times = CatchOv(file_, ErrorCode::kInternal, [&]() -> Result<std::vector<LayerTime>> {
    return ReadLayerTimes(SlotAt(slot).requests, layers_);
  });
  if (!times.ok()) return {};
  return {.runs = SlotAt(slot).runs, .layers = std::move(times).value()};
}

TensorView StagedModel::Output(int slot, size_t index) const {
  const Slot& owner = SlotAt(slot);
  DE_CHECK(index < outputs_.size());
  const MutableTensorView view = ViewOf(SourceOf(owner, output_places_[index]), outputs_[index].type);
  return {view.type, view.shape, view.data};
}

}  // namespace deepedge
