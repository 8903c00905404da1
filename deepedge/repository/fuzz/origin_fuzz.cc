// What the repository notes about a version, as a file on disk that somebody changed.
#include "deepedge/base/check.h"
#include "deepedge/base/fuzz_file.h"
#include "deepedge/repository/stored_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const FuzzFile file(FuzzInput(data, size));
  const auto origin = ReadOrigin(file.path());
  if (!origin.ok()) return 0;
  const FuzzFile written(ToText(origin.value()));
  const auto again = ReadOrigin(written.path());
  DE_CHECK(again.ok() && again.value() == origin.value());
  return 0;
}
