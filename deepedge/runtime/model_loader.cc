#include "deepedge/runtime/model_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include "deepedge/base/log.h"
#include "deepedge/base/state_folder.h"
#include "deepedge/base/url.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/pipeline/describe_model.h"
#include "deepedge/repository/model_repository.h"
#include "deepedge/repository/model_source.h"
#include "deepedge/runtime/variant_maker.h"

namespace deepedge {

namespace {

// What is looked for in the repository first: a name alone. A path has a '/', or an ending and is a file.
bool IsPlainName(const std::string& name_or_path) {
  if (name_or_path.find('/') != std::string::npos) return false;
  std::error_code ec;
  return !Path(name_or_path).has_extension() || !std::filesystem::is_regular_file(name_or_path, ec);
}

}  // namespace

Result<Path> LocateModel(const std::string& name_or_path, const Path& repository) {
  if (!SplitUrl(name_or_path).scheme.empty()) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("model '{}': an URL alone could give another model every day; add it first (deepedge model "
                    "add), or write it into the configuration with its sha256",
                    RedactUrl(name_or_path))};
  }
  const std::string name = name_or_path.substr(0, name_or_path.find('@'));
  const Path in_repository = repository / name;
  std::vector<Path> places{Path(name_or_path), in_repository};
  if (IsPlainName(name_or_path)) std::swap(places[0], places[1]);
  for (const Path& path : places) {
    const auto status = StatusOf(path);
    if (status.ok() && path == in_repository && CheckModelName(name).ok()) {
      return ModelRepository(repository).Locate(name_or_path);
    }
    if (status.ok()) return std::filesystem::is_directory(status.value()) ? ServingFolder(path) : path;
    if (status.error().code != ErrorCode::kNotFound) {
      return status.error().Wrap(fmt::format("model '{}'", name_or_path));
    }
  }
  return Error{ErrorCode::kNotFound, fmt::format("model '{}': no such file or folder, and {} does not exist either",
                                                 name_or_path, in_repository.string())};
}

Path DefaultRepository() {
  if (const char* repository = std::getenv("DEEPEDGE_REPOSITORY")) return repository;
  return DefaultStateFolder() / "models";
}

Status CheckHash(const ModelFiles& files, const std::string& sha256) {
  const Path file = GraphFileOf(files);
  DE_TRY(const std::string found, Sha256OfFile(file));
  if (found == sha256) return {};
  return Error{ErrorCode::kBadInput,
               fmt::format("{}: sha256 is {}, but {} was expected", file.string(), found, sha256)};
}

Result<VariantCard> FindVariant(const ModelCard& card, const VariantKey& key) {
  std::string known = ToString(VariantKey{.width = card.input.width, .height = card.input.height});
  for (const VariantCard& variant : card.variants) {
    if (variant.key != key) {
      known += ", " + ToString(variant.key);
      continue;
    }
    if (variant.Usable()) return variant;
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("form {} agrees with the model's own to {:.3f} on {} frames, at least {:.3f} was asked for",
                    ToString(key), variant.agreement, variant.frames, variant.least_agreement)};
  }
  return Error{ErrorCode::kBadInput, fmt::format("has no form {}; it has: {} (`deepedge model quantize` makes others)",
                                                 ToString(key), known)};
}

Result<std::vector<LevelSize>> PyramidSizes(const ModelCard& card) {
  constexpr size_t kMostSizes = 32;
  std::vector<LevelSize> sizes;
  const PictureInput& input = card.input;
  if (!(input.pyramid > 0)) return sizes;
  const int window = std::max(card.output.window, 1);
  if (input.width < window || input.height < window) {
    return Error{ErrorCode::kBadInput, fmt::format("the input of {}x{} is smaller than a window of {} pixels",
                                                   input.width, input.height, window)};
  }
  double scale = static_cast<double>(input.pyramid);
  while (true) {
    const LevelSize size{.width = static_cast<int>(std::lround(input.width * scale)),
                         .height = static_cast<int>(std::lround(input.height * scale))};
    if (size.width < window || size.height < window) return sizes;
    if (sizes.size() == kMostSizes) {
      return Error{ErrorCode::kBadInput, fmt::format("a pyramid of factor {} from {}x{} has more than {} sizes",
                                                     input.pyramid, input.width, input.height, kMostSizes)};
    }
    sizes.push_back(size);
    scale *= static_cast<double>(input.pyramid);
  }
}

namespace {

// What a tracker can still use (tracker.h).
constexpr float kFaintest = 0.1F;

// A network of its own for each smaller size, from the same files.
Status LoadPyramid(Engine& engine, const ModelFiles& files, CompileOptions options, ModelCard card,
                   LoadedModel* model) {
  DE_TRY(const std::vector<LevelSize> sizes, PyramidSizes(card));
  for (const LevelSize& size : sizes) {
    PyramidLevel level{.width = size.width, .height = size.height, .compiled = nullptr, .decoder = nullptr};
    card.input.width = size.width;
    card.input.height = size.height;
    options.picture = card.input;
    DE_TRY(level.compiled, engine.Compile(files, options));
    DE_TRY(level.decoder, MakeOutputDecoder(card, level.compiled->outputs()));
    model->smaller.push_back(std::move(level));
  }
  return {};
}

// The graph file of a variant lies beside the model's own.
ModelFiles GraphOfVariant(const ModelFiles& files, const VariantCard& variant) {
  const Path graph = FolderOfModel(files) / variant.graph;
  return {.format = ModelFormat::kOpenVinoIr, .graph = graph, .weights = Path(graph).replace_extension(".bin")};
}

Result<std::unique_ptr<LoadedModel>> LoadNamed(Engine& engine, const LoadRequest& request) {
  DE_TRY(ModelFiles files, FindModelFiles(request.path));
  if (!request.sha256.empty()) DE_TRY_STATUS(CheckHash(files, request.sha256));
  DE_TRY(ModelDescription description, DescribeModel(engine, files));

  if (description.card.input.width <= 0 || description.card.input.height <= 0) {
    DE_TRY(const GraphInfo graph, engine.Inspect(files));
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: takes no picture (its input: {}); `deepedge model infer` runs it on raw tensors",
                             files.graph.string(), DescribeTensors(graph.inputs))};
  }
  auto model = std::make_unique<LoadedModel>();
  model->files = std::move(files);
  model->card = std::move(description.card);
  model->assumptions = std::move(description.assumptions);
  model->name = request.name.empty() ? model->card.name : request.name;
  const VariantKey own{.width = model->card.input.width, .height = model->card.input.height};
  const VariantKey key = request.variant.value_or(own);
  CompileOptions options{
      .max_batch = request.max_batch, .batch_from_bytes = request.batch_from_bytes, .concurrency = request.concurrency};
  ModelFiles to_compile = model->files;
  if (key != own) {
    DE_TRY(const VariantCard variant, FindVariant(model->card, key));
    if (!variant.graph.empty()) to_compile = GraphOfVariant(model->files, variant);
    model->card = CardOfVariant(model->card, key);
    options.resize = true;
    options.precision = key.precision;
  }
  options.picture = model->card.input;
  model->variant = ToString(key);
  model->labels = std::make_shared<const std::vector<std::string>>(model->card.labels);
  DE_TRY(model->compiled, engine.Compile(to_compile, options));
  model->threshold = model->card.threshold;
  ModelCard decoded = model->card;
  if (request.faint_objects && decoded.task == "detection") decoded.threshold = std::min(decoded.threshold, kFaintest);
  DE_TRY(model->decoder, MakeOutputDecoder(decoded, model->compiled->outputs()));
  DE_TRY_STATUS(LoadPyramid(engine, to_compile, options, decoded, model.get()));
  return model;
}

}  // namespace

Result<std::unique_ptr<LoadedModel>> LoadModel(Engine& engine, const LoadRequest& request) {
  auto loaded = LoadNamed(engine, request);
  if (loaded.ok()) return loaded;
  const std::string name = request.name.empty() ? request.path.string() : request.name;
  return loaded.error().Wrap(fmt::format("model '{}'", name));
}

}  // namespace deepedge
