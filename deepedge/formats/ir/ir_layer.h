// What the builders of the old IR's layers work with: the attributes, what goes in, the numbers of the .bin and what
// the file says comes out.
//
// A builder gives one value for each output port. It throws what is wrong (std::exception, UnsupportedLayer), inside
// CatchLayer; the shapes of what it gives are compared with the file's afterwards.
#pragma once

#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/bounded_file.h"
#include "deepedge/formats/graph/graph_ops.h"
#include "deepedge/formats/ir/ir_net.h"

namespace deepedge {

class UnsupportedLayer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The numbers in the .bin. Thread-compatible. Owns the open file.
class IrWeights {
 public:
  static Result<IrWeights> Open(const Path& path);

  // Floats (FP32, FP16) or whole numbers (I32, I64, U8, I8) as floats. Throws when the blob does not lie in the file,
  // or the layers together use it more than four times over.
  std::vector<float> Read(const IrBlob& blob, const std::string& precision);

 private:
  explicit IrWeights(BoundedFile file);

  BoundedFile file_;
  int64_t budget_;  // bytes that may still be read
};

class IrContext {
 public:
  IrContext(const IrLayer& layer, std::vector<GraphValue> inputs, IrWeights& weights);

  const IrLayer& layer() const { return layer_; }
  const GraphValue& Input(size_t index = 0) const;
  size_t input_count() const { return inputs_.size(); }
  // What the file says an output is.
  const std::vector<int64_t>& OutputShape(size_t index = 0) const;

  bool Has(std::string_view name) const { return layer_.attributes.contains(name); }
  std::string Text(std::string_view name, std::string_view absent);
  int64_t Int(std::string_view name, int64_t absent, int64_t least, int64_t most);
  float Float(std::string_view name, double absent);
  bool Bool(std::string_view name, bool absent);
  std::vector<int64_t> Ints(std::string_view name, int64_t least, int64_t most);
  std::vector<float> Floats(std::string_view name);
  void Ignore(std::initializer_list<std::string_view> names);
  // Throws UnsupportedLayer when an attribute was neither read nor ignored.
  void Finish() const;

  bool HasBlob(std::string_view name) const { return layer_.blobs.contains(name); }
  // The blob, which must hold `count` numbers.
  std::vector<float> Blob(std::string_view name, int64_t count);
  std::vector<float> BlobOfAnyCount(std::string_view name);
  // The whole numbers of a constant that goes in.
  std::vector<int64_t> ConstantInput(size_t index) const;

 private:
  const std::string* Take(std::string_view name);
  double NumberFrom(std::string_view name, std::string_view text) const;

  const IrLayer& layer_;
  std::vector<GraphValue> inputs_;
  IrWeights& weights_;
  std::set<std::string, std::less<>> read_;
};

using IrBuilder = std::vector<GraphValue> (*)(IrContext&);

// The builder of a type; nullptr for one that is not read.
IrBuilder FindIrBuilder(std::string_view type);

struct IrLayerType {
  std::string_view type;
  IrBuilder build;
};
const std::vector<IrLayerType>& IrFilterLayers();     // ir_filter.cc
const std::vector<IrLayerType>& IrArrayLayers();      // activations, arithmetic, shapes: ir_array.cc
const std::vector<IrLayerType>& IrDetectionLayers();  // ir_detection.cc

}  // namespace deepedge
