#include "deepedge/engine/openvino/detection_post_process.h"

#include <memory>
#include <openvino/frontend/extension/conversion.hpp>
#include <openvino/frontend/node_context.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>

namespace deepedge {
namespace {

constexpr const char* kOperation = "TFLite_Detection_PostProcess";
constexpr const char* kMark = "deepedge_operation";

ov::OutputVector PassInputsThrough(const ov::frontend::NodeContext& context) {
  ov::OutputVector outputs;
  for (int i = 0; i < 3; ++i) {
    // The reader checks that all outputs are f32 by their own operation, so an input itself will not do.
    outputs.push_back(std::make_shared<ov::op::v0::Convert>(context.get_input(i), ov::element::f32)->output(0));
  }
  outputs.push_back(ov::op::v0::Constant::create(ov::element::f32, {1}, {0.0F})->output(0));
  for (const auto& output : outputs) output.get_node()->get_rt_info()[kMark] = std::string(kOperation);
  return outputs;
}

}  // namespace

void AddDetectionPostProcess(ov::Core& core) {
  core.add_extension(std::make_shared<ov::frontend::ConversionExtension>(
      kOperation, ov::frontend::CreatorFunction(PassInputsThrough)));
}

std::string MarkedOperation(const ov::Node& node) {
  const auto& info = node.get_rt_info();
  const auto it = info.find(kMark);
  return it != info.end() && it->second.is<std::string>() ? it->second.as<std::string>() : std::string();
}

}  // namespace deepedge
