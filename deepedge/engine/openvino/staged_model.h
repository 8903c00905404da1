// The CompiledModel of a graph that was cut into stages (split_graph.h). Each stage is compiled for itself; tensors
// that cross a border are those that the earlier stage writes, set once as inputs of the later ones and never copied,
// except where their shape is known only after the run.
#pragma once

#include <map>
#include <openvino/runtime/compiled_model.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/infer_request.hpp>
#include <openvino/runtime/tensor.hpp>
#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/engine/engine.h"
#include "deepedge/engine/openvino/split_graph.h"

namespace deepedge {

class StagedModel final : public CompiledModel {
 public:
  // Cuts `model` at options.cuts, after FoldShapes, and compiles the stages for options.concurrency slots; whether a
  // stage is copied for each slot depends on its own weights. `model` is used up. Errors: as SplitAt and
  // Engine::Compile, naming `file`.
  static Result<std::unique_ptr<CompiledModel>> Create(ov::Core& core, const std::shared_ptr<ov::Model>& model,
                                                       const CompileOptions& options, const Path& file);

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  int concurrency() const override { return static_cast<int>(slots_.size()); }
  bool computes_in_caller() const override { return computes_in_caller_; }
  int64_t weight_bytes() const override { return weight_bytes_; }
  int stages() const override { return static_cast<int>(stages_.size()); }

  MutableTensorView Input(int slot, size_t index) override;
  Status ResizeInput(int slot, size_t index, const Shape& shape) override;
  Status Run(int slot) override;
  Status RunStage(int slot, int stage) override;
  TensorView Output(int slot, size_t index) const override;
  LayerTimes TimesOfLayers(int slot) const override;

 private:
  struct Stage {
    std::vector<StageSource> inputs;
    std::vector<size_t> open_inputs;   // whose tensor is another one in each run
    std::vector<size_t> open_outputs;  // whose shape is known only after a run
  };
  struct Slot {
    std::vector<ov::InferRequest> requests;         // of each stage
    std::vector<ov::Tensor> inputs;                 // ours, set once
    std::vector<std::vector<ov::Tensor>> computed;  // outputs of each stage; empty before the first run where open
    int next = 0;                                   // stage that may run now, beside the first
    int64_t runs = 0;                               // of all stages
  };

  explicit StagedModel(Path file) : file_(std::move(file)) {}
  // Throws what the engine throws. `layers` are of operations; of none where layers are not timed.
  void CompileStage(ov::Core& core, const StagePart& part, const std::map<std::string, std::string>& layers,
                    const CompileOptions& options);
  Stage DescribeStage(const StagePart& part, const ov::CompiledModel& compiled) const;
  const ov::Tensor& SourceOf(const Slot& slot, const StageSource& source) const;
  void AddRequest(Slot& slot, ov::CompiledModel& compiled) const;
  Slot& SlotAt(int slot);
  const Slot& SlotAt(int slot) const;

  Path file_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::vector<Stage> stages_;
  std::vector<StageSource> output_places_;  // of each output
  bool computes_in_caller_ = true;
  int64_t weight_bytes_ = 0;
  std::map<std::string, std::string> layers_;  // of kernels by their names, where layers are timed
  std::vector<Slot> slots_;
};

}  // namespace deepedge
