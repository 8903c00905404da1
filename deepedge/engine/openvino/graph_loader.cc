#include "deepedge/engine/openvino/graph_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <openvino/core/model.hpp>
#include <openvino/op/constant.hpp>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "deepedge/engine/openvino/detection_post_process.h"
#include "deepedge/engine/openvino/graph_facts.h"
#include "deepedge/engine/openvino/ov_types.h"
#include "deepedge/formats/content.h"
#include "deepedge/formats/foreign_reader.h"
#include "deepedge/formats/paddle_version.h"

namespace deepedge {
namespace {

struct Extensions {
  const char* graph;
  const char* weights;
};

// By which OpenVINO chooses a reader and finds the second file; a SavedModel is a folder.
Extensions ExtensionsOf(ModelFormat format) {
  switch (format) {
    case ModelFormat::kOnnx: return {".onnx", ""};
    case ModelFormat::kTfFrozen: return {".pb", ""};
    case ModelFormat::kTfSavedModel: return {"", ""};
    case ModelFormat::kTflite: return {".tflite", ""};
    case ModelFormat::kPaddle: return {".pdmodel", ".pdiparams"};
    case ModelFormat::kOpenVinoIr: return {".xml", ".bin"};
    case ModelFormat::kOpenVinoIrOld:
    case ModelFormat::kCaffe:
    case ModelFormat::kCntkV1:
    case ModelFormat::kCntkV2:
    case ModelFormat::kDarknet:
    case ModelFormat::kTorch7: break;  // read by our own readers
  }
  return {"", ""};
}

bool HasUsualNames(const ModelFiles& files) {
  const Extensions extensions = ExtensionsOf(files.format);
  if (files.format == ModelFormat::kTfSavedModel) return true;
  if (files.graph.extension() != extensions.graph) return false;
  return files.weights.empty() || files.weights == Path(files.graph).replace_extension(extensions.weights);
}

// OpenVINO tries one reader after the other on a file that its own one refuses, and some print to standard error. So
// what is not what it is said to be never gets there.
Status CheckContent(const ModelFiles& files) {
  const Path path = files.format == ModelFormat::kTfSavedModel ? files.graph / "saved_model.pb" : files.graph;
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  const FileContent content = IdentifyContent(file, path.filename().string());
  if (content.missing_bytes > 0) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: is cut off: at least {} bytes are missing",
                                                   files.graph.string(), content.missing_bytes)};
  }
  if (content.kind == ContentKind::kModel && content.format == files.format) return {};
  return Error{ErrorCode::kBadInput,
               fmt::format("{}: is not {}{}", files.graph.string(), ToString(files.format),
                           content.what.empty() ? std::string() : fmt::format(" but {}", content.what))};
}

Status Link(const Path& target, const Path& link) {
  std::error_code ec;
  const Path absolute = std::filesystem::absolute(target, ec);
  if (!ec) std::filesystem::create_symlink(absolute, link, ec);
  if (ec) return Error{ErrorCode::kExhausted, fmt::format("{}: cannot be created: {}", link.string(), ec.message())};
  return {};
}

// The files under names that OpenVINO goes by; `folder` is created when the model's own names will not do.
Result<ModelFiles> UsableFiles(const ModelFiles& files, std::optional<TemporaryFolder>& folder) {
  std::error_code ec;
  if (!files.weights.empty() && !std::filesystem::exists(files.weights, ec)) {
    return Error{ErrorCode::kNotFound, fmt::format("{}: no such file", files.weights.string())};
  }
  DE_TRY_STATUS(CheckContent(files));
  constexpr int64_t kFirstPaddle2 = 2'000'000;
  bool old_paddle = false;
  if (files.format == ModelFormat::kPaddle) {
    DE_TRY(const int64_t version, ReadPaddleVersion(files.graph));
    old_paddle = version != 0 && version < kFirstPaddle2;
  }
  if (HasOwnReader(files.format) || (!old_paddle && HasUsualNames(files))) return files;

  DE_TRY(folder, TemporaryFolder::Create("deepedge_model_"));
  if (old_paddle) return RewritePaddleVersion(files, folder->path());
  const Extensions extensions = ExtensionsOf(files.format);
  ModelFiles linked{.format = files.format, .graph = folder->path() / fmt::format("model{}", extensions.graph)};
  DE_TRY_STATUS(Link(files.graph, linked.graph));
  if (!files.weights.empty()) {
    linked.weights = folder->path() / fmt::format("model{}", extensions.weights);
    DE_TRY_STATUS(Link(files.weights, linked.weights));
  }
  return linked;
}

std::string NameOf(const ov::Output<const ov::Node>& port, std::string_view kind, size_t index) {
  const auto& names = port.get_names();
  if (names.empty()) return fmt::format("{}_{}", kind, index);
  return *std::min_element(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
}

// The operation that a result comes from, through those that only change its form.
std::string OperationBehind(const ov::Output<const ov::Node>& result) {
  static constexpr std::array<std::string_view, 4> kFormOnly = {"Convert", "Reshape", "Squeeze", "Unsqueeze"};
  const ov::Node* node = result.get_node();
  for (int steps = 0; steps < 8; ++steps) {
    if (const std::string marked = MarkedOperation(*node); !marked.empty()) return marked;
    const std::string_view type = node->get_type_name();
    const bool look_through =
        type == "Result" || std::find(kFormOnly.begin(), kFormOnly.end(), type) != kFormOnly.end();
    if (!look_through || node->get_input_size() == 0) break;
    node = node->get_input_node_ptr(0);
  }
  return node->get_type_name();
}

// In TensorFlow "x" is short for "x:0", the first output of x: both names are good.
void AddShortNames(ov::Model& model) {
  const auto add = [](const ov::Output<ov::Node>& port) {
    for (const std::string& name : std::unordered_set<std::string>(port.get_names())) {
      if (name.size() > 2 && name.ends_with(":0")) port.get_tensor().add_names({name.substr(0, name.size() - 2)});
    }
  };
  for (const auto& input : model.inputs()) add(input);
  for (const auto& output : model.outputs()) add(output);
}

}  // namespace

Result<LoadedGraph> LoadGraph(ov::Core& core, const ModelFiles& files) {
  LoadedGraph loaded;
  DE_TRY(const ModelFiles usable, UsableFiles(files, loaded.folder));
  if (HasOwnReader(files.format)) {
    DE_TRY(loaded.model, ReadForeignModel(files));
  } else {
    DE_TRY_STATUS(CatchOv(files.graph, ErrorCode::kBadInput, [&]() -> Status {
      loaded.model = core.read_model(usable.graph, usable.weights);
      const bool tensorflow = files.format == ModelFormat::kTfFrozen || files.format == ModelFormat::kTfSavedModel;
      if (tensorflow) AddShortNames(*loaded.model);
      return {};
    }));
  }
  if (loaded.model->outputs().empty()) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: the graph has no outputs", files.graph.string())};
  }
  return loaded;
}

Result<std::vector<TensorSpec>> SpecsOf(const std::vector<ov::Output<const ov::Node>>& ports, std::string_view kind,
                                        const Path& file) {
  std::vector<TensorSpec> specs;
  for (size_t i = 0; i < ports.size(); ++i) {
    TensorSpec spec{.name = NameOf(ports[i], kind, i)};
    const auto type = FromOv(ports[i].get_element_type());
    if (!type.ok()) return type.error().Wrap(fmt::format("{}: {} '{}'", file.string(), kind, spec.name));
    spec.type = type.value();
    spec.shape = FromOv(ports[i].get_partial_shape());
    specs.push_back(std::move(spec));
  }
  return specs;
}

int64_t WeightBytes(const ov::Model& model) {
  std::set<const void*> counted;
  size_t bytes = 0;
  for (const auto& node : model.get_ops()) {
    const auto* constant = dynamic_cast<const ov::op::v0::Constant*>(node.get());
    if (constant == nullptr || !counted.insert(constant->get_data_ptr()).second) continue;
    bytes += constant->get_byte_size();
  }
  return static_cast<int64_t>(bytes);
}

Result<GraphInfo> DescribeGraph(const ov::Model& model, const Path& file) {
  GraphInfo info;
  DE_TRY(info.inputs, SpecsOf(model.inputs(), "input", file));
  DE_TRY(info.outputs, SpecsOf(model.outputs(), "output", file));
  for (const auto& output : model.outputs()) info.output_operations.push_back(OperationBehind(output));
  info.weight_bytes = WeightBytes(model);
  info.facts = FindGraphFacts(model);
  info.metadata = FindMetadata(model);
  return info;
}

}  // namespace deepedge
