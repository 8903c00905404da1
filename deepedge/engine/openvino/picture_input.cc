#include "deepedge/engine/openvino/picture_input.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/round.hpp>
#include <openvino/op/transpose.hpp>
#include <optional>
#include <vector>

#include "deepedge/engine/openvino/ov_types.h"

namespace deepedge {
namespace {

Error BadPicture(const Path& file, std::string_view what) {
  return {ErrorCode::kBadInput, fmt::format("{}: {}", file.string(), what)};
}

std::string NamesOf(const ov::Output<ov::Node>& port) {
  const auto& names = port.get_names();
  return names.empty() ? std::string("(unnamed)") : fmt::format("{}", fmt::join(names, " or "));
}

Result<size_t> FindInput(const ov::Model& model, const std::string& name, const Path& file) {
  const auto inputs = const_cast<ov::Model&>(model).inputs();  // NOLINT: the const overload gives no names to edit
  std::optional<size_t> found;
  std::vector<std::string> others;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto& names = inputs[i].get_names();
    const bool wanted = name.empty() ? inputs.size() == 1 : names.contains(name) || name == fmt::format("input_{}", i);
    if (wanted && !found) {
      found = i;
    } else {
      others.push_back(NamesOf(inputs[i]));
    }
  }
  if (!found) {
    return BadPicture(
        file, name.empty() ? fmt::format("the graph has {} inputs ({}); the card must name the picture's",
                                         inputs.size(), fmt::join(others, ", "))
                           : fmt::format("the graph has no input '{}'; it has: {}", name, fmt::join(others, ", ")));
  }
  if (!others.empty()) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: takes more than a picture; further inputs: {}",
                                                      file.string(), fmt::join(others, ", "))};
  }
  return *found;
}

struct WantedShape {
  ov::PartialShape shape;
  int64_t reduced_batch = 0;  // the graph's fixed batch when it is over 1, else 0
};

Result<WantedShape> WantedInputShape(const ov::PartialShape& graph, const PictureInput& picture, const Path& file,
                                     bool resize) {
  const int64_t channels = int64_t{picture.Parts()} * ChannelCount(picture.order);
  if (picture.width <= 0 || picture.height <= 0) return BadPicture(file, "the card gives no input size");
  const bool nchw = picture.layout == TensorLayout::kNchw;
  const int64_t height = picture.transposed ? picture.width : picture.height;
  const int64_t width = picture.transposed ? picture.height : picture.width;
  const ov::PartialShape wanted =
      nchw ? ov::PartialShape{1, channels, height, width} : ov::PartialShape{1, height, width, channels};
  if (graph.rank().is_dynamic()) return WantedShape{wanted, 0};
  const std::string shown = ToString(FromOv(graph));
  if (graph.rank().get_length() != 4) {
    return BadPicture(file, fmt::format("the input has shape {}, a picture needs four dimensions", shown));
  }
  for (std::ptrdiff_t i = 1; i < 4; ++i) {
    const bool side = nchw ? i >= 2 : i <= 2;
    if (!graph[i].compatible(wanted[i]) && !(resize && side)) {
      return BadPicture(file, fmt::format("the card's picture is {} ({}), the graph takes {}", ToString(FromOv(wanted)),
                                          nchw ? "NCHW" : "NHWC", shown));
    }
  }
  const bool fixed_batch = graph[0].is_static() && graph[0].get_length() != 1;
  return WantedShape{wanted, fixed_batch ? static_cast<int64_t>(graph[0].get_length()) : 0};
}

// A graph whose batch was fixed may hold it in other places too (as a constant of a Reshape), and then mixes pictures
// up without an error: every output must have followed.
bool BatchFollowed(const std::vector<ov::PartialShape>& before, const ov::Model& model, int64_t batch) {
  const auto outputs = model.outputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ov::PartialShape& after = outputs[i].get_partial_shape();
    const bool had_batch = before[i].rank().is_static() && before[i].size() > 0 && before[i][0] == batch;
    if (!had_batch || after.rank().is_dynamic() || after.size() != before[i].size() || after[0] != 1) return false;
  }
  return true;
}

Status Reshape(ov::Model& model, size_t index, const WantedShape& wanted, const Path& file) {
  if (model.input(index).get_partial_shape() == wanted.shape) return {};
  const ov::PartialShape before_input = model.input(index).get_partial_shape();
  std::vector<ov::PartialShape> before;
  for (const auto& output : model.outputs()) before.push_back(output.get_partial_shape());
  const auto reshaped = CatchOv(file, ErrorCode::kBadInput, [&]() -> Status {
    model.reshape(std::map<size_t, ov::PartialShape>{{index, wanted.shape}});
    return {};
  });
  if (wanted.reduced_batch != 0 && (!reshaped.ok() || !BatchFollowed(before, model, wanted.reduced_batch))) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: the graph is made for {} pictures at a time and cannot be run with one",
                             file.string(), wanted.reduced_batch)};
  }
  if (!reshaped.ok()) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: the graph is made for {} and cannot take {}: somewhere it holds sizes as constants",
                             file.string(), ToString(FromOv(before_input)), ToString(FromOv(wanted.shape)))};
  }
  return {};
}

// Rounds and clamps to what an integer type can hold, which a plain conversion would not.
ov::Output<ov::Node> ToInteger(const ov::Output<ov::Node>& value, const ov::element::Type& type) {
  const double low = type.is_signed() ? -static_cast<double>(uint64_t{1} << (type.bitwidth() - 1)) : 0.0;
  const double high = low + static_cast<double>(uint64_t{1} << type.bitwidth()) - 1.0;
  const auto rounded = std::make_shared<ov::op::v5::Round>(value, ov::op::v5::Round::RoundMode::HALF_TO_EVEN);
  const auto clamped = std::make_shared<ov::op::v0::Clamp>(rounded, low, high);
  return std::make_shared<ov::op::v0::Convert>(clamped, type);
}

// Puts an input in front of the graph's own where patches stand one below the other rather than in their channels.
Status UnstackPatches(ov::Model& model, size_t index, const PictureInput& picture, const Path& file) {
  if (picture.layout != TensorLayout::kNchw) {
    return Error{ErrorCode::kUnsupported, fmt::format("{}: patches need the layout nchw", file.string())};
  }
  return CatchOv(file, ErrorCode::kBadInput, [&]() -> Status {
    const auto own = model.get_parameters().at(index);
    const auto names = own->output(0).get_names();
    const int64_t parts = picture.patches;
    const int64_t channels = ChannelCount(picture.order);
    const int64_t height = picture.height;
    const int64_t width = picture.width;
    const auto shape = [](std::vector<int64_t> sizes) {
      return ov::op::v0::Constant::create(ov::element::i64, {sizes.size()}, sizes);
    };
    const bool columns = picture.transposed;
    const ov::PartialShape strip = columns ? ov::PartialShape{1, channels, width, parts * height}
                                           : ov::PartialShape{1, channels, parts * height, width};
    const auto input = std::make_shared<ov::op::v0::Parameter>(own->get_element_type(), strip);
    input->set_friendly_name(own->get_friendly_name());
    // 0: the size of the input, whatever the batch.
    const auto apart = std::make_shared<ov::op::v1::Reshape>(
        input, columns ? shape({0, channels, width, parts, height}) : shape({0, channels, parts, height, width}), true);
    const auto in_front =
        std::make_shared<ov::op::v1::Transpose>(apart, columns ? shape({0, 3, 1, 2, 4}) : shape({0, 2, 1, 3, 4}));
    const auto stacked = std::make_shared<ov::op::v1::Reshape>(
        in_front, columns ? shape({0, parts * channels, width, height}) : shape({0, parts * channels, height, width}),
        true);
    for (auto& target : own->output(0).get_target_inputs()) target.replace_source_output(stacked->output(0));
    own->output(0).get_tensor().set_names({});
    input->output(0).get_tensor().set_names(names);
    model.replace_parameter(index, input);
    model.validate_nodes_and_infer_types();
    return {};
  });
}

// The order of the model's dimensions in the engine's letters.
const char* LayoutOf(const PictureInput& picture) {
  if (picture.layout == TensorLayout::kNchw) return picture.transposed ? "NCWH" : "NCHW";
  return picture.transposed ? "NWHC" : "NHWC";
}

bool IsIdentity(const PictureInput& picture, int channels) {
  return std::all_of(picture.mean.begin(), picture.mean.begin() + channels, [](float v) { return v == 0.0F; }) &&
         std::all_of(picture.std.begin(), picture.std.begin() + channels, [](float v) { return v == 1.0F; });
}

}  // namespace

Status AddPictureInput(std::shared_ptr<ov::Model>& model, const PictureInput& picture, const Path& file, bool resize) {
  DE_TRY(const size_t index, FindInput(*model, picture.tensor, file));
  const ov::element::Type type = model->input(index).get_element_type();
  const bool narrow_integer = type.is_integral_number() && type.bitwidth() <= 32;
  if (!type.is_real() && !narrow_integer) {
    return BadPicture(file, fmt::format("the input is of type {}, which no picture is", type.get_type_name()));
  }
  const int channels = ChannelCount(picture.order);
  for (int c = 0; c < channels; ++c) {
    if (picture.std[static_cast<size_t>(c)] == 0.0F) return BadPicture(file, "the card's std has a zero");
  }
  DE_TRY(const WantedShape wanted,
         WantedInputShape(model->input(index).get_partial_shape(), picture, file, resize || picture.pyramid > 0));
  DE_TRY_STATUS(Reshape(*model, index, wanted, file));
  if (picture.patches > 0) DE_TRY_STATUS(UnstackPatches(*model, index, picture, file));

  return CatchOv(file, ErrorCode::kBadInput, [&]() -> Status {
    ov::preprocess::PrePostProcessor steps(model);
    auto& input = steps.input(index);
    input.tensor().set_element_type(ov::element::u8).set_layout("NHWC");
    input.model().set_layout(LayoutOf(picture));
    const bool identity = IsIdentity(picture, channels);
    if (!identity || type != ov::element::u8) {
      input.preprocess().convert_element_type(ov::element::f32);
      if (!identity) {
        const std::vector<float> mean(picture.mean.begin(), picture.mean.begin() + channels);
        const std::vector<float> std(picture.std.begin(), picture.std.begin() + channels);
        input.preprocess().mean(mean).scale(std);
      }
      if (type.is_real()) {
        input.preprocess().convert_element_type(type);
      } else {
        input.preprocess().custom([type](const ov::Output<ov::Node>& value) { return ToInteger(value, type); });
      }
    }
    model = steps.build();
    return {};
  });
}

}  // namespace deepedge
