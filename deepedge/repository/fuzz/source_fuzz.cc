// What a user, a catalogue or a redirecting server names: addresses and places of models.
#include "deepedge/base/check.h"
#include "deepedge/base/fuzz_file.h"
#include "deepedge/repository/model_source.h"
#include "deepedge/repository/web_url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const std::string text(FuzzInput(data, size));
  const auto source = ParseModelSource(text, {});
  if (source.ok()) {
    DE_CHECK(CheckModelName(source.value().model_name).ok());
    if (source.value().kind == ModelSourceKind::kUrl) SiblingUrl(source.value().url, "b");
  }
  const auto url = ParseWebUrl(text);
  if (url.ok()) {
    url.value().IsLoopback();
    DE_CHECK(ParseWebUrl(WithoutUser(text)).ok());
  }
  PrintableUrl(text);
  DecodePath(EncodePath(text));
  CompanionOf(text);
  ModelNameOf(text);
  CheckMayConnect(text, false).Ignore(kOnlyCrashesCount);
  CheckMayRedirect("https://a/", "https://a/", text, false).Ignore(kOnlyCrashesCount);
  CheckMayRedirect("http://127.0.0.1/", text, "http://127.0.0.1:80/", false).Ignore(kOnlyCrashesCount);
  return 0;
}
