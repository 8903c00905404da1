#include "deepedge/bench/models_bench.h"

#include <fmt/format.h>

#include <memory>

#include "deepedge/bench/throughput_bench.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/model/tensor.h"

namespace deepedge {
namespace {

double Milliseconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

}  // namespace

Result<std::vector<ModelCost>> MeasureModels(Engine& engine, const ModelsBenchOptions& options, const Clock& clock) {
  const size_t count = options.models.size();
  std::vector<ModelFiles> files;
  for (const std::string& model : options.models) {
    DE_TRY(ModelFiles found, FindModelFiles(model));
    files.push_back(std::move(found));
  }
  std::vector<std::vector<double>> reads(count);
  std::vector<std::vector<double>> compiles(count);
  std::vector<std::vector<double>> runs(count);
  std::vector<std::unique_ptr<CompiledModel>> compiled(count);
  for (int i = 0; i < options.loads; ++i) {
    for (size_t m = 0; m < count; ++m) {
      const Time start = clock.Now();
      DE_TRY_STATUS(engine.Inspect(files[m]).status());
      reads[m].push_back(Milliseconds(clock.Now() - start));
      const Time compile_start = clock.Now();
      DE_TRY(compiled[m], engine.Compile(files[m], {}));
      compiles[m].push_back(Milliseconds(clock.Now() - compile_start));
    }
  }
  for (size_t m = 0; m < count; ++m) {
    for (const TensorSpec& input : compiled[m]->inputs()) {
      if (IsStatic(input.shape)) continue;
      return Error{ErrorCode::kUnsupported, fmt::format("{}: input '{}' is of open size {}", options.models[m],
                                                        input.name, ToString(input.shape))};
    }
  }
  for (int i = 0; i < options.runs; ++i) {
    for (size_t m = 0; m < count; ++m) {
      const Duration start = ThreadCpuTime();
      DE_TRY_STATUS(compiled[m]->Run(0));
      runs[m].push_back(Milliseconds(ThreadCpuTime() - start));
    }
  }
  std::vector<ModelCost> costs;
  for (size_t m = 0; m < count; ++m) {
    costs.push_back({.model = options.models[m],
                     .read_ms = Median(reads[m]),
                     .compile_ms = Median(compiles[m]),
                     .run_ms = Median(runs[m])});
  }
  return costs;
}

}  // namespace deepedge
