// How a model is compiled so that `concurrency` threads can run it at once.
#pragma once

#include <cstdint>
#include <openvino/core/any.hpp>

#include "deepedge/engine/engine.h"

namespace deepedge {

// Either each thread gets a compiled copy of its own (streams 0: the network is computed in the calling thread, which
// keeps its CPU), or all share one copy with one stream each (the network is computed by a thread of the stream, while
// the caller sleeps).
struct CopyPlan {
  int copies = 1;
  int streams = 0;  // of each copy
};

// A compiled copy repacks the weights privately, so copies multiply memory, while streams hold weights once (measured:
// +4 to 9 MB for a second stream of nets of 17 to 104 MB, against +17 to 104 MB for a second copy, at the same speed).
// As long as all copies together hold no more than this, they cost no more than some frames' pictures, and save the
// hand-over to a stream.
constexpr int64_t kPrivateCopyLimitBytes = int64_t{32} << 20;

CopyPlan PlanCopies(int64_t weight_bytes, int concurrency);

// OpenVINO's properties for one compiled copy with that many streams. An int8 graph computes in float what is not
// quantized. Of the options precision, cores (over 1 with one stream at most) and time_layers count.
ov::AnyMap CompileProperties(int streams, const CompileOptions& options);

}  // namespace deepedge
