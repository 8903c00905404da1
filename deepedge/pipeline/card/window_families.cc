// Networks that judge a window, and those that look closer at what was found: the four of MTCNN.
#include <fmt/format.h>

#include <algorithm>

#include "deepedge/pipeline/card/output_shapes.h"
#include "deepedge/pipeline/card/proposal.h"

namespace deepedge {
namespace {

using Kind = OutputDecoderKind;

// P-net slides over the picture; R-net and O-net look at squares around what the one before has found.
constexpr int kSlidingSide = 12;

// The numbers of an output for one window.
int64_t NumbersOf(const Evidence& evidence, size_t output) { return ListLength(evidence.graph.outputs[output].shape); }

InputHabit HabitOfMtcnn() {
  return {.order = ChannelOrder::kRgb,
          .values = kFace127Half,
          .resize = ResizeRule::kStretch,
          .pad = 0,
          .transposed = true,
          .confidence = 0.85};
}

// Face or not, four numbers of a box, and ten of five points.
std::optional<Proposal> ProposeMtcnn(const Evidence& evidence) {
  const PictureShape& picture = *evidence.picture;
  const int side = picture.width;
  const bool sizes = picture.height == side && (side == kSlidingSide || side == 24 || side == 48);
  const size_t count = evidence.graph.outputs.size();
  if (!sizes || picture.channels != 3 || (count != 2 && count != 3)) return std::nullopt;
  Proposal proposal{.family = "MTCNN", .confidence = 0.85};
  std::string shapes;
  for (size_t i = 0; i < count; ++i) {
    std::string* const role = NumbersOf(evidence, i) == 2    ? &proposal.output.scores
                              : NumbersOf(evidence, i) == 4  ? &proposal.output.offsets
                              : NumbersOf(evidence, i) == 10 ? &proposal.output.landmarks
                                                             : nullptr;
    if (role == nullptr || !role->empty()) return std::nullopt;
    *role = NameOfOutput(evidence, i);
    shapes += (shapes.empty() ? "" : ", ") + ShapeOfOutput(evidence, i);
  }
  OutputDecoderSpec& output = proposal.output;
  if (output.scores.empty() || output.offsets.empty()) return std::nullopt;
  output.kind = Kind::kWindow;
  output.background = 0;
  output.label_offset = 1;
  output.keypoints = output.landmarks.empty() ? 0 : 5;
  if (output.keypoints > 0) output.point_names = {"left_eye", "right_eye", "nose", "left_mouth", "right_mouth"};
  output.nms_iou = side == kSlidingSide ? 0.5F : 0.7F;
  proposal.input = HabitOfMtcnn();
  if (side == kSlidingSide) {
    output.window = kSlidingSide;
    output.stride = 2;
    proposal.input.resize = ResizeRule::kLetterboxTopLeft;
    proposal.input.pyramid = 0.709F;
    proposal.input.free_width = 640;
    proposal.input.free_height = 360;
  }
  proposal.threshold = side == kSlidingSide ? 0.6F : 0.7F;
  proposal.classes = 1;
  proposal.labels = {"face"};
  proposal.labels_reason = "MTCNN tells faces from other things";
  const char* points = output.keypoints > 0 ? ", five points" : "";
  proposal.reason = fmt::format("{}: face or not, a box{} for a window of {}x{}", shapes, points, side, side);
  return proposal;
}

std::optional<Proposal> ProposePatches(const Evidence& evidence) {
  const PictureShape& picture = *evidence.picture;
  Proposal proposal{.family = "MTCNN", .confidence = 0.85};
  for (size_t i = 0; i < evidence.graph.outputs.size(); ++i) {
    proposal.output.tensors.push_back(NameOfOutput(evidence, i));
  }
  std::sort(proposal.output.tensors.begin(), proposal.output.tensors.end());  // fc5_1 .. fc5_5
  proposal.output.kind = Kind::kPatchPoints;
  proposal.input = HabitOfMtcnn();
  proposal.input.patch_size = 0.25F;
  proposal.classes = picture.patches;
  if (picture.patches == 5) {
    proposal.labels = {"left_eye", "right_eye", "nose", "left_mouth", "right_mouth"};
    proposal.labels_reason = "the five points of MTCNN";
  }
  proposal.reason = fmt::format("{} colours and {} outputs of 2 numbers: a point for each of {} patches of {}x{}",
                                3 * picture.patches, picture.patches, picture.patches, picture.width, picture.height);
  return proposal;
}

}  // namespace

std::vector<Proposal> ProposeWindows(const Evidence& evidence) {
  std::vector<Proposal> proposals;
  if (!evidence.picture) return proposals;
  const auto proposal = evidence.picture->patches > 0 ? ProposePatches(evidence) : ProposeMtcnn(evidence);
  if (proposal) proposals.push_back(*proposal);
  return proposals;
}

}  // namespace deepedge
