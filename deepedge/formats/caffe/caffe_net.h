// CaffeNet: the layers of a prototxt that count when the network is used, in the order of the file. Both ways of
// writing layers (`layer` with types as strings, `layers` with types as words) and of inputs give the same here; layers
// that are for training only are gone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/caffe/params.h"

namespace deepedge {

struct CaffeLayer {
  std::string name;
  std::string type;  // as in `layer`: "InnerProduct", also where the file says INNER_PRODUCT
  std::vector<std::string> bottoms;
  std::vector<std::string> tops;
  const TextMessage* message = nullptr;
};

// More than any network has.
inline constexpr size_t kMaxCaffeInputs = 64;

struct CaffeInput {
  std::string name;
  std::vector<int64_t> shape;
};

// Holds pointers into `text`: not copied, moved only.
struct CaffeNet {
  CaffeNet() = default;
  CaffeNet(CaffeNet&&) = default;
  CaffeNet& operator=(CaffeNet&&) = default;

  TextMessage text;
  std::string name;
  std::vector<CaffeInput> inputs;  // those told outside of layers
  std::vector<CaffeLayer> layers;
  std::string transform;  // a JSON object of what a data layer does to its pictures; empty when none tells
};

// Errors: kBadInput, kUnsupported (the form before `layers` had types as words); the file is not named.
Result<CaffeNet> ParseCaffeNet(std::string_view text);

// Shapes as the messages `shape { dim: .. }` of an Input layer give them. Throws as Params do.
std::vector<int64_t> ShapeFrom(Params shape);

}  // namespace deepedge
