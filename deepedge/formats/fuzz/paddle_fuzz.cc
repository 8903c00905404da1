// Paddle: the input as a program, and as the only parameter of a program.
#include "deepedge/base/fuzz_file.h"
#include "deepedge/formats/paddle_parameters.h"
#include "deepedge/formats/paddle_version.h"

namespace deepedge {
namespace {

// A folder with a program of one parameter, "p", which is the input.
const Path& OneParameter() {
  static const TemporaryFolder folder = TemporaryFolder::Create("de_fuzz").value();
  constexpr std::string_view kProgram("\x0A\x0F\x08\0\x10\0\x1A\x09\x0A\x01p\x12\x02\x08\x07\x18\x01\x22\x02\x08\0",
                                      21);
  static const bool written = WriteFileAtomically(folder.path() / "program", kProgram).ok() &&
                              PaddleParameterNames(folder.path() / "program").value() == std::vector<std::string>{"p"};
  if (!written) std::abort();
  return folder.path();
}

}  // namespace
}  // namespace deepedge

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const FuzzFile file(FuzzInput(data, size));
  const Path& folder = OneParameter();
  std::error_code ec;
  ReadPaddleVersion(file.path()).Ignore(kOnlyCrashesCount);
  PaddleParameterNames(file.path()).Ignore(kOnlyCrashesCount);
  RewritePaddleVersion({ModelFormat::kPaddle, file.path(), {}}, folder).Ignore(kOnlyCrashesCount);
  std::filesystem::create_symlink(file.path(), folder / "p", ec);
  CombinePaddleParameters(folder / "program", folder, folder / "all").Ignore(kOnlyCrashesCount);
  for (const char* name : {"p", "all", "model.pdmodel", "model.pdiparams"}) std::filesystem::remove(folder / name, ec);
  return 0;
}
