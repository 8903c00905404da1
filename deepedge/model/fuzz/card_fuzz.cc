// A model card. One that can be read is written as YAML and reads back as the same.
#include "deepedge/base/check.h"
#include "deepedge/base/fuzz_file.h"
#include "deepedge/model/model_card_io.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const auto labels = [](const std::string& name) -> Result<std::string> { return name + "\nb\n"; };
  const auto card = ParseModelCard(std::string(FuzzInput(data, size)), "fuzz.yaml", labels);
  if (!card.ok()) return 0;
  const std::string yaml = ToYaml(card.value());
  const auto again = ParseModelCard(yaml, "again.yaml", labels);
  DE_CHECK(again.ok());
  DE_CHECK(ToYaml(again.value()) == yaml);
  return 0;
}
