// The verbs of `deepedge model` that work on the repository, one file each; and what they share.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "deepedge/app/commands.h"
#include "deepedge/repository/acquire.h"
#include "deepedge/repository/model_repository.h"
#include "deepedge/runtime/add_model.h"

namespace deepedge {

void AddModelAdd(CLI::App& model, Action& action);
void AddModelPull(CLI::App& model, Action& action);
void AddModelList(CLI::App& model, Action& action);
void AddModelShow(CLI::App& model, Action& action);
void AddModelRemove(CLI::App& model, Action& action);
void AddModelRollback(CLI::App& model, Action& action);
void AddModelSearch(CLI::App& model, Action& action);
void AddModelUpdate(CLI::App& model, Action& action);

// What every one of them takes.
struct RepositoryOptions {
  std::string repository;
  bool json = false;

  void Declare(CLI::App& command);
  ModelRepository Open() const;
};

// What those take that download.
struct DownloadOptions {
  bool allow_http = false;
  double max_size_mb = 2048;
  double timeout_s = 30;

  void Declare(CLI::App& command);
};

struct CatalogueOptions {
  std::string catalogue;
  std::string key;

  void Declare(CLI::App& command);
};

// One line on the terminal while bytes come in; nothing where standard error is none.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Lives as long as this object is used.
  AcquireOptions Options(const DownloadOptions& options);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string SizeText(int64_t bytes);

// A card as --json prints it: the keys of model.yaml.
nlohmann::ordered_json CardJson(const ModelCard& card);

// What a card says, and how sure it is, for people; each line without its line break.
std::vector<std::string> CardLines(const ModelCard& card, std::string_view described_by,
                                   const std::vector<std::string>& assumptions);

nlohmann::ordered_json OutcomeJson(const AddOutcome& outcome);
std::vector<std::string> OutcomeLines(const AddOutcome& outcome, const Path& repository);

// One line: what to do where readings stay possible and no picture was there to try them on.
std::string HowToDecide(const Path& repository);

}  // namespace deepedge
