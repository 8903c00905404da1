#include "deepedge/formats/cntk/file_v1.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace deepedge::cntk {
namespace {

using std::string_view_literals::operator""sv;

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }
Error Unsupported(std::string what) { return {ErrorCode::kUnsupported, std::move(what)}; }

// Nodes whose kind says everything.
constexpr std::array kPlain = {"Plus"sv,
                               "Minus"sv,
                               "ElementTimes"sv,
                               "RectifiedLinear"sv,
                               "Sigmoid"sv,
                               "Tanh"sv,
                               "Softmax"sv,
                               "LogSoftmax"sv,
                               "Exp"sv,
                               "Log"sv,
                               "Sqrt"sv,
                               "Abs"sv,
                               "Negate"sv,
                               "Reciprocal"sv,
                               "Floor"sv,
                               "Cosine"sv,
                               "Sin"sv,
                               "Clip"sv,
                               "Pass"sv,
                               "ClassificationError"sv,
                               "ErrorPrediction"sv,
                               "SquareError"sv};

// Reads values one after the other; after the first error all further ones are empty, and status() has it.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes), size_(bytes.size()) {}

  template <typename T>
  T Number() {
    T value{};
    const std::string_view bytes = Take(sizeof(T));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  bool Bool() { return Number<uint8_t>() != 0; }

  std::string_view Take(size_t count) {
    if (!status_.ok()) return {};
    if (count > rest_.size()) {
      Fail(fmt::format("is cut off at byte {}", size_ - rest_.size()));
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string Text() {
    std::string text;
    while (status_.ok()) {
      const auto unit = Number<uint16_t>();
      if (unit == 0) return text;
      if (text.size() > kMaxText) Fail(fmt::format("has a name without end before byte {}", position()));
      // Names come into messages and reports: they are text in one line. No writer uses characters beyond 16 bits.
      if (unit < 0x20 || unit == 0x7F || (unit >= 0xD800 && unit < 0xE000)) {
        Fail(fmt::format("has a name that is no text before byte {}", position()));
      }
      AppendUtf8(unit, text);
    }
    return {};
  }

  // Whether the text that comes is `marker`, which is then behind us.
  bool TryMarker(std::string_view marker) {
    std::string wide;
    for (const char c : marker) wide += {c, '\0'};
    wide += std::string(2, '\0');
    if (!status_.ok() || !rest_.starts_with(wide)) return false;
    rest_.remove_prefix(wide.size());
    return true;
  }
  void Marker(std::string_view marker) {
    if (!TryMarker(marker)) Fail(fmt::format("has no '{}' at byte {}", marker, position()));
  }

  // How many items of at least `item_size` bytes follow.
  size_t Count(size_t item_size) {
    const auto count = Number<uint64_t>();
    if (count <= rest_.size() / item_size) return static_cast<size_t>(count);
    Fail(fmt::format("counts {} items before byte {}, more than the file can hold", count, position()));
    return 0;
  }

  Dims Shape() {
    const auto rank = Number<uint32_t>();
    if (rank > kMaxRank) Fail(fmt::format("has a shape of {} axes before byte {}", rank, position()));
    Dims dims;
    for (uint32_t i = 0; i < rank && status_.ok(); ++i) dims.push_back(Number<uint32_t>());
    return dims;
  }
  Dims Bools() {
    const size_t count = Count(1);
    if (count > kMaxRank) Fail(fmt::format("has a list of {} switches before byte {}", count, position()));
    Dims bools;
    for (size_t i = 0; i < count && status_.ok(); ++i) bools.push_back(Bool() ? 1 : 0);
    return bools;
  }

  void Fail(std::string what) {
    if (status_.ok()) status_ = Bad(std::move(what));
  }
  const Status& status() const { return status_; }
  size_t position() const { return size_ - rest_.size(); }

 private:
  static constexpr size_t kMaxText = 4096;

  static void AppendUtf8(uint16_t unit, std::string& text) {
    if (unit < 0x80) {
      text += static_cast<char>(unit);
    } else if (unit < 0x800) {
      text += static_cast<char>(0xC0 | unit >> 6);
      text += static_cast<char>(0x80 | (unit & 0x3F));
    } else {
      text += static_cast<char>(0xE0 | unit >> 12);
      text += static_cast<char>(0x80 | (unit >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (unit & 0x3F));
    }
  }

  std::string_view rest_;
  size_t size_;
  Status status_;
};

Status ReadInput(Reader& in, uint64_t version, NodeV1& node) {
  in.Take(16);  // rows and columns of the matrix
  node.dims = in.Shape();
  if (version >= 8) {
    const auto axes = in.Number<uint32_t>();
    if (axes > 1) return Unsupported(fmt::format("has {} dynamic axes", axes));
    if (axes == 1) in.Text();
  }
  if (version >= 10) in.Number<float>();
  return {};
}

Status ReadParameter(Reader& in, uint64_t version, NodeV1& node) {
  if (version < 3) return Unsupported("weights in the form of versions before 3 are not read");
  in.Number<float>();  // learning rate
  Array array{.dims = in.Shape()};
  const auto kind = in.Number<uint8_t>();
  if (in.status().ok() && kind != 'd') return Unsupported("weights that are no dense matrix are not read");
  in.Marker("BMAT");
  const auto size = in.Number<uint64_t>();
  in.Text();
  const auto format = in.Number<uint32_t>();
  const auto rows = in.Number<uint64_t>();
  const auto columns = in.Number<uint64_t>();
  DE_TRY_STATUS(in.status());
  if (size != 4 && size != 8) return Unsupported(fmt::format("weights of {} bytes each are not read", size));
  if (format != 0) return Unsupported(fmt::format("weights in matrix format {} are not read", format));
  DE_TRY(array.count, CountOf(array.dims));
  const auto count = static_cast<uint64_t>(array.count);
  if (rows == 0 || rows > count || count % rows != 0 || columns != count / rows) {
    return Bad(fmt::format("a matrix of {} x {} does not make a tensor of {}", rows, columns, ToText(array.dims)));
  }
  array.type = size == 4 ? NumberType::kFloat : NumberType::kDouble;
  array.bytes = in.Take(static_cast<size_t>(count * size));
  in.Marker("EMAT");
  node.weights = std::move(array);
  return {};
}

Status ReadWindow(Reader& in, uint64_t version, NodeV1& node) {
  if (version < 5) return Unsupported("windows in the form of versions before 5 are not read");
  WindowSpec window;
  node.kernel = in.Shape();
  in.Shape();  // how many maps: the weights say so
  window.strides = in.Shape();
  window.sharing = in.Bools();
  window.auto_pad = in.Bools();
  window.lower_pad = in.Shape();
  window.upper_pad = in.Shape();
  const auto pooling = in.Number<int32_t>();
  const auto layout = in.Number<int32_t>();
  in.Number<uint64_t>();  // memory that it may use
  node.convolution.transpose = version >= 9 && in.Bool();
  if (version >= 20) node.convolution.output = in.Shape();
  window.ceil = version >= 21 && in.Bool();
  node.pool.include_pad = version >= 23 && in.Bool();
  if (node.op == "Convolution") {
    in.Bool();  // whether it was written as a 2D convolution
    if (version >= 18) window.dilation = in.Shape();
  }
  DE_TRY_STATUS(in.status());
  if (layout != 1) return Unsupported("pictures with interleaved channels are not read");
  if (node.op == "Pooling" && pooling != 1 && pooling != 2) return Unsupported(fmt::format("pools in way {}", pooling));
  node.pool.average = pooling == 2;
  node.convolution.window = window;
  node.pool.window = window;
  node.pool.window.kernel = node.kernel;
  return {};
}

Status ReadBatchNorm(Reader& in, uint64_t version, NodeV1& node) {
  if (version < 6) return Unsupported("the form of versions before 6 is not read");
  node.norm.spatial = in.Bool();
  in.Take(16);  // constants of training
  const auto layout = in.Number<int32_t>();
  if (version >= 19) {
    in.Bool();
  } else {
    in.Number<uint64_t>();
  }
  node.norm.epsilon = in.Number<double>();
  in.Bool();
  node.norm.inverse_deviation = version < 13;
  if (in.status().ok() && layout != 1) return Unsupported("pictures with interleaved channels are not read");
  return {};
}

Status ReadSlice(Reader& in, uint64_t version, NodeV1& node) {
  const int32_t count = version >= 22 ? in.Number<int32_t>() : 1;
  if (count < 0 || static_cast<size_t>(count) > kMaxRank) return Bad(fmt::format("cuts {} axes", count));
  for (int32_t i = 0; i < count; ++i) {
    SliceAxis slice;
    slice.begin = in.Number<int64_t>();
    slice.end = in.Number<int64_t>();
    const int32_t axis = version >= 3 ? in.Number<int32_t>() : 1;
    if (version >= 27) slice.step = in.Number<int32_t>();
    DE_TRY_STATUS(in.status());
    if (axis < 1) return Unsupported("cuts along time");
    slice.axis = static_cast<size_t>(axis);
    node.slices.push_back(slice);
  }
  return {};
}

Status ReadReduce(Reader& in, uint64_t version, NodeV1& node) {
  const uint32_t count = version >= 27 ? in.Number<uint32_t>() : 1;
  if (count > kMaxRank) return Bad(fmt::format("reduces {} axes", count));
  for (uint32_t i = 0; i < count; ++i) node.axes.push_back(in.Number<int32_t>());
  node.operation = in.Text();
  if (node.operation == "Plus") node.operation = "Sum";
  if (version >= 24) node.keep_axes = in.Bool();
  return {};
}

Status ReadBody(Reader& in, uint64_t version, NodeV1& node) {
  const std::string_view op = node.op;
  if (std::find(kPlain.begin(), kPlain.end(), op) != kPlain.end()) return {};
  if (op == "InputValue") return ReadInput(in, version, node);
  if (op == "LearnableParameter") return ReadParameter(in, version, node);
  if (op == "Convolution" || op == "Pooling") return ReadWindow(in, version, node);
  if (op == "BatchNormalization") return ReadBatchNorm(in, version, node);
  if (op == "Slice") return ReadSlice(in, version, node);
  if (op == "ReduceElements") return ReadReduce(in, version, node);
  if (op == "Times" || op == "TransposeTimes") {
    if (version >= 3) node.output_rank = in.Number<int64_t>();
    if (version >= 12) in.Number<int32_t>();
  } else if (op == "Reshape") {
    node.begin_axis = in.Number<int32_t>();
    node.end_axis = in.Number<int32_t>();
    node.dims = in.Shape();
  } else if (op == "RowStack") {
    node.axes = {version >= 3 ? in.Number<int32_t>() : 1};
  } else if (op == "Dropout") {
    // A seed and how often it was drawn from.
    if (version == 16) in.Number<uint32_t>();
    if (version > 16) in.Number<uint64_t>();
    if (version >= 16) in.Number<uint64_t>();
  } else if (op == "CrossEntropyWithSoftmax") {
    // Some writers add a number here, others do not; no name begins with such a small one.
    Reader ahead = in;
    if (const auto mode = ahead.Number<uint32_t>(); ahead.status().ok() && mode <= 2) in = ahead;
  } else {
    return Unsupported("this operation is not read");
  }
  return {};
}

Status ReadNodes(Reader& in, size_t count, FileV1& file) {
  in.Marker("BNodeList");
  for (size_t i = 0; i < count && in.status().ok(); ++i) {
    NodeV1 node;
    if (file.version >= 7) in.Text();  // precision; weights say it again
    node.op = in.Text();
    node.name = in.Text();
    DE_TRY_STATUS(in.status());
    Status status = ReadBody(in, file.version, node);
    if (status.ok()) status = in.status();
    if (!status.ok()) return status.error().Wrap(fmt::format("layer '{}' ({})", node.name, node.op));
    const std::string name = node.name;
    if (!file.nodes.emplace(name, std::move(node)).second) return Bad(fmt::format("layer '{}' occurs twice", name));
  }
  in.Marker("ENodeList");
  return in.status();
}

Status ReadRelations(Reader& in, size_t count, FileV1& file) {
  in.Marker("BRelation");
  for (size_t i = 0; i < count && in.status().ok(); ++i) {
    const std::string name = in.Text();
    const size_t inputs = in.Count(2);
    const auto node = file.nodes.find(name);
    if (in.status().ok() && node == file.nodes.end())
      return Bad(fmt::format("layer '{}' has inputs but no kind", name));
    for (size_t k = 0; k < inputs && in.status().ok(); ++k) node->second.inputs.push_back(in.Text());
  }
  in.Marker("ERelation");
  return in.status();
}

struct Group {
  std::string_view begin;
  std::string_view end;
  std::vector<std::string>* names;  // null: of no interest
};

Status ReadRoots(Reader& in, FileV1& file) {
  std::vector<std::string> evaluation;
  const Group groups[] = {{"BFeatureNodes", "EFeatureNodes", nullptr},
                          {"BLabelNodes", "ELabelNodes", nullptr},
                          {"BCriterionNodes", "ECriterionNodes", &file.criteria},
                          {"BCriteriaNodes", "ECriteriaNodes", &file.criteria},
                          {"BNodesReqMultiSeqHandling", "ENodesReqMultiSeqHandling", nullptr},
                          {"BEvalNodes", "EEvalNodes", &evaluation},
                          {"BOutputNodes", "EOutputNodes", &file.outputs}};
  in.Marker("BRootNodes");
  while (in.status().ok() && !in.TryMarker("ERootNodes")) {
    const auto* group =
        std::find_if(std::begin(groups), std::end(groups), [&](const Group& g) { return in.TryMarker(g.begin); });
    if (group == std::end(groups)) return Bad(fmt::format("has an unknown group of nodes at byte {}", in.position()));
    const size_t count = in.Count(2);
    for (size_t i = 0; i < count && in.status().ok(); ++i) {
      std::string name = in.Text();
      if (group->names != nullptr) group->names->push_back(std::move(name));
    }
    in.Marker(group->end);
  }
  file.criteria.insert(file.criteria.end(), evaluation.begin(), evaluation.end());
  return in.status();
}

}  // namespace

Result<FileV1> ReadFileV1(std::string_view bytes) {
  constexpr uint64_t kNewest = 40;  // 28 is the last that was ever written
  FileV1 file;
  Reader in(bytes);
  in.Marker("BCN");
  if (in.TryMarker("BVersion")) {
    file.version = in.Number<uint64_t>();
    in.Marker("EVersion");
  }
  if (in.status().ok() && (file.version == 0 || file.version > kNewest)) {
    return Unsupported(fmt::format("is of version {}, which is not read", file.version));
  }
  const size_t count = in.Count(4);
  DE_TRY_STATUS(in.status());
  DE_TRY_STATUS(ReadNodes(in, count, file));
  DE_TRY_STATUS(ReadRelations(in, count, file));
  DE_TRY_STATUS(ReadRoots(in, file));
  return file;
}

bool IsCriterionV1(std::string_view op) {
  return op == "CrossEntropyWithSoftmax" || op == "ClassificationError" || op == "ErrorPrediction" ||
         op == "SquareError";
}

}  // namespace deepedge::cntk
