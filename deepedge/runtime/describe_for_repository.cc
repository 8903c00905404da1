#include "deepedge/runtime/describe_for_repository.h"

#include <vector>

#include "deepedge/ingest/picture_file.h"

namespace deepedge {

Result<ModelDescription> DescribeForRepository(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                               const Path& probe) {
  if (probe.empty()) return DescribeModel(files, graph);
  std::vector<RgbPicture> pictures(1);
  DE_TRY(pictures.front(), ReadPicture(probe));
  return DescribeWithProbe(engine, files, graph, pictures);
}

}  // namespace deepedge
