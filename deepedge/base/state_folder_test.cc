#include "deepedge/base/state_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

namespace deepedge {
namespace {

// Sets a variable of the environment, or removes it, until the end of the test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    Set(value);
  }
  ~Variable() { Set(before_ ? before_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void Set(const char* value) const {
    if (value == nullptr) {
      unsetenv(name_);
    } else {
      setenv(name_, value, 1);
    }
  }
  const char* name_;
  std::optional<std::string> before_;
};

TEST(DefaultStateFolder, FollowsTheEnvironment) {
  const struct {
    const char* state;
    const char* home;
    const char* expected;
  } cases[] = {
      {"/state", "/home/me", "/state/deepedge"},
      {nullptr, "/home/me", "/home/me/.local/state/deepedge"},
      {"", "/home/me", "/home/me/.local/state/deepedge"},
      {"relative", "/home/me", "/home/me/.local/state/deepedge"},
      {nullptr, nullptr, "/var/lib/deepedge"},
      {nullptr, "", "/var/lib/deepedge"},
  };
  for (const auto& c : cases) {
    const Variable state("XDG_STATE_HOME", c.state);
    const Variable home("HOME", c.home);
    EXPECT_EQ(DefaultStateFolder(), c.expected);
    EXPECT_EQ(EventsFileIn(DefaultStateFolder()), Path(c.expected) / "events.db");
  }
}

}  // namespace
}  // namespace deepedge
