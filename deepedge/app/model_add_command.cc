// `deepedge model add`: a model from a file, a folder, an archive or an address into the repository.
#include <fmt/format.h>

#include <optional>

#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/app/result_text.h"
#include "deepedge/base/text.h"
#include "deepedge/ingest/picture_file.h"
#include "deepedge/runtime/model_inference.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

struct Options {
  RepositoryOptions repository;
  DownloadOptions download;
  AddRequest request;
  std::string card;
  std::string probe;
};

// What the model sees on the picture, as the last check by eye.
Status ShowProbe(Engine& engine, const AddOutcome& outcome, const RgbPicture& picture, bool json,
                 nlohmann::ordered_json& report) {
  if (outcome.description.card.output.kind == OutputDecoderKind::kRaw) return {};
  DE_TRY(const auto model, LoadModel(engine, {.name = outcome.name, .path = outcome.files.graph}));
  PictureScaler scaler;
  InferenceCost cost;
  DE_TRY(const InferenceResult result, RunModelOnPicture(*model, 0, scaler, picture.View(), RealClock(), cost));
  if (json) {
    report["probe"] = ResultJson(result, *model);
    return {};
  }
  fmt::print("on the picture:\n");
  for (const std::string& line : ResultLines(result, *model)) fmt::print("  {}\n", line);
  return {};
}

Status Add(Options options) {
  AddRequest& request = options.request;
  if (!request.sha256.empty() && !IsSha256(request.sha256)) {
    return Error{ErrorCode::kBadInput, "--sha256: expected 64 hexadecimal digits in lower case"};
  }
  std::optional<RgbPicture> picture;
  if (!options.probe.empty()) {
    DE_TRY(picture, ReadPicture(options.probe));
  }
  request.card = options.card;
  request.probe = options.probe;
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  const auto add = [&]() -> Result<AddOutcome> {
    ProgressLine progress;
    return AddModel(*engine, options.repository.Open(), progress.Options(options.download), request);
  };
  DE_TRY(const AddOutcome outcome, add());
  nlohmann::ordered_json report = OutcomeJson(outcome);
  if (!options.repository.json) {
    for (const std::string& line : OutcomeLines(outcome)) fmt::print("{}\n", line);
  }
  if (picture) DE_TRY_STATUS(ShowProbe(*engine, outcome, *picture, options.repository.json, report));
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
  command->add_option("--probe", options->probe, "a picture to try it on");
  options->repository.Declare(*command);
  options->download.Declare(*command);
  command->callback([options, &action] { action = [options] { return Add(*options); }; });
}

}  // namespace deepedge
