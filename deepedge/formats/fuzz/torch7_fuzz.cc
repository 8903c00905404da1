// A Torch7 network.
#include "deepedge/formats/torch7/torch7_reader.h"

#include <openvino/core/model.hpp>

#include "deepedge/base/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  deepedge::ReadTorch7(deepedge::Path("fuzz"), deepedge::FuzzInput(data, size)).Ignore(deepedge::kOnlyCrashesCount);
  return 0;
}
