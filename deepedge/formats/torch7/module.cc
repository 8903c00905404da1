#include "deepedge/formats/torch7/module.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace deepedge::torch7 {
namespace {

Error Bad(std::string what) { return {ErrorCode::kBadInput, std::move(what)}; }

}  // namespace

int64_t CountOf(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0) return kOpen;
    if (dim > kMaxElements || count > kMaxElements) return kMaxElements + 1;
    count *= dim;
  }
  return count;
}

std::string ToText(const std::vector<int64_t>& dims) { return fmt::format("{}", fmt::join(dims, "x")); }

std::optional<double> Module::Number(std::string_view key) const {
  const Value* value = item.Find(key);
  if (value == nullptr || value->kind != Kind::kNumber || !std::isfinite(value->number)) return std::nullopt;
  return value->number;
}

Result<int64_t> Module::Size(std::string_view key, std::optional<int64_t> otherwise, int64_t least) const {
  constexpr int64_t kMost = 65536;
  const auto number = Number(key);
  if (!number && otherwise) return *otherwise;
  if (!number) return Bad(fmt::format("has no '{}'", key));
  if (*number != std::floor(*number) || *number < static_cast<double>(least) || *number > static_cast<double>(kMost)) {
    return Bad(fmt::format("has '{}' = {}", key, *number));
  }
  return static_cast<int64_t>(*number);
}

bool Module::Flag(std::string_view key, bool otherwise) const {
  const Value* value = item.Find(key);
  if (value == nullptr || value->kind == Kind::kNil) return otherwise;
  return value->kind != Kind::kBool || value->number != 0;
}

std::vector<int64_t> Module::SizesOf(std::string_view key) const {
  const Value* value = item.Find(key);
  return value == nullptr ? std::vector<int64_t>{} : file.SizeOf(*value);
}

Result<std::vector<Value>> Module::Children() const {
  const Value* modules = item.Find("modules");
  if (modules == nullptr || modules->kind != Kind::kTable) return Bad("is a container without modules");
  const Item& table = file.At(*modules);
  constexpr size_t kMostChildren = 20'000;
  if (table.entries->size() > kMostChildren) return Bad(fmt::format("has {} modules", table.entries->size()));
  std::vector<Value> children;
  for (size_t i = 0; i < table.entries->size(); ++i) {
    // Nearly always in order; a lookup each would take long in a large table.
    const auto& [key, value] = (*table.entries)[i];
    const auto index = static_cast<double>(i + 1);
    const bool in_place = key.kind == Kind::kNumber && key.number == index;
    const Value* child = in_place ? &value : table.entries->size() <= 1000 ? table.FindIndex(index) : nullptr;
    if (child == nullptr || child->kind != Kind::kObject) return Bad(fmt::format("has no module {}", i + 1));
    children.push_back(*child);
  }
  return children;
}

Result<std::vector<float>> Run::Weights(const Module& module, std::string_view key, int64_t count) {
  const Value* value = module.item.Find(key);
  if (value == nullptr || !module.file.IsNumbers(*value)) return Bad(fmt::format("has no '{}'", key));
  const auto size = module.file.SizeOf(*value);
  const int64_t has = size.empty() ? 0 : CountOf(size);
  if (has != count) return Bad(fmt::format("holds {} numbers in '{}', {} are needed", has, key, count));
  if (dry_) return std::vector<float>{};
  auto numbers = module.file.ReadNumbers(*value);
  if (!numbers.ok()) return numbers.error().Wrap(fmt::format("'{}'", key));
  numbers_left_ -= count;
  if (numbers_left_ < 0) return Bad("uses the same weights too often");
  if (numbers.value().values.size() != static_cast<size_t>(count))
    return Bad(fmt::format("has no numbers in '{}'", key));
  return std::move(numbers.value().values);
}

Result<std::vector<float>> Run::WeightsIfAny(const Module& module, std::string_view key, int64_t count) {
  if (module.SizesOf(key).empty()) return std::vector<float>{};
  return Weights(module, key, count);
}

Result<Flow> Run::Make(std::vector<int64_t> dims, const std::function<GraphValue()>& make) const {
  constexpr int64_t kMaxValue = int64_t{1} << 26;  // numbers; more than any network of this kind computes at once
  if (dims.size() > kMaxRank || CountOf(dims) == 0 || CountOf(dims) > kMaxValue) {
    return Bad(fmt::format("gives a tensor of {}", ToText(dims)));
  }
  Flow flow{.dims = std::move(dims)};
  if (dry_) return flow;
  flow.value = make();
  ov::PartialShape expected{1};
  for (const int64_t dim : flow.dims) expected.push_back(dim == kOpen ? ov::Dimension::dynamic() : ov::Dimension(dim));
  if (!flow.value.get_partial_shape().compatible(expected)) {
    return Bad(
        fmt::format("gives {} where {} is expected", flow.value.get_partial_shape().to_string(), expected.to_string()));
  }
  return flow;
}

}  // namespace deepedge::torch7
