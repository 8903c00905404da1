#include "deepedge/formats/darknet/darknet_net.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

Result<DarknetNet> Read(const std::string& layers, const std::string& net = "width=8\nheight=6\nchannels=4\n") {
  KeepSeed("darknet", "[net]\n" + net + layers);
  return ReadDarknetNet("a.cfg", "[net]\n" + net + layers);
}

struct SizeCase {
  const char* layers;
  DarknetSize out;  // of the last layer
  int64_t weights;
};

TEST(DarknetNet, KnowsSizesAndWeightsBeforeAnythingIsRead) {
  const SizeCase cases[] = {
      {"[convolutional]\nfilters=5\nsize=3\nstride=2\npad=1\nbatch_normalize=1\nactivation=leaky\n",
       {5, 3, 4},
       20 + 5 * 4 * 9},
      {"[conv]\nfilters=6\nsize=3\ngroups=2\nactivation=linear\n", {6, 4, 6}, 6 + 6 * 2 * 9},
      {"[convolutional]\nfilters=2\nsize=3\npad=1\ndilation=2\n", {2, 6, 8}, 2 + 2 * 4 * 9},
      {"[convolutional]\nfilters=2\nsize=5\npadding=1\nstride_x=2\nstride_y=1\n", {2, 4, 3}, 2 + 2 * 4 * 25},
      {"[connected]\noutput=10\nbatch_normalize=1\n", {10, 1, 1}, 40 + 10 * 192},
      {"[batchnorm]\n", {4, 6, 8}, 16},
      {"[maxpool]\nsize=2\nstride=2\n", {4, 3, 4}, 0},
      {"[maxpool]\nsize=2\nstride=1\n", {4, 6, 8}, 0},
      {"[maxpool]\nstride=3\n", {4, 2, 3}, 0},
      {"[maxpool]\nsize=3\nstride=2\npadding=0\n", {4, 2, 3}, 0},
      {"[local_avgpool]\nsize=2\nstride=2\n", {4, 3, 4}, 0},
      {"[avgpool]\n", {4, 1, 1}, 0},
      {"[softmax]\ngroups=2\n", {4, 6, 8}, 0},
      {"[empty]\n[dropout]\n[cost]\n", {4, 6, 8}, 0},
      {"[empty]\n[empty]\n[route]\nlayers=-1,0\n", {8, 6, 8}, 0},
      {"[empty]\n[route]\nlayers=-1\ngroups=2\ngroup_id=1\n", {2, 6, 8}, 0},
      {"[empty]\n[activation]\nactivation=mish\n[shortcut]\nfrom=-2\nweights_type=per_channel\n", {4, 6, 8}, 8},
      {"[empty]\n[empty]\n[shortcut]\nfrom=0,-1\nweights_type=per_feature\nweights_normalization=softmax\n",
       {4, 6, 8},
       3},
      {"[empty]\n[avgpool]\n[scale_channels]\nfrom=0\n", {4, 6, 8}, 0},
      {"[empty]\n[empty]\n[sam]\nfrom=-2\n", {4, 6, 8}, 0},
      {"[upsample]\nstride=2\n", {4, 12, 16}, 0},
      {"[upsample]\nstride=-2\n", {4, 3, 4}, 0},
      {"[reorg]\nstride=2\n", {16, 3, 4}, 0},
      {"[reorg3d]\nstride=2\n", {16, 3, 4}, 0},
      {"[crop]\ncrop_height=4\ncrop_width=5\n", {4, 4, 5}, 0},
      {"[convolutional]\nfilters=21\nactivation=linear\n[yolo]\nmask=1,2,0\nclasses=2\nnum=3\nanchors=1,2,3,4,5,6\n",
       {21, 6, 8},
       21 + 21 * 4},
      {"[convolutional]\nfilters=14\n[region]\nclasses=2\nnum=2\nanchors=1,2,3,4\nsoftmax=1\n",
       {14, 6, 8},
       14 + 14 * 4},
      {"[connected]\noutput=48\n[detection]\nclasses=2\nnum=2\nside=2\ncoords=4\n", {48, 1, 1}, 48 + 48 * 192},
      {"[ convolutional ] # the head\r\nfilters = 3 # three\r\n; size=9\r\nstray words\r\nactivation=linear\r\n",
       {3, 6, 8},
       3 + 3 * 4},
  };
  for (const SizeCase& c : cases) {
    const auto net = Read(c.layers);
    ASSERT_TRUE(net.ok()) << net.error().message << "\n" << c.layers;
    EXPECT_EQ(net.value().layers.back().out, c.out) << c.layers;
    EXPECT_EQ(net.value().weights, c.weights) << c.layers;
  }
}

TEST(DarknetNet, AnchorsAreInPixelsOfTheInput) {
  const auto yolo = Read(
      "[conv]\nfilters=14\n[yolo]\nmask=2,0\nclasses=2\nnum=3\nanchors=1,2, 3,4, 5,6.5\n"
      "scale_x_y=1.05\nnew_coords=1\nnms_kind=diounms\n");
  ASSERT_TRUE(yolo.ok()) << yolo.error().message;
  const auto& head = std::get<DarknetHead>(yolo.value().layers.back().operation);
  EXPECT_EQ(head.anchors, (std::vector<std::pair<double, double>>{{5, 6.5}, {1, 2}}));
  EXPECT_EQ(head.scale_xy, 1.05);
  EXPECT_TRUE(head.new_coords);
  EXPECT_EQ(head.nms, "diounms");
  // Two columns and three rows remain of 8x6: cells are 4 wide and 2 high.
  const auto region = Read("[conv]\nfilters=7\nstride_x=4\nstride_y=2\n[region]\nclasses=2\nnum=1\nanchors=0.5,1.5\n");
  ASSERT_TRUE(region.ok()) << region.error().message;
  EXPECT_EQ(std::get<DarknetHead>(region.value().layers.back().operation).anchors,
            (std::vector<std::pair<double, double>>{{2, 3}}));
}

struct BadCase {
  const char* layers;
  ErrorCode code;
  const char* message;  // a part of it
};

TEST(DarknetNet, NamesWhatItCannotRead) {
  const BadCase cases[] = {
      {"[lstm]\noutput=3\n", ErrorCode::kUnsupported, "a.cfg: layer '0' (lstm): line 5: sections of this type"},
      {"[local]\n", ErrorCode::kUnsupported, "(local)"},
      {"[Gaussian_yolo]\n", ErrorCode::kUnsupported, "(Gaussian_yolo)"},
      {"[implicit]\n", ErrorCode::kUnsupported, "(implicit)"},
      {"[conv]\nactivation=stair\n", ErrorCode::kUnsupported, "activation=stair"},
      {"[conv]\nxnor=1\n", ErrorCode::kUnsupported, "option xnor"},
      {"[conv]\nantialiasing=1\n", ErrorCode::kUnsupported, "option antialiasing"},
      {"[conv]\nshare_index=0\n", ErrorCode::kUnsupported, "share_index"},
      {"[conv]\ndontload=1\n", ErrorCode::kUnsupported, "dontload"},
      {"[conv]\nsize=3\ndilation=2\npadding=2\n", ErrorCode::kUnsupported, "dilation"},
      {"[conv]\nfilters=0\n", ErrorCode::kBadInput, "filters=0 is no whole number"},
      {"[conv]\nfilters=many\n", ErrorCode::kBadInput, "filters=many"},
      {"[conv]\nfilters=99999999999999999999\n", ErrorCode::kBadInput, "filters=9"},
      {"[conv]\nfilters=1000000\nsize=60000\npad=1\n", ErrorCode::kBadInput, "too many weights"},
      {"[conv]\nsize=9\n", ErrorCode::kBadInput, "nothing is left of 4x6x8"},
      {"[conv]\ngroups=3\n", ErrorCode::kBadInput, "3 groups do not divide 4 channels"},
      {"[conv]\ngroups=4\nfilters=2\n", ErrorCode::kBadInput, "do not divide"},
      {"[route]\nlayers=-1\n", ErrorCode::kBadInput, "names layer -1, but 0 layers"},
      {"[route]\nlayers=0\n", ErrorCode::kBadInput, "names layer 0"},
      {"[empty]\n[route]\n", ErrorCode::kBadInput, "needs layers="},
      {"[empty]\n[route]\nlayers=5\n", ErrorCode::kBadInput, "names layer 5"},
      {"[empty]\n[route]\nlayers=-9223372036854775808\n", ErrorCode::kBadInput, "names layer -9"},
      {"[empty]\n[route]\nlayers=a\n", ErrorCode::kBadInput, "no list"},
      {"[empty]\n[avgpool]\n[route]\nlayers=0,1\n", ErrorCode::kBadInput, "of different size"},
      {"[empty]\n[route]\nlayers=0\ngroups=3\n", ErrorCode::kBadInput, "3 groups"},
      {"[empty]\n[route]\nlayers=0\ngroups=2\ngroup_id=2\n", ErrorCode::kBadInput, "group_id=2"},
      {"[empty]\n[avgpool]\n[shortcut]\nfrom=0\n", ErrorCode::kBadInput, "adds 4x6x8 of layer 0 to 4x1x1"},
      {"[empty]\n[maxpool]\nstride=2\n[shortcut]\nfrom=0\nweights_type=per_feature\n", ErrorCode::kBadInput, "adds"},
      {"[empty]\n[shortcut]\nfrom=0\nweights_type=odd\n", ErrorCode::kUnsupported, "weights_type=odd"},
      {"[empty]\n[empty]\n[scale_channels]\nfrom=0\n", ErrorCode::kBadInput, "should be 4x1x1"},
      {"[empty]\n[avgpool]\n[sam]\nfrom=0\n", ErrorCode::kBadInput, "should be 4x6x8"},
      {"[upsample]\nstride=0\n", ErrorCode::kBadInput, "stride"},
      {"[upsample]\nstride=60000\n", ErrorCode::kBadInput, "too large"},
      {"[upsample]\nstride=-5\n", ErrorCode::kBadInput, "does not divide"},
      {"[reorg]\nstride=3\n", ErrorCode::kBadInput, "does not divide"},
      {"[reorg]\nreverse=1\n", ErrorCode::kUnsupported, "reverse"},
      {"[maxpool]\nsize=2\npadding=9\n", ErrorCode::kBadInput, "lies outside"},
      {"[softmax]\ngroups=5\n", ErrorCode::kBadInput, "5 groups"},
      {"[softmax]\ntree=a.tree\n", ErrorCode::kUnsupported, "tree"},
      {"[crop]\ncrop_height=7\n", ErrorCode::kBadInput, "crop_height=7"},
      {"[yolo]\nmask=0\nclasses=1\nanchors=1,2\n", ErrorCode::kBadInput, "need 6 channels, not 4"},
      {"[conv]\nfilters=6\n[yolo]\nmask=1\nclasses=1\nanchors=1,2\n", ErrorCode::kBadInput, "mask names anchor 1 of 1"},
      {"[conv]\nfilters=6\n[yolo]\nmask=0\nclasses=1\nanchors=1,2\n[empty]\n", ErrorCode::kUnsupported, "takes what"},
      {"[conv]\nfilters=6\n[yolo]\nmask=0\nclasses=1\nanchors=1,2\n[route]\nlayers=1\n", ErrorCode::kUnsupported,
       "which is [yolo]"},
      {"", ErrorCode::kBadInput, "has no layers"},
      {"[conv\n", ErrorCode::kBadInput, "without its ']'"},
  };
  for (const BadCase& c : cases) {
    const auto net = Read(c.layers);
    ASSERT_FALSE(net.ok()) << c.layers;
    EXPECT_EQ(net.error().code, c.code) << net.error().message;
    EXPECT_NE(net.error().message.find(c.message), std::string::npos) << net.error().message;
    EXPECT_TRUE(net.error().message.starts_with("a.cfg: ")) << net.error().message;
  }
}

TEST(DarknetNet, RefusesInputsWithoutOrBeyondSize) {
  EXPECT_FALSE(Read("[empty]\n", "width=8\nheight=8\n").ok());
  EXPECT_FALSE(Read("[empty]\n", "width=60000\nheight=60000\nchannels=3\n").ok());
  EXPECT_FALSE(ReadDarknetNet("a.cfg", "[convolutional]\n").ok());
  EXPECT_FALSE(ReadDarknetNet("a.cfg", "width=3\n[net]\n").ok());
  EXPECT_FALSE(ReadDarknetNet("a.cfg", "").ok());
}

TEST(DarknetNet, BoundsTheNumberOfSections) {
  std::string layers;
  for (int i = 0; i < 100'000; ++i) layers += "[empty]\n";
  const auto net = Read(layers);
  ASSERT_FALSE(net.ok());
  EXPECT_NE(net.error().message.find("more than 2000 sections"), std::string::npos) << net.error().message;
}

}  // namespace
}  // namespace deepedge
