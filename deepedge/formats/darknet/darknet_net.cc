#include "deepedge/formats/darknet/darknet_net.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace deepedge {
namespace {

constexpr int64_t kMaxChannels = 1 << 20;
constexpr int64_t kMaxSide = 1 << 16;        // rows, columns, kernels, strides
constexpr int64_t kMaxNumbers = 80'000'000;  // of one layer's output; 32 channels of 1536x1536 are known
constexpr int64_t kMaxWeights = 1LL << 32;   // floats of a network

struct Reader {
  const Path& file;
  const DarknetNet& net;
  DarknetPlace place;

  Error Wrong(std::string_view what) const { return DarknetError(ErrorCode::kBadInput, place, what); }
  Error Unsupported(std::string_view what) const { return DarknetError(ErrorCode::kUnsupported, place, what); }
  Result<int64_t> Int(std::string_view key, int64_t otherwise, int64_t min, int64_t max) const {
    return IntOption(place, key, otherwise, min, max);
  }
  // Whatever is not 0 switches an option on.
  Result<bool> Flag(std::string_view key, bool otherwise = false) const {
    DE_TRY(const double value, RealOption(place, key, otherwise ? 1 : 0));
    return value != 0;
  }
  Result<DarknetActivation> Activation(std::string_view otherwise) const;
  Result<std::vector<size_t>> References(std::string_view key) const;
  Status RefuseOptions(std::initializer_list<std::string_view> keys) const;
  const DarknetLayer& At(size_t index) const { return net.layers[index]; }
};

std::string Show(const DarknetSize& size) { return fmt::format("{}x{}x{}", size.channels, size.height, size.width); }

struct ActivationName {
  std::string_view name;
  DarknetActivation activation;
};
constexpr std::array kActivations = {
    ActivationName{"linear", DarknetActivation::kLinear},    ActivationName{"logistic", DarknetActivation::kLogistic},
    ActivationName{"leaky", DarknetActivation::kLeaky},      ActivationName{"relu", DarknetActivation::kRelu},
    ActivationName{"relu6", DarknetActivation::kRelu6},      ActivationName{"elu", DarknetActivation::kElu},
    ActivationName{"selu", DarknetActivation::kSelu},        ActivationName{"gelu", DarknetActivation::kGelu},
    ActivationName{"tanh", DarknetActivation::kTanh},        ActivationName{"mish", DarknetActivation::kMish},
    ActivationName{"swish", DarknetActivation::kSwish},      ActivationName{"relie", DarknetActivation::kRelie},
    ActivationName{"ramp", DarknetActivation::kRamp},        ActivationName{"loggy", DarknetActivation::kLoggy},
    ActivationName{"hardtan", DarknetActivation::kHardTanh},
};

Result<DarknetActivation> Reader::Activation(std::string_view otherwise) const {
  const std::string* value = place.section.Find("activation");
  std::string_view name = value == nullptr ? otherwise : std::string_view(*value);
  name = name.substr(0, name.find_first_of("#;"));
  const auto* found =
      std::find_if(kActivations.begin(), kActivations.end(), [&](const auto& a) { return a.name == name; });
  if (found == kActivations.end()) return Unsupported(fmt::format("activation={:.40} is not read", name));
  return found->activation;
}

// Layers by index, negative ones counted back from this one. What a head gives is decoded outside the network.
Result<std::vector<size_t>> Reader::References(std::string_view key) const {
  DE_TRY(const std::vector<int64_t> numbers, IntListOption(place, key));
  if (numbers.empty()) return Wrong(fmt::format("needs {}=", key));
  std::vector<size_t> layers;
  const auto current = static_cast<int64_t>(place.index);
  for (const int64_t number : numbers) {
    const int64_t index = number < 0 && number >= -current ? current + number : number;
    if (index < 0 || index >= current) {
      return Wrong(fmt::format("{} names layer {}, but {} layers stand before it", key, number, current));
    }
    layers.push_back(static_cast<size_t>(index));
    if (std::holds_alternative<DarknetHead>(At(layers.back()).operation)) {
      return Unsupported(fmt::format("{} names layer {}, which is [{}]", key, index, At(layers.back()).type));
    }
  }
  return layers;
}

// Options that change what a layer computes in ways that are not read.
Status Reader::RefuseOptions(std::initializer_list<std::string_view> keys) const {
  for (const std::string_view key : keys) {
    const std::string* value = place.section.Find(key);
    if (value == nullptr) continue;
    DE_TRY(const bool on, Flag(key));
    if (on) return Unsupported(fmt::format("the option {} is not read", key));
  }
  return {};
}

// Rows or columns of a window that moves over `in`; none when it does not fit.
int64_t WindowSteps(int64_t in, int64_t padding, int64_t window, int64_t stride) {
  return in + padding < window ? 0 : (in + padding - window) / stride + 1;
}

struct Strides {
  int64_t x;
  int64_t y;
};

Result<Strides> ReadStrides(const Reader& r) {
  DE_TRY(const int64_t stride, r.Int("stride", 1, 1, kMaxSide));
  DE_TRY(const int64_t x, r.Int("stride_x", stride, -1, kMaxSide));
  DE_TRY(const int64_t y, r.Int("stride_y", stride, -1, kMaxSide));
  return Strides{x < 1 ? stride : x, y < 1 ? stride : y};
}

Status ReadConvolution(const Reader& r, DarknetLayer& layer) {
  DE_TRY_STATUS(r.RefuseOptions({"antialiasing", "binary", "xnor", "bin_output", "sway", "rotate", "stretch",
                                 "stretch_sway", "flipped", "coordconv", "dontloadscales", "reverse"}));
  if (r.place.section.Find("share_index") != nullptr) return r.Unsupported("the option share_index is not read");
  DarknetConvolution conv;
  DE_TRY(conv.filters, r.Int("filters", 1, 1, kMaxChannels));
  DE_TRY(conv.size, r.Int("size", 1, 1, kMaxSide));
  DE_TRY(const Strides strides, ReadStrides(r));
  conv.stride_x = strides.x;
  conv.stride_y = strides.y;
  DE_TRY(conv.dilation, r.Int("dilation", 1, 1, kMaxSide));
  if (conv.size == 1) conv.dilation = 1;
  DE_TRY(conv.groups, r.Int("groups", 1, 1, kMaxChannels));
  DE_TRY(int64_t padding, r.Int("padding", 0, 0, kMaxSide));
  DE_TRY(const bool half, r.Flag("pad"));
  if (half) padding = conv.size / 2;
  conv.padding = padding * conv.dilation;
  DE_TRY(const bool normalize, r.Flag("batch_normalize"));
  DE_TRY(const bool cross, r.Flag("cbn"));
  conv.batch_normalize = normalize || cross;
  DE_TRY(conv.activation, r.Activation("logistic"));

  const int64_t channels = layer.in.channels;
  if (channels % conv.groups != 0 || conv.filters % conv.groups != 0) {
    return r.Wrong(
        fmt::format("{} groups do not divide {} channels and {} filters", conv.groups, channels, conv.filters));
  }
  const int64_t window = (conv.size - 1) * conv.dilation + 1;
  layer.out = {conv.filters, WindowSteps(layer.in.height, 2 * conv.padding, window, conv.stride_y),
               WindowSteps(layer.in.width, 2 * conv.padding, window, conv.stride_x)};
  // Darknet counts the steps without dilation; where that makes a difference its memory holds something else.
  const DarknetSize counted{conv.filters, WindowSteps(layer.in.height, 2 * padding, conv.size, conv.stride_y),
                            WindowSteps(layer.in.width, 2 * padding, conv.size, conv.stride_x)};
  if (layer.out != counted) return r.Unsupported("a dilation whose padding is not half of its window");
  const int64_t rows = conv.filters * (channels / conv.groups);
  if (conv.size * conv.size > kMaxWeights / rows) {
    return r.Wrong(fmt::format("{} filters of {}x{} over {} channels are too many weights", conv.filters, conv.size,
                               conv.size, channels / conv.groups));
  }
  layer.weights = conv.filters * (conv.batch_normalize ? 4 : 1) + rows * conv.size * conv.size;
  layer.operation = conv;
  return {};
}

Status ReadConnected(const Reader& r, DarknetLayer& layer) {
  DE_TRY_STATUS(r.RefuseOptions({"dontloadscales"}));
  DarknetConnected connected;
  DE_TRY(connected.outputs, r.Int("output", 1, 1, kMaxChannels));
  DE_TRY(connected.batch_normalize, r.Flag("batch_normalize"));
  DE_TRY(connected.activation, r.Activation("logistic"));
  layer.out = {connected.outputs, 1, 1};
  layer.weights = connected.outputs * (connected.batch_normalize ? 4 : 1) + connected.outputs * layer.in.Count();
  layer.operation = connected;
  return {};
}

Status ReadBatchNorm(const Reader& /*reader*/, DarknetLayer& layer) {
  layer.out = layer.in;
  layer.weights = 4 * layer.in.channels;
  layer.operation = DarknetBatchNorm{};
  return {};
}

Status ReadPool(const Reader& r, DarknetLayer& layer) {
  DE_TRY_STATUS(r.RefuseOptions({"antialiasing", "maxpool_depth", "maxpool_zero_nonmax"}));
  DarknetPool pool;
  pool.average = layer.type.starts_with("local_avg");
  DE_TRY(const int64_t stride, r.Int("stride", 1, 1, kMaxSide));
  DE_TRY(pool.stride_x, r.Int("stride_x", stride, 1, kMaxSide));
  DE_TRY(pool.stride_y, r.Int("stride_y", stride, 1, kMaxSide));
  DE_TRY(pool.size, r.Int("size", stride, 1, kMaxSide));
  DE_TRY(pool.padding, r.Int("padding", pool.size - 1, 0, kMaxSide));
  layer.out = {layer.in.channels, WindowSteps(layer.in.height, pool.padding, pool.size, pool.stride_y),
               WindowSteps(layer.in.width, pool.padding, pool.size, pool.stride_x)};
  // A window that sees nothing but padding has no maximum.
  const int64_t before = pool.padding / 2;
  const int64_t last_row = (layer.out.height - 1) * pool.stride_y - before;
  const int64_t last_column = (layer.out.width - 1) * pool.stride_x - before;
  if (before >= pool.size || last_row >= layer.in.height || last_column >= layer.in.width) {
    return r.Wrong(
        fmt::format("a window of {} with padding {} lies outside of {}", pool.size, pool.padding, Show(layer.in)));
  }
  layer.operation = pool;
  return {};
}

Status ReadGlobalAverage(const Reader& /*reader*/, DarknetLayer& layer) {
  layer.out = {layer.in.channels, 1, 1};
  layer.operation = DarknetGlobalAverage{};
  return {};
}

Status ReadSoftmax(const Reader& r, DarknetLayer& layer) {
  DE_TRY_STATUS(r.RefuseOptions({"spatial"}));
  if (r.place.section.Find("tree") != nullptr) return r.Unsupported("a tree of classes is not read");
  DarknetSoftmax softmax;
  DE_TRY(softmax.groups, r.Int("groups", 1, 1, kMaxChannels));
  DE_TRY(softmax.temperature, RealOption(r.place, "temperature", 1));
  if (softmax.temperature <= 0) return r.Wrong("temperature must be above 0");
  if (layer.in.Count() % softmax.groups != 0) {
    return r.Wrong(fmt::format("{} groups do not divide {} numbers", softmax.groups, layer.in.Count()));
  }
  layer.out = layer.in;
  layer.operation = softmax;
  return {};
}

Status ReadRoute(const Reader& r, DarknetLayer& layer) {
  DarknetRoute route;
  DE_TRY(route.from, r.References("layers"));
  DE_TRY(route.groups, r.Int("groups", 1, 1, kMaxChannels));
  DE_TRY(route.group, r.Int("group_id", 0, 0, route.groups - 1));
  layer.out = r.At(route.from[0]).out;
  layer.out.channels = 0;
  for (const size_t from : route.from) {
    const DarknetSize& size = r.At(from).out;
    if (size.height != layer.out.height || size.width != layer.out.width) {
      return r.Wrong(fmt::format("layers {} and {} are of different size: {} and {}", route.from[0], from,
                                 Show(r.At(route.from[0]).out), Show(size)));
    }
    if (size.channels % route.groups != 0) {
      return r.Wrong(
          fmt::format("{} groups do not divide the {} channels of layer {}", route.groups, size.channels, from));
    }
    layer.out.channels += size.channels / route.groups;
  }
  layer.operation = std::move(route);
  return {};
}

Result<DarknetShortcutWeights> ReadShortcutWeights(const Reader& r) {
  const std::string* type = r.place.section.Find("weights_type");
  if (type == nullptr || *type == "none") return DarknetShortcutWeights::kNone;
  if (*type == "per_feature" || *type == "per_layer") return DarknetShortcutWeights::kOnePerLayer;
  if (*type == "per_channel") return DarknetShortcutWeights::kOnePerChannel;
  return r.Unsupported(fmt::format("weights_type={:.40} is not read", *type));
}

Result<DarknetNormalization> ReadNormalization(const Reader& r) {
  const std::string* type = r.place.section.Find("weights_normalization");
  if (type == nullptr || *type == "none") return DarknetNormalization::kNone;
  if (*type == "relu" || *type == "avg_relu") return DarknetNormalization::kRelu;
  if (*type == "softmax") return DarknetNormalization::kSoftmax;
  return r.Unsupported(fmt::format("weights_normalization={:.40} is not read", *type));
}

Status ReadShortcut(const Reader& r, DarknetLayer& layer) {
  DarknetShortcut shortcut;
  DE_TRY(shortcut.from, r.References("from"));
  DE_TRY(shortcut.weights, ReadShortcutWeights(r));
  DE_TRY(shortcut.normalization, ReadNormalization(r));
  DE_TRY(shortcut.activation, r.Activation("linear"));
  for (const size_t from : shortcut.from) {
    const DarknetSize& size = r.At(from).out;
    const int64_t step = size.height / layer.in.height;
    const bool fits = step >= 1 && size.height == layer.in.height * step && size.width == layer.in.width * step;
    // Sums with weights are of equal sizes wherever they are known.
    if (!fits || (step > 1 && (shortcut.from.size() > 1 || shortcut.weights != DarknetShortcutWeights::kNone))) {
      return r.Wrong(fmt::format("adds {} of layer {} to {}", Show(size), from, Show(layer.in)));
    }
  }
  layer.out = layer.in;
  const auto terms = static_cast<int64_t>(shortcut.from.size()) + 1;
  if (shortcut.weights == DarknetShortcutWeights::kOnePerLayer) layer.weights = terms;
  if (shortcut.weights == DarknetShortcutWeights::kOnePerChannel) layer.weights = terms * layer.in.channels;
  layer.operation = std::move(shortcut);
  return {};
}

Status ReadProduct(const Reader& r, DarknetLayer& layer) {
  DE_TRY(const std::vector<size_t> from, r.References("from"));
  if (from.size() != 1) return r.Wrong("from must name one layer");
  DarknetProduct product{.from = from[0]};
  DE_TRY(product.activation, r.Activation("linear"));
  layer.out = r.At(product.from).out;
  DarknetSize expected = layer.out;
  if (layer.type == "scale_channels") {
    DE_TRY(const bool per_pixel, r.Flag("scale_wh"));
    if (per_pixel) {
      expected.channels = 1;
    } else {
      expected.height = expected.width = 1;
    }
  }
  if (layer.in != expected) {
    return r.Wrong(fmt::format("scales {} of layer {} by {}, which should be {}", Show(layer.out), product.from,
                               Show(layer.in), Show(expected)));
  }
  layer.operation = product;
  return {};
}

Status ReadUpsample(const Reader& r, DarknetLayer& layer) {
  DarknetUpsample upsample;
  DE_TRY(const int64_t stride, r.Int("stride", 2, -kMaxSide, kMaxSide));
  DE_TRY(upsample.scale, RealOption(r.place, "scale", 1));
  if (stride == 0) return r.Wrong("stride must not be 0");
  upsample.down = stride < 0;
  upsample.factor = std::abs(stride);
  layer.out = layer.in;
  if (upsample.down) {
    if (layer.in.height % upsample.factor != 0 || layer.in.width % upsample.factor != 0) {
      return r.Wrong(fmt::format("a stride of {} does not divide {}", stride, Show(layer.in)));
    }
    layer.out.height /= upsample.factor;
    layer.out.width /= upsample.factor;
  } else {
    layer.out.height *= upsample.factor;
    layer.out.width *= upsample.factor;
  }
  layer.operation = upsample;
  return {};
}

Status ReadReorg(const Reader& r, DarknetLayer& layer) {
  DE_TRY_STATUS(r.RefuseOptions({"reverse", "flatten", "extra"}));
  DarknetReorg reorg{.historic = layer.type == "reorg"};
  DE_TRY(reorg.stride, r.Int("stride", 1, 1, kMaxSide));
  const int64_t square = reorg.stride * reorg.stride;
  const bool fits = layer.in.height % reorg.stride == 0 && layer.in.width % reorg.stride == 0 &&
                    (!reorg.historic || layer.in.channels % square == 0);
  if (!fits) return r.Wrong(fmt::format("a stride of {} does not divide {}", reorg.stride, Show(layer.in)));
  layer.out = {layer.in.channels * square, layer.in.height / reorg.stride, layer.in.width / reorg.stride};
  layer.operation = reorg;
  return {};
}

Status ReadCrop(const Reader& r, DarknetLayer& layer) {
  layer.out = layer.in;
  DE_TRY(layer.out.height, r.Int("crop_height", 1, 1, layer.in.height));
  DE_TRY(layer.out.width, r.Int("crop_width", 1, 1, layer.in.width));
  DE_TRY(const bool plain, r.Flag("noadjust"));
  DarknetCrop crop{.top = (layer.in.height - layer.out.height) / 2, .left = (layer.in.width - layer.out.width) / 2};
  if (plain) {
    crop.scale = 1;
    crop.shift = 0;
  }
  layer.operation = crop;
  return {};
}

Status ReadActivate(const Reader& r, DarknetLayer& layer) {
  DE_TRY(const DarknetActivation activation, r.Activation("linear"));
  layer.out = layer.in;
  layer.operation = DarknetActivate{activation};
  return {};
}

Status ReadIdentity(const Reader& /*reader*/, DarknetLayer& layer) {
  layer.out = layer.in;
  layer.operation = DarknetIdentity{};
  return {};
}

Status CheckHeadChannels(const Reader& r, const DarknetLayer& layer, const DarknetHead& head) {
  const int64_t needed = head.anchor_count * (5 + head.classes);
  if (layer.in.channels == needed) return {};
  return r.Wrong(fmt::format("{} anchors and {} classes need {} channels, not {}", head.anchor_count, head.classes,
                             needed, layer.in.channels));
}

Status ReadYolo(const Reader& r, DarknetLayer& layer) {
  DarknetHead head;
  DE_TRY(head.classes, r.Int("classes", 20, 1, kMaxChannels));
  DE_TRY(const std::vector<double> anchors, RealListOption(r.place, "anchors"));
  DE_TRY(const int64_t total, r.Int("num", 1, 1, static_cast<int64_t>(kMaxDarknetList)));
  DE_TRY(std::vector<int64_t> mask, IntListOption(r.place, "mask"));
  if (mask.empty()) {
    for (int64_t i = 0; i < total; ++i) mask.push_back(i);
  }
  for (const int64_t i : mask) {
    if (i < 0 || i >= static_cast<int64_t>(anchors.size() / 2)) {
      return r.Wrong(fmt::format("mask names anchor {} of {}", i, anchors.size() / 2));
    }
    head.anchors.emplace_back(anchors[static_cast<size_t>(2 * i)], anchors[static_cast<size_t>(2 * i + 1)]);
  }
  head.anchor_count = static_cast<int64_t>(mask.size());
  DE_TRY(head.scale_xy, RealOption(r.place, "scale_x_y", 1));
  DE_TRY(head.new_coords, r.Flag("new_coords"));
  DE_TRY(head.beta_nms, RealOption(r.place, "beta_nms", 0.6));
  if (const std::string* kind = r.place.section.Find("nms_kind")) {
    static constexpr std::array<std::string_view, 3> kKinds = {"greedynms", "diounms", "cornersnms"};
    if (std::find(kKinds.begin(), kKinds.end(), *kind) != kKinds.end()) head.nms = *kind;
  }
  DE_TRY_STATUS(CheckHeadChannels(r, layer, head));
  layer.out = layer.in;
  layer.operation = std::move(head);
  return {};
}

Status ReadRegion(const Reader& r, DarknetLayer& layer) {
  DarknetHead head{.type = DarknetHeadType::kRegion};
  DE_TRY(const int64_t coords, r.Int("coords", 4, 0, 100));
  if (coords != 4) return r.Unsupported(fmt::format("coords={} is not read", coords));
  DE_TRY(head.classes, r.Int("classes", 20, 1, kMaxChannels));
  DE_TRY(head.anchor_count, r.Int("num", 1, 1, static_cast<int64_t>(kMaxDarknetList)));
  DE_TRY(head.softmax, r.Flag("softmax"));
  head.tree = r.place.section.Find("tree") != nullptr;
  DE_TRY(const std::vector<double> anchors, RealListOption(r.place, "anchors"));
  DE_TRY_STATUS(CheckHeadChannels(r, layer, head));
  // Anchors are given in cells, 0.5 where there are none.
  const double cell_width = static_cast<double>(r.net.input.width) / static_cast<double>(layer.in.width);
  const double cell_height = static_cast<double>(r.net.input.height) / static_cast<double>(layer.in.height);
  for (size_t i = 0; i < static_cast<size_t>(head.anchor_count); ++i) {
    const double width = 2 * i < anchors.size() ? anchors[2 * i] : 0.5;
    const double height = 2 * i + 1 < anchors.size() ? anchors[2 * i + 1] : 0.5;
    head.anchors.emplace_back(width * cell_width, height * cell_height);
  }
  layer.out = layer.in;
  layer.operation = std::move(head);
  return {};
}

Status ReadDetection(const Reader& r, DarknetLayer& layer) {
  DarknetHead head{.type = DarknetHeadType::kDetection};
  DE_TRY(const int64_t coords, r.Int("coords", 1, 0, 100));
  DE_TRY(head.classes, r.Int("classes", 1, 1, kMaxChannels));
  DE_TRY(head.anchor_count, r.Int("num", 1, 1, static_cast<int64_t>(kMaxDarknetList)));
  DE_TRY(head.side, r.Int("side", 7, 1, 1024));
  DE_TRY(head.softmax, r.Flag("softmax"));
  DE_TRY(head.square_root, r.Flag("sqrt"));
  if (coords != 4) return r.Unsupported(fmt::format("coords={} is not read", coords));
  const int64_t needed = head.side * head.side * (head.anchor_count * 5 + head.classes);
  if (layer.in.Count() != needed) {
    return r.Wrong(fmt::format("a grid of {0}x{0} needs {1} numbers, not {2}", head.side, needed, layer.in.Count()));
  }
  layer.out = layer.in;
  layer.operation = std::move(head);
  return {};
}

struct SectionType {
  std::string_view name;
  std::string_view prefix;  // of the layer's own name
  Status (*read)(const Reader&, DarknetLayer&);
  bool uses_layer_before = true;
};
constexpr std::array kSectionTypes = {
    SectionType{"convolutional", "conv", ReadConvolution},
    SectionType{"conv", "conv", ReadConvolution},
    SectionType{"connected", "connected", ReadConnected},
    SectionType{"conn", "connected", ReadConnected},
    SectionType{"batchnorm", "batchnorm", ReadBatchNorm},
    SectionType{"maxpool", "maxpool", ReadPool},
    SectionType{"max", "maxpool", ReadPool},
    SectionType{"local_avgpool", "avgpool", ReadPool},
    SectionType{"local_avg", "avgpool", ReadPool},
    SectionType{"avgpool", "avgpool", ReadGlobalAverage},
    SectionType{"avg", "avgpool", ReadGlobalAverage},
    SectionType{"softmax", "softmax", ReadSoftmax},
    SectionType{"soft", "softmax", ReadSoftmax},
    SectionType{"route", "route", ReadRoute, false},
    SectionType{"shortcut", "shortcut", ReadShortcut},
    SectionType{"scale_channels", "scale_channels", ReadProduct},
    SectionType{"sam", "sam", ReadProduct},
    SectionType{"upsample", "upsample", ReadUpsample},
    SectionType{"reorg", "reorg", ReadReorg},
    SectionType{"reorg3d", "reorg", ReadReorg},
    SectionType{"crop", "crop", ReadCrop},
    SectionType{"activation", "activation", ReadActivate},
    SectionType{"dropout", "dropout", ReadIdentity},
    SectionType{"cost", "cost", ReadIdentity},
    SectionType{"empty", "empty", ReadIdentity},
    SectionType{"silence", "empty", ReadIdentity},
    SectionType{"yolo", "yolo", ReadYolo},
    SectionType{"region", "region", ReadRegion},
    SectionType{"detection", "detection", ReadDetection},
};

Status ReadInput(const DarknetPlace& place, DarknetNet& net) {
  const Reader r{place.file, net, place};
  DE_TRY(net.input.height, r.Int("height", 0, 0, kMaxSide));
  DE_TRY(net.input.width, r.Int("width", 0, 0, kMaxSide));
  DE_TRY(net.input.channels, r.Int("channels", 0, 0, kMaxChannels));
  DE_TRY(net.letter_box, r.Flag("letter_box"));
  if (net.input.Count() > 0 && net.input.Count() <= kMaxNumbers) return {};
  return Error{ErrorCode::kBadInput, fmt::format("{}: [net] has no picture of a usable size for its input: {}",
                                                 place.file.string(), Show(net.input))};
}

Status AddLayer(const DarknetPlace& place, DarknetNet& net) {
  const Reader r{place.file, net, place};
  const std::string& type = place.section.type;
  const auto* known =
      std::find_if(kSectionTypes.begin(), kSectionTypes.end(), [&](const auto& t) { return t.name == type; });
  if (known == kSectionTypes.end()) return r.Unsupported("sections of this type are not read");
  DE_TRY_STATUS(r.RefuseOptions({"dontload"}));
  const bool first = net.layers.empty();
  const bool after_head = !first && std::holds_alternative<DarknetHead>(net.layers.back().operation);
  if (after_head && known->uses_layer_before) {
    return r.Unsupported(fmt::format("takes what [{}] gives", net.layers.back().type));
  }
  DarknetLayer layer{.type = type,
                     .name = fmt::format("{}_{}", known->prefix, place.index),
                     .in = first ? net.input : net.layers.back().out,
                     .out = {},
                     .operation = DarknetIdentity{}};
  DE_TRY_STATUS(known->read(r, layer));
  // Sides and channels are bounded above, so that products of three do not overflow.
  const DarknetSize& out = layer.out;
  if (out.height < 1 || out.width < 1) return r.Wrong(fmt::format("nothing is left of {}", Show(layer.in)));
  const bool too_large = out.channels > kMaxNumbers || out.height > kMaxNumbers || out.width > kMaxNumbers ||
                         out.height * out.width > kMaxNumbers || out.Count() > kMaxNumbers;
  if (too_large) return r.Wrong(fmt::format("its output of {} is too large", Show(out)));
  net.weights += layer.weights;
  if (layer.weights > kMaxWeights || net.weights > kMaxWeights) {
    return r.Wrong(fmt::format("needs {} weights, more than any network has", layer.weights));
  }
  net.layers.push_back(std::move(layer));
  return {};
}

}  // namespace

const DarknetLayer& NamingLayer(const DarknetNet& net, size_t index) {
  while (index > 0 && std::holds_alternative<DarknetIdentity>(net.layers[index].operation)) --index;
  return net.layers[index];
}

Result<DarknetNet> ReadDarknetNet(const Path& file, std::string_view text) {
  DE_TRY(const std::vector<DarknetSection> sections, ParseDarknetCfg(file, text));
  DarknetNet net;
  DE_TRY_STATUS(ReadInput({file, sections[0], 0}, net));
  if (sections.size() == 1) return Error{ErrorCode::kBadInput, fmt::format("{}: has no layers", file.string())};
  for (size_t i = 1; i < sections.size(); ++i) DE_TRY_STATUS(AddLayer({file, sections[i], i - 1}, net));
  return net;
}

}  // namespace deepedge
