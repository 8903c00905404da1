#include "deepedge/engine/openvino/openvino_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "deepedge/engine/openvino/batch.h"
#include "deepedge/engine/openvino/compile_settings.h"
#include "deepedge/engine/openvino/graph_loader.h"
#include "deepedge/engine/openvino/layer_graph.h"
#include "deepedge/engine/openvino/ov_types.h"
#include "deepedge/engine/openvino/requests.h"

namespace deepedge {
namespace {

bool Fits(const Shape& shape, const Shape& allowed) {
  return shape.size() == allowed.size() &&
         std::equal(shape.begin(), shape.end(), allowed.begin(), [](int64_t d, int64_t a) { return a < 0 || a == d; });
}

}  // namespace

Result<std::unique_ptr<CompiledModel>> OpenVinoModel::Create(ov::Core& core, const std::shared_ptr<ov::Model>& model,
                                                             const CompileOptions& options, const Path& file) {
  std::unique_ptr<OpenVinoModel> result(new OpenVinoModel(file));
  DE_TRY(result->inputs_, SpecsOf(std::as_const(*model).inputs(), "input", file));
  DE_TRY(result->outputs_, SpecsOf(std::as_const(*model).outputs(), "output", file));
  DE_TRY_STATUS(result->CompileSlots(core, model, options));
  DE_TRY_STATUS(result->WarmUp());
  return std::unique_ptr<CompiledModel>(std::move(result));
}

std::unique_ptr<CompiledModel> OpenVinoModel::CreateBatched(ov::Core& core, const ov::Model& model,
                                                            const CompileOptions& options, const Path& file) {
  std::unique_ptr<OpenVinoModel> result(new OpenVinoModel(file));
  result->max_batch_ = options.max_batch;
  const auto create = [&]() -> Result<bool> {
    DE_TRY(result->inputs_, SpecsOf(model.inputs(), "input", file));
    DE_TRY(result->outputs_, SpecsOf(model.outputs(), "output", file));
    const auto batched = WithBatch(model, options.max_batch);
    if (!batched) return false;
    DE_TRY_STATUS(result->CompileSlots(core, batched, options));
    if (!result->AnswersPicturesAlike(options.precision)) return false;
    DE_TRY_STATUS(result->WarmUpBatches());
    return true;
  };
  // Why it cannot does not matter: the caller compiles for one picture then, and hears what is wrong with that.
  const auto created = CatchOv(file, ErrorCode::kUnsupported, create);
  if (!created.ok() || !created.value()) return nullptr;
  return result;
}

Status OpenVinoModel::CompileSlots(ov::Core& core, const std::shared_ptr<ov::Model>& model,
                                   const CompileOptions& options) {
  const CopyPlan plan = PlanCopies(WeightBytes(*model), options.concurrency);
  weight_bytes_ = WeightBytes(*model) * plan.copies;
  computes_in_caller_ = plan.copies == options.concurrency && options.cores == 1;
  return CatchOv(file_, ErrorCode::kUnsupported, [&]() -> Status {
    for (int copy = 0; copy < plan.copies; ++copy) {
      const ov::CompiledModel compiled = core.compile_model(model, kDevice, CompileProperties(plan.streams, options));
      for (int stream = 0; stream < std::max(1, plan.streams); ++stream) {
        DE_TRY(Slot slot, MakeSlot(compiled));
        slots_.push_back(std::move(slot));
      }
      if (options.time_layers) layers_ = LayersOfKernels(*compiled.get_runtime_model(), LayersOfOperations(*model));
    }
    return {};
  });
}

Result<OpenVinoModel::Slot> OpenVinoModel::MakeSlot(ov::CompiledModel compiled) const {
  Slot slot{.compiled = std::move(compiled)};
  slot.request = slot.compiled.create_infer_request();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    slot.inputs.emplace_back();
    const bool known = IsStatic(inputs_[i].shape) && slot.compiled.input(i).get_partial_shape().is_static();
    if (!known) continue;
    slot.inputs[i] = MakeTensor(inputs_[i], inputs_[i].shape);
    slot.request.set_input_tensor(i, slot.inputs[i]);
  }
  slot.outputs.resize(outputs_.size());
  if (max_batch_ > 1) AddBatches(slot);
  return slot;
}

void OpenVinoModel::AddBatches(Slot& slot) const {
  Shape shape = inputs_.front().shape;
  shape[0] = max_batch_;
  ov::Tensor all = MakeTensor(inputs_.front(), shape);
  for (int pictures = 1; pictures <= max_batch_; ++pictures) {
    // A part of the tensor keeps its memory alive.
    ov::Coordinate end(all.get_shape());
    end[0] = static_cast<size_t>(pictures);
    slot.batches.emplace_back(all, ov::Coordinate(end.size(), 0), end);
  }
  slot.inputs.front() = slot.batches.front();
  slot.request.set_input_tensor(0, slot.inputs.front());
}

Status OpenVinoModel::WarmUp() {
  const bool ready = std::all_of(slots_.front().inputs.begin(), slots_.front().inputs.end(),
                                 [](const ov::Tensor& tensor) { return static_cast<bool>(tensor); });
  if (!ready) return {};
  for (int slot = 0; slot < concurrency(); ++slot) DE_TRY_STATUS(Run(slot));
  return {};
}

Status OpenVinoModel::WarmUpBatches() {
  for (int slot = 0; slot < concurrency(); ++slot) {
    for (const int pictures : {std::min(2, max_batch_), max_batch_, 1}) {
      DE_TRY_STATUS(SetBatch(slot, pictures));
      DE_TRY_STATUS(Run(slot));
    }
    const auto bytes = static_cast<uint8_t*>(SlotAt(slot).batches.back().data());
    std::memset(bytes, 0, SlotAt(slot).batches.back().get_byte_size());
  }
  return {};
}

// On the first slot; the others compute the same.
bool OpenVinoModel::AnswersPicturesAlike(Precision precision) {
  const std::array<std::vector<uint8_t>, 2> pictures = BatchTestPictures(inputs_.front().shape);
  const auto run = [&](int count, size_t first) -> std::optional<std::vector<Tensor>> {
    if (!SetBatch(0, count).ok()) return std::nullopt;
    auto to = Input(0, 0).As<uint8_t>().begin();
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) to = std::ranges::copy(pictures[(first + i) % 2], to).out;
    if (!Run(0).ok()) return std::nullopt;
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const TensorView view = Output(0, i);
      outputs.push_back({view.type, view.shape, {view.data.begin(), view.data.end()}});
    }
    return outputs;
  };
  const auto first = run(1, 0);
  const auto second = run(1, 1);
  if (!first || !second) return false;
  for (const int count : {2, max_batch_}) {
    const auto together = run(count, 0);
    if (!together || !SameAnswers(*first, *second, *together, count, precision)) return false;
  }
  return true;
}

OpenVinoModel::Slot& OpenVinoModel::SlotAt(int slot) {
  DE_CHECK(slot >= 0 && slot < concurrency());
  return slots_[static_cast<size_t>(slot)];
}

const OpenVinoModel::Slot& OpenVinoModel::SlotAt(int slot) const {
  DE_CHECK(slot >= 0 && slot < concurrency());
  return slots_[static_cast<size_t>(slot)];
}

MutableTensorView OpenVinoModel::Input(int slot, size_t index) {
  Slot& owner = SlotAt(slot);
  DE_CHECK(index < inputs_.size());
  ov::Tensor& tensor = owner.inputs[index];
  DE_CHECK(static_cast<bool>(tensor));  // an input without a fixed shape needs ResizeInput first
  return ViewOf(tensor, inputs_[index].type);
}

Error OpenVinoModel::BadShape(size_t index, const Shape& shape) const {
  return {ErrorCode::kBadInput, fmt::format("{}: input '{}' takes {}, not {}", file_.string(), inputs_[index].name,
                                            ToString(inputs_[index].shape), ToString(shape))};
}

Status OpenVinoModel::SetBatch(int slot, int pictures) {
  Slot& owner = SlotAt(slot);
  DE_CHECK(pictures >= 1 && pictures <= max_batch_);
  if (max_batch_ == 1) return {};
  const ov::Tensor& tensor = owner.batches[static_cast<size_t>(pictures) - 1];
  if (owner.inputs.front().get_shape() == tensor.get_shape()) return {};
  return CatchOv(file_, ErrorCode::kInternal, [&]() -> Status {
    owner.request.set_input_tensor(0, tensor);
    owner.inputs.front() = tensor;
    return {};
  });
}

Status OpenVinoModel::ResizeInput(int slot, size_t index, const Shape& shape) {
  Slot& owner = SlotAt(slot);
  DE_CHECK(index < inputs_.size());
  const TensorSpec& spec = inputs_[index];
  const bool any_rank = owner.compiled.input(index).get_partial_shape().rank().is_dynamic();
  if (!IsStatic(shape) || !(any_rank || Fits(shape, spec.shape))) {
    return BadShape(index, shape);
  }
  constexpr int64_t kMaxElements = int64_t{1} << 31;
  int64_t elements = 1;
  for (const int64_t dimension : shape) {
    if (dimension > 0 && elements > kMaxElements / dimension) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("{}: input '{}' of shape {} is too large", file_.string(), spec.name, ToString(shape))};
    }
    elements *= dimension;
  }
  if (max_batch_ > 1) return SetBatch(slot, 1);
  if (owner.inputs[index] && FromOv(owner.inputs[index].get_shape()) == shape) return {};
  return CatchOv(file_, ErrorCode::kBadInput, [&]() -> Status {
    ov::Tensor tensor = MakeTensor(spec, shape);
    owner.request.set_input_tensor(index, tensor);
    owner.inputs[index] = std::move(tensor);
    return {};
  });
}

Status OpenVinoModel::Run(int slot) {
  Slot& owner = SlotAt(slot);
  for (const ov::Tensor& input : owner.inputs) DE_CHECK(static_cast<bool>(input));  // as in Input
  return CatchOv(file_, ErrorCode::kInternal, [&]() -> Status {
    owner.request.infer();
    ++owner.runs;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const bool fixed = owner.outputs[i] && owner.compiled.output(i).get_partial_shape().is_static();
      if (!fixed) owner.outputs[i] = owner.request.get_output_tensor(i);
    }
    return {};
  });
}

LayerTimes OpenVinoModel::TimesOfLayers(int slot) const {
  if (layers_.empty()) return {};
  auto times = CatchOv(file_, ErrorCode::kInternal, [&]() -> Result<std::vector<LayerTime>> {
    return ReadLayerTimes({SlotAt(slot).request}, layers_);
  });
  if (!times.ok()) return {};
  return {.runs = SlotAt(slot).runs, .layers = std::move(times).value()};
}

TensorView OpenVinoModel::Output(int slot, size_t index) const {
  const Slot& owner = SlotAt(slot);
  DE_CHECK(index < outputs_.size());
  const ov::Tensor& tensor = owner.outputs[index];
  DE_CHECK(static_cast<bool>(tensor));  // there is no output before the first run
  const MutableTensorView view = ViewOf(tensor, outputs_[index].type);
  return {view.type, view.shape, view.data};
}

}  // namespace deepedge
