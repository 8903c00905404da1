// A NumPy array.
#include "deepedge/formats/npy.h"

#include "deepedge/base/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const deepedge::FuzzFile file(deepedge::FuzzInput(data, size));
  deepedge::ReadNpy(file.path()).Ignore(deepedge::kOnlyCrashesCount);
  return 0;
}
