#include "deepedge/model/variant_yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string>

#include "deepedge/base/file.h"

namespace deepedge {
namespace {

constexpr size_t kMostVariants = 100;
constexpr int kMostFrames = 1'000'000;

// A card may come from elsewhere: its files lie in the model's own folder.
bool StaysInFolder(const Path& path) {
  return path.is_relative() && std::none_of(path.begin(), path.end(), [](const Path& part) { return part == ".."; });
}

VariantCard ReadVariant(std::vector<Problem>& problems, const nlohmann::json& value, const std::string& pointer) {
  VariantCard variant;
  MapReader map(problems, value, pointer);
  std::string name;
  map.Text("variant", &name);
  if (const auto key = ParseVariant(name)) {
    variant.key = *key;
  } else {
    map.Report("variant", "expected a precision and a size such as int8@416x256");
  }
  map.Text("graph", &variant.graph);
  if (!StaysInFolder(variant.graph)) map.Report("graph", "expected a file in the folder of the model");
  map.Number("agreement", &variant.agreement, 0.0, 1.0);
  map.Number("least_agreement", &variant.least_agreement, 0.0, 1.0);
  map.Number("frames", &variant.frames, 0, kMostFrames);
  map.Number("time_ratio", &variant.time_ratio, 0.0, 1000.0);
  map.RefuseOtherKeys();
  return variant;
}

}  // namespace

void ReadVariants(std::vector<Problem>& problems, MapReader& card, std::vector<VariantCard>* variants) {
  const nlohmann::json* list = card.Take("variants");
  if (list == nullptr) return;
  if (!list->is_array() || list->size() > kMostVariants) {
    return card.Report("variants", fmt::format("expected a list of up to {} variants", kMostVariants));
  }
  for (size_t i = 0; i < list->size(); ++i) {
    variants->push_back(ReadVariant(problems, (*list)[i], PointerTo(card.PointerOf("variants"), i)));
  }
}

void EmitVariants(YAML::Emitter& out, const std::vector<VariantCard>& variants) {
  if (variants.empty()) return;
  const auto number = [](double value) { return fmt::format("{}", value); };
  out << YAML::Key << "variants" << YAML::Value << YAML::BeginSeq;
  for (const VariantCard& variant : variants) {
    out << YAML::Flow << YAML::BeginMap << YAML::Key << "variant" << YAML::Value << ToString(variant.key);
    if (!variant.graph.empty()) out << YAML::Key << "graph" << YAML::Value << YAML::DoubleQuoted << variant.graph;
    out << YAML::Key << "agreement" << YAML::Value << number(variant.agreement);
    out << YAML::Key << "least_agreement" << YAML::Value << number(variant.least_agreement);
    out << YAML::Key << "frames" << YAML::Value << variant.frames;
    out << YAML::Key << "time_ratio" << YAML::Value << number(variant.time_ratio) << YAML::EndMap;
  }
  out << YAML::EndSeq;
}

}  // namespace deepedge
