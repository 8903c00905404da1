#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "deepedge/app/commands.h"
#include "deepedge/base/state_folder.h"
#include "deepedge/events/outbox/outbox.h"

namespace deepedge {
namespace {

using testing::HasSubstr;

class EventsCommandTest : public testing::Test {
 protected:
  // What `deepedge events ARGUMENTS` returns; its output is in output_.
  Status Run(const std::string& arguments) {
    CLI::App program;
    Action action;
    AddEventsCommand(program, action);
    program.parse("events " + arguments);
    testing::internal::CaptureStdout();
    const Status status = action();
    output_ = testing::internal::GetCapturedStdout();
    return status;
  }
  std::string StateOption() const { return "--state-dir " + folder_.path().string(); }
  void Write(int count) {
    const RealClock clock;
    const auto outbox = Outbox::Create({.file = EventsFileIn(folder_.path()), .max_age = Duration(0)}, clock).value();
    for (int i = 1; i <= count; ++i) {
      outbox->Publish(
          StreamDownEvent{.stream = "gate", .at_us = i * 1'000'000, .reason = "timeout", .id = std::to_string(i)});
    }
    EXPECT_TRUE(outbox->Close().ok());
  }

  TemporaryFolder folder_ = TemporaryFolder::Create("de_events_command_test").value();
  std::string output_;
};

TEST_F(EventsCommandTest, PrintsWordsOrObjects) {
  Write(150);
  ASSERT_TRUE(Run(StateOption() + " --limit 1").ok());
  EXPECT_THAT(output_, HasSubstr("gate is down: timeout\n"));
  EXPECT_EQ(std::ranges::count(output_, '\n'), 1);
  ASSERT_TRUE(Run(StateOption() + " --json --limit 1").ok());
  EXPECT_EQ(
      output_,
      "{\"type\":\"stream_down\",\"stream\":\"gate\",\"at_us\":150000000,\"reason\":\"timeout\",\"id\":\"150\"}\n");
  ASSERT_TRUE(Run(StateOption()).ok());
  EXPECT_EQ(std::ranges::count(output_, '\n'), 100);
  ASSERT_TRUE(Run(StateOption() + " --since 0").ok());
  EXPECT_EQ(std::ranges::count(output_, '\n'), 150);
  ASSERT_TRUE(Run(StateOption() + " --since 10 --until 12 --type stream_down --type stream_up --stream gate").ok());
  EXPECT_EQ(std::ranges::count(output_, '\n'), 3);
  ASSERT_TRUE(Run(StateOption() + " --stream other").ok());
  EXPECT_EQ(output_, "");
}

TEST_F(EventsCommandTest, RefusesWhatMakesNoSense) {
  const std::pair<const char*, const char*> cases[] = {
      {"--since yesterday", "'yesterday' is no time"},
      {"--until 2026-13-01", "'2026-13-01' is no time"},
      {"--since 1h --until 2h", "is later than"},
      {"--follow --until 1h", "give one of them"},
      {"--type person", "'person' is no type of events; there are result, "},
      {"--config /nowhere/edge.yaml", "/nowhere/edge.yaml"},
  };
  for (const auto& [arguments, expected] : cases) {
    const std::string state =
        std::string_view(arguments).find("--config") == std::string_view::npos ? StateOption() : "";
    const Status status = Run(fmt::format("{} {}", arguments, state));
    ASSERT_FALSE(status.ok()) << arguments;
    EXPECT_THAT(status.error().message, HasSubstr(expected));
    EXPECT_TRUE(status.error().code == ErrorCode::kBadInput || status.error().code == ErrorCode::kNotFound);
  }
  CLI::App program;
  Action action;
  AddEventsCommand(program, action);
  for (const char* arguments : {"events --limit x", "events --limit -1", "events --nonsense", "events extra"}) {
    EXPECT_THROW(program.parse(arguments), CLI::ParseError) << arguments;
  }
}

TEST_F(EventsCommandTest, SaysWhereItLookedAndMakesNothing) {
  const Status status = Run(StateOption());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(status.error().message, HasSubstr(EventsFileIn(folder_.path()).string()));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(EventsCommandTest, LeavesAFileThatIsNoOutbox) {
  ASSERT_TRUE(WriteFileAtomically(EventsFileIn(folder_.path()), "no database, but somebody's own file").ok());
  EXPECT_FALSE(Run(StateOption()).ok());
  EXPECT_FALSE(Run(StateOption() + " --follow").ok());
  EXPECT_EQ(ReadFile(EventsFileIn(folder_.path())).value(), "no database, but somebody's own file");
}

}  // namespace
}  // namespace deepedge
