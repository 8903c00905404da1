// Rewriters of files that the engine reads: ONNX with quantized operations, TensorFlow with weights of bytes or loops,
// labels of TFLite. Every input is given to all of them; the engine itself is not run.
#include "deepedge/base/fuzz_file.h"
#include "deepedge/formats/onnx/onnx_rewrite.h"
#include "deepedge/formats/tensorflow/tf_dequantize.h"
#include "deepedge/formats/tensorflow/tf_tensor_array.h"
#include "deepedge/formats/tflite_labels.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  static const TemporaryFolder folder = TemporaryFolder::Create("de_fuzz").value();
  const FuzzFile file(FuzzInput(data, size));
  std::error_code ec;
  ReadOnnxOutline(file.path()).Ignore(kOnlyCrashesCount);
  RewriteOnnx({ModelFormat::kOnnx, file.path(), {}}, folder.path()).Ignore(kOnlyCrashesCount);
  HasDequantize(file.path()).Ignore(kOnlyCrashesCount);
  RewriteDequantize({ModelFormat::kTfFrozen, file.path(), {}}, folder.path()).Ignore(kOnlyCrashesCount);
  RewriteJoinedArrays({ModelFormat::kTfFrozen, file.path(), {}}, folder.path()).Ignore(kOnlyCrashesCount);
  ReadTfliteLabels(file.path()).Ignore(kOnlyCrashesCount);
  for (const char* name : {"model.onnx", "model.pb", "arrays.pb"}) std::filesystem::remove(folder.path() / name, ec);
  return 0;
}
