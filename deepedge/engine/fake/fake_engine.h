// FakeEngine: an Engine that answers from profiles, for tests of what runs on an engine and for the simulator.
//
//   ManualClock clock;
//   FakeEngine engine([&](Duration d) { clock.Advance(d); });
//   engine.Add({.profile = {.model = "person", .inputs = .., .outputs = .., .run_time = 20ms}, .outputs = {boxes}});
//   DE_TRY(auto model, engine.Compile({.graph = "person"}, {}));
//
// Thread-safe as Engine demands; `spend` is called from the threads that run models.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/mutex.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

struct FakeProfile {
  std::string model;
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  Duration run_time{0};  // one run of one picture, on however many cores; stages take equal parts of it
  int64_t weight_bytes = 0;
  LayerGraph layers;  // what Analyse tells
};

struct FakeModel {
  FakeProfile profile;
  std::vector<Tensor> outputs;  // given by every run, one for each of the profile's outputs
  std::vector<std::string> output_operations;
  std::optional<Error> run_error;  // set: every run fails with it, after its time
  // Takes several pictures in one run, if its outputs have a first dimension of 1: gives its outputs once for each, in
  // run_time for each.
  bool takes_batches = true;
};

class FakeEngine final : public Engine {
 public:
  // `spend` is told the time of each run: it moves a ManualClock, or keeps a real core busy so long.
  explicit FakeEngine(std::function<void(Duration)> spend);

  // Found again by the graph's path as written, its file name, or its file name without extension: whichever equals
  // `model.profile.model`. A model of the same name is replaced.
  void Add(FakeModel model);

  std::string_view name() const override { return "fake"; }
  std::string Description() const override { return "fake engine: answers from profiles"; }
  Result<GraphInfo> Inspect(const ModelFiles& files) override;
  std::vector<Precision> Precisions() const override { return {Precision::kFp32}; }
  Result<std::optional<ModelFiles>> Quantize(const ModelFiles& files, const QuantizeOptions& options,
                                             const Path& graph_file) override;
  Result<LayerGraph> Analyse(const ModelFiles& files, const CompileOptions& options) override;
  Result<std::unique_ptr<CompiledModel>> Compile(const ModelFiles& files, const CompileOptions& options) override;

 private:
  Result<std::shared_ptr<const FakeModel>> Find(const Path& graph) const;

  const std::function<void(Duration)> spend_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<const FakeModel>> models_ DE_GUARDED_BY(mutex_);
};

}  // namespace deepedge
