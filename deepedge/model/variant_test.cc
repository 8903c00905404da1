#include "deepedge/model/variant.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(Variant, NameReadsBack) {
  const VariantKey key{Precision::kInt8, 416, 256};
  EXPECT_EQ(ToString(key), "int8@416x256");
  EXPECT_EQ(ParseVariant("int8@416x256"), key);
  EXPECT_EQ(ParseVariant("bf16@1x16384"), (VariantKey{Precision::kBf16, 1, 16384}));
}

TEST(Variant, OtherTextIsNone) {
  for (const char* text : {"", "int8", "int8@416", "int4@416x416", "int8@0x416", "int8@416x-1", "int8@416x416 ", "@1x1",
                           "int8@99999x1", "int8@416x25 6"}) {
    EXPECT_FALSE(ParseVariant(text)) << text;
  }
}

TEST(Variant, IsUsedOnlyWhenItAgrees) {
  EXPECT_TRUE((VariantCard{.agreement = 0.98, .least_agreement = 0.98}).Usable());
  EXPECT_FALSE((VariantCard{.agreement = 0.97, .least_agreement = 0.98}).Usable());
}

}  // namespace
}  // namespace deepedge
