// Rewriters of files that the engine reads: ONNX with quantized operations, TensorFlow with weights of bytes, labels of
// TFLite. Every input is given to all of them; the engine itself is not run.
#include "deepedge/formats/fuzz/fuzz_file.h"
#include "deepedge/formats/onnx/onnx_rewrite.h"
#include "deepedge/formats/tensorflow/tf_dequantize.h"
#include "deepedge/formats/tflite_labels.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  constexpr const char* kOnlyCrashes = "only crashes, hangs and memory count";
  static const TemporaryFolder folder = TemporaryFolder::Create("de_fuzz").value();
  const FuzzFile file(FuzzInput(data, size));
  std::error_code ec;
  ReadOnnxOutline(file.path()).Ignore(kOnlyCrashes);
  RewriteOnnx({ModelFormat::kOnnx, file.path(), {}}, folder.path()).Ignore(kOnlyCrashes);
  HasDequantize(file.path()).Ignore(kOnlyCrashes);
  RewriteDequantize({ModelFormat::kTfFrozen, file.path(), {}}, folder.path()).Ignore(kOnlyCrashes);
  ReadTfliteLabels(file.path()).Ignore(kOnlyCrashes);
  for (const char* name : {"model.onnx", "model.pb"}) std::filesystem::remove(folder.path() / name, ec);
  return 0;
}
