// `deepedge model run` and `deepedge model infer`: a model on one picture, and on raw tensors.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/app/model_describe.h"
#include "deepedge/app/model_infer.h"
#include "deepedge/app/result_text.h"
#include "deepedge/base/log.h"
#include "deepedge/ingest/picture_file.h"
#include "deepedge/runtime/model_inference.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

struct RunOptions {
  std::string model;
  std::string picture;
  std::string output;
  std::string repository;
  std::string variant;
  bool json = false;
};

Path RepositoryOf(const std::string& option) { return option.empty() ? DefaultRepository() : Path(option); }

Status RunOnPicture(const RunOptions& options) {
  DE_TRY(RgbPicture picture, ReadPicture(options.picture));
  DE_TRY(const Path path, LocateModel(options.model, RepositoryOf(options.repository)));
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  const auto variant = ParseVariant(options.variant);
  if (!options.variant.empty() && !variant) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("--variant {}: expected precision and size, such as int8@416x256", options.variant)};
  }
  DE_TRY(const auto model, LoadModel(*engine, {.path = path, .variant = variant}));
  for (const std::string& assumption : model->assumptions) LogWarning("model '{}': {}", model->name, assumption);

  PictureScaler scaler;
  InferenceCost cost;
  DE_TRY(const InferenceResult result, RunModelOnPicture(*model, 0, scaler, picture.View(), RealClock(), cost));
  if (options.json) {
    fmt::print("{}\n", DumpLine(ResultJson(result, *model)));
  } else {
    for (const std::string& line : ResultLines(result, *model)) fmt::print("{}\n", line);
    fmt::print("{} {} on {}: scale {:.1f} ms, infer {:.1f} ms, post {:.2f} ms\n", model->name, model->variant,
               options.picture, static_cast<double>(cost.scale.count()) / 1e3,
               static_cast<double>(cost.infer.count()) / 1e3, static_cast<double>(cost.post.count()) / 1e3);
  }
  if (options.output.empty()) return {};
  DrawResult(picture, result, *model);
  DE_TRY_STATUS(WritePng(options.output, picture));
  if (!options.json) fmt::print("drawn in {}\n", options.output);
  return {};
}

void AddRunOnPicture(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("run", "run a model on a picture and say, or draw, what it saw");
  const auto options = std::make_shared<RunOptions>();
  command->add_option("model", options->model, "a name in the repository, a file or a folder")->required();
  command->add_option("picture", options->picture, "a picture: JPEG, PNG, BMP, WebP")->required();
  command->add_option("-o,--output", options->output, "draw the objects into this PNG file");
  command->add_option("--repository", options->repository, "folder of models by name");
  command->add_option("--variant", options->variant, "the form to run, such as int8@416x256 (see `model quantize`)");
  command->add_flag("--json", options->json, "print the result as one line of JSON");
  command->callback([options, &action] { action = [options] { return RunOnPicture(*options); }; });
}

void AddInfer(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("infer", "run raw tensors (NumPy files) through a model");
  const auto options = std::make_shared<InferOptions>();
  command->add_option("model", options->model, "a name in the repository, a file or a folder")->required();
  command->add_option("--input", options->inputs, "[NAME=]FILE.npy; repeat for every input of the model")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--output", options->output, "folder for one NAME.npy per output")->required();
  command->add_option("--repository", options->repository, "folder of models by name");
  command->add_flag("--json", options->json, "print names, types and shapes as one line of JSON");
  command->callback([options, &action] {
    action = [options]() -> Status {
      DE_TRY(const Path path, LocateModel(options->model, RepositoryOf(options->repository)));
      DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
      return InferTensors(*engine, path, *options);
    };
  });
}

void AddDescribe(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("describe", "say what model files are and how they would be read");
  const auto options = std::make_shared<DescribeCommandOptions>();
  command->add_option("models", options->models, "names in the repository, files or folders")->required();
  command
      ->add_option(
          "--probe", options->pictures,
          "a picture to try readings on where two are possible, or a folder of some; may be repeated; default: "
          "the pictures in the repository's folder _probe")
      ->allow_extra_args(false);
  command->add_option("--repository", options->repository, "folder of models by name");
  command->add_flag("--no-catalogue", options->no_catalogue, "from the graph alone, as for a model never seen");
  command->add_flag("--card", options->yaml, "print the whole card, as model.yaml");
  command->add_flag("--facts", options->facts, "print what was seen in the graph");
  command->add_flag("--json", options->json, "print one line of JSON a model");
  command->callback([options, &action] {
    action = [options]() -> Status {
      DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
      return DescribeModels(*engine, *options, RepositoryOf(options->repository));
    };
  });
}

}  // namespace

void AddModelCommand(CLI::App& program, Action& action) {
  CLI::App* model = program.add_subcommand("model", "add, look at and try models");
  model->require_subcommand(1);
  AddModelAdd(*model, action);
  AddModelPull(*model, action);
  AddModelList(*model, action);
  AddModelShow(*model, action);
  AddModelSearch(*model, action);
  AddModelUpdate(*model, action);
  AddModelRollback(*model, action);
  AddModelRemove(*model, action);
  AddRunOnPicture(*model, action);
  AddInfer(*model, action);
  AddModelQuantize(*model, action);
  AddModelReshape(*model, action);
  AddDescribe(*model, action);
}

}  // namespace deepedge
