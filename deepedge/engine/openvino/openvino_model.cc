#include "deepedge/engine/openvino/openvino_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "deepedge/engine/openvino/compile_settings.h"
#include "deepedge/engine/openvino/graph_loader.h"
#include "deepedge/engine/openvino/ov_types.h"

namespace deepedge {
namespace {

constexpr const char* kDevice = "CPU";

bool Fits(const Shape& shape, const Shape& allowed) {
  return shape.size() == allowed.size() &&
         std::equal(shape.begin(), shape.end(), allowed.begin(), [](int64_t d, int64_t a) { return a < 0 || a == d; });
}

// Zeros, so that nothing is computed from memory that nobody wrote.
ov::Tensor MakeTensor(const TensorSpec& spec, const Shape& shape) {
  ov::Tensor tensor(ToOv(spec.type), ov::Shape(shape.begin(), shape.end()));
  if (tensor.get_byte_size() > 0) std::memset(tensor.data(), 0, tensor.get_byte_size());
  return tensor;
}

}  // namespace

Result<std::unique_ptr<CompiledModel>> OpenVinoModel::Create(ov::Core& core, const std::shared_ptr<ov::Model>& model,
                                                             int concurrency, Precision precision, const Path& file) {
  const CopyPlan plan = PlanCopies(WeightBytes(*model), concurrency);
  std::unique_ptr<OpenVinoModel> result(new OpenVinoModel(file));
  DE_TRY(result->inputs_, SpecsOf(std::as_const(*model).inputs(), "input", file));
  DE_TRY(result->outputs_, SpecsOf(std::as_const(*model).outputs(), "output", file));
  result->weight_bytes_ = WeightBytes(*model) * plan.copies;
  DE_TRY_STATUS(CatchOv(file, ErrorCode::kUnsupported, [&]() -> Status {
    result->computes_in_caller_ = plan.copies == concurrency;
    for (int copy = 0; copy < plan.copies; ++copy) {
      const ov::CompiledModel compiled = core.compile_model(model, kDevice, CompileProperties(plan.streams, precision));
      for (int stream = 0; stream < std::max(1, plan.streams); ++stream) {
        DE_TRY(Slot slot, result->MakeSlot(compiled));
        result->slots_.push_back(std::move(slot));
      }
    }
    return {};
  }));
  DE_TRY_STATUS(result->WarmUp());
  return std::unique_ptr<CompiledModel>(std::move(result));
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
  return slot;
}

Status OpenVinoModel::WarmUp() {
  const bool ready = std::all_of(slots_.front().inputs.begin(), slots_.front().inputs.end(),
                                 [](const ov::Tensor& tensor) { return static_cast<bool>(tensor); });
  if (!ready) return {};
  for (int slot = 0; slot < concurrency(); ++slot) DE_TRY_STATUS(Run(slot));
  return {};
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
  return {inputs_[index].type,
          FromOv(tensor.get_shape()),
          {static_cast<std::byte*>(tensor.data()), tensor.get_byte_size()}};
}

Status OpenVinoModel::ResizeInput(int slot, size_t index, const Shape& shape) {
  Slot& owner = SlotAt(slot);
  DE_CHECK(index < inputs_.size());
  const TensorSpec& spec = inputs_[index];
  const bool any_rank = owner.compiled.input(index).get_partial_shape().rank().is_dynamic();
  if (!IsStatic(shape) || !(any_rank || Fits(shape, spec.shape))) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: input '{}' takes {}, not {}", file_.string(), spec.name,
                                                   ToString(spec.shape), ToString(shape))};
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
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const bool fixed = owner.outputs[i] && owner.compiled.output(i).get_partial_shape().is_static();
      if (!fixed) owner.outputs[i] = owner.request.get_output_tensor(i);
    }
    return {};
  });
}

TensorView OpenVinoModel::Output(int slot, size_t index) const {
  const Slot& owner = SlotAt(slot);
  DE_CHECK(index < outputs_.size());
  const ov::Tensor& tensor = owner.outputs[index];
  DE_CHECK(static_cast<bool>(tensor));  // there is no output before the first run
  return {outputs_[index].type,
          FromOv(tensor.get_shape()),
          {static_cast<const std::byte*>(tensor.data()), tensor.get_byte_size()}};
}

}  // namespace deepedge
