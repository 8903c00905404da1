// Proposal: how a family of models would read a graph. Every family is a function from the evidence to proposals; the
// one with the highest confidence becomes the card, the others are told as alternatives.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deepedge/pipeline/card/evidence.h"
#include "deepedge/pipeline/card/finding.h"

namespace deepedge {

// What networks of a family usually take. Used where neither notes nor the graph say.
struct InputHabit {
  std::optional<ChannelOrder> order;
  std::optional<ValueRule> values;
  std::optional<ResizeRule> resize;
  uint8_t pad = 114;
  bool transposed = false;  // PictureInput::transposed
  double confidence = 0.7;
  int free_width = 0;  // the size where the graph leaves it open, and of a pyramid; 0: the format's
  int free_height = 0;
  float pyramid = 0;     // PictureInput::pyramid
  float patch_size = 0;  // PictureInput::patch_size, of a model that takes patches
};

struct Proposal {
  std::string family;  // "YOLOX", "UltraFace": for the reason
  OutputDecoderSpec output;
  double confidence = 0;
  std::string reason;
  InputHabit input;
  int classes = 0;                  // how many labels the card needs; 0: none
  std::vector<std::string> labels;  // where the family has its own
  std::string labels_reason;
  float threshold = 0.4F;
};

// By family group. Each looks at the outputs only as far as it must and proposes nothing where they do not fit.
std::vector<Proposal> ProposeSuppressed(const Evidence& evidence);   // DetectionOutput, TFLite, rows with classes
std::vector<Proposal> ProposeAnchorBoxes(const Evidence& evidence);  // SSD, UltraFace, RetinaFace, BlazeFace, aizoo
std::vector<Proposal> ProposeYoloRows(const Evidence& evidence);   // YOLOX, v5, v7, v8, v11; also pose and segmentation
std::vector<Proposal> ProposeYoloMaps(const Evidence& evidence);   // v2, v3, v4, v5 raw, Darknet; FastestDet
std::vector<Proposal> ProposeDistances(const Evidence& evidence);  // NanoDet, raw YOLOv8, SCRFD, YuNet
std::vector<Proposal> ProposeMaps(const Evidence& evidence);       // CenterNet, key points, segmentation, text
std::vector<Proposal> ProposeWindows(const Evidence& evidence);    // MTCNN
std::vector<Proposal> ProposeVectors(const Evidence& evidence);    // classification, embedding, regression, MoveNet

// All of them, the most confident first. Pure.
std::vector<Proposal> ProposeAll(const Evidence& evidence);

}  // namespace deepedge
