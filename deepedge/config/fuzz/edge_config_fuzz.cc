// A configuration.
#include "deepedge/base/fuzz_file.h"
#include "deepedge/config/edge_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  ParseEdgeConfig(FuzzInput(data, size), "fuzz.yaml", "/nowhere", ProcessEnvironment()).Ignore(kOnlyCrashesCount);
  return 0;
}
