#include "deepedge/formats/ir/ir_net.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <pugixml.hpp>
#include <string_view>

#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

constexpr size_t kMaxText = size_t{16} << 20;
constexpr size_t kMaxLayers = 20'000;
constexpr size_t kMaxPorts = 4096;
constexpr size_t kMaxRank = 8;
constexpr int64_t kMaxDimension = int64_t{1} << 31;

std::optional<int64_t> WholeNumber(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t')) text.remove_suffix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error Bad(std::string_view what) {
  constexpr size_t kMaxReason = 1000;
  return {ErrorCode::kBadInput, Shown(what, kMaxReason)};
}

Result<int64_t> NumberAttribute(const pugi::xml_node& node, const char* name) {
  const auto number = WholeNumber(node.attribute(name).value());
  if (!number || *number < 0) {
    return Bad(fmt::format("<{}> in byte {}: {} must be a whole number, not '{}'", node.name(), node.offset_debug(),
                           name, node.attribute(name).value()));
  }
  return *number;
}

Result<std::vector<IrPort>> ReadPorts(const pugi::xml_node& group, std::string_view layer) {
  std::vector<IrPort> ports;
  for (const pugi::xml_node& node : group.children("port")) {
    if (ports.size() == kMaxPorts) return Bad(fmt::format("layer '{}' has more than {} ports", layer, kMaxPorts));
    IrPort port;
    DE_TRY(port.id, NumberAttribute(node, "id"));
    for (const pugi::xml_node& dim : node.children("dim")) {
      const auto length = WholeNumber(dim.text().get());
      if (!length || *length < 1 || *length > kMaxDimension) {
        return Bad(fmt::format("layer '{}': a dimension '{}'", layer, dim.text().get()));
      }
      if (port.shape.size() == kMaxRank) return Bad(fmt::format("layer '{}': more than 8 dimensions", layer));
      port.shape.push_back(*length);
    }
    ports.push_back(std::move(port));
  }
  return ports;
}

// Blobs stand in <blobs>, in early files in the layer itself.
Status ReadBlobs(const pugi::xml_node& parent, IrLayer& layer) {
  for (const pugi::xml_node& node : parent.children()) {
    if (!node.attribute("offset") || !node.attribute("size")) continue;
    IrBlob blob{.precision = node.attribute("precision").value()};
    DE_TRY(blob.offset, NumberAttribute(node, "offset"));
    DE_TRY(blob.size, NumberAttribute(node, "size"));
    layer.blobs.insert_or_assign(node.name(), std::move(blob));
  }
  return {};
}

Result<IrLayer> ReadLayer(const pugi::xml_node& node) {
  IrLayer layer{.name = node.attribute("name").value(),
                .type = node.attribute("type").value(),
                .precision = node.attribute("precision").value()};
  DE_TRY(layer.id, NumberAttribute(node, "id"));
  if (layer.type.empty()) return Bad(fmt::format("layer '{}' has no type", layer.name));
  for (const pugi::xml_attribute& attribute : node.child("data").attributes()) {
    layer.attributes.insert_or_assign(attribute.name(), attribute.value());
  }
  DE_TRY(layer.inputs, ReadPorts(node.child("input"), layer.name));
  DE_TRY(layer.outputs, ReadPorts(node.child("output"), layer.name));
  DE_TRY_STATUS(ReadBlobs(node, layer));
  DE_TRY_STATUS(ReadBlobs(node.child("blobs"), layer));
  if (node.child("body")) layer.attributes.insert_or_assign("body", "");
  return layer;
}

Result<IrPreProcess> ReadPreProcess(const pugi::xml_node& node) {
  IrPreProcess result{.layer = node.attribute("reference-layer-name").value()};
  for (const pugi::xml_node& channel : node.children("channel")) {
    const pugi::xml_node mean = channel.child("mean");
    if (!mean.attribute("value") || channel.child("scale")) {
      result.other = true;
      continue;
    }
    const std::string_view text = mean.attribute("value").value();
    float value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Bad(fmt::format("pre-process: a mean value '{}'", text));
    }
    if (result.means.size() == kMaxPorts) return Bad("pre-process: too many channels");
    result.means.push_back(value);
  }
  return result;
}

}  // namespace

Result<IrNet> ParseIrNet(const std::string& text) {
  if (text.size() > kMaxText) return Bad("longer than any network's description (16 MB)");
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(text.data(), text.size());
  if (!parsed) return Bad(fmt::format("byte {}: {}", parsed.offset, parsed.description()));
  const pugi::xml_node root = document.child("net");
  if (!root) return Bad("has no <net>");
  IrNet net{.name = root.attribute("name").value()};
  DE_TRY(const int64_t version, NumberAttribute(root, "version"));
  if (version < 5 || version > 9) {
    return Error{ErrorCode::kUnsupported, fmt::format("an IR of version {}, not 5 to 9", version)};
  }
  net.version = static_cast<int>(version);
  for (const pugi::xml_node& node : root.child("layers").children("layer")) {
    if (net.layers.size() == kMaxLayers) return Bad("more than 20,000 layers");
    DE_TRY(IrLayer layer, ReadLayer(node));
    net.layers.push_back(std::move(layer));
  }
  for (const pugi::xml_node& node : root.child("edges").children("edge")) {
    IrEdge edge;
    DE_TRY(edge.from_layer, NumberAttribute(node, "from-layer"));
    DE_TRY(edge.from_port, NumberAttribute(node, "from-port"));
    DE_TRY(edge.to_layer, NumberAttribute(node, "to-layer"));
    DE_TRY(edge.to_port, NumberAttribute(node, "to-port"));
    net.edges.push_back(edge);
  }
  for (const pugi::xml_node& node : root.children("pre-process")) {
    DE_TRY(IrPreProcess pre_process, ReadPreProcess(node));
    net.pre_process.push_back(std::move(pre_process));
  }
  if (net.layers.empty()) return Bad("has no layers");
  return net;
}

}  // namespace deepedge
