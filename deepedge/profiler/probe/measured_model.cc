#include "deepedge/profiler/probe/measured_model.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace deepedge {
namespace {

using Json = nlohmann::json;

// A layer as an array in this order: objects would make a line of a large network some hundred kB longer.
Json ToArray(const Layer& l) {
  return {l.name,           l.operation,       std::string(ToString(l.kind)),
          l.int8,           l.flops,           l.weight_bytes,
          l.input_bytes,    l.output_bytes,    l.live_bytes,
          l.input_channels, l.output_channels, l.output_pixels,
          l.kernel,         l.stride,          l.groups,
          l.fused,          l.last_op,         l.exponentials};
}

std::optional<LayerClass> ClassOf(std::string_view word) {
  for (int i = 0; i < kLayerClasses; ++i) {
    if (ToString(static_cast<LayerClass>(i)) == word) return static_cast<LayerClass>(i);
  }
  return std::nullopt;
}

std::optional<Precision> PrecisionOf(std::string_view word) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    if (ToString(precision) == word) return precision;
  }
  return std::nullopt;
}

std::optional<ProbeOrigin> OriginOf(std::string_view word) {
  for (const ProbeOrigin origin : {ProbeOrigin::kAlone, ProbeOrigin::kIdle, ProbeOrigin::kServing}) {
    if (ToString(origin) == word) return origin;
  }
  return std::nullopt;
}

// Throws Json's exceptions, as all readers below.
int64_t Size(const Json& json) {
  const auto value = json.get<int64_t>();
  if (value < 0) throw Json::other_error::create(501, "a size below zero", &json);
  return value;
}

int SmallSize(const Json& json) { return static_cast<int>(std::min<int64_t>(Size(json), INT32_MAX)); }

Layer LayerFrom(const Json& json) {
  Layer l{.name = json.at(0), .operation = json.at(1)};
  const auto kind = ClassOf(json.at(2).get<std::string>());
  if (!kind) throw Json::other_error::create(501, "an unknown class of layers", &json);
  l.kind = *kind;
  l.int8 = json.at(3);
  l.flops = Size(json.at(4));
  l.weight_bytes = Size(json.at(5));
  l.input_bytes = Size(json.at(6));
  l.output_bytes = Size(json.at(7));
  l.live_bytes = Size(json.at(8));
  l.input_channels = Size(json.at(9));
  l.output_channels = Size(json.at(10));
  l.output_pixels = Size(json.at(11));
  l.kernel = SmallSize(json.at(12));
  l.stride = SmallSize(json.at(13));
  l.groups = Size(json.at(14));
  l.fused = SmallSize(json.at(15));
  l.last_op = SmallSize(json.at(16));
  l.exponentials = SmallSize(json.at(17));
  return l;
}

Json FormToJson(const AnalysedForm& form) {
  Json layers = Json::array();
  for (const Layer& layer : form.graph.layers) layers.push_back(ToArray(layer));
  Json cuts = Json::array();
  for (const CutPoint& cut : form.graph.cuts) cuts.push_back({cut.after_op, cut.bytes, cut.tensors, cut.next_layer});
  return {{"int8", form.int8},
          {"width", form.width},
          {"height", form.height},
          {"layers", std::move(layers)},
          {"cuts", std::move(cuts)},
          {"operations", form.graph.operations},
          {"weight_bytes", form.graph.weight_bytes},
          {"input_bytes", form.graph.input_bytes},
          {"output_bytes", form.graph.output_bytes}};
}

AnalysedForm FormFrom(const Json& json) {
  AnalysedForm form{
      .int8 = json.at("int8"), .width = SmallSize(json.at("width")), .height = SmallSize(json.at("height"))};
  for (const Json& layer : json.at("layers")) form.graph.layers.push_back(LayerFrom(layer));
  for (const Json& cut : json.at("cuts")) {
    form.graph.cuts.push_back({SmallSize(cut.at(0)), Size(cut.at(1)), SmallSize(cut.at(2)), SmallSize(cut.at(3))});
  }
  form.graph.operations = SmallSize(json.at("operations"));
  form.graph.weight_bytes = Size(json.at("weight_bytes"));
  form.graph.input_bytes = Size(json.at("input_bytes"));
  form.graph.output_bytes = Size(json.at("output_bytes"));
  return form;
}

Json ProbeToJson(const ProbeResult& probe) {
  Json layers = Json::array();
  for (const LayerTime& layer : probe.layers) layers.push_back({layer.layer, layer.us});
  return {{"precision", std::string(ToString(probe.setting.variant.precision))},
          {"width", probe.setting.variant.width},
          {"height", probe.setting.variant.height},
          {"batch", probe.setting.batch},
          {"cores", probe.setting.cores},
          {"runs", probe.runs},
          {"min_us", probe.min_us},
          {"median_us", probe.median_us},
          {"p90_us", probe.p90_us},
          {"cold_us", probe.cold_us},
          {"memory_bytes", probe.memory_bytes},
          {"compile_ms", probe.compile_ms},
          {"origin", std::string(ToString(probe.origin))},
          {"busy", probe.busy},
          {"layers", std::move(layers)}};
}

ProbeResult ProbeFrom(const Json& json) {
  const auto precision = PrecisionOf(json.at("precision").get<std::string>());
  if (!precision) throw Json::other_error::create(501, "an unknown precision", &json);
  ProbeResult probe{.setting = {{*precision, SmallSize(json.at("width")), SmallSize(json.at("height"))},
                                SmallSize(json.at("batch")),
                                SmallSize(json.at("cores"))}};
  probe.runs = SmallSize(json.at("runs"));
  probe.min_us = json.at("min_us");
  probe.median_us = json.at("median_us");
  probe.p90_us = json.at("p90_us");
  probe.cold_us = json.at("cold_us");
  probe.memory_bytes = Size(json.at("memory_bytes"));
  probe.compile_ms = json.at("compile_ms");
  // Both are newer than the rest.
  const auto origin = OriginOf(json.value("origin", std::string(ToString(ProbeOrigin::kAlone))));
  if (!origin) throw Json::other_error::create(501, "an unknown origin", &json);
  probe.origin = *origin;
  probe.busy = json.value("busy", 0.0);
  for (const Json& layer : json.at("layers")) probe.layers.push_back({layer.at(0), layer.at(1)});
  return probe;
}

}  // namespace

const LayerGraph* GraphFor(const MeasuredModel& model, const Setting& setting) {
  const bool int8 = setting.variant.precision == Precision::kInt8;
  const auto found = std::find_if(model.forms.begin(), model.forms.end(), [&](const AnalysedForm& form) {
    return form.int8 == int8 && form.width == setting.variant.width && form.height == setting.variant.height;
  });
  return found == model.forms.end() ? nullptr : &found->graph;
}

std::string ToJson(const MeasuredModel& model) {
  Json forms = Json::array();
  for (const AnalysedForm& form : model.forms) forms.push_back(FormToJson(form));
  Json probes = Json::array();
  for (const ProbeResult& probe : model.probes) probes.push_back(ProbeToJson(probe));
  const Json json{{"name", model.name}, {"forms", std::move(forms)}, {"probes", std::move(probes)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<MeasuredModel> MeasuredModelFromJson(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    MeasuredModel model{.name = json.at("name")};
    for (const Json& form : json.at("forms")) model.forms.push_back(FormFrom(form));
    for (const Json& probe : json.at("probes")) model.probes.push_back(ProbeFrom(probe));
    return model;
  } catch (const Json::exception& e) {
    return Error{ErrorCode::kBadInput, std::string("a measured model: ") + e.what()};
  }
}

std::string ToJson(const ProbeResult& probe) {
  return ProbeToJson(probe).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ProbeResult> ProbeResultFromJson(std::string_view text) {
  try {
    return ProbeFrom(Json::parse(text));
  } catch (const Json::exception& e) {
    return Error{ErrorCode::kBadInput, std::string("a measurement: ") + e.what()};
  }
}

}  // namespace deepedge
