#include "deepedge/formats/caffe/caffe_net.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

constexpr size_t kMaxLayers = 20'000;
constexpr size_t kMaxReason = 1000;  // of an error, in bytes
constexpr int64_t kMaxDimension = int64_t{1} << 31;

constexpr std::array<std::pair<std::string_view, std::string_view>, 39> kOldTypes = {{
    {"ABSVAL", "AbsVal"},
    {"ACCURACY", "Accuracy"},
    {"ARGMAX", "ArgMax"},
    {"BNLL", "BNLL"},
    {"CONCAT", "Concat"},
    {"CONTRASTIVE_LOSS", "ContrastiveLoss"},
    {"CONVOLUTION", "Convolution"},
    {"DATA", "Data"},
    {"DECONVOLUTION", "Deconvolution"},
    {"DROPOUT", "Dropout"},
    {"DUMMY_DATA", "DummyData"},
    {"ELTWISE", "Eltwise"},
    {"EUCLIDEAN_LOSS", "EuclideanLoss"},
    {"EXP", "Exp"},
    {"FLATTEN", "Flatten"},
    {"HDF5_DATA", "HDF5Data"},
    {"HDF5_OUTPUT", "HDF5Output"},
    {"HINGE_LOSS", "HingeLoss"},
    {"IM2COL", "Im2col"},
    {"IMAGE_DATA", "ImageData"},
    {"INFOGAIN_LOSS", "InfogainLoss"},
    {"INNER_PRODUCT", "InnerProduct"},
    {"LRN", "LRN"},
    {"MEMORY_DATA", "MemoryData"},
    {"MULTINOMIAL_LOGISTIC_LOSS", "MultinomialLogisticLoss"},
    {"MVN", "MVN"},
    {"POOLING", "Pooling"},
    {"POWER", "Power"},
    {"RELU", "ReLU"},
    {"SIGMOID", "Sigmoid"},
    {"SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"},
    {"SILENCE", "Silence"},
    {"SLICE", "Slice"},
    {"SOFTMAX", "Softmax"},
    {"SOFTMAX_LOSS", "SoftmaxWithLoss"},
    {"SPLIT", "Split"},
    {"TANH", "TanH"},
    {"THRESHOLD", "Threshold"},
    {"WINDOW_DATA", "WindowData"},
}};

// Whether a rule of `include` or `exclude` is met by a network in use: phase TEST, level 0, stage "deploy".
bool RuleMet(Params rule) {
  const std::string phase = rule.Word("phase", "TEST");
  const int64_t least = rule.Int("min_level", INT32_MIN, INT32_MIN, INT32_MAX);
  const int64_t most = rule.Int("max_level", INT32_MAX, INT32_MIN, INT32_MAX);
  const auto stages = rule.Words("stage");
  const auto other_stages = rule.Words("not_stage");
  rule.Finish();
  if (phase != "TEST" && phase != "TRAIN" && phase != "0" && phase != "1") {
    throw std::invalid_argument(fmt::format("phase '{}' is neither TRAIN nor TEST", phase));
  }
  const auto is_ours = [](const std::string& stage) { return stage == "deploy"; };
  return (phase == "TEST" || phase == "1") && least <= 0 && most >= 0 &&
         std::all_of(stages.begin(), stages.end(), is_ours) &&
         std::none_of(other_stages.begin(), other_stages.end(), is_ours);
}

bool IsInUse(Params& layer) {
  auto include = layer.Messages("include");
  auto exclude = layer.Messages("exclude");
  if (!include.empty()) return std::any_of(include.begin(), include.end(), RuleMet);
  return std::none_of(exclude.begin(), exclude.end(), RuleMet);
}

std::string TransformJson(Params transform) {
  nlohmann::ordered_json json;
  if (transform.Has("scale")) json["scale"] = transform.Float("scale", 1);
  const auto mean = transform.Floats("mean_value");
  if (!mean.empty()) json["mean_value"] = mean;
  if (transform.Has("mean_file")) json["mean_file"] = transform.Word("mean_file", "");
  if (transform.Has("crop_size")) json["crop_size"] = transform.Int("crop_size", 0, 0, INT32_MAX);
  for (const char* flag : {"mirror", "force_color", "force_gray"}) {
    if (transform.Has(flag)) json[flag] = transform.Bool(flag, false);
  }
  return json.is_null() ? std::string() : json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

class NetBuilder {
 public:
  explicit NetBuilder(CaffeNet& net) : net_(net), params_("the network", &net.text) {}

  void Build() {
    net_.name = params_.Word("name", "");
    params_.Ignore({"force_backward", "state", "debug_info"});
    AddInputs();
    if (params_.Has("layer") && params_.Has("layers")) {
      throw std::invalid_argument("has both `layer` and `layers`: which of them is meant?");
    }
    for (const TextField& field : net_.text.fields) {
      if (field.name != "layer" && field.name != "layers") continue;
      if (!field.is_message) throw std::invalid_argument(fmt::format("line {}: a layer without braces", field.line));
      AddLayer(field);
    }
    params_.Ignore({"layer", "layers"});
    params_.Finish();
    if (net_.layers.empty()) throw std::invalid_argument("has no layers that are in use");
  }

 private:
  void AddInputs() {
    const auto names = params_.Words("input");
    const auto dims = params_.Ints("input_dim", 1, kMaxDimension);
    auto shapes = params_.Messages("input_shape");
    if (names.empty() && dims.empty() && shapes.empty()) return;
    if (names.size() > kMaxCaffeInputs) {
      throw std::invalid_argument(fmt::format("{} inputs, {} are read at most", names.size(), kMaxCaffeInputs));
    }
    const bool flat = shapes.empty() && dims.size() == 4 * names.size();
    if (!flat && (shapes.size() != names.size() || !dims.empty())) {
      throw std::invalid_argument(fmt::format("{} inputs with {} input_dim and {} input_shape: four or one of each",
                                              names.size(), dims.size(), shapes.size()));
    }
    for (size_t i = 0; i < names.size(); ++i) {
      CaffeInput input{.name = names[i]};
      if (flat) {
        const auto first = dims.begin() + static_cast<std::ptrdiff_t>(4 * i);
        input.shape.assign(first, first + 4);
      } else {
        input.shape = ShapeFrom(std::move(shapes[i]));
      }
      net_.inputs.push_back(std::move(input));
    }
  }

  void AddLayer(const TextField& field) {
    if (net_.layers.size() == kMaxLayers) throw std::invalid_argument("more than 20,000 layers");
    const bool v1 = field.name == "layers";
    Params layer(fmt::format("the layer in line {}", field.line), &field.message);
    if (v1 && layer.Has("layer")) {
      throw Unsupported("is written in the first form of Caffe's files (layers { layer { .. } }), which is not read");
    }
    CaffeLayer entry{.name = layer.Word("name", ""), .type = layer.Word("type", ""), .message = &field.message};
    if (entry.type.empty()) throw std::invalid_argument(fmt::format("line {}: a layer without a type", field.line));
    if (v1) entry.type = NewType(entry.type);
    entry.bottoms = layer.Words("bottom");
    entry.tops = layer.Words("top");
    const bool in_use = IsInUse(layer);
    // What is said for the network in use counts before what is said for training.
    if (layer.Has("transform_param") && (net_.transform.empty() || in_use)) {
      net_.transform = TransformJson(layer.Message("transform_param"));
    }
    if (in_use) net_.layers.push_back(std::move(entry));
  }

  // Types of forks of that time are not in the table and go on as they are.
  static std::string NewType(const std::string& type) {
    const auto found = std::find_if(kOldTypes.begin(), kOldTypes.end(), [&](const auto& t) { return t.first == type; });
    return found == kOldTypes.end() ? type : std::string(found->second);
  }

  CaffeNet& net_;
  Params params_;
};

}  // namespace

std::vector<int64_t> ShapeFrom(Params shape) {
  auto dims = shape.Ints("dim", 1, kMaxDimension);
  shape.Finish();
  return dims;
}

Result<CaffeNet> ParseCaffeNet(std::string_view text) {
  CaffeNet net;
  DE_TRY(net.text, ParsePrototxt(text));
  try {
    NetBuilder(net).Build();
  } catch (const Unsupported& e) {
    return Error{ErrorCode::kUnsupported, Shown(e.what(), kMaxReason)};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kBadInput, Shown(e.what(), kMaxReason)};
  }
  return net;
}

}  // namespace deepedge
