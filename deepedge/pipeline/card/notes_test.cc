#include "deepedge/pipeline/card/notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace deepedge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Notes, NamesAreReadFromPythonAndJson) {
  EXPECT_THAT(ParseNameDictionary("{0: 'person', 1: \"driver's seat\"}"), ElementsAre("person", "driver's seat"));
  EXPECT_THAT(ParseNameDictionary("['a', 'b']"), ElementsAre("a", "b"));
  EXPECT_THAT(ParseNameDictionary(R"(["a", "b"])"), ElementsAre("a", "b"));
  EXPECT_THAT(ParseNameDictionary(R"({"0": "a", "1": "b"})"), ElementsAre("a", "b"));
  EXPECT_THAT(ParseNameDictionary("{0: 'a', 2: 'c'}"), IsEmpty());  // a number is missing
  EXPECT_THAT(ParseNameDictionary("{0: 'a"), IsEmpty());
  EXPECT_THAT(ParseNameDictionary("person"), IsEmpty());
  EXPECT_THAT(ParseNameDictionary(""), IsEmpty());
}

TEST(Notes, LabelsAreLines) {
  EXPECT_THAT(ParseLabelLines("person\r\ncar\n\n"), ElementsAre("person", "car"));
  EXPECT_THAT(ParseLabelLines("0: person\n1: car"), ElementsAre("person", "car"));
  EXPECT_THAT(ParseLabelLines("1 person\n2 car\n"), ElementsAre("person", "car"));
  EXPECT_THAT(ParseLabelLines("0\n1\n2\n"), ElementsAre("0", "1", "2"));  // digits are labels too
  EXPECT_THAT(ParseLabelLines("n01440764 tench\nn01443537 goldfish"),
              ElementsAre("n01440764 tench", "n01443537 goldfish"));
  EXPECT_THAT(ParseLabelLines(std::string(300, 'x')), IsEmpty());
}

TEST(Notes, LabelsAreText) {
  EXPECT_THAT(ParseLabelLines("caf\xE9\nna\xEFve\n"), ElementsAre("caf\xC3\xA9", "na\xC3\xAFve"));
  EXPECT_THAT(ParseLabelLines("\xEF\xBB\xBF"
                              "caf\xC3\xA9\n"),
              ElementsAre("caf\xC3\xA9"));
  EXPECT_THAT(ParseLabelLines("n01440764\ttench\n"), ElementsAre("n01440764 tench"));
  EXPECT_THAT(ParseLabelLines("a\x01\nb\n"), IsEmpty());
  EXPECT_THAT(ParseLabelLines("\x80\nb\n"), IsEmpty());
  EXPECT_THAT(ParseNameDictionary("{0: 'caf\xE9'}"), ElementsAre("caf\xC3\xA9"));
  EXPECT_THAT(ParseNameDictionary(R"(["caf\u00e9"])"), ElementsAre("caf\xC3\xA9"));
  EXPECT_THAT(ParseNameDictionary(R"(["a\u0000"])"), IsEmpty());
  EXPECT_THAT(NotesInMetadata({{"ov.model_info.labels", "caf\xE9 th\xE9"}}).labels.at(0).value,
              ElementsAre("caf\xC3\xA9", "th\xC3\xA9"));
}

TEST(Notes, UltralyticsMetadata) {
  const Notes notes = NotesInMetadata({{"onnx.names", "{0: 'cat', 1: 'dog'}"},
                                       {"onnx.task", "pose"},
                                       {"onnx.stride", "32"},
                                       {"onnx.imgsz", "[384, 640]"},
                                       {"onnx.kpt_shape", "[17, 3]"}});
  ASSERT_EQ(notes.labels.size(), 1U);
  EXPECT_THAT(notes.labels[0].value, ElementsAre("cat", "dog"));
  ASSERT_TRUE(notes.size && notes.family && notes.keypoints);
  EXPECT_EQ(notes.size->value, (std::array<int, 2>{640, 384}));
  EXPECT_EQ(notes.family->value, "ultralytics");
  EXPECT_EQ(*notes.keypoints, 17);
  EXPECT_EQ(*notes.keypoint_size, 3);
}

TEST(Notes, ModelInfoOfAnIr) {
  const Notes notes = NotesInMetadata({{"ov.model_info.labels", "cat dog"},
                                       {"ov.model_info.mean_values", "123.675 116.28 103.53"},
                                       {"ov.model_info.scale_values", "58.395 57.12 57.375"},
                                       {"ov.model_info.reverse_input_channels", "True"},
                                       {"ov.model_info.resize_type", "fit_to_window_letterbox"},
                                       {"ov.model_info.confidence_threshold", "0.35"}});
  ASSERT_TRUE(notes.values && notes.order && notes.resize && notes.threshold);
  EXPECT_EQ(notes.values->value, kImageNetRgb);
  EXPECT_EQ(notes.order->value, ChannelOrder::kRgb);
  EXPECT_EQ(notes.resize->value, ResizeRule::kLetterboxCentered);
  EXPECT_FLOAT_EQ(*notes.threshold, 0.35F);
  EXPECT_THAT(notes.labels.at(0).value, ElementsAre("cat", "dog"));
}

TEST(Notes, CaffeTransform) {
  const Notes notes = NotesInMetadata({{"caffe.transform", "scale: 0.0078125 mean_value: 127.5"}});
  ASSERT_TRUE(notes.values);
  EXPECT_EQ(notes.values->value, kFace127Half);
}

TEST(Notes, ModelProc) {
  const Notes notes = NotesInModelProc(R"({"json_schema_version": "2.0.0",
    "input_preproc": [{"params": {"color_space": "RGB", "range": [-1, 1], "resize": "aspect-ratio"}}],
    "output_postproc": [{"labels": ["a", "b"], "converter": "label"}]})",
                                       "model_proc.json");
  ASSERT_TRUE(notes.order && notes.values && notes.resize);
  EXPECT_EQ(notes.order->value, ChannelOrder::kRgb);
  EXPECT_EQ(notes.values->value, kPlusMinusOne);
  EXPECT_EQ(notes.resize->value, ResizeRule::kLetterboxCentered);
  EXPECT_THAT(notes.labels.at(0).value, ElementsAre("a", "b"));
  EXPECT_TRUE(NotesInModelProc("{", "x").labels.empty());
  EXPECT_TRUE(NotesInModelProc(R"({"output_postproc": 3})", "x").labels.empty());
}

TEST(Notes, DeepStream) {
  std::string labels;
  const Notes notes = NotesInDeepStream(
      "[property]\nnet-scale-factor=0.0039215697906911373\nmodel-color-format=0\n"
      "labelfile-path=labels.txt\nmaintain-aspect-ratio=1\nsymmetric-padding=1\n"
      "[class-attrs-all]\nmodel-color-format=1\n",
      "config_infer.txt", &labels);
  ASSERT_TRUE(notes.values && notes.order && notes.resize);
  EXPECT_EQ(notes.values->value, kUnit);
  EXPECT_EQ(notes.order->value, ChannelOrder::kRgb);
  EXPECT_EQ(notes.resize->value, ResizeRule::kLetterboxCentered);
  EXPECT_EQ(labels, "labels.txt");
}

TEST(Notes, TritonNamesItsLabels) {
  const std::string labels =
      LabelFileInTritonConfig("output [ { name: \"prob\" dims: [ 10 ] label_filename: \"digits.txt\" } ]");
  EXPECT_EQ(labels, "digits.txt");
}

TEST(Notes, HuggingFace) {
  const Notes notes = NotesInHuggingFace(R"({"image_processor_type": "ViTImageProcessor", "do_normalize": true,
    "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": {"height": 224, "width": 224}})",
                                         "x.json");
  ASSERT_TRUE(notes.values && notes.size);
  EXPECT_EQ(notes.values->value, kPlusMinusOne);
  EXPECT_THAT(NotesInHuggingFace(R"({"id2label": {"0": "cat", "1": "dog"}})", "config.json").labels.at(0).value,
              ElementsAre("cat", "dog"));
}

TEST(Notes, LongListsTakeNoTime) {
  std::string text = "imgsz:\n";
  for (int i = 0; i < 250'000; ++i) text += "- 1\n";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(NotesInUltralyticsYaml(text, "metadata.yaml").size);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(Notes, UltralyticsTextInTfliteFiles) {
  for (const char* text :
       {"{'task': 'detect', 'stride': 32, 'imgsz': [416, 320], 'names': {0: 'cat', 1: 'dog'}}",
        R"({"task": "detect", "stride": 32, "imgsz": [416, 320], "names": {"0": "cat", "1": "dog"}})"}) {
    const Notes notes = NotesInMetadata({{"tflite.notes", text}});
    ASSERT_TRUE(notes.size && notes.family && notes.task) << text;
    EXPECT_EQ(notes.size->value, (std::array<int, 2>{320, 416}));
    EXPECT_EQ(notes.task->value, "detection");
    EXPECT_THAT(notes.labels.at(0).value, ElementsAre("cat", "dog"));
  }
  for (const char* text : {"{'names", "{'names':", "{'names': {0: 'cat'", "names", "{'names': }"}) {
    EXPECT_TRUE(NotesInMetadata({{"tflite.notes", text}}).labels.empty()) << text;
  }
}

TEST(Notes, UltralyticsYaml) {
  const Notes notes = NotesInUltralyticsYaml(
      "task: detect\nstride: 32\nimgsz:\n- 640\n- 480\nnames:\n  0: cat\n  1: 'dog'\n", "metadata.yaml");
  ASSERT_TRUE(notes.size && notes.family);
  EXPECT_EQ(notes.size->value, (std::array<int, 2>{480, 640}));
  EXPECT_THAT(notes.labels.at(0).value, ElementsAre("cat", "dog"));
}

TEST(Notes, FilesBesideTheModelAreRead) {
  auto folder = TemporaryFolder::Create("de_notes_test");
  ASSERT_TRUE(folder.ok());
  const Path path = folder.value().path();
  const auto write = [&](const char* name, std::string_view text) {
    ASSERT_TRUE(WriteFileAtomically(path / name, text).ok());
  };
  write("net.onnx", "graph");
  write("other_labels.txt", "x\ny\n");
  write("net_labels.txt", "a\nb\n");
  write("readme.txt", "nothing");
  write("config_infer.txt", "[property]\nlabelfile-path=/etc/passwd\nmodel-color-format=1\n");
  const Notes notes = NotesBeside({.graph = path / "net.onnx"});
  ASSERT_TRUE(notes.order);
  EXPECT_EQ(notes.order->value, ChannelOrder::kBgr);
  ASSERT_EQ(notes.labels.size(), 2U);                         // /etc/passwd is no file beside the model
  EXPECT_THAT(notes.labels[0].value, ElementsAre("a", "b"));  // called like the model
  EXPECT_THAT(notes.labels[1].value, ElementsAre("x", "y"));
}

}  // namespace
}  // namespace deepedge
