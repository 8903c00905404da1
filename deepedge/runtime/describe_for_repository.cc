#include "deepedge/runtime/describe_for_repository.h"

#include <fmt/format.h>

namespace deepedge {

Result<ModelDescription> DescribeForRepository(Engine& /*engine*/, const ModelFiles& files, const GraphInfo& graph,
                                               const Path& /*probe*/) {
  auto described = DescribeModel(files, graph);
  if (described.ok()) return described;
  const bool is_folder = files.format == ModelFormat::kTfSavedModel;
  const Path folder = is_folder ? files.graph : files.graph.parent_path();
  std::error_code ec;
  if (std::filesystem::exists(folder / "model.yaml", ec)) return described.error();
  ModelDescription raw;
  DE_TRY(raw.card.sha256, Sha256OfFile(is_folder ? files.graph / "saved_model.pb" : files.graph));
  raw.assumptions.push_back(
      fmt::format("runs on raw tensors only (deepedge model infer): {}", described.error().message));
  return raw;
}

}  // namespace deepedge
