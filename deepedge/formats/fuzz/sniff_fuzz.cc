// Any file, under names that decide between kinds that have no mark of their own.
#include "deepedge/base/fuzz_file.h"
#include "deepedge/formats/content.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const deepedge::FuzzFile content(deepedge::FuzzInput(data, size));
  auto file = deepedge::BoundedFile::Open(content.path());
  if (!file.ok()) std::abort();
  for (const char* name : {"file", "net.cfg", "net.weights", "net.xml", "net.bin", "__model__", "net.pbtxt"}) {
    deepedge::IdentifyContent(file.value(), name);
  }
  return 0;
}
