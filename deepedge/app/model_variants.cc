// `deepedge model quantize` and `deepedge model reshape`: cheaper forms of a model of the repository, measured on real
// frames and entered into its card.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/base/log.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/pipeline/describe_model.h"
#include "deepedge/repository/update_card.h"
#include "deepedge/runtime/frame_sampler.h"
#include "deepedge/runtime/model_loader.h"
#include "deepedge/runtime/variant_maker.h"

namespace deepedge {
namespace {

struct VariantOptions {
  std::string model;
  std::vector<std::string> sources;
  std::string precision = "int8";
  std::string size;
  bool without_bands = false;
  int frames = 64;
  double least_agreement = 0.98;
  std::string repository;
  bool json = false;
};

// A model that may be given further forms: it has a card of its own to enter them into.
struct OwnedModel {
  ModelFiles files;
  ModelCard card;
  Path card_file;
};

Result<OwnedModel> FindOwned(Engine& engine, const VariantOptions& options) {
  const Path repository = options.repository.empty() ? DefaultRepository() : Path(options.repository);
  DE_TRY(const Path path, LocateModel(options.model, repository));
  OwnedModel model;
  DE_TRY(model.files, FindModelFiles(path));
  DE_TRY(ModelDescription described, DescribeModel(engine, model.files));
  if (described.origin != CardOrigin::kFile) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("model '{}': has no model.yaml to enter its forms into; add it to the repository first: "
                             "deepedge model add {}",
                             options.model, options.model)};
  }
  model.card = std::move(described.card);
  model.card_file = described.card_file;
  return model;
}

Result<VariantKey> WantedKey(const VariantOptions& options, const ModelCard& card, const RgbPicture& frame) {
  const auto precision = ParseVariant(options.precision + "@1x1");
  if (!precision) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("--precision {}: not known; allowed: fp32, bf16, int8", options.precision)};
  }
  VariantKey key{precision->precision, card.input.width, card.input.height};
  if (options.without_bands) {
    const VariantKey shape = WithoutBands(card.input, frame.width, frame.height);
    key.width = shape.width;
    key.height = shape.height;
  }
  if (!options.size.empty()) {
    const auto size = ParseVariant("fp32@" + options.size);
    if (!size) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("--size {}: expected width x height, such as 416x256", options.size)};
    }
    key.width = size->width;
    key.height = size->height;
  }
  if (key == VariantKey{.width = card.input.width, .height = card.input.height}) {
    return Error{ErrorCode::kBadInput, fmt::format("{} is the model's own form already", ToString(key))};
  }
  return key;
}

void Print(const OwnedModel& model, const VariantCard& made, bool json) {
  if (json) {
    const nlohmann::json line = {{"model", model.card.name},    {"variant", ToString(made.key)},
                                 {"agreement", made.agreement}, {"least_agreement", made.least_agreement},
                                 {"frames", made.frames},       {"time_ratio", made.time_ratio},
                                 {"usable", made.Usable()},     {"graph", made.graph}};
    fmt::print("{}\n", DumpLine(line));
    return;
  }
  fmt::print("{} {}: agreement {:.3f} on {} frames, {:.2f} of the time\n", model.card.name, ToString(made.key),
             made.agreement, made.frames, made.time_ratio);
  if (made.Usable()) {
    fmt::print("  entered in {}; run it with --variant {}\n", model.card_file.string(), ToString(made.key));
  } else {
    fmt::print("  less than {:.3f}: noted in {}, but never used\n", made.least_agreement, model.card_file.string());
  }
}

Status Make(const VariantOptions& options) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  DE_TRY(OwnedModel model, FindOwned(*engine, options));
  const RealClock clock;
  DE_TRY(const auto frames, SampleFrames(options.sources, {.frames = static_cast<size_t>(options.frames)}, clock));
  if (frames.empty()) return Error{ErrorCode::kBadInput, "no frame came out of the sources"};
  DE_TRY(const VariantKey key, WantedKey(options, model.card, frames.front()));
  DE_TRY(const VariantCard made,
         MakeVariant(*engine, model.files, model.card,
                     {.key = key, .least_agreement = options.least_agreement, .folder = FolderOfModel(model.files)},
                     frames, clock));
  DE_TRY_STATUS(EnterVariant(model.card_file, model.card, made));
  DE_TRY(const ModelCard entered, LoadModelCard(model.card_file));
  RemoveUnusedForms(FolderOfModel(model.files), entered);
  Print(model, made, options.json);
  return {};
}

std::shared_ptr<VariantOptions> AddCommon(CLI::App* command, Action& action, const char* sources,
                                          const char* sources_help) {
  const auto options = std::make_shared<VariantOptions>();
  command->add_option("model", options->model, "a name in the repository, or a folder with a model.yaml")->required();
  command->add_option(sources, options->sources, sources_help)->required()->allow_extra_args(false);
  command->add_option("--frames", options->frames, "how many frames to take, evenly spaced")
      ->check(CLI::Range(16, 256))
      ->capture_default_str();
  command
      ->add_option("--least-agreement", options->least_agreement,
                   "with the model's own results on those frames; a form that agrees less is never used")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--repository", options->repository, "folder of models by name");
  command->add_flag("--json", options->json, "print the result as one line of JSON");
  command->callback([options, &action] { action = [options] { return Make(*options); }; });
  return options;
}

}  // namespace

void AddModelQuantize(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("quantize", "make a form of a model that computes in 8-bit integers");
  const auto options = AddCommon(command, action, "--calibrate",
                                 "a picture, video or camera that shows what the model will see; repeat for more");
  command->add_option("--precision", options->precision, "int8 or bf16")->capture_default_str();
  command->add_option("--size", options->size, "width x height of the input, where it is to change too");
}

void AddModelReshape(CLI::App& model, Action& action) {
  CLI::App* command = model.add_subcommand("reshape", "make a form of a model with another input size");
  const auto options =
      AddCommon(command, action, "--measure", "a picture, video or camera to compare the results on; repeat for more");
  options->precision = "fp32";
  auto* size = command->add_option("--size", options->size, "width x height of the input");
  auto* bands = command->add_flag("--without-bands", options->without_bands,
                                  "the size that needs no padding for the shape of the first frame");
  size->excludes(bands);
}

}  // namespace deepedge
