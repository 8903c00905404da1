// An archive. Nothing may appear outside its folder: that one has a folder above it which stays empty otherwise.
#include "deepedge/base/check.h"
#include "deepedge/base/fuzz_file.h"
#include "deepedge/repository/unpack.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const auto outer = TemporaryFolder::Create("de_fuzz").value();
  const Path inner = outer.path() / "unpacked";
  std::filesystem::create_directory(inner);
  const FuzzFile file(FuzzInput(data, size));
  IsArchive(file.path()).Ignore(kOnlyCrashesCount);
  Unpack(file.path(), inner, {.max_bytes = 1 << 20, .max_entries = 50}, "net.onnx.gz").Ignore(kOnlyCrashesCount);
  const auto entries = std::distance(std::filesystem::directory_iterator(outer.path()), {});
  DE_CHECK(entries == 1);
  return 0;
}
