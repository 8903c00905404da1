// Plain numbers with names, alone (regression) or beside class scores. Private to pipeline/post.
#pragma once

#include <vector>

#include "deepedge/pipeline/post/output_tensors.h"

namespace deepedge {

// Reads the numbers that the card's `values` ask for. Threads: immutable.
class ValueReader {
 public:
  // The tensors in `taken` are not looked for by shape. Errors: kBadInput.
  static Result<ValueReader> Create(const ModelCard& card, const std::vector<TensorSpec>& outputs,
                                    const std::vector<ValueSpec>& values, std::span<const size_t> taken);

  // Numbers that are not finite are left out. Errors: kInternal when a tensor has another shape than promised.
  Result<std::vector<NamedNumber>> Read(std::span<const TensorView> outputs) const;

 private:
  struct Value {
    ValueSpec spec;
    size_t tensor = 0;
    int64_t count = 0;  // numbers of the tensor
  };

  explicit ValueReader(const ModelCard& card, const std::vector<TensorSpec>& outputs)
      : card_(card), outputs_(outputs) {}

  ModelCard card_;
  std::vector<TensorSpec> outputs_;
  std::vector<Value> values_;
};

}  // namespace deepedge
