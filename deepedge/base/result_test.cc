#include "deepedge/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace deepedge {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return Error{ErrorCode::kBadInput, "odd"};
  return value / 2;
}

Result<int> Quarter(int value) {
  DE_TRY(const int half, Half(value));
  DE_TRY(const int quarter, Half(half));
  return quarter;
}

Status CheckQuarter(int value) {
  DE_TRY_STATUS(Quarter(value).status());
  return {};
}

TEST(Result, PassesValuesAndErrorsOn) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(6).error().message, "odd");
  EXPECT_TRUE(CheckQuarter(4).ok());
  EXPECT_EQ(CheckQuarter(3).error().code, ErrorCode::kBadInput);
}

TEST(Result, HoldsMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  EXPECT_EQ(*std::move(result).value(), 7);
}

TEST(Error, WrapSaysWhatWasTried) {
  EXPECT_EQ((Error{ErrorCode::kUnavailable, "refused"}.Wrap("open stream 'gate'").message),
            "open stream 'gate': refused");
}

TEST(CheckDeathTest, StopsTheProgram) { EXPECT_DEATH(DE_CHECK(1 == 2), "check failed.*1 == 2"); }

}  // namespace
}  // namespace deepedge
