// A catalogue of models, and what its addresses become beside a file and beside a server.
#include "deepedge/base/fuzz_file.h"
#include "deepedge/repository/catalogue_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const auto catalogue = ParseCatalogue(FuzzInput(data, size), "fuzz.yaml");
  if (!catalogue.ok()) return 0;
  SearchCatalogue(catalogue.value(), "a face");
  for (const CatalogueModel& model : catalogue.value().models) {
    for (const CatalogueModelFile& file : model.files) {
      for (const std::string& url : file.urls) {
        for (const char* where : {"/models/fuzz.yaml", "https://host/models/fuzz.yaml", "built-in"}) {
          ResolveCatalogueUrl(url, where, {}).Ignore(kOnlyCrashesCount);
        }
      }
    }
  }
  return 0;
}
