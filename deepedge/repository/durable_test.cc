#include "deepedge/repository/durable.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace deepedge {
namespace {

using testing::HasSubstr;

class LockWhileItGrowsTest : public testing::Test {
 protected:
  UniqueFd Open() const { return UniqueFd(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)); }

  TemporaryFolder folder_ = std::move(TemporaryFolder::Create("de_durable_test")).value();
  Path path_ = folder_.path() / "x.part";
};

TEST_F(LockWhileItGrowsTest, GivesUpWhenNothingComes) {
  const UniqueFd other = LockFile(path_, 0).value();
  const UniqueFd ours = Open();
  const Status refused = LockWhileItGrows(ours.get(), path_, 60);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("another program has been downloading it"));
}

TEST_F(LockWhileItGrowsTest, TakesAFreeOneAtOnce) {
  const UniqueFd ours = Open();
  EXPECT_TRUE(LockWhileItGrows(ours.get(), path_, 0).ok());
  EXPECT_FALSE(LockFile(path_, 0).ok());
}

TEST_F(LockWhileItGrowsTest, WaitsForOneThatIsLetGo) {
  std::optional<UniqueFd> other = LockFile(path_, 0).value();
  const UniqueFd ours = Open();
  const std::jthread lets_go([&] { other.reset(); });
  EXPECT_TRUE(LockWhileItGrows(ours.get(), path_, 60'000).ok());
}

}  // namespace
}  // namespace deepedge
