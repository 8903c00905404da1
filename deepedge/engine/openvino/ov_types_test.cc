#include "deepedge/engine/openvino/ov_types.h"

#include <gtest/gtest.h>

#include <new>

#include "deepedge/engine/openvino/compile_settings.h"

namespace deepedge {
namespace {

TEST(OvTypes, TypesGoThereAndBack) {
  for (int i = 0; i <= static_cast<int>(ElementType::kF64); ++i) {
    const auto type = static_cast<ElementType>(i);
    const auto back = FromOv(ToOv(type));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back.value(), type);
    EXPECT_EQ(ToOv(type).size(), SizeOf(type));
  }
  EXPECT_EQ(FromOv(ov::element::bf16).status().error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(FromOv(ov::element::string).status().error().code, ErrorCode::kUnsupported);
}

TEST(OvTypes, ShapesKeepWhatIsNotFixed) {
  EXPECT_EQ(FromOv(ov::PartialShape{1, -1, ov::Dimension(1, 8)}), (Shape{1, -1, -1}));
  EXPECT_EQ(FromOv(ov::PartialShape::dynamic()), Shape{});
}

TEST(OvTypes, MessagesSayWhatAUserCanRead) {
  struct Case {
    const char* what;
    const char* expected;
    ErrorCode code;
  };
  const Case cases[] = {
      {"Exception from src/inference/src/cpp/core.cpp:84:\n"
       "Check 'false' failed at src/frontends/common_translators/src/unconverted_ops_report.cpp:151:\n"
       "FrontEnd API failed with OpConversionFailure:\n"
       "Model wasn't fully converted. Failed operations detailed log:\n"
       "-- QLinearConv-12 with a message:\n"
       "While validating ONNX node '<Node(QLinearConv): 341>': Check 'a' failed at src/x.cpp:119:\n"
       "FrontEnd API failed with GeneralFailure:\n"
       "The number of dequantization scale elements '24' must match\n",
       "QLinearConv-12: The number of dequantization scale elements '24' must match", ErrorCode::kUnsupported},
      {"Exception from src/inference/src/cpp/core.cpp:84:\nCheck 'false' failed at src/a.cpp:151:\n"
       "FrontEnd API failed with OpConversionFailure:\nModel wasn't fully converted.\nSummary:\n"
       "-- No conversion rule found for operations: Const of unknown type, Dequantize\nTo facilitate the conversion",
       "No conversion rule found for operations: Const of unknown type, Dequantize", ErrorCode::kUnsupported},
      {"Exception from src/inference/src/cpp/core.cpp:84:\nException from src/inference/src/model_reader.cpp:148:\n"
       "Unable to read the model: \"/tmp/x/model.onnx\" Please check that model format: \".onnx\" is supported",
       "the content is damaged", ErrorCode::kBadInput},
      {"Exception from src/inference/src/cpp/core.cpp:84:\nCheck 'ok' failed at src/ir/input_model.cpp:219:\n"
       "Error parsing start element tag at offset 49999\n\n",
       "Error parsing start element tag at offset 49999", ErrorCode::kBadInput},
      {"Check 'a == b' failed at src/core/x.cpp:7: Shapes differ", "Shapes differ", ErrorCode::kBadInput},
      {"[ GENERAL_ERROR ] Out of luck", "Out of luck", ErrorCode::kBadInput},
      {"[1,3] is not a shape", "[1,3] is not a shape", ErrorCode::kBadInput},
      {"Operation Foo is not supported", "Operation Foo is not supported", ErrorCode::kUnsupported},
      {"", "the engine gives no reason", ErrorCode::kBadInput},
      {"Exception from src/a.cpp:1:\n", "the engine gives no reason", ErrorCode::kBadInput},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ReadableMessage(c.what), c.expected);
    const Error error = EngineError("m.onnx", ErrorCode::kBadInput, c.what);
    EXPECT_EQ(error.message, std::string("m.onnx: ") + c.expected);
    EXPECT_EQ(error.code, c.code) << c.expected;
  }
}

TEST(OvTypes, NothingThrownGetsThrough) {
  const auto run = [](auto thrower) {
    return CatchOv("m.onnx", ErrorCode::kInternal, [&]() -> Status {
      thrower();
      return {};
    });
  };
  EXPECT_TRUE(run([] {}).ok());
  EXPECT_EQ(run([] { throw std::runtime_error("bad"); }).error().message, "m.onnx: bad");
  EXPECT_EQ(run([] { throw std::bad_alloc(); }).error().code, ErrorCode::kExhausted);
  EXPECT_EQ(run([] { throw 7; }).error().code, ErrorCode::kInternal);
}

TEST(CompileSettings, LargeWeightsAreHeldOnce) {
  struct Case {
    int64_t weight_bytes;
    int concurrency;
    CopyPlan expected;
  };
  const Case cases[] = {
      {1 << 20, 1, {1, 0}},
      {1 << 20, 4, {4, 0}},
      {1 << 20, 64, {1, 64}},
      {kPrivateCopyLimitBytes / 2, 2, {2, 0}},
      {kPrivateCopyLimitBytes / 2 + 1, 2, {1, 2}},
      {int64_t{1} << 30, 1, {1, 0}},
      {0, 3, {3, 0}},
  };
  for (const Case& c : cases) {
    const CopyPlan plan = PlanCopies(c.weight_bytes, c.concurrency);
    EXPECT_EQ(plan.copies, c.expected.copies) << c.weight_bytes;
    EXPECT_EQ(plan.streams, c.expected.streams) << c.weight_bytes;
  }
}

}  // namespace
}  // namespace deepedge
