// SampleFrames: some pictures of what the operator's cameras see, spread evenly over what is given, for calibrating and
// measuring variants.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"
#include "deepedge/media/picture.h"

namespace deepedge {

struct SampleOptions {
  size_t frames = 64;                               // of all sources together
  Duration camera_time = std::chrono::seconds(20);  // so long a camera is watched
  int largest_side = 1280;                          // larger pictures are scaled down to this
};

// Keeps at most `limit` of the items offered, evenly spaced, without knowing how many will come: every other one is
// dropped, and only every other of the following taken, whenever the store is full.
class EvenSpacing {
 public:
  explicit EvenSpacing(size_t limit) : limit_(limit) {}

  struct Verdict {
    bool thin = false;  // first drop what lies at odd positions of the store
    bool take = false;  // then append the item
  };
  // Of the next item.
  Verdict Next();

 private:
  size_t limit_;
  size_t kept_ = 0;
  size_t seen_ = 0;
  size_t step_ = 1;
};

// `sources`: picture files, videos, cameras. Every picture file counts; what is left of `frames` is shared among the
// others, at least one each. Of a file the first 10,000 pictures are looked at. Broken pictures of a stream are left
// out. Decodes in the calling thread. Errors: as opening a source; kBadInput where a source has no picture.
Result<std::vector<RgbPicture>> SampleFrames(std::span<const std::string> sources, const SampleOptions& options,
                                             const Clock& clock);

}  // namespace deepedge
