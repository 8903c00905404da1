#include "deepedge/runtime/calibration/made_up_outputs.h"

#include <gtest/gtest.h>

#include "deepedge/model/model_card_names.h"
#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {
namespace {

size_t Found(OutputDecoderKind kind, int side, int objects) {
  const MadeUpOutput output = MakeUpOutput(kind, side, objects);
  const auto decoder = MakeOutputDecoder(output.card, output.specs);
  EXPECT_TRUE(decoder.ok()) << decoder.error().message;
  if (!decoder.ok()) return 0;
  std::vector<TensorView> views;
  for (const Tensor& tensor : output.tensors) views.push_back(tensor.View());
  const auto seen = decoder.value()->Decode(views, PlacePicture(ResizeRule::kStretch, 1280, 720, side, side));
  EXPECT_TRUE(seen.ok()) << seen.error().message;
  if (!seen.ok()) return 0;
  return seen.value().objects.size() + seen.value().text.size();
}

TEST(MadeUpOutputs, ShowAsManyObjectsAsAskedForOrSo) {
  for (const OutputDecoderKind kind : MadeUpKinds()) {
    SCOPED_TRACE(NameOf(kDecoderNames, kind));
    EXPECT_EQ(Found(kind, 320, 0), 0U);
    const size_t found = Found(kind, 320, 12);
    if (!ShowsObjects(kind)) {
      EXPECT_EQ(found, 0U);
      continue;
    }
    EXPECT_GE(found, 6U);
    EXPECT_LE(found, 36U);
    EXPECT_GT(Found(kind, 640, 40), found);
  }
}

TEST(MadeUpOutputs, LargerInputsHaveMoreNumbers) {
  for (const OutputDecoderKind kind : MadeUpKinds()) {
    const auto numbers = [&](int side) {
      size_t bytes = 0;
      for (const Tensor& tensor : MakeUpOutput(kind, side, 3).tensors) bytes += tensor.data.size();
      return bytes;
    };
    EXPECT_GT(numbers(640), numbers(320)) << NameOf(kDecoderNames, kind);
  }
}

}  // namespace
}  // namespace deepedge
