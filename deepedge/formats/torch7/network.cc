#include "deepedge/formats/torch7/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <openvino/op/concat.hpp>
#include <utility>

namespace deepedge::torch7 {
namespace {

// Containers in containers; real ones are a few deep.
constexpr int kMaxDepth = 64;
constexpr int64_t kMaxModules = 20'000;
constexpr int64_t kMaxTried = 200'000;  // modules, over all sizes that are tried
constexpr int64_t kLargestTried = 1024;

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }

// Tables in tables, and values in all of them: a few modules could double them again and again.
constexpr size_t kMaxTableDepth = 16;
constexpr size_t kMaxTableValues = 1000;

struct TableSize {
  size_t values = 1;
  size_t depth = 1;
};
TableSize Measure(const Flow& flow) {
  TableSize size;
  for (const Flow& item : flow.table) {
    const TableSize inner = Measure(item);
    size.values += inner.values;
    size.depth = std::max(size.depth, inner.depth + 1);
  }
  return size;
}

bool IsContainer(std::string_view type) {
  static constexpr std::array<std::string_view, 7> kContainers = {
      "Sequential", "Concat", "DepthConcat", "ConcatTable", "ParallelTable", "DataParallelTable", "SpatialLPPooling"};
  return std::find(kContainers.begin(), kContainers.end(), type) != kContainers.end();
}

// Axes count from 1, the batch's included where there is one: with a batch 2 is the first of a sample, without 1 is.
int64_t SampleAxis(int64_t dimension) { return std::max<int64_t>(dimension - 2, 0); }

}  // namespace

Module Network::ModuleOf(const Value& value, std::string name) const {
  const Item& item = file_.At(value);
  std::string_view type = item.class_name;
  for (const std::string_view package : {"nn.", "cudnn.", "cunn."}) {
    if (type.starts_with(package)) {
      type.remove_prefix(package.size());
      break;
    }
  }
  return {file_, item, std::move(name), type};
}

Result<Flow> Network::Build(const Flow& input) const {
  // Twice what the file could hold in its smallest numbers.
  Walk walk{Run(false, 2 * static_cast<int64_t>(bytes_)), kMaxModules};
  return BuildModule(walk, file_.root(), "1", 0, input);
}

Status Network::Try(const std::vector<int64_t>& dims, int64_t& modules_left) const {
  Walk walk{Run(true, 0), std::min(kMaxModules, modules_left)};
  const int64_t before = walk.modules_left;
  const Status status = BuildModule(walk, file_.root(), "1", 0, Flow{.dims = dims}).status();
  modules_left -= before - walk.modules_left;
  return status;
}

Result<Flow> Network::BuildModule(Walk& walk, const Value& value, const std::string& name, int depth,
                                  const Flow& in) const {
  const Module module = ModuleOf(value, name);
  const LayerName layer{path_, module.name, module.item.class_name};
  const auto fail = [&](const Error& error) { return LayerError(error.code, layer, error.message); };
  if (depth > kMaxDepth) return fail(Bad(fmt::format("modules are nested more than {} deep", kMaxDepth)));
  if (--walk.modules_left < 0) return fail(Bad("the network has too many modules"));
  if (IsContainer(module.type)) return BuildContainer(walk, module, depth, in);
  return CatchLayer(layer, [&]() -> Result<Flow> {
    if (module.type == "JoinTable") {
      const double inputs = module.NumberOr("nInputDims", 0);
      const auto dimension = static_cast<int64_t>(module.NumberOr("dimension", 1));
      auto joined = Join(walk.run, module, in.table, inputs > 0 ? dimension - 1 : SampleAxis(dimension));
      return joined.ok() ? std::move(joined) : fail(joined.error());
    }
    auto built = BuildLayer(walk.run, module, in);
    if (!built.ok()) return fail(built.error());
    const bool is_new = built.value().value.get_node_shared_ptr() != nullptr && built.value().value != in.value;
    if (is_new) built.value().value.get_node()->set_friendly_name(name + "/" + std::string(module.type));
    return built;
  });
}

Result<Flow> Network::BuildContainer(Walk& walk, const Module& module, int depth, const Flow& in) const {
  const LayerName layer{path_, module.name, module.item.class_name};
  const auto fail = [&](const Error& error) { return LayerError(error.code, layer, error.message); };
  auto children = module.Children();
  if (!children.ok()) return fail(children.error());
  if (module.type == "DataParallelTable" && children.value().size() > 1) children.value().resize(1);  // copies of one
  const auto child = [&](size_t i, const Flow& input) {
    return BuildModule(walk, children.value()[i], fmt::format("{}.{}", module.name, i + 1), depth + 1, input);
  };
  // An Lp pooling holds the powers and the sum that it consists of.
  if (module.type == "Sequential" || module.type == "DataParallelTable" || module.type == "SpatialLPPooling") {
    Flow flow = in;
    for (size_t i = 0; i < children.value().size(); ++i) {
      DE_TRY(flow, child(i, flow));
    }
    return flow;
  }
  const bool parallel = module.type == "ParallelTable";
  if (parallel && in.table.size() != children.value().size()) {
    return fail(Bad(fmt::format("has {} modules for {} inputs", children.value().size(), in.table.size())));
  }
  Flow result{.is_table = true};
  size_t values = 0;
  for (size_t i = 0; i < children.value().size(); ++i) {
    DE_TRY(Flow part, child(i, parallel ? in.table[i] : in));
    const TableSize size = Measure(part);
    values += size.values;
    if (values > kMaxTableValues || size.depth >= kMaxTableDepth) return fail(Bad("gives a table that is too large"));
    result.table.push_back(std::move(part));
  }
  if (parallel || module.type == "ConcatTable") return result;
  return CatchLayer(layer, [&]() -> Result<Flow> {
    const auto dimension = static_cast<int64_t>(module.NumberOr("dimension", 1));
    auto joined = Join(walk.run, module, result.table, SampleAxis(dimension));
    return joined.ok() ? std::move(joined) : fail(joined.error());
  });
}

Result<Flow> Network::Join(const Run& run, const Module& /*module*/, const std::vector<Flow>& parts,
                           int64_t axis) const {
  if (parts.empty() || parts[0].is_table) return Bad("has nothing to join");
  std::vector<int64_t> dims = parts[0].dims;
  if (axis < 0 || axis >= static_cast<int64_t>(dims.size()))
    return Bad(fmt::format("joins {} along axis {}", ToText(dims), axis));
  const auto place = static_cast<size_t>(axis);
  for (size_t i = 1; i < parts.size(); ++i) {
    std::vector<int64_t> own = parts[i].dims;
    if (parts[i].is_table || own.size() != dims.size()) return Bad("joins values of different kinds");
    const bool open = own[place] == kOpen || dims[place] == kOpen;
    dims[place] = open ? kOpen : dims[place] + own[place];
    own[place] = dims[place];
    if (own != dims) return Bad(fmt::format("joins {} and {}", ToText(parts[0].dims), ToText(parts[i].dims)));
  }
  return run.Make(dims, [&]() -> GraphValue {
    ov::OutputVector values;
    for (const Flow& part : parts) values.push_back(part.value);
    return std::make_shared<ov::op::v0::Concat>(values, axis + 1);
  });
}

std::vector<int64_t> Network::FindForm(const Value& value, int depth, int64_t& modules_left) const {
  const Module module = ModuleOf(value, "");
  if (depth > kMaxDepth || --modules_left < 0) return {};
  if (IsContainer(module.type)) {
    const auto children = module.Children();
    for (size_t i = 0; children.ok() && i < children.value().size(); ++i) {
      const auto form = FindForm(children.value()[i], depth + 1, modules_left);
      if (!form.empty()) return form;
    }
    return {};
  }
  const auto planes = module.Number("nInputPlane");
  if (module.type.starts_with("Spatial") && planes && *planes >= 1 && *planes <= 65536) {
    return {static_cast<int64_t>(*planes), kOpen, kOpen};
  }
  const auto mean = module.SizesOf("running_mean");
  if (mean.size() == 1 && module.type == "SpatialBatchNormalization") return {mean[0], kOpen, kOpen};
  if (mean.size() == 1 && module.type == "BatchNormalization") return mean;
  if (const auto weight = module.SizesOf("weight"); module.type == "Linear" && weight.size() == 2) return {weight[1]};
  const Value* size = module.item.Find("size");
  const bool few = CountOf(module.SizesOf("size")) <= static_cast<int64_t>(kMaxRank);
  if ((module.type == "View" || module.type == "Reshape") && size != nullptr && few) {
    const auto numbers = file_.ReadNumbers(*size);
    double count = numbers.ok() && !numbers.value().values.empty() ? 1 : 0;
    for (const float n : count > 0 ? numbers.value().values : std::vector<float>{}) count *= static_cast<double>(n);
    if (count >= 1 && count <= static_cast<double>(kMaxElements)) return {static_cast<int64_t>(count)};
  }
  return {};
}

Result<std::vector<int64_t>> Network::FindInput() const {
  if (file_.root().kind != Kind::kObject) return Bad(fmt::format("{}: holds no network", path_.string()));
  int64_t visits = kMaxModules;
  std::vector<int64_t> dims = FindForm(file_.root(), 0, visits);
  if (dims.empty()) {
    const Module root = ModuleOf(file_.root(), "1");
    return LayerError(ErrorCode::kUnsupported, {path_, root.name, root.item.class_name},
                      "no module says how many channels the input has");
  }
  if (dims.size() != 3) return dims;
  // Sizes are tried in order until it is clear: many fit in a row, so nothing fixes the size; or some did and many no
  // longer do. Networks that need a multiple of something have gaps, but none that long.
  constexpr int64_t kClear = 200;
  constexpr int64_t kGap = 72;
  std::vector<int64_t> fitting;
  int64_t modules_left = kMaxTried;
  int64_t tried = 0;
  int64_t in_row = 0;  // of sizes that fit, or after one that did do not
  Status last;
  while (tried < kLargestTried && modules_left > 0 && (fitting.empty() || in_row < (last.ok() ? kClear : kGap))) {
    dims[1] = dims[2] = ++tried;
    const Status status = Try(dims, modules_left);
    if (!status.ok() && status.error().code == ErrorCode::kUnsupported) return status.error();
    in_row = status.ok() == last.ok() ? in_row + 1 : 1;
    last = status;
    if (status.ok()) fitting.push_back(tried);
  }
  if (fitting.empty()) {
    return last.error().Wrap(fmt::format("no picture of 1x1 to {}x{} fits the network; at the last one", tried, tried));
  }
  // Everything fits from some size on.
  if (last.ok() && static_cast<int64_t>(fitting.size()) == tried - fitting.front() + 1 && fitting.size() > 1) {
    dims[1] = dims[2] = kOpen;
    int64_t once = kMaxModules;
    if (Try(dims, once).ok()) return dims;
  }
  dims[1] = dims[2] = ChooseSize(fitting);
  return dims;
}

int64_t ChooseSize(const std::vector<int64_t>& sizes) {
  static constexpr std::array<int64_t, 14> kUsual = {224, 227, 32, 28, 96, 64, 128, 112, 160, 256, 299, 231, 48, 24};
  for (const int64_t usual : kUsual) {
    if (std::find(sizes.begin(), sizes.end(), usual) != sizes.end()) return usual;
  }
  return *std::max_element(sizes.begin(), sizes.end(), [](int64_t a, int64_t b) {
    const int round_a = std::countr_zero(static_cast<uint64_t>(a));
    const int round_b = std::countr_zero(static_cast<uint64_t>(b));
    return round_a != round_b ? round_a < round_b : a > b;
  });
}

}  // namespace deepedge::torch7
