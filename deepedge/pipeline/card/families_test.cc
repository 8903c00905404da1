// One line a family: shapes and facts as real networks have them, and what is made of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deepedge/pipeline/card/notes.h"
#include "deepedge/pipeline/card/write_card.h"
#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

constexpr auto kF32 = ElementType::kF32;

struct Net {
  ModelFormat format = ModelFormat::kOnnx;
  const char* name = "net.onnx";
  Shape input;
  std::vector<TensorSpec> outputs;
  std::vector<OutputFacts> facts;
  std::map<std::string, std::string> metadata = {};
};

GraphInfo GraphOf(const Net& net) {
  GraphInfo graph{.inputs = {{"in", kF32, net.input}}, .outputs = net.outputs, .metadata = net.metadata};
  graph.facts.outputs = net.facts;
  if (!net.facts.empty()) graph.facts.outputs.resize(net.outputs.size());
  return graph;
}

WrittenCard CardOf(const Net& net, const GraphInfo& graph) {
  const ModelFiles files{.format = net.format, .graph = Path("/models/x") / net.name};
  const Evidence evidence = MakeEvidence(files, graph, NotesInMetadata(graph.metadata));
  for (const Proposal& proposal : ProposeAll(evidence)) {
    WrittenCard written = WriteCard(evidence, proposal);
    const auto decoder = MakeOutputDecoder(written.card, graph.outputs);
    bool open = false;  // sizes that follow from the picture's
    for (const TensorSpec& output : graph.outputs) open = open || output.shape.back() < 0;
    if (decoder.ok() || open) return written;
    ADD_FAILURE() << proposal.family << ": " << decoder.error().message;
  }
  return WriteRawCard(evidence, "nothing fits");
}

OutputFacts Ends(std::string operation) { return {.operation = std::move(operation)}; }

TensorSpec Out(std::string name, Shape shape) { return {std::move(name), kF32, std::move(shape)}; }

// The maps of SSD heads: boxes a cell times the columns of a box.
std::vector<MapFacts> Maps(const std::vector<std::array<int, 3>>& rows_columns_boxes, int columns) {
  std::vector<MapFacts> maps;
  for (const auto& [rows, cells, boxes] : rows_columns_boxes) maps.push_back({rows, cells, boxes * columns});
  return maps;
}

std::vector<MapFacts> OpenMaps(const std::vector<int>& channels) {
  std::vector<MapFacts> maps;
  for (const int count : channels) maps.push_back({-1, -1, count});
  return maps;
}

const std::string kUltralytics = "{0: 'cat', 1: 'dog', 2: 'cow'}";

struct Case {
  const char* what;
  Net net;
  Kind kind;
  std::function<void(const ModelCard&)> check;
};

void CheckAll(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const GraphInfo graph = GraphOf(c.net);
    const WrittenCard written = CardOf(c.net, graph);
    EXPECT_EQ(written.card.output.kind, c.kind);
    for (const Finding& finding : written.findings) EXPECT_FALSE(finding.reason.empty()) << finding.field;
    if (written.card.output.kind == c.kind && c.check) c.check(written.card);
  }
}

const std::vector<std::array<int, 3>> kUltraFaceMaps{{30, 40, 3}, {15, 20, 2}, {8, 10, 2}, {4, 5, 3}};

TEST(Families, AnchorBoxes) {
  CheckAll({
      {"BlazePose's detector",
       {.format = ModelFormat::kTflite,
        .input = {1, 224, 224, 3},
        .outputs = {Out("o", {1, 2254, 12}), Out("s", {1, 2254, 1})}},
       Kind::kSsdAnchors,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.keypoints, 4);
         EXPECT_EQ(card.labels, std::vector<std::string>{"person"});
       }},
      {"SSD on grey pictures",
       {.format = ModelFormat::kCaffe,
        .input = {1, 1, 384, 384},
        .outputs = {Out("detection_output", {1, 1, 100, 7})},
        .facts = {Ends("DetectionOutput")}},
       Kind::kSsd,
       [](const ModelCard& card) {
         EXPECT_EQ(card.input.mean[0], card.input.mean[1]);
         EXPECT_FLOAT_EQ(card.input.std[0], 255);
       }},
      {"UltraFace that decodes its boxes",
       {.input = {1, 3, 240, 320},
        .outputs = {Out("scores", {1, 4420, 2}), Out("boxes", {1, 4420, 4})},
        .facts = {Ends("Softmax"),
                  {.operation = "Concat", .exp_inside = true, .grid_inside = true, .maps = Maps(kUltraFaceMaps, 4)}}},
       Kind::kBoxesScores,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.background, 0);
         EXPECT_FALSE(card.output.softmax);
         EXPECT_EQ(card.input.mean[0], 127);
         EXPECT_EQ(card.labels, std::vector<std::string>{"face"});
       }},
      {"UltraFace with raw boxes, from Caffe",
       {.format = ModelFormat::kCaffe,
        .input = {1, 3, 240, 320},
        .outputs = {Out("boxes", {1, 4420, 4}), Out("scores", {1, 4420, 2})},
        .facts = {{.operation = "Concat", .maps = Maps(kUltraFaceMaps, 4)}, Ends("Softmax")}},
       Kind::kSsdAnchors,
       [](const ModelCard& card) {
         ASSERT_EQ(card.output.anchors.size(), 4U);
         EXPECT_EQ(card.output.anchors[0].sizes.size(), 3U);
         EXPECT_FLOAT_EQ(card.output.anchors[3].sizes[2][0], 256.0F / 320);
         EXPECT_EQ(card.input.order, ChannelOrder::kRgb);  // not what Caffe's networks usually take
       }},
      {"RetinaFace with landmarks",
       {.name = "retinaface.onnx",
        .input = {1, 3, 640, 640},
        .outputs = {Out("loc", {1, 16800, 4}), Out("conf", {1, 16800, 2}), Out("landms", {1, 16800, 10})},
        .facts = {Ends("Concat"), Ends("Softmax"), Ends("Concat")}},
       Kind::kSsdAnchors,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.anchors.size(), 3U);
         EXPECT_EQ(card.output.keypoints, 5);
         EXPECT_EQ(card.output.landmarks, "landms");
         EXPECT_EQ(card.input.order, ChannelOrder::kBgr);
       }},
      {"face masks with an open number of rows",
       {.format = ModelFormat::kTfFrozen,
        .input = {-1, 260, 260, 3},
        .outputs = {Out("cls", {-1, -1, 2}), Out("loc", {-1, -1, 4})},
        .facts = {Ends("Sigmoid"),
                  {.operation = "Concat",
                   .maps = Maps({{33, 33, 4}, {17, 17, 4}, {9, 9, 4}, {5, 5, 4}, {3, 3, 4}}, 4)}}},
       Kind::kSsdAnchors,
       [](const ModelCard& card) {
         EXPECT_FALSE(card.output.sigmoid);
         EXPECT_EQ(card.output.background, -1);
         EXPECT_EQ(card.labels.size(), 2U);
         EXPECT_FALSE(card.output.nms_per_label);
       }},
      {"BlazeFace",
       {.format = ModelFormat::kTflite,
        .input = {1, 128, 128, 3},
        .outputs = {Out("regressors", {1, 896, 16}), Out("classificators", {1, 896, 1})}},
       Kind::kSsdAnchors,
       [](const ModelCard& card) {
         EXPECT_TRUE(card.output.linear_offsets);
         EXPECT_TRUE(card.output.sigmoid);
         EXPECT_EQ(card.output.keypoints, 6);
         ASSERT_TRUE(card.output.anchor_rule);
         EXPECT_EQ(card.output.anchor_rule->strides, (std::vector<int>{8, 16, 16, 16}));
       }},
      {"OpenCV's face detector: flat lists, maps of open size",
       {.format = ModelFormat::kTfFrozen,
        .name = "face.pb",
        .input = {-1, -1, -1, 3},
        .outputs = {Out("mbox_conf_flatten", {-1, 17784}), Out("mbox_loc", {1, -1})},
        .facts = {{.operation = "Softmax", .maps = OpenMaps({8, 12, 12, 12, 8, 8})},
                  {.operation = "Concat", .maps = OpenMaps({16, 24, 24, 24, 16, 16})}}},
       Kind::kSsdAnchors,
       [](const ModelCard& card) {
         ASSERT_EQ(card.output.anchors.size(), 6U);
         EXPECT_EQ(card.output.anchors[5].rows, 5);  // 8892 anchors, not the usual 8732
         EXPECT_FLOAT_EQ(card.output.anchors[5].step[0], 1);
         EXPECT_EQ(card.output.background, 0);
         EXPECT_EQ(card.input.width, 300);
         EXPECT_EQ(card.input.order, ChannelOrder::kBgr);
         EXPECT_EQ(card.labels, std::vector<std::string>{"face"});
       }},
      {"TensorFlow's SSD before suppression",
       {.format = ModelFormat::kTflite,
        .input = {1, 300, 300, 3},
        .outputs = {Out("raw_outputs/box_encodings", {1, 1917, 4}),
                    Out("raw_outputs/class_predictions", {1, 1917, 91})}},
       Kind::kSsdAnchors,
       [](const ModelCard& card) {
         EXPECT_TRUE(card.output.yx_order);
         EXPECT_TRUE(card.output.sigmoid);
         EXPECT_EQ(card.output.background, 0);
         EXPECT_EQ(card.labels.size(), 90U);
       }},
  });
}

TEST(Families, SuppressedInsideTheGraph) {
  CheckAll({
      {"DetectionOutput",
       {.format = ModelFormat::kOpenVinoIr,
        .name = "face-detection.xml",
        .input = {1, 3, 300, 300},
        .outputs = {Out("d", {1, 1, 200, 7})},
        .facts = {Ends("DetectionOutput")}},
       Kind::kSsd,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.label_offset, 1);
         EXPECT_EQ(card.input.order, ChannelOrder::kBgr);
         EXPECT_EQ(card.labels, std::vector<std::string>{"face"});
       }},
      {"Object Detection API",
       {.format = ModelFormat::kTfFrozen,
        .input = {1, 300, 300, 3},
        .outputs = {Out("detection_boxes", {1, 100, 4}), Out("detection_classes", {1, 100}),
                    Out("detection_scores", {1, 100}), Out("num_detections", {1})}},
       Kind::kDetections,
       [](const ModelCard& card) { EXPECT_EQ(card.output.label_offset, 1); }},
      {"torchvision",
       {.input = {1, 3, 320, 320},
        .outputs = {Out("boxes", {-1, 4}), {"labels", ElementType::kI64, {-1}}, Out("scores", {-1})}},
       Kind::kDetections,
       [](const ModelCard& card) {
         EXPECT_FALSE(card.output.normalized);
         EXPECT_EQ(card.output.columns.front(), RowColumn::kX1);
         EXPECT_EQ(card.input.std[0], 255);
       }},
      {"YOLOv10",
       {.input = {1, 3, 640, 640},
        .outputs = {Out("output0", {1, 300, 6})},
        .facts = {{.operation = "Concat", .suppressed = true}},
        .metadata = {{"onnx.names", kUltralytics}}},
       Kind::kDetectionRows,
       [](const ModelCard& card) {
         EXPECT_EQ(card.labels.size(), 3U);
         EXPECT_EQ(card.input.resize, ResizeRule::kLetterboxCentered);
       }},
  });
}

TEST(Families, YoloRows) {
  const std::vector<ColumnPart> v5{{2, true, false, true}, {2, true, false, true}, {81, true, false, false}};
  const std::vector<ColumnPart> plates{{2, true, false, true}, {2, true, false, true}, {1, true, false, false},
                                       {2, true, false, true}, {2, true, false, true}, {2, true, false, true},
                                       {2, true, false, true}, {2, true, false, false}};
  CheckAll({
      {"YOLOX without a grid inside",
       {.input = {1, 3, 416, 416},
        .outputs = {Out("output", {1, 3549, 85})},
        .facts = {{.operation = "Concat", .sigmoid_inside = true}}},
       Kind::kYolox,
       [](const ModelCard& card) {
         EXPECT_EQ(card.input.order, ChannelOrder::kBgr);
         EXPECT_EQ(card.input.resize, ResizeRule::kLetterboxTopLeft);
         EXPECT_FALSE(card.output.sigmoid);
         EXPECT_EQ(card.labels.size(), 80U);
       }},
      {"YOLOX that decodes its boxes",
       {.input = {1, 3, 640, 640},
        .outputs = {Out("output", {1, 8400, 85})},
        .facts = {{.operation = "Concat", .sigmoid_inside = true, .exp_inside = true, .grid_inside = true}}},
       Kind::kYoloRows,
       [](const ModelCard& card) {
         EXPECT_TRUE(card.output.objectness);
         EXPECT_EQ(card.input.std[0], 1);
       }},
      {"YOLOv5",
       {.input = {1, 3, 640, 640},
        .outputs = {Out("output0", {1, 25200, 85})},
        .facts =
            {{.operation = "Concat", .sigmoid_inside = true, .square_inside = true, .grid_inside = true, .parts = v5}}},
       Kind::kYoloRows,
       [](const ModelCard& card) {
         EXPECT_TRUE(card.output.objectness);
         EXPECT_EQ(card.output.keypoints, 0);
         EXPECT_EQ(card.input.std[0], 255);
         EXPECT_EQ(card.labels.size(), 80U);
       }},
      {"plates with four corners and two classes",
       {.input = {1, 3, 320, 320},
        .outputs = {Out("output", {1, 6300, 15})},
        .facts = {{.operation = "Concat",
                   .sigmoid_inside = true,
                   .square_inside = true,
                   .grid_inside = true,
                   .parts = plates}}},
       Kind::kYoloRows,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.keypoints, 4);
         EXPECT_TRUE(card.output.keypoints_first);
       }},
      {"YOLOv8",
       {.input = {1, 3, 640, 640},
        .outputs = {Out("output0", {1, 7, 8400})},
        .facts = {{.operation = "Concat",
                   .sigmoid_inside = true,
                   .softmax_inside = true,
                   .grid_inside = true,
                   .dfl_bins = 16,
                   .parts = {{4, false, true, true}, {3, true, false, false}}}},
        .metadata = {{"onnx.names", kUltralytics}, {"onnx.stride", "32"}, {"onnx.task", "detect"}}},
       Kind::kYoloRows,
       [](const ModelCard& card) {
         EXPECT_FALSE(card.output.objectness);
         EXPECT_EQ(card.labels, (std::vector<std::string>{"cat", "dog", "cow"}));
         EXPECT_FALSE(card.output.normalized);
       }},
      {"YOLOv8 pose",
       {.input = {1, 3, 640, 640},
        .outputs = {Out("output0", {1, 56, 8400})},
        .facts = {{.operation = "Concat", .sigmoid_inside = true, .grid_inside = true, .dfl_bins = 16}}},
       Kind::kYoloRows,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.keypoints, 17);
         EXPECT_EQ(card.output.keypoint_size, 3);
         EXPECT_EQ(card.labels, std::vector<std::string>{"person"});
       }},
      {"YOLOv8 segmentation",
       {.input = {1, 3, 640, 640},
        .outputs = {Out("output0", {1, 116, 8400}), Out("output1", {1, 32, 160, 160})},
        .facts = {{.operation = "Concat", .sigmoid_inside = true, .grid_inside = true, .dfl_bins = 16}}},
       Kind::kYoloRows,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.ignored_columns, 32);
         EXPECT_EQ(card.labels.size(), 80U);
       }},
  });
}

TEST(Families, YoloMapsAndDistances) {
  const std::string head = R"({"type": "yolo", "anchors": [12, 18, 37, 49, 52, 132], "classes": 80, "scale_xy": 1.0})";
  CheckAll({
      {"Darknet says it all",
       {.format = ModelFormat::kDarknet,
        .input = {1, 3, 320, 320},
        .outputs = {Out("conv_120", {1, 255, 10, 10}), Out("conv_129", {1, 255, 20, 20})},
        .facts = {Ends("Add"), Ends("Add")},
        .metadata = {{"darknet.head.conv_120", head}, {"darknet.head.conv_129", head}}},
       Kind::kYoloAnchors,
       [](const ModelCard& card) {
         ASSERT_EQ(card.output.heads.size(), 2U);
         EXPECT_EQ(card.output.heads[0].anchors[2], (std::array<float, 2>{52, 132}));
         EXPECT_EQ(card.input.std[0], 255);
         EXPECT_EQ(card.labels.size(), 80U);
       }},
      {"YOLOv3 as maps",
       {.name = "yolov3.onnx",
        .input = {1, 3, 416, 416},
        .outputs = {Out("a", {1, 255, 13, 13}), Out("b", {1, 255, 26, 26}), Out("c", {1, 255, 52, 52})},
        .facts = {Ends("Add"), Ends("Add"), Ends("Add")}},
       Kind::kYoloAnchors,
       [](const ModelCard& card) {
         ASSERT_EQ(card.output.heads.size(), 3U);
         EXPECT_EQ(card.output.heads[0].stride, 8);
         EXPECT_EQ(card.output.heads[0].boxes, "c");
         EXPECT_EQ(card.output.heads[0].anchors[0], (std::array<float, 2>{10, 13}));
       }},
      {"FastestDet",
       {.input = {1, 3, 352, 352},
        .outputs = {Out("o", {1, 85, 22, 22})},
        .facts = {{.operation = "Concat", .parts = {{1, true}, {4}, {80, false, true}}}}},
       Kind::kFastestGrid,
       [](const ModelCard& card) { EXPECT_EQ(card.labels.size(), 80U); }},
      {"NanoDet",
       {.name = "nanodet.onnx",
        .input = {1, 3, 320, 320},
        .outputs = {Out("o", {1, 2125, 112})},
        .facts = {{.operation = "Concat", .sigmoid_inside = true}}},
       Kind::kDfl,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.bins, 8);
         EXPECT_EQ(card.output.strides, (std::vector<int>{8, 16, 32, 64}));
       }},
      {"SCRFD",
       {.input = {1, 3, 640, 640},
        .outputs = {Out("448", {12800, 1}), Out("471", {3200, 1}), Out("494", {800, 1}), Out("451", {12800, 4}),
                    Out("474", {3200, 4}), Out("497", {800, 4}), Out("454", {12800, 10}), Out("477", {3200, 10}),
                    Out("500", {800, 10})},
        .facts = {Ends("Sigmoid"), Ends("Sigmoid"), Ends("Sigmoid"), Ends("Add")}},
       Kind::kDfl,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.boxes_per_cell, 2);
         EXPECT_EQ(card.output.keypoints, 5);
         ASSERT_EQ(card.output.heads.size(), 3U);
         EXPECT_EQ(card.output.heads[0].scores, "448");
         EXPECT_FALSE(card.output.sigmoid);
       }},
      {"YuNet",
       {.input = {1, 3, 640, 640},
        .outputs = {Out("cls_8", {1, 6400, 1}), Out("cls_16", {1, 1600, 1}), Out("cls_32", {1, 400, 1}),
                    Out("obj_8", {1, 6400, 1}), Out("obj_16", {1, 1600, 1}), Out("obj_32", {1, 400, 1}),
                    Out("bbox_8", {1, 6400, 4}), Out("bbox_16", {1, 1600, 4}), Out("bbox_32", {1, 400, 4}),
                    Out("kps_8", {1, 6400, 10}), Out("kps_16", {1, 1600, 10}), Out("kps_32", {1, 400, 10})}},
       Kind::kYunet,
       [](const ModelCard& card) {
         EXPECT_EQ(card.input.order, ChannelOrder::kBgr);
         EXPECT_EQ(card.labels, std::vector<std::string>{"face"});
       }},
  });
}

TEST(Families, Maps) {
  CheckAll({
      {"CenterNet",
       {.input = {1, 3, 512, 512},
        .outputs = {Out("hm", {1, 80, 128, 128}), Out("wh", {1, 2, 128, 128}), Out("reg", {1, 2, 128, 128})},
        .facts = {Ends("Sigmoid"), Ends("Add"), Ends("Add")}},
       Kind::kCenternet,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.boxes, "wh");
         EXPECT_EQ(card.output.offsets, "reg");
         EXPECT_FALSE(card.output.sigmoid);
       }},
      {"OpenPose",
       {.format = ModelFormat::kOpenVinoIr,
        .input = {1, 3, 256, 456},
        .outputs = {Out("heat", {1, 19, 32, 57}), Out("paf", {1, 38, 32, 57})},
        .facts = {Ends("Add"), Ends("Add")}},
       Kind::kHeatmapPose,
       [](const ModelCard& card) { EXPECT_EQ(card.output.pafs, "paf"); }},
      {"heat maps of one person",
       {.name = "pose_resnet.onnx",
        .input = {1, 3, 256, 192},
        .outputs = {Out("o", {1, 17, 64, 48})},
        .facts = {Ends("Add")}},
       Kind::kHeatmapPose,
       [](const ModelCard& card) { EXPECT_EQ(card.output.point_names.size(), 17U); }},
      {"segmentation of Pascal VOC",
       {.format = ModelFormat::kTflite,
        .input = {1, 257, 257, 3},
        .outputs = {Out("o", {1, 257, 257, 21})},
        .facts = {{.operation = "Interpolate", .upsampled = true}}},
       Kind::kSegmentation,
       [](const ModelCard& card) {
         EXPECT_EQ(card.labels.size(), 20U);
         EXPECT_EQ(card.output.background, 0);
       }},
      {"class numbers",
       {.input = {1, 3, 512, 1024}, .outputs = {{"o", ElementType::kI64, {1, 512, 1024}}}},
       Kind::kSegmentation,
       [](const ModelCard& card) { EXPECT_TRUE(card.output.class_ids); }},
      {"PoseNet",
       {.format = ModelFormat::kTflite,
        .input = {1, 257, 257, 3},
        .outputs = {Out("displacement_bwd_2", {1, 17, 17, 32}), Out("heatmap", {1, 17, 17, 17}),
                    Out("offset_2", {1, 17, 17, 34})},
        .facts = {Ends("Add"), Ends("Add"), Ends("Add")}},
       Kind::kHeatmapPose,
       [](const ModelCard& card) {
         EXPECT_EQ(card.output.offsets, "offset_2");
         EXPECT_TRUE(card.output.sigmoid);
         EXPECT_EQ(card.output.point_names.size(), 17U);
       }},
      {"two scores a pixel: a thing and its background",
       {.name = "portrait.onnx", .input = {1, 3, 320, 320}, .outputs = {Out("o", {1, 2, 320, 320})}},
       Kind::kSegmentation,
       [](const ModelCard& card) {
         EXPECT_EQ(card.labels, std::vector<std::string>{"person"});
         EXPECT_EQ(card.output.background, 0);
       }},
      {"scores without names",
       {.input = {1, 3, 320, 320}, .outputs = {Out("o", {1, 7, 320, 320})}},
       Kind::kSegmentation,
       [](const ModelCard& card) { EXPECT_EQ(card.labels.size(), 7U); }},
      {"a mask",
       {.name = "selfie_segmentation.onnx",
        .input = {1, 256, 256, 3},
        .outputs = {Out("o", {1, 256, 256, 1})},
        .facts = {Ends("Sigmoid")}},
       Kind::kSegmentation,
       [](const ModelCard& card) {
         EXPECT_EQ(card.labels, std::vector<std::string>{"person"});
         EXPECT_FLOAT_EQ(card.input.std[0], 255);
       }},
      {"heat maps of points with offsets are no segmentation",
       {.input = {-1, 3, 224, 224}, .outputs = {Out("o", {-1, 198, 28, 28})}, .facts = {Ends("Add")}},
       Kind::kRaw,
       {}},
      {"MTCNN's first net is no segmentation",
       {.input = {-1, -1, -1, 3},
        .outputs = {Out("conv", {-1, -1, -1, 4}), Out("softmax", {-1, -1, -1, 2})},
        .facts = {Ends("Add"), Ends("Softmax")}},
       Kind::kRaw,
       {}},
      {"text",
       {.name = "ocr_det.onnx",
        .input = {-1, 3, -1, -1},
        .outputs = {Out("sigmoid_0.tmp_0", {-1, 1, -1, -1})},
        .facts = {Ends("Sigmoid")}},
       Kind::kTextMap,
       [](const ModelCard& card) {
         EXPECT_EQ(card.input.width, 640);
         EXPECT_EQ(card.labels, std::vector<std::string>{"text"});
       }},
  });
}

TEST(Families, Vectors) {
  CheckAll({
      {"68 points of a face are no embedding",
       {.format = ModelFormat::kOpenVinoIr,
        .name = "mobilefacenet.xml",
        .input = {1, 3, 112, 112},
        .outputs = {Out("o", {1, 136})}},
       Kind::kRegression,
       [](const ModelCard& card) {
         ASSERT_EQ(card.output.values.size(), 136U);
         EXPECT_EQ(card.output.values[3].name, "point_1_y");
       }},
      {"106 points beside features",
       {.input = {1, 3, 112, 112}, .outputs = {Out("features", {1, 64, 28, 28}), Out("o", {1, 212})}},
       Kind::kRegression,
       [](const ModelCard& card) { EXPECT_EQ(card.output.values.at(211).tensor, "o"); }},
      {"21 points of a hand and scores",
       {.format = ModelFormat::kTflite,
        .input = {1, 224, 224, 3},
        .outputs = {Out("points", {1, 63}), Out("hand", {1, 1}), Out("left", {1, 1}), Out("world", {1, 63})},
        .facts = {Ends("Add"), Ends("Sigmoid"), Ends("Sigmoid"), Ends("Add")}},
       Kind::kRegression,
       [](const ModelCard& card) {
         ASSERT_EQ(card.output.values.size(), 65U);
         EXPECT_EQ(card.output.values[2].name, "point_0_z");
         EXPECT_EQ(card.output.values[64].name, "left");
       }},
      {"468 points of a face",
       {.format = ModelFormat::kTflite,
        .input = {1, 192, 192, 3},
        .outputs = {Out("points", {1, 1, 1, 1404}), Out("face", {1, 1, 1, 1})}},
       Kind::kRegression,
       [](const ModelCard& card) { EXPECT_EQ(card.output.tensor, "points"); }},
      {"ImageNet logits",
       {.input = {-1, 3, 224, 224},
        .outputs = {Out("o", {-1, 1000})},
        .facts = {{.operation = "Add", .pooled = true, .fully_connected = true}}},
       Kind::kClassification,
       [](const ModelCard& card) {
         EXPECT_TRUE(card.output.softmax);
         EXPECT_EQ(card.labels.size(), 1000U);
         EXPECT_FLOAT_EQ(card.input.mean[0], 123.675F);
       }},
      {"ImageNet with a background",
       {.format = ModelFormat::kTflite,
        .input = {1, 224, 224, 3},
        .outputs = {Out("o", {1, 1001})},
        .facts = {Ends("Softmax")}},
       Kind::kClassification,
       [](const ModelCard& card) {
         EXPECT_FALSE(card.output.softmax);
         EXPECT_EQ(card.output.background, 0);
         EXPECT_EQ(card.labels.size(), 1000U);
         EXPECT_EQ(card.input.mean[0], 127.5F);
       }},
      {"a vector of a face",
       {.name = "arcface.onnx", .input = {1, 3, 112, 112}, .outputs = {Out("683", {1, 512})}, .facts = {Ends("Add")}},
       Kind::kEmbedding,
       [](const ModelCard& card) { EXPECT_TRUE(card.output.l2_normalize); }},
      {"a vector of unit length",
       {.input = {1, 3, 256, 128},
        .outputs = {Out("o", {1, 100})},
        .facts = {{.operation = "Divide", .unit_length = true}}},
       Kind::kEmbedding,
       [](const ModelCard& card) { EXPECT_FALSE(card.output.l2_normalize); }},
      {"256 probabilities are classes",
       {.input = {1, 3, 224, 224}, .outputs = {Out("o", {1, 256})}, .facts = {Ends("Softmax")}},
       Kind::kClassification,
       nullptr},
      {"MoveNet",
       {.format = ModelFormat::kTflite, .input = {1, 192, 192, 3}, .outputs = {Out("o", {1, 1, 17, 3})}},
       Kind::kPose,
       [](const ModelCard& card) { EXPECT_EQ(card.labels.size(), 17U); }},
      {"age and gender",
       {.format = ModelFormat::kOpenVinoIr,
        .name = "age-gender.xml",
        .input = {1, 3, 62, 62},
        .outputs = {Out("prob", {1, 2, 1, 1}), Out("age_conv3", {1, 1, 1, 1})},
        .facts = {Ends("Softmax"), Ends("Add")}},
       Kind::kClassification,
       [](const ModelCard& card) {
         ASSERT_EQ(card.output.values.size(), 1U);
         EXPECT_EQ(card.output.values[0].scale, 100);
       }},
      {"digits",
       {.input = {1, 1, 28, 28},
        .outputs = {Out("o", {1, 10})},
        .facts = {{.operation = "Add", .fully_connected = true}}},
       Kind::kClassification,
       [](const ModelCard& card) {
         EXPECT_EQ(card.input.order, ChannelOrder::kGray);
         EXPECT_EQ(card.labels.size(), 10U);
       }},
  });
}

}  // namespace
}  // namespace deepedge
