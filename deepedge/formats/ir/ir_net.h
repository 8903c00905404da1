// IrNet: what the .xml of an OpenVINO IR of version 5 to 9 says, as it is written: layers with their attributes, ports
// and blobs, and the edges between ports.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

struct IrPort {
  int64_t id = 0;
  std::vector<int64_t> shape;
};

struct IrBlob {
  int64_t offset = 0;  // in the .bin, bytes
  int64_t size = 0;
  std::string precision;  // empty: that of the layer
};

struct IrLayer {
  int64_t id = 0;
  std::string name;
  std::string type;
  std::string precision;
  std::map<std::string, std::string, std::less<>> attributes;
  std::vector<IrPort> inputs;
  std::vector<IrPort> outputs;
  std::map<std::string, IrBlob, std::less<>> blobs;  // "weights", "biases", "custom"
};

struct IrEdge {
  int64_t from_layer = 0;
  int64_t from_port = 0;
  int64_t to_layer = 0;
  int64_t to_port = 0;
};

// What is taken off an input before the first layer: a number for each channel, or a picture for each.
struct IrPreProcess {
  std::string layer;  // of the input; empty: the only one
  std::vector<float> means;
  bool other = false;  // something else is asked for: a scale, a mean picture
};

struct IrNet {
  std::string name;
  int version = 0;
  std::vector<IrLayer> layers;
  std::vector<IrEdge> edges;
  std::vector<IrPreProcess> pre_process;
};

// At most 16 MB of text. Errors: kBadInput, kUnsupported (another version); the file is not named.
Result<IrNet> ParseIrNet(const std::string& text);

}  // namespace deepedge
