#include "deepedge/runtime/describe_for_repository.h"

namespace deepedge {

Result<ModelDescription> DescribeForRepository(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                               const std::vector<RgbPicture>& pictures) {
  return pictures.empty() ? DescribeModel(files, graph) : DescribeWithProbe(engine, files, graph, pictures);
}

}  // namespace deepedge
