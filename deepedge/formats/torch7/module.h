// A module of a Torch7 network, and what flows between modules while the network is built. The same code builds the
// graph and, in a dry run, only works out the shapes: the file does not say how large its input is, so that sizes are
// tried.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/formats/graph/graph_ops.h"
#include "deepedge/formats/torch7/object.h"

namespace deepedge::torch7 {

inline constexpr int64_t kOpen = -1;  // a size that is not known

// A value of the network: a tensor without its batch axis, or a table of values.
struct Flow {
  std::vector<int64_t> dims;
  GraphValue value;  // [1, dims...]; empty in a dry run
  bool is_table = false;
  std::vector<Flow> table;

  bool IsPicture() const { return !is_table && dims.size() == 3; }
};

// Product of the sizes, kOpen where one is.
int64_t CountOf(const std::vector<int64_t>& dims);
std::string ToText(const std::vector<int64_t>& dims);

struct Module {
  const File& file;
  const Item& item;
  std::string name;       // its place in the network: "1.3"
  std::string_view type;  // without the name of its package

  std::optional<double> Number(std::string_view key) const;
  double NumberOr(std::string_view key, double otherwise) const { return Number(key).value_or(otherwise); }
  // A number of 1 to 65536 (0 too where `least` is 0; and so on). Errors: it is missing or out of range.
  Result<int64_t> Size(std::string_view key, std::optional<int64_t> otherwise = {}, int64_t least = 1) const;
  // True where the field is missing and `otherwise` says so.
  bool Flag(std::string_view key, bool otherwise = false) const;
  // The shape of a tensor; empty where there is none.
  std::vector<int64_t> SizesOf(std::string_view key) const;
  // The modules of a container in order. Errors: it has none.
  Result<std::vector<Value>> Children() const;
};

// What one run over the network knows.
class Run {
 public:
  Run(bool dry, int64_t numbers) : dry_(dry), numbers_left_(numbers) {}

  bool dry() const { return dry_; }

  // The numbers of a tensor of the module, which must be `count`. In a dry run none; only their count is checked.
  Result<std::vector<float>> Weights(const Module& module, std::string_view key, int64_t count);
  // The same, or none where there is no tensor.
  Result<std::vector<float>> WeightsIfAny(const Module& module, std::string_view key, int64_t count);

  // A result of these sizes; `make` is called unless the run is dry.
  Result<Flow> Make(std::vector<int64_t> dims, const std::function<GraphValue()>& make) const;

 private:
  bool dry_;
  int64_t numbers_left_;  // that may still be read: shared modules must not make much out of little
};

// Builds a module that is no container. Errors say what is wrong, without the module.
Result<Flow> BuildLayer(Run& run, const Module& module, const Flow& in);
// Those with a window, or an order of channels: convolution, pooling, padding, scaling. Null for others.
using LayerFunction = Result<Flow> (*)(Run&, const Module&, const Flow&);
LayerFunction FindWindowLayer(std::string_view type);

}  // namespace deepedge::torch7
