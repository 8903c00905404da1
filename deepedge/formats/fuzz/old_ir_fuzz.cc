// An OpenVINO IR of version 5 to 9: the .xml, a zero byte, the .bin.
#include <openvino/core/model.hpp>

#include "deepedge/base/fuzz_file.h"
#include "deepedge/formats/foreign_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto [graph, weights] = deepedge::SplitAtZero(deepedge::FuzzInput(data, size));
  const deepedge::FuzzFile graph_file(graph);
  const deepedge::FuzzFile weights_file(weights);
  deepedge::ReadForeignModel(
      {.format = deepedge::ModelFormat::kOpenVinoIrOld, .graph = graph_file.path(), .weights = weights_file.path()})
      .Ignore(deepedge::kOnlyCrashesCount);
  return 0;
}
