#include "deepedge/formats/sniff.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/formats/content.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKnownFormats =
    "ONNX, TensorFlow (.pb, SavedModel), TFLite, Paddle, OpenVINO IR, Caffe, CNTK, Darknet, Torch7";

bool IsFile(const Path& path) {
  std::error_code ec;
  return fs::is_regular_file(path, ec);
}

Result<FileContent> Identify(const Path& path) {
  DE_TRY(BoundedFile file, BoundedFile::Open(path));
  return IdentifyContent(file, path.filename().string());
}

Path WithExtension(Path path, const char* extension) { return path.replace_extension(extension); }

// The folder that holds a file named without one is ".".
Path FolderOf(const Path& file) { return file.has_parent_path() ? file.parent_path() : Path("."); }

// The entries of a folder in the order of their names; hidden ones are left out.
Result<std::vector<Path>> ListFolder(const Path& folder) {
  constexpr size_t kMaxEntries = 1000;  // more is no model's folder, and would take long to look at
  std::vector<Path> entries;
  std::error_code ec;
  for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator(); it.increment(ec)) {
    if (it->path().filename().string().starts_with('.')) continue;
    if (entries.size() == kMaxEntries) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("{}: holds more than {} files; name the model's file or its folder", folder.string(),
                               kMaxEntries)};
    }
    entries.push_back(it->path());
  }
  if (ec) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be listed: {}", folder.string(), ec.message())};
  std::sort(entries.begin(), entries.end());
  return entries;
}

Result<Path> FindIrWeights(const Path& graph) {
  const Path weights = WithExtension(graph, ".bin");
  if (IsFile(weights)) return weights;
  return Error{ErrorCode::kBadInput, fmt::format("{}: an OpenVINO IR without its weights: {} is missing",
                                                 graph.string(), weights.filename().string())};
}

// The files of a folder that are `kind` of `format`.
Result<std::vector<Path>> FilesOfKind(const Path& folder, ContentKind kind, ModelFormat format) {
  DE_TRY(const std::vector<Path> entries, ListFolder(folder));
  std::vector<Path> found;
  for (const Path& entry : entries) {
    if (!IsFile(entry)) continue;
    const auto content = Identify(entry);
    if (content.ok() && content.value().kind == kind && content.value().format == format) found.push_back(entry);
  }
  return found;
}

// Beside `x.pdmodel` lies `x.pdiparams`, beside `__model__` `__params__`; else the only file of such weights is taken,
// or, where there are several, the folder.
Result<Path> FindPaddleWeights(const Path& graph) {
  for (const Path& candidate :
       {WithExtension(graph, ".pdiparams"), FolderOf(graph) / "__params__", FolderOf(graph) / "params"}) {
    if (IsFile(candidate)) return candidate;
  }
  DE_TRY(const std::vector<Path> found, FilesOfKind(FolderOf(graph), ContentKind::kWeights, ModelFormat::kPaddle));
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: a Paddle model without its weights: expected {} or __params__ beside it",
                             graph.string(), WithExtension(graph, ".pdiparams").filename().string())};
  }
  return FolderOf(graph);  // a file for each parameter: paddle_parameters.h
}

// What a network of two files is made of: the description as text and the weights.
struct Halves {
  std::string_view graph_name;    // "description (.prototxt)"
  std::string_view weights_name;  // "weights (.caffemodel)"
};

Halves HalvesOf(ModelFormat format) {
  if (format == ModelFormat::kDarknet) return {"configuration (.cfg)", "weights (.weights)"};
  return {"description (.prototxt)", "weights (.caffemodel)"};
}

// The other half of a network of two files: the one of the same stem, else the only one in the folder.
Result<Path> FindOtherHalf(const Path& half, ContentKind wanted, ModelFormat format) {
  DE_TRY(const std::vector<Path> found, FilesOfKind(FolderOf(half), wanted, format));
  for (const Path& candidate : found) {
    if (candidate.stem() == half.stem()) return candidate;
  }
  if (found.size() == 1) return found.front();
  const Halves halves = HalvesOf(format);
  const std::string_view name = wanted == ContentKind::kModel ? halves.graph_name : halves.weights_name;
  return Error{ErrorCode::kBadInput,
               found.empty() ? fmt::format("{}: a {} network without its {}: none lies beside it", half.string(),
                                           ToString(format), name)
                             : fmt::format("{}: a {} network whose {} could be one of {} files: name both alike",
                                           half.string(), ToString(format), name, found.size())};
}

// Adds what belongs to a model whose file was recognised.
Result<ModelFiles> Complete(const Path& path, ModelFormat format) {
  ModelFiles files{.format = format, .graph = path};
  switch (format) {
    case ModelFormat::kOnnx:
    case ModelFormat::kTfFrozen:
    case ModelFormat::kTflite:
    case ModelFormat::kCntkV1:
    case ModelFormat::kCntkV2:
    case ModelFormat::kTorch7: break;
    case ModelFormat::kTfSavedModel:
      if (path.filename() != "saved_model.pb") {
        return Error{
            ErrorCode::kBadInput,
            fmt::format("{}: a TensorFlow SavedModel, whose file must be named saved_model.pb", path.string())};
      }
      files.graph = FolderOf(path);
      break;
    case ModelFormat::kPaddle: {
      DE_TRY(files.weights, FindPaddleWeights(path));
      break;
    }
    case ModelFormat::kOpenVinoIr:
    case ModelFormat::kOpenVinoIrOld: {
      DE_TRY(files.weights, FindIrWeights(path));
      break;
    }
    case ModelFormat::kCaffe:
    case ModelFormat::kDarknet: {
      DE_TRY(files.weights, FindOtherHalf(path, ContentKind::kWeights, format));
      break;
    }
  }
  return files;
}

// The weights of a graph as text lie in the frozen graph of the same stem, else in the only one of the folder.
Result<ModelFiles> CompleteTextGraph(const Path& path, const FileContent& content) {
  DE_TRY(const std::vector<Path> found, FilesOfKind(FolderOf(path), ContentKind::kModel, ModelFormat::kTfFrozen));
  for (const Path& candidate : found) {
    if (found.size() == 1 || candidate.stem() == path.stem()) return ModelFiles{content.format, path, candidate};
  }
  return Error{
      ErrorCode::kUnsupported,
      fmt::format("{}: {}, which is not read without the frozen graph (.pb) that holds its weights: {}", path.string(),
                  content.what, found.empty() ? "none lies beside it" : "several lie beside it, name both alike")};
}

Result<ModelFiles> FindFile(const Path& path) {
  DE_TRY(const FileContent content, Identify(path));
  if (content.missing_bytes > 0) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: {} that is cut off: at least {} bytes are missing",
                                                   path.string(), content.what, content.missing_bytes)};
  }
  switch (content.kind) {
    case ContentKind::kModel: return Complete(path, content.format);
    case ContentKind::kTextGraph: return CompleteTextGraph(path, content);
    case ContentKind::kUnsupported:
      return Error{ErrorCode::kUnsupported, fmt::format("{}: {}, which is not read yet", path.string(), content.what)};
    case ContentKind::kWeights:
      if (content.format == ModelFormat::kCaffe || content.format == ModelFormat::kDarknet) {
        DE_TRY(const Path graph, FindOtherHalf(path, ContentKind::kModel, content.format));
        return ModelFiles{.format = content.format, .graph = graph, .weights = path};
      }
      [[fallthrough]];
    case ContentKind::kOther:
      return Error{ErrorCode::kBadInput, fmt::format("{}: {}, not a model", path.string(), content.what)};
    case ContentKind::kUnknown: break;
  }
  return Error{ErrorCode::kBadInput,
               fmt::format("{}: not a model of a known format ({})", path.string(), kKnownFormats)};
}

std::string Names(const std::vector<Path>& paths) {
  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const Path& path : paths) names.push_back(path.filename().string());
  return fmt::format("{}", fmt::join(names, ", "));
}

bool IsVersionName(const std::string& name) {
  return !name.empty() && name.size() < 10 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The models that lie in a folder itself; nothing found is no error here.
Result<std::optional<ModelFiles>> FindAmong(const Path& folder, const std::vector<Path>& entries) {
  if (IsFile(folder / "saved_model.pb")) {
    DE_TRY(ModelFiles files, FindFile(folder / "saved_model.pb"));
    return std::optional(std::move(files));
  }
  std::vector<Path> models;
  std::optional<Path> unsupported;
  for (const Path& entry : entries) {
    if (!IsFile(entry)) continue;
    const auto content = Identify(entry);
    if (!content.ok()) continue;  // a file that may not be read is not the one that is meant
    if (content.value().kind == ContentKind::kModel) models.push_back(entry);
    const bool other =
        content.value().kind == ContentKind::kUnsupported || content.value().kind == ContentKind::kTextGraph;
    if (other && !unsupported) unsupported = entry;
  }
  if (models.size() > 1) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: holds {} models: {}; name one of them", folder.string(),
                                                   models.size(), Names(models))};
  }
  if (models.empty() && !unsupported) return std::optional<ModelFiles>();
  DE_TRY(ModelFiles files, FindFile(models.empty() ? *unsupported : models.front()));
  return std::optional(std::move(files));
}

Result<ModelFiles> FindInFolder(const Path& folder, bool look_into_versions) {
  DE_TRY(const std::vector<Path> entries, ListFolder(folder));
  DE_TRY(std::optional<ModelFiles> found, FindAmong(folder, entries));
  if (found) return *std::move(found);
  std::vector<Path> versions;
  std::error_code ec;
  for (const Path& entry : entries) {
    if (IsVersionName(entry.filename().string()) && fs::is_directory(entry, ec)) versions.push_back(entry);
  }
  if (look_into_versions && versions.size() > 1) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: holds {} versions: {}; name one of them", folder.string(),
                                                   versions.size(), Names(versions))};
  }
  if (look_into_versions && versions.size() == 1) return FindInFolder(versions.front(), false);
  return Error{ErrorCode::kBadInput,
               fmt::format("{}: holds no model of a known format ({})", folder.string(), kKnownFormats)};
}

}  // namespace

Result<ModelFiles> FindModelFiles(const Path& path) {
  DE_TRY(const auto status, StatusOf(path, "no such file or folder"));
  return fs::is_directory(status) ? FindInFolder(path, true) : FindFile(path);
}

}  // namespace deepedge
