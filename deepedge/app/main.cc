// deepedge: one program, one verb each. This file only chooses the verb; app/ is the one place that knows concrete
// types.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "deepedge/app/commands.h"
#include "deepedge/base/thread.h"

namespace deepedge {
namespace {

int ExitCode(const Error& error) {
  const bool bad_input =
      error.code == ErrorCode::kBadInput || error.code == ErrorCode::kNotFound || error.code == ErrorCode::kUnsupported;
  return bad_input ? 2 : 1;
}

int Main(int argc, char** argv) {
  PreferSmallHeap();
  // A reader of our output or a peer that goes away is an error of that write, not the end of the program.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that may not grow any more.
  std::signal(SIGXFSZ, SIG_IGN);

  CLI::App program("DeepEdge: many neural networks on many camera streams, on one PC", "deepedge");
  program.require_subcommand(1);
  program.failure_message(CLI::FailureMessage::simple);
  Action action;
  AddRunCommand(program, action);
  AddCheckCommand(program, action);
  AddModelCommand(program, action);
  AddGalleryCommand(program, action);
  AddEventsCommand(program, action);
  AddPlanCommand(program, action);
  AddProfileCommand(program, action);
  AddBenchCommand(program, action);
  AddVersionCommand(program, action);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;  // 0: help was asked for
  }
  const Status status = action();
  if (status.ok()) return 0;
  fmt::print(stderr, "deepedge: {}\n", status.error().message);
  return ExitCode(status.error());
}

}  // namespace
}  // namespace deepedge

int main(int argc, char** argv) {
  try {
    return deepedge::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "deepedge: internal error: %s\n", error.what());
    return 1;
  }
}
