// A CNTK v1 model file ("BCN"): its nodes with what their kind says of them, read and checked. Little-endian, texts in
// UTF-16, sections between markers; the bodies of nodes have no length, so that an unknown node ends the reading.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/formats/cntk/layers.h"

namespace deepedge::cntk {

struct NodeV1 {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;

  Dims dims;                     // of inputs, and what Reshape makes
  std::optional<Array> weights;  // of parameters
  ConvolutionSpec convolution;
  Dims kernel;  // of convolution and pooling
  PoolSpec pool;
  BatchNormSpec norm;
  int64_t output_rank = 1;  // of products
  int64_t begin_axis = 0;   // of Reshape; axes count from 1 in these files
  int64_t end_axis = 0;
  std::vector<SliceAxis> slices;  // axes from 1
  Dims axes;                      // of ReduceElements and RowStack, from 1; 0: all
  std::string operation;
  bool keep_axes = true;
};

// Borrows the bytes of the file.
struct FileV1 {
  uint64_t version = 1;
  std::map<std::string, NodeV1> nodes;
  std::vector<std::string> outputs;   // of the group "Output"
  std::vector<std::string> criteria;  // of the groups of criteria, training first
};

// Errors: kBadInput (broken), kUnsupported (a kind of node or a version that is not read); the message has the node but
// not the file.
Result<FileV1> ReadFileV1(std::string_view bytes);

// Whether nodes of this kind measure an error: labels first, then what they measure.
bool IsCriterionV1(std::string_view op);

}  // namespace deepedge::cntk
