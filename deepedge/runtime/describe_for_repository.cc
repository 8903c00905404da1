#include "deepedge/runtime/describe_for_repository.h"

#include "deepedge/ingest/picture_file.h"

namespace deepedge {

Result<ModelDescription> DescribeForRepository(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                               const Path& probe) {
  if (probe.empty()) return DescribeModel(files, graph);
  std::vector<RgbPicture> pictures;
  DE_TRY(RgbPicture picture, ReadPicture(probe));
  pictures.push_back(std::move(picture));
  return DescribeWithProbe(engine, files, graph, pictures);
}

}  // namespace deepedge
