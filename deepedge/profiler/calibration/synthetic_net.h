// Networks of random shape, as Darknet files: what the box is calibrated with. They are made of the blocks that
// networks in the wild are made of, so that every class of layer is measured where it occurs: in the middle of a
// network, with its activation and its residual sum, its input in the cache that the layer before has left it in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

enum class NetFamily {
  kResidual,   // dense 3x3 convolutions with sums, bottlenecks of 1x1
  kMobile,     // depthwise and pointwise
  kPyramid,    // a detector: poolings, upsampling, joints
  kConnected,  // a few convolutions and large fully connected layers
  kSmall,      // anything, on small pictures
};
inline constexpr int kNetFamilies = 5;

struct SyntheticNet {
  // Numbers of the .weights file, in its order: so many between the two.
  struct Numbers {
    int64_t count = 0;
    float low = 0;
    float high = 0;
  };
  std::string cfg;  // text of the .cfg
  std::vector<Numbers> weights;
  int width = 0;
  int height = 0;
  int64_t flops = 0;  // of its convolutions and products, for one picture
};

// The same seed gives the same network. Its arithmetic is at most `most_flops`, as far as one layer allows it.
SyntheticNet MakeSyntheticNet(NetFamily family, uint32_t seed, int64_t most_flops);

// Writes <folder>/<name>.cfg and .weights, with random numbers that keep the size of what goes through. Errors: as
// WriteFileAtomically.
Result<ModelFiles> WriteSyntheticNet(const SyntheticNet& net, const Path& folder, const std::string& name);

// The picture it takes.
PictureInput PictureOf(const SyntheticNet& net);

}  // namespace deepedge
