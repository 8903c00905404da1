// `deepedge model add`: a model from a file, a folder, an archive or an address into the repository.
#include <fmt/format.h>

#include <vector>

#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/app/result_text.h"
#include "deepedge/base/text.h"
#include "deepedge/runtime/model_inference.h"
#include "deepedge/runtime/model_loader.h"
#include "deepedge/runtime/probe_pictures.h"

namespace deepedge {
namespace {

struct Options {
  RepositoryOptions repository;
  DownloadOptions download;
  AddRequest request;
  std::string card;
  std::vector<std::string> pictures;  // files and folders
};

// What the model sees on the pictures, as the last check by eye. JSON: `probe` is of the first, `probes` of every one
// where there are several.
Status ShowProbe(Engine& engine, const AddOutcome& outcome, const std::vector<Path>& files,
                 const std::vector<RgbPicture>& pictures, bool json, nlohmann::ordered_json& report) {
  if (outcome.description.card.output.kind == OutputDecoderKind::kRaw) return {};
  DE_TRY(const auto model, LoadModel(engine, {.name = outcome.name, .path = outcome.files.graph}));
  PictureScaler scaler;
  InferenceCost cost;
  nlohmann::ordered_json seen = nlohmann::ordered_json::array();
  for (size_t i = 0; i < pictures.size(); ++i) {
    DE_TRY(const InferenceResult result, RunModelOnPicture(*model, 0, scaler, pictures[i].View(), RealClock(), cost));
    if (json) {
      if (i == 0) report["probe"] = ResultJson(result, *model);
      seen.push_back({{"picture", files[i].string()}, {"result", ResultJson(result, *model)}});
      continue;
    }
    fmt::print("{}:\n", pictures.size() == 1 ? "on the picture" : "on " + files[i].string());
    for (const std::string& line : ResultLines(result, *model)) fmt::print("  {}\n", line);
  }
  if (json && pictures.size() > 1) report["probes"] = seen;
  return {};
}

Status Add(Options options) {
  AddRequest& request = options.request;
  if (!request.sha256.empty() && !IsSha256(request.sha256)) {
    return Error{ErrorCode::kBadInput, "--sha256: expected 64 hexadecimal digits in lower case"};
  }
  DE_TRY(const std::vector<Path> files, FindProbePictures(options.pictures));
  DE_TRY(request.pictures, ReadPictures(files));
  request.card = options.card;
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  const auto add = [&]() -> Result<AddOutcome> {
    ProgressLine progress;
    return AddModel(*engine, options.repository.Open(), progress.Options(options.download), request);
  };
  DE_TRY(const AddOutcome outcome, add());
  nlohmann::ordered_json report = OutcomeJson(outcome);
  if (!options.repository.json) {
    for (const std::string& line : OutcomeLines(outcome, options.repository.Open().root())) fmt::print("{}\n", line);
  }
  if (!files.empty()) {
    DE_TRY_STATUS(ShowProbe(*engine, outcome, files, request.pictures, options.repository.json, report));
  }
  if (options.repository.json) fmt::print("{}\n", DumpLine(report));
  return {};
}

}  // namespace

void AddModelAdd(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("add", "put a model into the repository");
  const auto options = std::make_shared<Options>();
  command
      ->add_option("source", options->request.sources,
                   "a file, a folder, an archive (tar, zip), https://…, owner/repo[@ref]:path or "
                   "owner/repo@tag:release/file; several where a model is several files")
      ->required();
  command->add_option("--name", options->request.name, "what to call it; default: after the source");
  command->add_option("--sha256", options->request.sha256, "hash that the (first) source must have");
  command->add_option("--card", options->card, "a model.yaml that describes it");
  command
      ->add_option("--probe", options->pictures,
                   "a picture to try it on, or a folder of some; may be repeated; default: the pictures in the "
                   "repository's folder _probe")
      ->allow_extra_args(false);
  options->repository.Declare(*command);
  options->download.Declare(*command);
  command->callback([options, &action] { action = [options] { return Add(*options); }; });
}

}  // namespace deepedge
