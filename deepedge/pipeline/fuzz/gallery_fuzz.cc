// Gallery files; what can be read can be written and read again.
#include "deepedge/base/check.h"
#include "deepedge/base/fuzz_file.h"
#include "deepedge/pipeline/gallery/gallery_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const std::string text(FuzzInput(data, size));
  const auto gallery = ParseGallery(text, "fuzz");
  if (!gallery.ok()) return 0;
  const auto again = ParseGallery(GalleryText(gallery.value()), "fuzz");
  DE_CHECK(again.ok() && again.value().size() == gallery.value().size());
  return 0;
}
