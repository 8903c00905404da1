// A Darknet network: the .cfg. Weights of the length that it asks for are made up, so that building is reached too.
#include <openvino/core/model.hpp>
#include <string>

#include "deepedge/base/fuzz_file.h"
#include "deepedge/formats/darknet/darknet_net.h"
#include "deepedge/formats/foreign_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kMostWeights = 1 << 20;
  constexpr size_t kHeader = 20;
  const std::string_view text = deepedge::FuzzInput(data, size);
  const auto net = deepedge::ReadDarknetNet("fuzz.cfg", text);
  const bool built = net.ok() && net.value().weights <= kMostWeights;
  std::string weights(kHeader + (built ? static_cast<size_t>(net.value().weights) * sizeof(float) : 0), '\0');
  weights[4] = 2;  // version 0.2
  const deepedge::FuzzFile graph_file(text);
  const deepedge::FuzzFile weights_file(weights);
  deepedge::ReadForeignModel(
      {.format = deepedge::ModelFormat::kDarknet, .graph = graph_file.path(), .weights = weights_file.path()})
      .Ignore(deepedge::kOnlyCrashesCount);
  return 0;
}
