// A signature and, behind a zero byte, a public key.
#include "deepedge/base/fuzz_file.h"
#include "deepedge/repository/minisign.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const auto [signature, key] = SplitAtZero(FuzzInput(data, size));
  VerifyMinisign("text", signature, key, "fuzz.yaml").Ignore(kOnlyCrashesCount);
  return 0;
}
