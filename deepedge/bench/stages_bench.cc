#include "deepedge/bench/stages_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "deepedge/bench/throughput_bench.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/model/tensor.h"

namespace deepedge {
namespace {

double Milliseconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

Result<CompileOptions> WithShapes(const GraphInfo& info, const std::string& model) {
  CompileOptions options;
  for (size_t i = 0; i < info.inputs.size(); ++i) {
    const TensorSpec& input = info.inputs[i];
    if (IsStatic(input.shape)) continue;
    Shape shape = info.sized && i < info.sized->inputs.size() ? info.sized->inputs[i].shape : input.shape;
    if (!shape.empty() && shape[0] < 0) shape[0] = 1;
    if (shape.empty() || !IsStatic(shape)) {
      return Error{ErrorCode::kUnsupported,
                   fmt::format("{}: input '{}' is of open size {}", model, input.name, ToString(input.shape))};
    }
    options.input_shapes[input.name] = shape;
  }
  return options;
}

void FillWithNoise(CompiledModel& model) {
  std::minstd_rand random(1);
  for (size_t i = 0; i < model.inputs().size(); ++i) {
    const MutableTensorView view = model.Input(0, i);
    if (view.type == ElementType::kF32) {
      for (float& v : view.As<float>()) v = static_cast<float>(random() % 2001) / 1000.0F - 1.0F;
    } else if (SizeOf(view.type) == 1) {
      for (std::byte& v : view.data) v = static_cast<std::byte>(random() % 251);
    }
  }
}

// Of graph.layers. What belongs to no layer is spread over all, in proportion.
Result<std::vector<double>> TimesOfLayers(Engine& engine, const ModelFiles& files, CompileOptions options,
                                          const LayerGraph& graph) {
  constexpr int kRuns = 10;
  options.time_layers = true;
  DE_TRY(const auto model, engine.Compile(files, options));
  FillWithNoise(*model);
  for (int i = 0; i < kRuns; ++i) DE_TRY_STATUS(model->Run(0));
  std::map<std::string, double> us;
  double all = 0;
  for (const LayerTime& time : model->TimesOfLayers(0).layers) {
    us[time.layer] += time.us;
    all += time.us;
  }
  std::vector<double> times;
  double named = 0;
  for (const Layer& layer : graph.layers) {
    const auto found = us.find(layer.name);
    times.push_back(found == us.end() ? 0 : found->second);
    named += times.back();
  }
  for (double& time : times) time *= named > 0 ? all / named : 1;
  return times;
}

struct Series {
  std::vector<double> whole, cut, ratio;
  std::vector<std::vector<double>> stages;
};

Status MeasureOnce(CompiledModel& whole, CompiledModel& cut, Series& series) {
  const Duration start = ThreadCpuTime();
  DE_TRY_STATUS(whole.Run(0));
  Duration before = ThreadCpuTime();
  series.whole.push_back(Milliseconds(before - start));
  series.stages.resize(static_cast<size_t>(cut.stages()));
  double sum = 0;
  for (int stage = 0; stage < cut.stages(); ++stage) {
    DE_TRY_STATUS(cut.RunStage(0, stage));
    const Duration now = ThreadCpuTime();
    series.stages[static_cast<size_t>(stage)].push_back(Milliseconds(now - before));
    sum += Milliseconds(now - before);
    before = now;
  }
  series.cut.push_back(sum);
  if (series.whole.back() > 0) series.ratio.push_back(sum / series.whole.back());
  return {};
}

Result<StagesCost> MeasureModel(Engine& engine, const std::string& path, const StagesBenchOptions& options) {
  DE_TRY(const ModelFiles files, FindModelFiles(path));
  DE_TRY(const GraphInfo info, engine.Inspect(files));
  DE_TRY(CompileOptions compile, WithShapes(info, path));
  DE_TRY(const LayerGraph graph, engine.Analyse(files, compile));
  DE_TRY(const std::vector<double> layer_us, TimesOfLayers(engine, files, compile, graph));
  const StageChoice choice = ChooseStages(graph, layer_us, options.rule);
  DE_TRY(const auto whole, engine.Compile(files, compile));
  compile.cuts = PlacesOf(graph, choice);
  DE_TRY(const auto cut, engine.Compile(files, compile));
  FillWithNoise(*whole);
  FillWithNoise(*cut);
  Series warm;
  for (int i = 0; i < 3; ++i) DE_TRY_STATUS(MeasureOnce(*whole, *cut, warm));
  Series series;
  for (int i = 0; i < options.runs; ++i) DE_TRY_STATUS(MeasureOnce(*whole, *cut, series));
  StagesCost cost{.model = path,
                  .whole_ms = Median(series.whole),
                  .cut_ms = Median(series.cut),
                  .cost = series.ratio.empty() ? 0 : Median(series.ratio) - 1,
                  .tail = choice.tail,
                  .bound = choice.bound,
                  .reason = choice.reason};
  double total_us = 0;
  for (const double us : layer_us) total_us += us;
  if (total_us > 0) cost.predicted_cost = choice.cost_us / total_us;
  for (std::vector<double>& stage : series.stages) cost.stage_ms.push_back(Median(stage));
  for (const size_t i : choice.cuts) cost.border_bytes += graph.cuts[i].bytes;
  return cost;
}

}  // namespace

Result<std::vector<StagesCost>> MeasureStages(Engine& engine, const StagesBenchOptions& options) {
  std::vector<StagesCost> costs;
  for (const std::string& model : options.models) {
    DE_TRY(StagesCost cost, MeasureModel(engine, model, options));
    costs.push_back(std::move(cost));
  }
  return costs;
}

}  // namespace deepedge
