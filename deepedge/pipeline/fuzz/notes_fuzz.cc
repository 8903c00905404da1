// Files that lie beside models: the input as each of them, and as a value of the metadata inside a model.
#include "deepedge/base/fuzz_file.h"
#include "deepedge/pipeline/card/notes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deepedge;  // NOLINT(google-build-using-namespace): a program of one function
  const std::string_view text = FuzzInput(data, size);
  std::string label_file;
  NotesInModelProc(text, "fuzz");
  LabelFileInTritonConfig(text);
  NotesInDeepStream(text, "fuzz", &label_file);
  NotesInHuggingFace(text, "fuzz");
  NotesInUltralyticsYaml(text, "fuzz");
  ParseLabelLines(text);
  ParseNameDictionary(text);
  std::map<std::string, std::string> metadata;
  for (const char* key :
       {"onnx.names", "onnx.stride", "onnx.imgsz", "onnx.task", "onnx.kpt_shape", "onnx.args", "caffe.transform",
        "ov.model_info.labels", "ov.model_info.mean_values", "ov.model_info.scale_values", "ov.model_info.pad_value",
        "ov.model_info.confidence_threshold", "ov.model_info.model_type"}) {
    metadata[key] = text;
  }
  NotesInMetadata(metadata);
  return 0;
}
