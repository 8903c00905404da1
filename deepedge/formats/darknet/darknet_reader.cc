#include "deepedge/formats/darknet/darknet_reader.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <openvino/core/model.hpp>

#include "deepedge/formats/darknet/darknet_graph.h"
#include "deepedge/formats/darknet/darknet_net.h"
#include "deepedge/formats/darknet/darknet_weights.h"
#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge {
namespace {

using Json = nlohmann::json;

std::string_view Name(DarknetHeadType type) {
  switch (type) {
    case DarknetHeadType::kYolo: return "yolo";
    case DarknetHeadType::kRegion: return "region";
    case DarknetHeadType::kDetection: return "detection";
  }
  return "";
}

// What a decoder of this head needs to know.
Json Describe(const DarknetHead& head) {
  Json json{{"type", Name(head.type)},       {"classes", head.classes}, {"scale_xy", head.scale_xy},
            {"new_coords", head.new_coords}, {"softmax", head.softmax}, {"nms", head.nms},
            {"beta_nms", head.beta_nms},     {"anchors", Json::array()}};
  for (const auto& [width, height] : head.anchors) json["anchors"].push_back({width, height});
  if (head.tree) json["tree"] = true;
  if (head.type == DarknetHeadType::kDetection) {
    json["boxes"] = head.anchor_count;
    json["side"] = head.side;
    json["sqrt"] = head.square_root;
  }
  return json;
}

void SetNetMetadata(ov::Model& model, const DarknetNet& net) {
  const Json json{{"width", net.input.width},
                  {"height", net.input.height},
                  {"channels", net.input.channels},
                  {"letter_box", net.letter_box}};
  SetMetadata(model, "darknet.net", json.dump());
  for (size_t i = 1; i < net.layers.size(); ++i) {
    const auto* head = std::get_if<DarknetHead>(&net.layers[i].operation);
    if (head != nullptr) SetMetadata(model, "darknet.head." + NamingLayer(net, i - 1).name, Describe(*head).dump());
  }
}

}  // namespace

Result<std::shared_ptr<ov::Model>> ReadDarknet(const ModelFiles& files) {
  constexpr int64_t kMaxText = 4 << 20;
  DE_TRY(const std::string text, ReadFile(files.graph, kMaxText));
  DE_TRY(const DarknetNet net, ReadDarknetNet(files.graph, text));
  DE_TRY(DarknetWeights weights, DarknetWeights::Open(files.weights, net.weights));
  DE_TRY(std::shared_ptr<ov::Model> model, BuildDarknet(files.graph, net, weights));
  const LayerName place{files.graph, "net", "net"};
  DE_TRY_STATUS(CatchLayer(place, [&]() -> Status {
    SetNetMetadata(*model, net);
    return {};
  }));
  return model;
}

}  // namespace deepedge
