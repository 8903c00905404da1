#include "deepedge/base/text.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(ParseDuration, TakesNumberAndUnit) {
  const struct {
    const char* text;
    int64_t us;
  } cases[] = {
      {"500ms", 500'000}, {"30s", 30'000'000}, {"1.5s", 1'500'000}, {"2m", 120'000'000}, {"1h", 3'600'000'000}};
  for (const auto& c : cases) EXPECT_EQ(ParseDuration(c.text).value().count(), c.us) << c.text;
}

TEST(ParseDuration, RefusesTheRest) {
  for (const char* text : {"", "30", "s", "-1s", "1e99s", "nan", "30 s", "30sec", "inf s"}) {
    const auto parsed = ParseDuration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(parsed.error().message.find("allowed: "), std::string::npos);
  }
}

TEST(LowerCase, ChangesLettersOnly) { EXPECT_EQ(LowerCase("Net_V2.ONNX \xC3\x84"), "net_v2.onnx \xC3\x84"); }

TEST(Trim, TakesBlanksOffBothEnds) {
  EXPECT_EQ(Trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(Trim(""), "");
}

TEST(IsSha256, WantsSixtyFourDigitsInLowerCase) {
  const std::string good(64, 'f');
  EXPECT_TRUE(IsSha256(good));
  EXPECT_FALSE(IsSha256(good.substr(1)));
  EXPECT_FALSE(IsSha256(good + "0"));
  EXPECT_FALSE(IsSha256(std::string(64, 'F')));
  EXPECT_FALSE(IsSha256(std::string(63, '0') + "g"));
  EXPECT_FALSE(IsSha256(""));
}

}  // namespace
}  // namespace deepedge
