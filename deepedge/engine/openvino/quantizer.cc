#include "deepedge/engine/openvino/quantizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <openvino/core/graph_util.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/result.hpp>
#include <openvino/pass/constant_folding.hpp>
#include <openvino/pass/manager.hpp>
#include <vector>

#include "deepedge/engine/openvino/compile_settings.h"
#include "deepedge/engine/openvino/ov_types.h"
#include "deepedge/engine/openvino/picture_input.h"
#include "deepedge/engine/openvino/quantize_graph.h"

namespace deepedge {
namespace {

constexpr size_t kRankingPictures = 4;  // enough to tell layers apart; each layer is compiled for it

// A copy of the graph that takes the calibration pictures, and its operations in the order of the original.
struct Runnable {
  std::shared_ptr<ov::Model> model;
  OrderedOps ops;
};

Result<Runnable> MakeRunnable(const ov::Model& model, const QuantizeOptions& options, const Path& file) {
  Runnable runnable{.model = model.clone(), .ops = {}};
  runnable.ops = runnable.model->get_ordered_ops();
  DE_TRY_STATUS(AddPictureInput(runnable.model, options.picture, file, /*resize=*/true));
  return runnable;
}

ov::InferRequest Compile(ov::Core& core, const std::shared_ptr<ov::Model>& model) {
  return core.compile_model(model, "CPU", CompileProperties(0, {})).create_infer_request();
}

void Run(ov::InferRequest& request, const Tensor& picture) {
  ov::Tensor input = request.get_input_tensor(0);
  std::memcpy(input.data(), picture.data.data(), input.get_byte_size());
  request.infer();
}

// Runs the calibration pictures and shows every tensor's values, some tensors at a time so that memory stays bounded.
void Observe(ov::Core& core, const Runnable& runnable, const QuantizeOptions& options, const QuantizableGraph& graph,
             const std::function<void(size_t tensor, const ov::Tensor& values)>& visit) {
  constexpr size_t kMostBytes = size_t{128} << 20;
  for (size_t first = 0; first < graph.tensors.size();) {
    ov::ResultVector results;
    size_t bytes = 0;
    size_t end = first;
    for (; end < graph.tensors.size() && (end == first || bytes < kMostBytes); ++end) {
      const ov::Output<ov::Node> value = graph.tensors[end].In(runnable.ops);
      results.push_back(std::make_shared<ov::op::v0::Result>(value));
      bytes += ov::shape_size(value.get_shape()) * sizeof(float);
    }
    auto request = Compile(core, std::make_shared<ov::Model>(results, runnable.model->get_parameters()));
    for (const Tensor& picture : options.calibration) {
      Run(request, picture);
      for (size_t i = first; i < end; ++i) visit(i, request.get_output_tensor(i - first));
    }
    first = end;
  }
}

// The numbers of a tensor of floats of 16 or 32 bits; empty for other types.
std::vector<float> Values(const ov::Tensor& tensor) {
  const size_t count = tensor.get_size();
  if (tensor.get_element_type() == ov::element::f32) return {tensor.data<float>(), tensor.data<float>() + count};
  if (tensor.get_element_type() != ov::element::f16) return {};
  const auto* halves = tensor.data<ov::float16>();
  return {halves, halves + count};
}

// Adds the mean of each channel (dimension 1 of 4) to `means`.
void AddChannelMeans(const ov::Shape& shape, std::span<const float> values, std::vector<double>* means) {
  if (shape.size() != 4 || shape[0] != 1) return;
  means->resize(shape[1]);
  const size_t pixels = shape[2] * shape[3];
  for (size_t c = 0; c < shape[1]; ++c) {
    const auto plane = values.subspan(c * pixels, pixels);
    (*means)[c] += std::accumulate(plane.begin(), plane.end(), 0.0) / static_cast<double>(pixels);
  }
}

void Calibrate(ov::Core& core, const Runnable& runnable, const QuantizeOptions& options, QuantizableGraph& graph) {
  Observe(core, runnable, options, graph, [&](size_t i, const ov::Tensor& tensor) {
    const std::vector<float> values = Values(tensor);
    graph.tensors[i].range.Add(values);
    AddChannelMeans(tensor.get_shape(), values, &graph.tensors[i].channel_means);
  });
  std::vector<ValueHistogram> histograms;
  for (const QuantizedTensor& tensor : graph.tensors) histograms.emplace_back(tensor.range);
  Observe(core, runnable, options, graph,
          [&](size_t i, const ov::Tensor& values) { histograms[i].Add(Values(values)); });
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    QuantizedTensor& tensor = graph.tensors[i];
    tensor.range = OnGrid(histograms[i].LeastError());
    for (double& mean : tensor.channel_means) mean /= static_cast<double>(options.calibration.size());
  }
}

using Outputs = std::vector<std::vector<float>>;

// All outputs for the first pictures, one after the other.
Outputs RunAll(ov::InferRequest request, const QuantizeOptions& options) {
  Outputs outputs;
  for (size_t p = 0; p < std::min(kRankingPictures, options.calibration.size()); ++p) {
    Run(request, options.calibration[p]);
    for (size_t i = 0; i < request.get_compiled_model().outputs().size(); ++i) {
      outputs.push_back(Values(request.get_output_tensor(i)));
    }
  }
  return outputs;
}

// Sum over the outputs of |a - b| / |b|.
double Difference(const Outputs& a, const Outputs& b) {
  double sum = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    double difference = 0;
    double norm = 1e-12;
    for (size_t k = 0; k < std::min(a[i].size(), b[i].size()); ++k) {
      difference += std::pow(static_cast<double>(a[i][k]) - static_cast<double>(b[i][k]), 2);
      norm += std::pow(static_cast<double>(b[i][k]), 2);
    }
    sum += std::sqrt(difference / norm);
  }
  return std::isfinite(sum) ? sum : 1e30;
}

// A copy of the runnable graph in which one layer alone is quantized.
std::shared_ptr<ov::Model> QuantizeOne(const Runnable& runnable, const OrderedOps& all, const QuantizableGraph& graph,
                                       size_t layer) {
  std::shared_ptr<ov::Model> copy = runnable.model->clone();
  const OrderedOps copied = copy->get_ordered_ops();
  // The copy has the preparation of the picture too; the original's operations are found by their place in it.
  const size_t op = graph.layers[layer].op;
  OrderedOps ops(runnable.ops.size());
  ops[op] = copied[static_cast<size_t>(std::find(all.begin(), all.end(), runnable.ops[op]) - all.begin())];
  QuantizableGraph alone{.layers = {graph.layers[layer]}, .tensors = {graph.tensors[graph.layers[layer].tensor]}};
  alone.layers[0].tensor = 0;
  alone.tensors[0].users = {{op, 0}};
  const size_t chosen[] = {0};
  ApplyQuantization(ops, alone, chosen, /*residual_sums=*/false);
  return copy;
}

// The layers by how much their quantization alone changes the outputs, least first.
std::vector<size_t> RankLayers(ov::Core& core, const Runnable& runnable, const QuantizeOptions& options,
                               const QuantizableGraph& graph, std::vector<size_t> layers) {
  const Outputs expected = RunAll(Compile(core, runnable.model), options);
  const OrderedOps all = runnable.model->get_ordered_ops();
  std::vector<double> harm(graph.layers.size());
  for (const size_t layer : layers) {
    harm[layer] = Difference(RunAll(Compile(core, QuantizeOne(runnable, all, graph, layer)), options), expected);
  }
  std::stable_sort(layers.begin(), layers.end(), [&](size_t a, size_t b) { return harm[a] < harm[b]; });
  return layers;
}

Status CheckPictures(const QuantizeOptions& options, const Path& file) {
  const Shape wanted{1, options.picture.height, options.picture.width, ChannelCount(options.picture.order)};
  if (options.calibration.empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: no pictures to calibrate with", file.string())};
  }
  for (const Tensor& picture : options.calibration) {
    if (picture.type == ElementType::kU8 && picture.shape == wanted) continue;
    return Error{ErrorCode::kBadInput, fmt::format("{}: a calibration picture is {} {}, expected u8 {}", file.string(),
                                                   ToString(picture.type), ToString(picture.shape), ToString(wanted))};
  }
  return {};
}

Status FoldConstants(ov::Model& model, const Path& file) {
  ov::pass::Manager folding;
  folding.register_pass<ov::pass::ConstantFolding>();
  folding.run_passes(std::shared_ptr<ov::Model>(&model, [](ov::Model*) {}));
  const OrderedOps ops = model.get_ordered_ops();
  const bool quantized =
      std::any_of(ops.begin(), ops.end(), [](const auto& op) { return ov::is_type<ov::op::v0::FakeQuantize>(op); });
  if (quantized) return Error{ErrorCode::kUnsupported, fmt::format("{}: is quantized already", file.string())};
  return {};
}

// The file that forms are written to, one over the other; it goes away unless kept.
class WrittenForm {
 public:
  explicit WrittenForm(const Path& graph)
      : files_{.format = ModelFormat::kOpenVinoIr, .graph = graph, .weights = Path(graph).replace_extension(".bin")} {}
  ~WrittenForm() {
    std::error_code ignored;
    if (kept_) return;
    std::filesystem::remove(files_.graph, ignored);
    std::filesystem::remove(files_.weights, ignored);
  }
  WrittenForm(const WrittenForm&) = delete;
  WrittenForm& operator=(const WrittenForm&) = delete;

  const ModelFiles& files() const { return files_; }
  ModelFiles Keep() {
    kept_ = true;
    return files_;
  }

 private:
  ModelFiles files_;
  bool kept_ = false;
};

// Writes the form in which these layers are quantized and has it judged; one without layers is not good enough.
Result<bool> Try(const ov::Model& model, const QuantizableGraph& graph, const QuantizeOptions& options,
                 const WrittenForm& file, std::span<const size_t> layers, bool residual_sums) {
  if (layers.empty()) return false;
  const std::shared_ptr<ov::Model> copy = model.clone();
  ApplyQuantization(copy->get_ordered_ops(), graph, layers, residual_sums);
  copy->validate_nodes_and_infer_types();
  ov::save_model(copy, file.files().graph, /*compress_to_fp16=*/false);
  return options.good_enough(file.files());
}

Result<bool> TryForms(ov::Core& core, const ov::Model& model, const Runnable& runnable, const QuantizeOptions& options,
                      const QuantizableGraph& graph, const WrittenForm& file) {
  std::vector<size_t> layers(graph.layers.size());
  std::iota(layers.begin(), layers.end(), size_t{0});
  DE_TRY(const bool all, Try(model, graph, options, file, layers, /*residual_sums=*/true));
  if (all) return true;

  std::erase_if(layers, [&](size_t i) { return graph.layers[i].depthwise || graph.layers[i].answers; });
  DE_TRY(const bool most, Try(model, graph, options, file, layers, /*residual_sums=*/true));
  if (most) return true;

  layers = RankLayers(core, runnable, options, graph, std::move(layers));
  for (const size_t quarters : {size_t{3}, size_t{2}, size_t{1}}) {
    const auto harmless = std::span(layers).first(layers.size() * quarters / 4);
    DE_TRY(const bool some, Try(model, graph, options, file, harmless, /*residual_sums=*/false));
    if (some) return true;
  }
  return false;
}

}  // namespace

Result<std::optional<ModelFiles>> QuantizeGraph(ov::Core& core, ov::Model& model, const QuantizeOptions& options,
                                                const Path& file, const Path& graph_file) {
  DE_TRY_STATUS(CheckPictures(options, file));
  return CatchOv(file, ErrorCode::kUnsupported, [&]() -> Result<std::optional<ModelFiles>> {
    DE_TRY_STATUS(FoldConstants(model, file));
    QuantizableGraph graph = FindQuantizable(model.get_ordered_ops());
    if (graph.layers.empty()) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: has no layer that can be quantized", file.string())};
    }
    DE_TRY(const Runnable runnable, MakeRunnable(model, options, file));
    Calibrate(core, runnable, options, graph);
    WrittenForm written(graph_file);
    DE_TRY(const bool found, TryForms(core, model, runnable, options, graph, written));
    if (!found) return std::optional<ModelFiles>();
    return std::optional(written.Keep());
  });
}

}  // namespace deepedge
