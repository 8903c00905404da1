// `deepedge events`: what happened, from the outbox of a program that runs or has run on this box.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "deepedge/app/commands.h"
#include "deepedge/app/event_text.h"
#include "deepedge/app/events_reader.h"
#include "deepedge/base/state_folder.h"
#include "deepedge/config/edge_config.h"
#include "deepedge/events/event.h"

namespace deepedge {
namespace {

constexpr size_t kDefaultLimit = 100;

struct EventsOptions {
  bool follow = false;
  std::string since;
  std::string until;
  std::vector<std::string> types;
  std::string stream;
  std::string label;
  std::optional<size_t> limit;
  std::string state_dir;
  std::string config;
  bool json = false;
};

Result<Path> StateFolderOf(const EventsOptions& options) {
  if (!options.state_dir.empty()) return Path(options.state_dir);
  if (options.config.empty()) return DefaultStateFolder();
  DE_TRY(const EdgeConfig config, LoadEdgeConfig(options.config));
  return config.state_dir ? Path(*config.state_dir) : DefaultStateFolder();
}

Result<EventsRequest> RequestOf(const EventsOptions& options, int64_t now_us) {
  DE_TRY(const Path folder, StateFolderOf(options));
  EventsRequest request{.file = EventsFileIn(folder),
                        .types = options.types,
                        .stream = options.stream,
                        .label = options.label,
                        .limit = options.limit};
  if (!options.since.empty()) {
    DE_TRY(request.since_us, ParseMoment(options.since, now_us));
  }
  if (!options.until.empty()) {
    DE_TRY(request.until_us, ParseMoment(options.until, now_us));
  }
  if (options.follow && !options.until.empty()) {
    return Error{ErrorCode::kBadInput, "--follow waits for what comes, and --until looks back: give one of them"};
  }
  if (request.since_us > request.until_us) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("--since {} is later than --until {}", options.since, options.until)};
  }
  for (const std::string& type : request.types) {
    if (std::ranges::count(kEventTypes, type) == 0) {
      return Error{ErrorCode::kBadInput,
                   fmt::format("'{}' is no type of events; there are {}", type, fmt::join(kEventTypes, ", "))};
    }
  }
  if (!request.limit && options.since.empty() && options.until.empty()) request.limit = kDefaultLimit;
  return request;
}

// kEndOfStream: nobody reads any more (`deepedge events | head`).
Status OutputError() {
  if (errno == EPIPE) return Error{ErrorCode::kEndOfStream, "standard output is closed"};
  return Error{ErrorCode::kExhausted, fmt::format("standard output: {}", std::strerror(errno))};
}

Status Flush() { return std::fflush(stdout) == 0 ? Status() : OutputError(); }

Status Print(const std::string& line, bool at_once) {
  const bool written =
      std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fputc('\n', stdout) != EOF;
  if (!written) return OutputError();
  return at_once ? Flush() : Status();
}

Status ShowEvents(const EventsOptions& options, const EventsRequest& request, Wakeup& wakeup, const Clock& clock) {
  const auto show = [&](const StoredEvent& event) {
    return Print(options.json ? event.json : EventLine(event), options.follow);
  };
  EventsReader reader(request);
  const Status first = reader.ReadFirst(show);
  if (!options.follow) {
    if (first.ok()) return Flush();
    if (first.error().code != ErrorCode::kNotFound) return first;
    return Error{ErrorCode::kNotFound,
                 fmt::format("{}; `outbox` in the configuration makes `deepedge run` keep events, and --state-dir or "
                             "--config say where",
                             first.error().message)};
  }
  // One that is not there yet will come.
  if (!first.ok() && first.error().code != ErrorCode::kNotFound && first.error().code != ErrorCode::kUnavailable) {
    return first;
  }
  if (!first.ok()) fmt::print(stderr, "{}; waiting for it\n", first.error().message);
  return FollowEvents(reader, show, wakeup, clock);
}

Status Events(const EventsOptions& options) {
  const RealClock clock;
  DE_TRY(const EventsRequest request, RequestOf(options, clock.EpochMicros(clock.Now())));
  Wakeup wakeup;
  if (options.follow) wakeup.TakeSignals();
  const Status status = ShowEvents(options, request, wakeup, clock);
  if (!status.ok() && status.error().code == ErrorCode::kEndOfStream) return {};
  return status;
}

}  // namespace

void AddEventsCommand(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("events", "show events that were kept on this box");
  const auto options = std::make_shared<EventsOptions>();
  command->add_flag("-f,--follow", options->follow, "wait for more, until Ctrl-C");
  command->add_option("--since", options->since,
                      "from then on: 10m, 2h, 3d ago, 2026-11-25T10:00:00, or seconds since 1970");
  command->add_option("--until", options->until, "until then");
  command->add_option("--type", options->types, "events of this type only; may be repeated")->allow_extra_args(false);
  command->add_option("--stream", options->stream, "events of this stream only");
  command->add_option("--label", options->label, "events about objects of this label, or persons of this name, only");
  command
      ->add_option("--limit", options->limit, "the newest so many of what is there (100; all with --since or --until)")
      ->check(CLI::Range(0, 1'000'000));
  command->add_option("--state-dir", options->state_dir, "folder with the events (events.db)");
  command->add_option("--config", options->config, "configuration file that says the folder (state_dir)");
  command->add_flag("--json", options->json, "print the JSON objects, one a line");
  command->callback([options, &action] { action = [options] { return Events(*options); }; });
}

}  // namespace deepedge
