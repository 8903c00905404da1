#include "deepedge/app/locate_or_add.h"

#include <fmt/format.h>

#include "deepedge/app/model_commands.h"
#include "deepedge/base/log.h"
#include "deepedge/base/url.h"
#include "deepedge/repository/web_url.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {

Result<Path> LocateOrAdd(Engine& engine, ModelRequest& request, const Path& repository) {
  if (SplitUrl(request.source).scheme.empty() || request.sha256.empty()) return LocateModel(request.source, repository);
  const ModelRepository models(repository);
  if (const auto folder = models.FindByHash(request.sha256)) {
    request.sha256.clear();
    return *folder;
  }
  // The name that the tasks use, unless it is another model's.
  const bool is_free = CheckModelName(request.name).ok() && !models.Find(request.name).ok();
  const std::string name = is_free ? request.name : fmt::format("model-{}", request.sha256.substr(0, 12));
  LogInfo("model '{}': is not here yet; downloading {}", request.name, PrintableUrl(request.source));
  ProgressLine progress;
  DE_TRY(const AddOutcome added, AddModel(engine, models, progress.Options({}),
                                          {.sources = {request.source}, .name = name, .sha256 = request.sha256}));
  request.sha256.clear();
  return models.root() / name / std::to_string(added.published.version);
}

}  // namespace deepedge
