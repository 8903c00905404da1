// Engine: runs networks on a device. Two implementations, openvino/ and fake/, through one contract test
// (engine_contract_test.cc); nothing outside those folders knows which one it talks to.
//
//   DE_TRY(auto model, engine.Compile(files, {.picture = card.input, .concurrency = 2}));
//   auto input = model->Input(slot, 0);      // memory of this slot: fill it
//   DE_TRY_STATUS(model->Run(slot));         // computes in the calling thread
//   auto boxes = model->Output(slot, 0);     // valid until the next Run of this slot
//
// Threads: Engine is thread-safe. A CompiledModel has `concurrency()` slots; one thread at a time may use a slot, and
// different slots run in parallel. Run() computes in the calling thread, keeps its CPU binding and starts no thread
// that stays runnable. One exception: large weights are held once for all slots of a model with concurrency over 1, and
// then a thread of the engine computes, on any CPU of the process, while the caller sleeps in Run(); at most as many
// run as slots do. Compile() is slow (0.1 to 2 s) and belongs in an unbound thread, never on a lane.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/check.h"
#include "deepedge/base/result.h"
#include "deepedge/engine/graph_facts.h"
#include "deepedge/model/layer_graph.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"
#include "deepedge/model/tensor.h"

namespace deepedge {

// What a graph says of itself before it is compiled.
struct GraphInfo {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  // Type of the operation behind each output, e.g. "DetectionOutput"; operations that only change a tensor's form are
  // looked through.
  std::vector<std::string> output_operations;
  int64_t weight_bytes = 0;  // all constants of the graph
  // What the file tells beyond its operations, by key: "onnx.names", "darknet.yolo.conv_120", ...
  std::map<std::string, std::string> metadata;
  GraphFacts facts;
  // Of a graph with one input whose shape is partly open: the same graph for one picture, of the size that the file
  // names or else of 640x640 pixels, so that what follows from the picture's size can be seen. Null where the shape is
  // fixed, no output depends on it or the graph cannot be given a size.
  std::shared_ptr<const GraphInfo> sized;
};

struct CompileOptions {
  // Set: the graph takes one packed 8-bit picture, u8 [1, height, width, channels], and does layout, type, mean and
  // scale itself; batch and size of that input are fixed. Patches stand one below the other: u8 [1, patches * height,
  // width, channels]. Not set: the model's own inputs as they are.
  std::optional<PictureInput> picture;
  // With `picture`: how many pictures one run may take at most. Whether the graph can is tried when it is compiled:
  // two pictures in one run must give what they give alone. A graph that cannot is compiled for one picture, as with 1
  // here; CompiledModel::max_batch() tells. Weights are held once whatever the batch.
  int max_batch = 1;
  // A batch pays where weights come from memory again for every run. With fewer bytes of fully connected weights than
  // this, or with most weights in convolutions, a graph is compiled for one picture: small weights stay in the CPU's
  // cache anyway, convolutions gain nothing, and a run with another number of pictures than the one before prepares
  // every operation anew (measured: 0.1 ms for small networks, 4 ms for one of 200 operations). 0: whatever it has.
  int64_t batch_from_bytes = 0;
  // With `picture`: its size may differ from what the graph was made for, which is then reshaped; as it always may for
  // a card with a pyramid.
  bool resize = false;
  Precision precision = Precision::kFp32;  // of the arithmetic; kInt8 graphs are quantized already, see Quantize
  // How many threads may run the model at once. Weights up to some tens of MB are copied for each, larger ones shared.
  int concurrency = 1;
  // Shapes that inputs are given in place of the graph's own, by name: a graph that is written for one size can often
  // be given another. Compile fails with kBadInput where it cannot, or has no such input.
  std::map<std::string, Shape> input_shapes;
  // Places to cut the graph at (CutPoint::after_op of what Analyse told with the same options), ascending: it becomes
  // cuts.size() + 1 stages, whose results together are those of the whole. Whether weights are copied or shared is
  // decided for each stage by its own. Not with batches. Errors: kBadInput naming the file and the place.
  std::vector<int> cuts;
  // On how many cores one run is computed. Over 1: the caller computes, and threads of the engine help it, on any CPU
  // of the process; concurrency must be 1.
  int cores = 1;
  // Each run also measures every layer: LayerTimes. Costs under 1 % (0.3 % measured).
  bool time_layers = false;
};

// What one layer took, on average over the runs of a slot since it was compiled.
struct LayerTime {
  std::string layer;  // Layer::name; empty: all that belongs to no layer, such as changes of layout
  double us = 0;
};

struct LayerTimes {
  int64_t runs = 0;
  std::vector<LayerTime> layers;  // empty where layers are not timed
};

class CompiledModel {
 public:
  virtual ~CompiledModel() = default;

  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;
  virtual int concurrency() const = 0;
  // How many pictures SetBatch may ask for: CompileOptions::max_batch, or 1 where the graph takes one at a time.
  virtual int max_batch() const { return 1; }
  // False when a thread of the engine computes while the caller of Run sleeps: its own CPU time then says nothing.
  virtual bool computes_in_caller() const { return true; }
  // Bytes of the constants of all copies that this object holds.
  virtual int64_t weight_bytes() const = 0;

  // Input memory of a slot: zeros at first, then what the caller wrote; Run() leaves it as it is. The input's shape
  // must be static, or have been given by ResizeInput.
  virtual MutableTensorView Input(int slot, size_t index) = 0;
  // Gives an input that is not static its shape for the next runs of this slot; views of the input from before end.
  // Errors: kBadInput when it does not fit.
  virtual Status ResizeInput(int slot, size_t index, const Shape& shape) = 0;
  // How many pictures the next runs of this slot take, 1 to max_batch(); 1 at first. The input is then u8 [pictures,
  // height, width, channels] and every output has `pictures` as its first dimension; inputs() and outputs() go on
  // telling of one picture. Pictures that were written stay where they are, views of inputs and outputs from before
  // end. Threads as Run: it is the slot's user who calls it. The first run of a number of pictures other than 1, 2 and
  // max_batch() is some ms slower.
  virtual Status SetBatch(int slot, int pictures) {
    DE_CHECK(slot >= 0 && slot < concurrency() && pictures == 1);
    return {};
  }

  // Errors: kInternal with the engine's own message; inputs are untouched and the slot stays usable.
  virtual Status Run(int slot) = 0;

  // Run in parts: RunStage for 0, 1, .. stages() - 1 does what Run does. Stages of a slot are run in this order, from
  // any thread, one at a time; stage 0 begins anew. Errors: as Run.
  virtual int stages() const { return 1; }
  virtual Status RunStage(int slot, int stage) {
    DE_CHECK(stage == 0);
    return Run(slot);
  }

  // With CompileOptions::time_layers; else empty.
  virtual LayerTimes TimesOfLayers(int /*slot*/) const { return {}; }

  // What the slot's last run computed; valid until its next one. There must have been one: Compile() runs each slot of
  // a model whose inputs are all static.
  virtual TensorView Output(int slot, size_t index) const = 0;
};

struct QuantizeOptions {
  PictureInput picture;             // as the card has it
  std::vector<Tensor> calibration;  // packed u8 pictures [1, height, width, channels] as the scaler leaves them
  // Judges a form that was written. Forms are tried from the fastest to the most exact until one is good enough.
  std::function<Result<bool>(const ModelFiles&)> good_enough;
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual std::string_view name() const = 0;
  // One line for `deepedge version`: the engine's version and what the CPU offers.
  virtual std::string Description() const = 0;

  // Errors: kBadInput when the file is not what its format promises, kUnsupported when an operation is unknown; both
  // name the file.
  virtual Result<GraphInfo> Inspect(const ModelFiles& files) = 0;

  // What the graph that Compile would make of `files` is made of, for one picture; takes about as long as reading the
  // file. Errors: as Compile; kUnsupported where a shape is not known before it runs.
  virtual Result<LayerGraph> Analyse(const ModelFiles& files, const CompileOptions& options) = 0;

  // What this device computes in, best supported by the hardware: bf16 only where the CPU has it.
  virtual std::vector<Precision> Precisions() const = 0;

  // Writes an int8 form of the graph, as OpenVINO IR, to `graph_file` (.xml; its weights lie beside it): weights per
  // output channel, activations per tensor, ranges from the calibration pictures. Nothing, and no file, when no form
  // is good enough. Takes seconds to a minute. Errors: as Compile; kUnsupported when there is nothing to quantize, or
  // the graph is quantized already; what `good_enough` returns.
  virtual Result<std::optional<ModelFiles>> Quantize(const ModelFiles& files, const QuantizeOptions& options,
                                                     const Path& graph_file) = 0;

  // Compiles and warms up every slot, unless an input has no fixed shape: then the first run after ResizeInput is the
  // slow one. Errors as Inspect, also kBadInput when `picture` does not fit the graph.
  virtual Result<std::unique_ptr<CompiledModel>> Compile(const ModelFiles& files, const CompileOptions& options) = 0;
};

}  // namespace deepedge
