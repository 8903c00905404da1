#include "deepedge/engine/openvino/usable_files.h"

#include <fmt/format.h>

#include "deepedge/formats/content.h"
#include "deepedge/formats/foreign_reader.h"
#include "deepedge/formats/onnx/onnx_external.h"
#include "deepedge/formats/onnx/onnx_rewrite.h"
#include "deepedge/formats/paddle_parameters.h"
#include "deepedge/formats/paddle_version.h"
#include "deepedge/formats/tensorflow/tf_dequantize.h"
#include "deepedge/formats/tensorflow/tf_tensor_array.h"
#include "deepedge/formats/tflite_labels.h"
#include "deepedge/formats/tflite_quantization.h"

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
  if (content.kind == ContentKind::kTextGraph && HasOwnReader(files)) return {};
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

// Files that the engine can read as they are, under names that it goes by.
Result<ModelFiles> LinkUsualNames(const ModelFiles& files, std::optional<TemporaryFolder>& folder) {
  DE_TRY(folder, TemporaryFolder::Create("deepedge_model_"));
  const Extensions extensions = ExtensionsOf(files.format);
  ModelFiles linked{.format = files.format, .graph = folder->path() / fmt::format("model{}", extensions.graph)};
  DE_TRY_STATUS(Link(files.graph, linked.graph));
  if (!files.weights.empty()) {
    linked.weights = folder->path() / fmt::format("model{}", extensions.weights);
    DE_TRY_STATUS(Link(files.weights, linked.weights));
  }
  return linked;
}

// The copy that is read in place of a file that needs rewriting; nothing when it does not.
Result<std::optional<ModelFiles>> RewritePaddle(const ModelFiles& files, std::optional<TemporaryFolder>& folder) {
  constexpr int64_t kFirstPaddle2 = 2'000'000;
  std::error_code ec;
  const bool separate = std::filesystem::is_directory(files.weights, ec);
  DE_TRY(const int64_t version, ReadPaddleVersion(files.graph));
  if (!separate && (version == 0 || version >= kFirstPaddle2)) return std::optional<ModelFiles>();
  DE_TRY(folder, TemporaryFolder::Create("deepedge_model_"));
  ModelFiles combined = files;
  if (separate) {
    combined.weights = folder->path() / "combined";
    DE_TRY_STATUS(CombinePaddleParameters(files.graph, files.weights, combined.weights));
  }
  // A program of Paddle 2 comes out as it is but for its number, which the engine does not ask for.
  DE_TRY(ModelFiles rewritten, RewritePaddleVersion(combined, folder->path()));
  return std::optional(std::move(rewritten));
}

Result<std::optional<ModelFiles>> RewriteTensorFlow(const ModelFiles& files, std::optional<TemporaryFolder>& folder) {
  DE_TRY(const bool quantized, HasDequantize(files.graph));
  DE_TRY(const bool arrays, HasJoinedArrays(files.graph));
  if (!quantized && !arrays) return std::optional<ModelFiles>();
  DE_TRY(folder, TemporaryFolder::Create("deepedge_model_"));
  ModelFiles rewritten = files;
  if (arrays) {
    DE_TRY(rewritten, RewriteJoinedArrays(rewritten, folder->path()));
  }
  if (quantized) {
    DE_TRY(rewritten, RewriteDequantize(rewritten, folder->path()));
  }
  if (rewritten.graph != files.graph) return std::optional(std::move(rewritten));
  folder.reset();
  return std::optional<ModelFiles>();
}

Result<std::optional<ModelFiles>> RewriteTflite(const ModelFiles& files, std::optional<TemporaryFolder>& folder) {
  DE_TRY(const std::vector<int64_t> places, FindWrongTfliteAxes(files.graph));
  if (places.empty()) return std::optional<ModelFiles>();
  DE_TRY(folder, TemporaryFolder::Create("deepedge_model_"));
  ModelFiles rewritten{.format = files.format, .graph = folder->path() / "model.tflite"};
  DE_TRY_STATUS(RewriteTfliteAxes(files.graph, places, rewritten.graph));
  return std::optional(std::move(rewritten));
}

Result<std::optional<ModelFiles>> PrepareOnnx(const ModelFiles& files, std::optional<TemporaryFolder>& folder,
                                              UsableFiles& usable) {
  DE_TRY(OnnxOutline outline, ReadOnnxOutline(files.graph));
  for (auto& [key, value] : outline.metadata) usable.metadata.emplace("onnx." + key, std::move(value));
  if (!outline.producer.empty()) usable.metadata.emplace("onnx.producer", outline.producer);
  if (!NeedsRewriting(outline)) return std::optional<ModelFiles>();
  DE_TRY(folder, TemporaryFolder::Create("deepedge_model_"));
  DE_TRY(ModelFiles rewritten, RewriteOnnx(files, folder->path()));
  usable.quantized_weights = true;
  return std::optional(std::move(rewritten));
}

}  // namespace

Result<UsableFiles> MakeUsable(const ModelFiles& files, std::optional<TemporaryFolder>& folder) {
  std::error_code ec;
  if (!files.weights.empty() && !std::filesystem::exists(files.weights, ec)) {
    return Error{ErrorCode::kNotFound, fmt::format("{}: no such file", files.weights.string())};
  }
  DE_TRY_STATUS(CheckContent(files));
  UsableFiles usable{.files = files, .metadata = {}};
  if (HasOwnReader(files)) return usable;
  std::optional<ModelFiles> rewritten;
  if (files.format == ModelFormat::kPaddle) {
    DE_TRY(rewritten, RewritePaddle(files, folder));
  }
  if (files.format == ModelFormat::kTfFrozen) {
    DE_TRY(rewritten, RewriteTensorFlow(files, folder));
  }
  if (files.format == ModelFormat::kTflite) {
    DE_TRY(std::string labels, ReadTfliteLabels(files.graph));
    if (!labels.empty()) usable.metadata.emplace("tflite.labels", std::move(labels));
    DE_TRY(std::string notes, ReadTfliteNotes(files.graph));
    if (!notes.empty()) usable.metadata.emplace("tflite.notes", std::move(notes));
    DE_TRY(const std::vector<TfliteScale> scales, ReadTfliteOutputScales(files.graph));
    for (const TfliteScale& scale : scales) {
      usable.metadata.emplace("tflite.scale." + scale.name, fmt::format("{} {}", scale.scale, scale.zero));
    }
    DE_TRY(rewritten, RewriteTflite(files, folder));
  }
  if (files.format == ModelFormat::kOnnx) {
    DE_TRY(rewritten, PrepareOnnx(files, folder, usable));
  }
  if (rewritten) {
    usable.files = *std::move(rewritten);
  } else if (!HasUsualNames(files)) {
    DE_TRY(usable.files, LinkUsualNames(files, folder));
    if (files.format == ModelFormat::kOnnx) {
      DE_TRY_STATUS(PlaceOnnxExternalFiles(files.graph, folder->path()));
    }
  } else if (files.format == ModelFormat::kOnnx) {
    DE_TRY_STATUS(FindOnnxExternalFiles(files.graph).status());  // none outside of the model's folder
  }
  return usable;
}

}  // namespace deepedge
