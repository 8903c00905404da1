#include "deepedge/engine/fake/fake_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace deepedge {
namespace {

Tensor ZeroTensor(ElementType type, const Shape& shape) {
  const auto bytes = static_cast<size_t>(ElementCount(shape)) * SizeOf(type);
  return {.type = type, .shape = shape, .data = std::vector<std::byte>(bytes)};
}

// The tensor `times` times, one after the other along its first dimension, which is 1.
Tensor Repeat(const Tensor& tensor, int times) {
  Tensor all{.type = tensor.type, .shape = tensor.shape, .data = {}};
  if (times > 1) all.shape[0] = times;
  for (int i = 0; i < times; ++i) all.data.insert(all.data.end(), tensor.data.begin(), tensor.data.end());
  return all;
}

bool TakesBatches(const FakeModel& model, const CompileOptions& options) {
  return options.picture && model.takes_batches && model.profile.weight_bytes >= options.batch_from_bytes &&
         std::all_of(model.outputs.begin(), model.outputs.end(),
                     [](const Tensor& tensor) { return !tensor.shape.empty() && tensor.shape[0] == 1; });
}

// The first `count` of the pictures along the first dimension.
template <typename View>
View FirstOf(View view, int count) {
  if (view.shape.empty() || view.shape[0] <= count) return view;
  view.data = view.data.first(view.data.size() / static_cast<size_t>(view.shape[0]) * static_cast<size_t>(count));
  view.shape[0] = count;
  return view;
}

class FakeCompiledModel final : public CompiledModel {
 public:
  FakeCompiledModel(std::shared_ptr<const FakeModel> model, std::vector<TensorSpec> inputs, int concurrency,
                    int max_batch, int stages, std::function<void(Duration)> spend)
      : model_(std::move(model)),
        inputs_(std::move(inputs)),
        max_batch_(max_batch),
        stages_(stages),
        spend_(std::move(spend)) {
    for (const Tensor& output : model_->outputs) outputs_.push_back(Repeat(output, max_batch));
    for (int i = 0; i < concurrency; ++i) {
      std::vector<std::optional<Tensor>> tensors;
      for (const TensorSpec& spec : inputs_) {
        Shape shape = spec.shape;
        if (max_batch > 1) shape[0] = max_batch;
        tensors.push_back(IsStatic(shape) ? std::optional(ZeroTensor(spec.type, shape)) : std::nullopt);
      }
      slots_.push_back(std::move(tensors));
      batches_.push_back(1);
      next_.push_back(0);
    }
  }

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return model_->profile.outputs; }
  int concurrency() const override { return static_cast<int>(slots_.size()); }
  int max_batch() const override { return max_batch_; }
  int64_t weight_bytes() const override { return model_->profile.weight_bytes; }

  MutableTensorView Input(int slot, size_t index) override {
    std::optional<Tensor>& tensor = InputAt(slot, index);
    DE_CHECK(tensor.has_value());  // an input without a fixed shape needs ResizeInput first
    const MutableTensorView all{tensor->type, tensor->shape, tensor->data};
    return max_batch_ > 1 ? FirstOf(all, BatchOf(slot)) : all;
  }

  Status ResizeInput(int slot, size_t index, const Shape& shape) override {
    std::optional<Tensor>& tensor = InputAt(slot, index);
    const TensorSpec& spec = inputs_[index];
    const bool fits = IsStatic(shape) && shape.size() == spec.shape.size() &&
                      std::equal(shape.begin(), shape.end(), spec.shape.begin(),
                                 [](int64_t d, int64_t allowed) { return allowed < 0 || allowed == d; });
    if (!fits) {
      return Error{ErrorCode::kBadInput, fmt::format("{}: input '{}' takes {}, not {}", model_->profile.model,
                                                     spec.name, ToString(spec.shape), ToString(shape))};
    }
    if (!tensor || tensor->shape != shape) tensor = ZeroTensor(spec.type, shape);
    return {};
  }

  Status SetBatch(int slot, int pictures) override {
    DE_CHECK(slot >= 0 && slot < concurrency() && pictures >= 1 && pictures <= max_batch_);
    batches_[static_cast<size_t>(slot)] = pictures;
    return {};
  }

  Status Run(int slot) override {
    for (int stage = 0; stage < stages_; ++stage) DE_TRY_STATUS(RunStage(slot, stage));
    return {};
  }

  int stages() const override { return stages_; }

  Status RunStage(int slot, int stage) override {
    DE_CHECK(slot >= 0 && slot < concurrency());
    int& next = next_[static_cast<size_t>(slot)];
    DE_CHECK(stage == 0 || (stage == next && stage < stages_));
    next = 0;
    for (size_t i = 0; i < inputs_.size(); ++i) DE_CHECK(InputAt(slot, i).has_value());
    spend_(model_->profile.run_time * BatchOf(slot) / stages_);
    if (model_->run_error) return *model_->run_error;
    next = stage + 1;
    return {};
  }

  TensorView Output(int slot, size_t index) const override {
    DE_CHECK(slot >= 0 && slot < concurrency() && index < model_->outputs.size());
    const TensorView all = outputs_[index].View();
    return max_batch_ > 1 ? FirstOf(all, BatchOf(slot)) : all;
  }

 private:
  std::optional<Tensor>& InputAt(int slot, size_t index) {
    DE_CHECK(slot >= 0 && slot < concurrency() && index < inputs_.size());
    return slots_[static_cast<size_t>(slot)][index];
  }

  int BatchOf(int slot) const {
    DE_CHECK(slot >= 0 && slot < concurrency());
    return batches_[static_cast<size_t>(slot)];
  }

  const std::shared_ptr<const FakeModel> model_;
  const std::vector<TensorSpec> inputs_;
  const int max_batch_;
  const int stages_;
  const std::function<void(Duration)> spend_;
  std::vector<Tensor> outputs_;                            // the model's, for max_batch_ pictures
  std::vector<int> batches_;                               // of each slot
  std::vector<int> next_;                                  // stage that may run now, beside the first, of each slot
  std::vector<std::vector<std::optional<Tensor>>> slots_;  // inputs of each slot
};

// As the real engine does it: the picture input takes packed 8-bit pixels of the card's size.
Result<std::vector<TensorSpec>> InputsFor(const FakeModel& model, const std::optional<PictureInput>& picture) {
  std::vector<TensorSpec> inputs = model.profile.inputs;
  if (!picture) return inputs;
  const auto named = [&](const TensorSpec& spec) { return spec.name == picture->tensor; };
  if (inputs.size() != 1 || !(picture->tensor.empty() || named(inputs.front()))) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: has no single picture input '{}'", model.profile.model, picture->tensor)};
  }
  inputs.front().type = ElementType::kU8;
  inputs.front().shape = {1, picture->Parts() * picture->height, picture->width, ChannelCount(picture->order)};
  return inputs;
}

Status CheckCuts(const FakeModel& model, const CompileOptions& options) {
  const auto bad = [&](int cut, std::string_view why) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: cut after operation {}: {}", model.profile.model, cut, why)};
  };
  const auto& legal = model.profile.layers.cuts;
  for (size_t i = 0; i < options.cuts.size(); ++i) {
    const int cut = options.cuts[i];
    if (options.max_batch > 1) return bad(cut, "a model for batches is not cut");
    if (i > 0 && cut <= options.cuts[i - 1]) return bad(cut, "cuts must be ascending");
    const bool known = std::any_of(legal.begin(), legal.end(), [&](const CutPoint& c) { return c.after_op == cut; });
    if (!known) return bad(cut, "the graph cannot be cut there");
  }
  return {};
}

}  // namespace

FakeEngine::FakeEngine(std::function<void(Duration)> spend) : spend_(std::move(spend)) {}

void FakeEngine::Add(FakeModel model) {
  DE_CHECK(model.outputs.size() == model.profile.outputs.size());
  auto shared = std::make_shared<const FakeModel>(std::move(model));
  MutexLock lock(mutex_);
  models_[shared->profile.model] = shared;
}

Result<std::shared_ptr<const FakeModel>> FakeEngine::Find(const Path& graph) const {
  MutexLock lock(mutex_);
  for (const Path& name : {graph, graph.filename(), graph.stem()}) {
    const auto it = models_.find(name.string());
    if (it != models_.end()) return it->second;
  }
  return Error{ErrorCode::kNotFound, fmt::format("{}: no such model in the fake engine", graph.string())};
}

Result<GraphInfo> FakeEngine::Inspect(const ModelFiles& files) {
  DE_TRY(const auto model, Find(files.graph));
  return GraphInfo{.inputs = model->profile.inputs,
                   .outputs = model->profile.outputs,
                   .output_operations = model->output_operations,
                   .weight_bytes = model->profile.weight_bytes};
}

Result<std::optional<ModelFiles>> FakeEngine::Quantize(const ModelFiles& files, const QuantizeOptions& /*options*/,
                                                       const Path& /*graph_file*/) {
  return Error{ErrorCode::kUnsupported, fmt::format("{}: the fake engine does not quantize", files.graph.string())};
}

Result<std::unique_ptr<CompiledModel>> FakeEngine::Compile(const ModelFiles& files, const CompileOptions& options) {
  DE_CHECK(options.concurrency >= 1 && options.max_batch >= 1);
  DE_TRY(auto model, Find(files.graph));
  DE_TRY(auto inputs, InputsFor(*model, options.picture));
  for (const auto& [name, shape] : options.input_shapes) {
    const auto spec = std::find_if(inputs.begin(), inputs.end(), [&, &n = name](const auto& s) { return s.name == n; });
    if (spec == inputs.end() || spec->shape.size() != shape.size()) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("{}: has no input '{}' of {} dimensions", model->profile.model, name, shape.size())};
    }
    spec->shape = shape;
  }
  DE_TRY_STATUS(CheckCuts(*model, options));
  const int max_batch = TakesBatches(*model, options) ? options.max_batch : 1;
  return std::unique_ptr<CompiledModel>(
      std::make_unique<FakeCompiledModel>(std::move(model), std::move(inputs), options.concurrency, max_batch,
                                          static_cast<int>(options.cuts.size()) + 1, spend_));
}

Result<LayerGraph> FakeEngine::Analyse(const ModelFiles& files, const CompileOptions& /*options*/) {
  DE_TRY(const auto model, Find(files.graph));
  return model->profile.layers;
}

}  // namespace deepedge
