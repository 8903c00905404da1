// A CNTK v2 network.
#include "deepedge/formats/cntk/cntk_v2_reader.h"

#include <openvino/core/model.hpp>

#include "deepedge/base/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  deepedge::ReadCntkV2(deepedge::Path("fuzz"), deepedge::FuzzInput(data, size)).Ignore(deepedge::kOnlyCrashesCount);
  return 0;
}
