// Probe: measures what a model takes in one setting. The profiler chooses few of them (profiler/fit/choose_probe.h) and
// predicts the rest.
//
//   DE_TRY(auto probe, Probe::Prepare(engine, target, setting, clock));   // compiles, warms up
//   for (int i = 0; i < 10; ++i) DE_TRY_STATUS(probe.Run());
//   ProbeResult result = probe.Summary();
//
// Several probes may be alive at once, so that their runs can take turns and slow phases of the box meet all alike. A
// run that finds nothing of the model in the caches is told apart: small networks take up to twice as long then. Times
// are those of the calling thread where it computes alone (CPU time: what others take from it does not count), else
// those of the clock on the wall. Owned by one thread; bind it to a CPU before Run, not before Prepare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"
#include "deepedge/plan/profile.h"

namespace deepedge {

// A model as far as its cost depends on it.
struct ProbeTarget {
  std::string name;
  ModelFiles files;                           // of fp32 and bf16
  std::optional<ModelFiles> int8;             // its quantized form, where there is one
  std::optional<PictureInput> picture;        // as the card has it; nothing: a model with inputs of its own
  bool resizable = false;                     // `picture` may be of another size than the card's
  std::map<std::string, Shape> input_shapes;  // of open inputs, without `picture`
};

// The files and options that a setting is compiled with. Errors: kUnsupported for a size the model cannot have, and for
// int8 without a quantized form.
struct CompileRequest {
  ModelFiles files;
  CompileOptions options;
};
Result<CompileRequest> RequestFor(const ProbeTarget& target, const Setting& setting);

// How a result came about.
enum class ProbeOrigin {
  kAlone,    // nothing else ran
  kIdle,     // in the idle time of a box that serves, beside its lanes
  kServing,  // these are the runs that served: each after others, so that min_us says little
};

struct ProbeResult {
  Setting setting;
  int runs = 0;
  double min_us = 0;  // of one run of the whole batch
  double median_us = 0;
  double p90_us = 0;
  double cold_us = 0;             // median of runs that come after those of others
  std::vector<LayerTime> layers;  // averages, without the runs that warm up
  int64_t memory_bytes = 0;       // that the compiled model holds; 0: not known
  double compile_ms = 0;          // with its first runs
  ProbeOrigin origin = ProbeOrigin::kAlone;
  double busy = 0;  // of the box's lanes meanwhile, 0 to 1, this model's own runs not among them; as far as is known
};

std::string_view ToString(ProbeOrigin origin);  // "alone", "idle", "serving"

class Probe {
 public:
  // Errors: as Engine::Compile; kUnsupported where the model takes no batch of that size.
  static Result<Probe> Prepare(Engine& engine, const ProbeTarget& target, const Setting& setting, const Clock& clock);

  // One measurement: some runs that warm up, then as many as take 2 ms, at least one. Errors: as CompiledModel::Run.
  Status Run();
  // One run after others have had the caches: call it after runs of other models, or after CacheFiller::Fill.
  Status RunCold();

  // Goes on with another batch of the same compiled model, up to that of Prepare; what was measured is forgotten.
  // Memory is not known for it. Errors: as CompiledModel::Run.
  Status UseBatch(int batch);

  const Setting& setting() const { return setting_; }
  ProbeResult Summary() const;

 private:
  Probe(Setting setting, const Clock& clock) : setting_(setting), clock_(&clock) {}
  Duration Now() const;
  Status WarmUp();

  Setting setting_;
  const Clock* clock_;
  std::unique_ptr<CompiledModel> model_;
  int repeats_ = 1;    // runs of a measurement
  LayerTimes before_;  // the first measurement: of runs that prepared weights and caches
  int64_t memory_bytes_ = 0;
  double compile_ms_ = 0;
  std::vector<double> samples_us_;
  std::vector<double> cold_us_;
};

// Fills the caches with something else.
class CacheFiller {
 public:
  explicit CacheFiller(size_t bytes = size_t{40} << 20) : bytes_(bytes) {}
  void Fill();

 private:
  std::vector<std::byte> bytes_;
};

// Bytes that this process has asked for and not given back; 0 where that is not known (another allocator).
int64_t HeapInUse();

}  // namespace deepedge
