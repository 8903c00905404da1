// Feeds bytes to the reader of CNTK v1 files: nothing may crash, hang or ask for much memory.
#include <cstddef>
#include <cstdint>
#include <openvino/core/model.hpp>
#include <string_view>

#include "deepedge/formats/cntk/cntk_v1_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  deepedge::ReadCntkV1(deepedge::Path("fuzz"), bytes).Ignore("any answer will do");
  return 0;
}
