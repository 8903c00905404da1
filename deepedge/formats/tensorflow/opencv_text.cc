#include "deepedge/formats/tensorflow/opencv_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

namespace deepedge {
namespace {

constexpr size_t kMaxNodes = 3000;  // the engine walks a graph recursively in places
constexpr size_t kMaxNumbers = 4096;

double ToNumber(const TextField& field) {
  if (field.value == "true") return 1;
  if (field.value == "false") return 0;
  double number = 0;
  const char* end = field.value.data() + field.value.size();
  const auto [stopped, error] = std::from_chars(field.value.data(), end, number);
  if (field.is_message || error != std::errc() || stopped != end || !std::isfinite(number)) {
    throw std::invalid_argument(fmt::format("line {}: '{:.40}' is no number", field.line, field.value));
  }
  return number;
}

bool IsNumber(const TextField& field) {
  return field.name == "i" || field.name == "f" || field.name == "b" || field.name == "float_val" ||
         field.name == "int_val";
}

void Collect(const TextMessage& message, std::vector<double>& numbers) {
  for (const TextField& field : message.fields) {
    if (field.is_message && (field.name == "list" || field.name == "tensor")) Collect(field.message, numbers);
    if (!IsNumber(field)) continue;
    if (numbers.size() == kMaxNumbers) throw std::invalid_argument("a list of too many numbers");
    numbers.push_back(ToNumber(field));
  }
}

Status ReadAttribute(const TextMessage& attribute, OpenCvNode& node) {
  std::string key;
  const TextMessage* value = nullptr;
  for (const TextField& field : attribute.fields) {
    if (field.name == "key") key = field.value;
    if (field.name == "value" && field.is_message) value = &field.message;
  }
  if (value != nullptr) node.attributes.emplace(key, *value);
  return {};
}

}  // namespace

std::vector<double> OpenCvNode::Numbers(const std::string& key) const {
  std::vector<double> numbers;
  const auto found = attributes.find(key);
  if (found != attributes.end()) Collect(found->second, numbers);
  return numbers;
}

double OpenCvNode::Number(const std::string& key, double otherwise) const {
  const std::vector<double> numbers = Numbers(key);
  if (numbers.size() > 1) throw std::invalid_argument(fmt::format("{} is more than one number", key));
  return numbers.empty() ? otherwise : numbers[0];
}

bool OpenCvNode::Flag(const std::string& key, bool otherwise) const { return Number(key, otherwise ? 1 : 0) != 0; }

std::string OpenCvNode::Text(const std::string& key, const std::string& otherwise) const {
  const auto found = attributes.find(key);
  if (found == attributes.end()) return otherwise;
  for (const TextField& field : found->second.fields) {
    if (field.name == "s") return field.value;
  }
  return otherwise;
}

Result<std::vector<OpenCvNode>> ParseOpenCvText(const Path& file, std::string_view text) {
  const auto tree = ParsePrototxt(text);
  if (!tree.ok()) return tree.error().Wrap(file.string());
  std::vector<OpenCvNode> nodes;
  for (const TextField& field : tree.value().fields) {
    if (field.name != "node" || !field.is_message) continue;
    if (nodes.size() == kMaxNodes) {
      return Error{ErrorCode::kUnsupported, fmt::format("{}: has more than {} nodes", file.string(), kMaxNodes)};
    }
    OpenCvNode node;
    for (const TextField& part : field.message.fields) {
      if (part.name == "name") node.name = part.value;
      if (part.name == "op") node.op = part.value;
      if (part.name == "input") {
        node.inputs.push_back(part.value.ends_with(":0") ? part.value.substr(0, part.value.size() - 2) : part.value);
      }
      if (part.name == "attr" && part.is_message) DE_TRY_STATUS(ReadAttribute(part.message, node));
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace deepedge
