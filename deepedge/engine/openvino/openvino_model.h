// The CompiledModel on OpenVINO.
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

namespace deepedge {

class OpenVinoModel final : public CompiledModel {
 public:
  // Compiles `model` for options.concurrency slots and runs each once where all inputs have fixed shapes; the first
  // runs of the others still pack weights. Of the options, those that change the graph have been heeded already. `file`
  // is for error messages. The graph is not needed afterwards.
  static Result<std::unique_ptr<CompiledModel>> Create(ov::Core& core, const std::shared_ptr<ov::Model>& model,
                                                       const CompileOptions& options, const Path& file);

  // The same for up to options.max_batch pictures in one run. `model` has one input, u8 [1, height, width, channels],
  // and is left as it is. Null where the graph does not give for several pictures at once what it gives for each, or
  // cannot be compiled so.
  static std::unique_ptr<CompiledModel> CreateBatched(ov::Core& core, const ov::Model& model,
                                                      const CompileOptions& options, const Path& file);

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  int concurrency() const override { return static_cast<int>(slots_.size()); }
  int max_batch() const override { return max_batch_; }
  bool computes_in_caller() const override { return computes_in_caller_; }
  int64_t weight_bytes() const override { return weight_bytes_; }

  MutableTensorView Input(int slot, size_t index) override;
  Status ResizeInput(int slot, size_t index, const Shape& shape) override;
  Status SetBatch(int slot, int pictures) override;
  Status Run(int slot) override;
  TensorView Output(int slot, size_t index) const override;
  LayerTimes TimesOfLayers(int slot) const override;

 private:
  // Slots share nothing but, for large weights, the compiled model, whose requests may run at once.
  struct Slot {
    ov::CompiledModel compiled;
    ov::InferRequest request;
    std::vector<ov::Tensor> inputs;   // ours, set once; empty where the shape is not known yet
    std::vector<ov::Tensor> outputs;  // the request's; renewed after each run where the shape is not fixed
    std::vector<ov::Tensor> batches;  // of a model with batches: its input for 1, 2, .. pictures, in the same memory
    int64_t runs = 0;
  };

  explicit OpenVinoModel(Path file) : file_(std::move(file)) {}
  Status CompileSlots(ov::Core& core, const std::shared_ptr<ov::Model>& model, const CompileOptions& options);
  Result<Slot> MakeSlot(ov::CompiledModel compiled) const;
  void AddBatches(Slot& slot) const;
  Status WarmUp();
  Status WarmUpBatches();
  bool AnswersPicturesAlike(Precision precision);
  Error BadShape(size_t index, const Shape& shape) const;
  Slot& SlotAt(int slot);
  const Slot& SlotAt(int slot) const;

  Path file_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  int max_batch_ = 1;
  bool computes_in_caller_ = true;
  int64_t weight_bytes_ = 0;
  std::map<std::string, std::string> layers_;  // of kernels by their names, where layers are timed
  std::vector<Slot> slots_;
};

}  // namespace deepedge
