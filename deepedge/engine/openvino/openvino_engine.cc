#include "deepedge/engine/openvino/openvino_engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <openvino/core/log.hpp>
#include <openvino/core/version.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "deepedge/engine/openvino/batch.h"
#include "deepedge/engine/openvino/detection_post_process.h"
#include "deepedge/engine/openvino/graph_loader.h"
#include "deepedge/engine/openvino/layer_graph.h"
#include "deepedge/engine/openvino/openvino_model.h"
#include "deepedge/engine/openvino/ov_types.h"
#include "deepedge/engine/openvino/picture_input.h"
#include "deepedge/engine/openvino/quantizer.h"
#include "deepedge/engine/openvino/staged_model.h"

namespace deepedge {
namespace {

// Lets the calling thread run on `cpus` until destroyed: threads that OpenVINO starts inherit the binding of the thread
// that compiles, and those of a lane's single CPU would all crowd there.
class AffinityScope {
 public:
  explicit AffinityScope(const cpu_set_t& cpus) {
    restore_ = sched_getaffinity(0, sizeof(before_), &before_) == 0 && !CPU_EQUAL(&before_, &cpus) &&
               sched_setaffinity(0, sizeof(cpus), &cpus) == 0;
  }
  ~AffinityScope() {
    if (restore_) sched_setaffinity(0, sizeof(before_), &before_);
  }
  AffinityScope(const AffinityScope&) = delete;
  AffinityScope& operator=(const AffinityScope&) = delete;

 private:
  cpu_set_t before_{};
  bool restore_ = false;
};

Status ReshapeInputs(ov::Model& model, const std::map<std::string, Shape>& shapes, const Path& file) {
  if (shapes.empty()) return {};
  DE_TRY(const auto specs, SpecsOf(std::as_const(model).inputs(), "input", file));
  std::map<size_t, ov::PartialShape> wanted;
  for (const auto& [name, shape] : shapes) {
    const auto spec = std::find_if(specs.begin(), specs.end(), [&, &n = name](const auto& s) { return s.name == n; });
    if (spec == specs.end()) {
      return Error{ErrorCode::kBadInput, fmt::format("{}: the graph has no input '{}'", file.string(), name)};
    }
    wanted.emplace(static_cast<size_t>(spec - specs.begin()),
                   ov::PartialShape(std::vector<ov::Dimension>(shape.begin(), shape.end())));
  }
  return CatchOv(file, ErrorCode::kBadInput, [&]() -> Status {
    model.reshape(wanted);
    return {};
  });
}

class OpenVinoEngine final : public Engine {
 public:
  OpenVinoEngine() {
    CPU_ZERO(&cpus_);
    // That of the main thread: what the process was given, unless it bound itself.
    sched_getaffinity(getpid(), sizeof(cpus_), &cpus_);
    ov::util::set_log_callback([](std::string_view) {});  // what matters comes back as an error
    AddDetectionPostProcess(core_);
  }

  std::string_view name() const override { return "openvino"; }

  std::string Description() const override {
    const std::string version = ov::get_openvino_version().buildNumber;
    try {
      const auto device = core_.get_property("CPU", ov::device::full_name);
      const auto capabilities = core_.get_property("CPU", ov::device::capabilities);
      return fmt::format("OpenVINO {} on {} ({})", version, device, fmt::join(capabilities, " "));
    } catch (const std::exception& e) {
      return fmt::format("OpenVINO {}, CPU device not usable: {}", version, ReadableMessage(e.what()));
    }
  }

  Result<GraphInfo> Inspect(const ModelFiles& files) override {
    const AffinityScope affinity(cpus_);
    DE_TRY(const LoadedGraph loaded, LoadGraph(core_, files));
    DE_TRY(GraphInfo info,
           CatchOv(files.graph, ErrorCode::kBadInput, [&] { return DescribeGraph(*loaded.model, files.graph); }));
    info.sized = DescribeForOnePicture(*loaded.model, info, files.graph);
    return info;
  }

  Result<std::unique_ptr<CompiledModel>> Compile(const ModelFiles& files, const CompileOptions& options) override {
    DE_CHECK(options.concurrency >= 1 && options.max_batch >= 1);
    DE_CHECK(options.cores == 1 || (options.cores > 1 && options.concurrency == 1));
    const AffinityScope affinity(cpus_);
    const std::vector<Precision> precisions = Precisions();
    if (std::find(precisions.begin(), precisions.end(), options.precision) == precisions.end()) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: this CPU does not compute in {}", files.graph.string(),
                                                        ToString(options.precision))};
    }
    DE_TRY(const LoadedGraph loaded, Prepare(files, options));
    if (!options.cuts.empty()) return StagedModel::Create(core_, loaded.model, options, files.graph);
    if (options.picture && options.max_batch > 1 && BatchPays(*loaded.model, options.batch_from_bytes)) {
      auto batched = OpenVinoModel::CreateBatched(core_, *loaded.model, options, files.graph);
      if (batched) return batched;
    }
    return OpenVinoModel::Create(core_, loaded.model, options, files.graph);
  }

  Result<LayerGraph> Analyse(const ModelFiles& files, const CompileOptions& options) override {
    const AffinityScope affinity(cpus_);
    DE_TRY(const LoadedGraph loaded, Prepare(files, options));
    return CatchOv(files.graph, ErrorCode::kBadInput, [&]() -> Result<LayerGraph> {
      FoldShapes(loaded.model);
      return FindLayers(*loaded.model, files.graph);
    });
  }

  std::vector<Precision> Precisions() const override {
    std::vector<Precision> precisions{Precision::kFp32, Precision::kInt8};
    try {
      const auto capabilities = core_.get_property("CPU", ov::device::capabilities);
      const bool bf16 = std::find(capabilities.begin(), capabilities.end(), "BF16") != capabilities.end();
      if (bf16) precisions.push_back(Precision::kBf16);
    } catch (const std::exception&) {
      // Then the device is not usable at all, as Compile will say.
    }
    return precisions;
  }

  Result<std::optional<ModelFiles>> Quantize(const ModelFiles& files, const QuantizeOptions& options,
                                             const Path& graph_file) override {
    const AffinityScope affinity(cpus_);
    DE_TRY(const LoadedGraph loaded, LoadGraph(core_, files));
    return QuantizeGraph(core_, *loaded.model, options, files.graph, graph_file);
  }

 private:
  // The graph as it is compiled: with the shapes and the picture input that the options ask for.
  Result<LoadedGraph> Prepare(const ModelFiles& files, const CompileOptions& options) {
    DE_TRY(LoadedGraph loaded, LoadGraph(core_, files));
    DE_TRY_STATUS(ReshapeInputs(*loaded.model, options.input_shapes, files.graph));
    if (options.picture) {
      DE_TRY_STATUS(AddPictureInput(loaded.model, *options.picture, files.graph, options.resize));
    }
    NameOperations(loaded.model);
    return loaded;
  }

  // Core's methods may be called from several threads.
  mutable ov::Core core_;
  cpu_set_t cpus_;
};

}  // namespace

Result<std::unique_ptr<Engine>> CreateOpenVinoEngine() {
  try {
    return std::unique_ptr<Engine>(std::make_unique<OpenVinoEngine>());
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInternal, "start OpenVINO: " + ReadableMessage(e.what())};
  }
}

}  // namespace deepedge
