#include "deepedge/profiler/probe/measured_model.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

MeasuredModel Example() {
  MeasuredModel model{.name = "person"};
  AnalysedForm form{.int8 = true, .width = 320, .height = 256};
  form.graph.layers.push_back({.name = "conv 1",
                               .operation = "Convolution",
                               .kind = LayerClass::kDepthwise,
                               .int8 = true,
                               .flops = 123456789012,
                               .weight_bytes = 36,
                               .kernel = 9,
                               .stride = 2,
                               .groups = 16,
                               .last_op = 7});
  form.graph.cuts.push_back({.after_op = 7, .bytes = 4096, .tensors = 2, .next_layer = 1});
  form.graph.operations = 12;
  model.forms.push_back(form);
  ProbeResult probe{.setting = {{Precision::kInt8, 320, 256}, 4, 2}, .runs = 10, .min_us = 1.25, .median_us = 1.5};
  probe.layers = {{"conv 1", 1.125}};
  probe.memory_bytes = 5'000'000'000;
  model.probes.push_back(probe);
  return model;
}

TEST(MeasuredModel, ComesBackFromJsonAsItWas) {
  const MeasuredModel model = Example();
  const MeasuredModel back = MeasuredModelFromJson(ToJson(model)).value();
  EXPECT_EQ(ToJson(back), ToJson(model));
  ASSERT_EQ(back.forms.size(), 1u);
  EXPECT_EQ(back.forms[0].graph, model.forms[0].graph);
  EXPECT_EQ(back.probes[0].setting, model.probes[0].setting);
  EXPECT_EQ(back.probes[0].memory_bytes, 5'000'000'000);
}

TEST(MeasuredModel, RefusesWhatIsNone) {
  const std::string text = ToJson(Example());
  for (const auto& [from, to] :
       {std::pair{"depthwise", "sideways"}, {"\"int8\"", "\"int4\""}, {":12", ":-12"}, {"[", "{"}}) {
    std::string wrong = text;
    wrong.replace(wrong.find(from), std::string_view(from).size(), to);
    EXPECT_FALSE(MeasuredModelFromJson(wrong).ok()) << from;
  }
  EXPECT_FALSE(MeasuredModelFromJson("").ok());
}

TEST(MeasuredModel, AMeasurementComesBackByItself) {
  ProbeResult probe = Example().probes.front();
  probe.origin = ProbeOrigin::kServing;
  probe.busy = 0.25;
  const ProbeResult back = ProbeResultFromJson(ToJson(probe)).value();
  EXPECT_EQ(ToJson(back), ToJson(probe));
  EXPECT_EQ(back.setting, probe.setting);
  EXPECT_EQ(back.median_us, 1.5);
  EXPECT_EQ(back.origin, ProbeOrigin::kServing);
  EXPECT_EQ(back.busy, 0.25);
}

TEST(MeasuredModel, AMeasurementThatSaysNotHowItCameAboutWasAlone) {
  std::string text = ToJson(Example().probes.front());
  const std::string newer = R"("origin":"alone",)";
  text.erase(text.find(newer), newer.size());
  EXPECT_EQ(ProbeResultFromJson(text).value().origin, ProbeOrigin::kAlone);
}

TEST(MeasuredModel, RefusesWhatIsNoMeasurement) {
  for (const auto& [from, to] : {std::pair{"alone", "on the moon"}, {"\"int8\"", "\"int4\""}, {":10", ":-10"}}) {
    std::string wrong = ToJson(Example().probes.front());
    wrong.replace(wrong.find(from), std::string_view(from).size(), to);
    EXPECT_FALSE(ProbeResultFromJson(wrong).ok()) << from;
  }
  EXPECT_FALSE(ProbeResultFromJson("[]").ok());
  EXPECT_FALSE(ProbeResultFromJson("").ok());
}

TEST(MeasuredModel, FindsTheFormOfASetting) {
  const MeasuredModel model = Example();
  EXPECT_NE(GraphFor(model, {{Precision::kInt8, 320, 256}, 8}), nullptr);
  EXPECT_EQ(GraphFor(model, {{Precision::kFp32, 320, 256}, 1}), nullptr);
  EXPECT_EQ(GraphFor(model, {{Precision::kInt8, 320, 320}, 1}), nullptr);
}

}  // namespace
}  // namespace deepedge
