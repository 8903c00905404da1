// `deepedge run`: streams in, events out.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/event_sinks.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/locate_or_add.h"
#include "deepedge/app/report_json.h"
#include "deepedge/app/report_text.h"
#include "deepedge/app/run_profiler.h"
#include "deepedge/app/run_specs.h"
#include "deepedge/app/terminal.h"
#include "deepedge/app/wakeup.h"
#include "deepedge/base/log.h"
#include "deepedge/base/state_folder.h"
#include "deepedge/base/text.h"
#include "deepedge/base/thread.h"
#include "deepedge/config/edge_config.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/pipeline/gallery/gallery_file.h"
#include "deepedge/runtime/data_plane.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

struct RunOptions {
  std::string config;
  std::vector<std::string> sources;
  std::vector<std::string> models;
  std::string duration;
  std::string pace = "real";
  bool every_frame = false;
  bool loop = false;
  std::string events;
  int cores = 0;
  std::string repository;
  bool json = false;
};

// Crops that go through a model in one run; of more there are several runs.
constexpr size_t kMostInBatch = 8;

// What is to be run, after options and configuration file have been put together.
struct RunPlan {
  RunSpecs specs;
  EventsConfig events;
  Path state_folder = DefaultStateFolder();
  int cores = 0;                  // 0: all
  std::optional<SourceMap> file;  // the configuration file, for messages

  const SourceMap* File() const { return file ? &*file : nullptr; }
};

Result<RunPlan> MakeRunPlan(const RunOptions& options) {
  const bool by_options = !options.sources.empty() || !options.models.empty();
  if (options.config.empty() == !by_options) {
    return Error{ErrorCode::kBadInput, "run needs either a configuration file, or --source and --model"};
  }
  RunPlan plan;
  if (by_options) {
    if (options.sources.empty()) return Error{ErrorCode::kBadInput, "run needs at least one --source"};
    if (options.models.empty()) return Error{ErrorCode::kBadInput, "run needs at least one --model"};
    plan.specs = SpecsOfOptions(options.sources, options.models);
    DE_TRY_STATUS(CheckSources(plan.specs.streams));
  } else {
    DE_TRY(const EdgeConfig config, LoadEdgeConfig(options.config));
    DE_TRY_STATUS(RefuseUnsupported(config));
    for (const UnsupportedOption& option : NotYetSupported(config)) LogWarning("{}", option.message);
    plan.file = config.source;
    plan.specs = SpecsOfConfig(config);
    DE_TRY_STATUS(CheckSources(plan.specs.streams, &config.source));
    DE_TRY_STATUS(CheckPlaces(plan.specs.streams, &config.source));
    DE_TRY_STATUS(CheckEvents(config.events, &config.source));
    plan.events = config.events;
    if (config.state_dir) plan.state_folder = *config.state_dir;
    plan.cores = config.limits.cores.value_or(0);
  }
  if (!options.events.empty()) plan.events.file = options.events;
  if (options.cores > 0) plan.cores = options.cores;
  for (StreamSpec& stream : plan.specs.streams) {
    if (options.loop) stream.loop = true;
    for (TaskSpec& task : stream.tasks) {
      if (options.every_frame) task.max_rate = 0;
    }
  }
  return plan;
}

std::vector<int> ChooseCpus(int cores) {
  std::vector<int> cpus = AllowedCpus();
  if (cores > 0 && static_cast<size_t>(cores) < cpus.size()) cpus.resize(static_cast<size_t>(cores));
  return cpus;
}

Result<std::vector<std::unique_ptr<LoadedModel>>> LoadModels(Engine& engine, const RunPlan& plan,
                                                             const Path& repository, size_t lanes, bool tell) {
  std::vector<std::unique_ptr<LoadedModel>> models;
  const RealClock clock;
  const RunSpecs& specs = plan.specs;
  for (const ModelRequest& request : specs.models) {
    const ModelUse use = UseOf(specs.streams, request.name);
    const Time start = clock.Now();
    const auto load = [&]() -> Result<std::unique_ptr<LoadedModel>> {
      ModelRequest wanted = request;
      DE_TRY(const Path path, LocateOrAdd(engine, wanted, repository));
      return LoadModel(
          engine, {.name = request.name,
                   .path = path,
                   .concurrency = static_cast<int>(use.on_every_lane ? lanes : std::clamp<size_t>(use.users, 1, lanes)),
                   .max_batch = static_cast<int>(
                       use.on_every_lane ? kMostInBatch : std::clamp<size_t>(use.most_objects, 1, kMostInBatch)),
                   .faint_objects = use.tracked,
                   .sha256 = wanted.sha256,
                   .variant = ParseVariant(request.variant)});
    };
    auto loaded = load();
    if (!loaded.ok()) {
      return plan.file ? loaded.error().Wrap(PlaceOfModel(request.name, plan.File())) : loaded.error();
    }
    std::unique_ptr<LoadedModel> model = std::move(loaded).value();
    for (const std::string& assumption : model->assumptions) LogWarning("model '{}': {}", model->name, assumption);
    if (tell) {
      LogInfo("model '{}': {}, {}, ready in {} ms", model->name, ToString(model->files.format), model->variant,
              (clock.Now() - start).count() / 1000);
    }
    models.push_back(std::move(model));
  }
  ReleaseFreeMemory();
  return models;
}

// The gallery in the state folder, where there is one and a model gives the embeddings it is made of.
Result<std::shared_ptr<const Gallery>> FindGallery(const Path& file,
                                                   const std::vector<std::unique_ptr<LoadedModel>>& models) {
  std::error_code missing;
  std::shared_ptr<const Gallery> gallery;
  std::string others;
  for (const auto& model : models) {
    if (model->card.task != "embedding" || !std::filesystem::exists(file, missing)) continue;
    if (!gallery) {
      DE_TRY(Gallery read, ReadGallery(file));
      gallery = std::make_shared<const Gallery>(std::move(read));
    }
    DE_TRY(model->sha256, Sha256OfFile(GraphFileOf(model->files)));
    if (gallery->model().sha256 == model->sha256) return gallery;
    others += (others.empty() ? "'" : ", '") + model->name + "'";
  }
  if (gallery) {
    LogWarning("gallery {}: was made with the model '{}', not with {}: no embedding gets a name", file.string(),
               gallery->model().name, others);
  }
  return gallery;
}

SnapshotRule SnapshotRuleOf(const EventsConfig& events) {
  if (!events.snapshots) return {};
  return {.types = events.snapshots->types,
          .quality = events.snapshots->quality,
          .margin = static_cast<float>(events.snapshots->margin)};
}

// Shows the table while the streams run; returns when the run is over.
void WatchUntilOver(const DataPlane& plane, const EventSinks& sinks, Wakeup& wakeup, std::optional<Duration> duration,
                    bool show_table, const Clock& clock) {
  constexpr Duration kTablePeriod = std::chrono::seconds(1);
  const Time end = duration ? clock.Now() + *duration : kTimeNever;
  LiveTable table;
  RunReport before = plane.Report();
  Time next = show_table ? clock.Now() + kTablePeriod : kTimeNever;
  while (true) {
    if (wakeup.Wait(std::min(end, next), clock) != Wakeup::Reason::kTimeReached || clock.Now() >= end) break;
    RunReport now = plane.Report();
    table.Show(RenderTable(now, &before, ReportOf(sinks)));
    before = std::move(now);
    next = clock.Now() + kTablePeriod;
  }
  table.Clear();
}

Status Run(const RunOptions& options) {
  const RealClock clock;
  std::optional<Duration> duration;
  if (!options.duration.empty()) {
    DE_TRY(duration, ParseDuration(options.duration));
  }
  DE_TRY(const RunPlan plan, MakeRunPlan(options));
  const std::vector<int> cpus = ChooseCpus(plan.cores);
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const Path repository = options.repository.empty() ? DefaultRepository() : Path(options.repository);

  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  DE_TRY(auto models, LoadModels(*engine, plan, repository, cpus.size(), terminal));
  LabelsByModel labels;
  for (const auto& model : models) labels.emplace(model->name, *model->labels);
  DE_TRY_STATUS(CheckLabels(plan.specs.streams, labels, plan.File()));
  DE_TRY(auto gallery, FindGallery(plan.state_folder / "gallery.json", models));
  RunProfiler profiler(*engine, plan.state_folder, models, cpus.size(), clock);
  EventSinks sinks = NoEventSinks(clock);
  Wakeup wakeup;
  DE_TRY(const auto plane, DataPlane::Create({.cpus = cpus,
                                              .pace = options.pace == "fast" ? Pace::kFast : Pace::kReal,
                                              .all_finished = [&wakeup] { wakeup.Finish(); },
                                              .gallery = std::move(gallery),
                                              .snapshots = SnapshotRuleOf(plan.events),
                                              .runs = &profiler.runs()},
                                             plan.specs.streams, std::move(models), *sinks.bus, clock));
  // Files and brokers are touched last, when nothing is left to be refused.
  DE_TRY_STATUS(AddEventSinks(plan.events, plan.state_folder, clock, sinks));
  wakeup.TakeSignals();
  plane->Start();
  profiler.Start(*plane);
  WatchUntilOver(*plane, sinks, wakeup, duration, terminal, clock);
  plane->Stop();
  profiler.Stop();
  const Status closed = sinks.bus->Close();

  RunReport report = plane->Report();
  report.profile = profiler.Report();
  const EventReport events = ReportOf(sinks);
  // Events on standard output share it with the JSON summary, which is one line too; the table then goes to the
  // terminal.
  FILE* const table_out = options.json || plan.events.file == "-" ? stderr : stdout;
  if (!options.json || terminal) {
    for (const std::string& line : RenderTable(report, nullptr, events)) fmt::print(table_out, "{}\n", line);
  }
  if (options.json) {
    fmt::print("{}\n", DumpLine(SummaryJson(report, events, ReadMemoryUse())));
  }
  return closed;
}

}  // namespace

void AddRunCommand(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("run", "run models on streams until they end, or until told to stop");
  const auto options = std::make_shared<RunOptions>();
  command->add_option("config", options->config, "configuration file (edge.yaml)");
  command
      ->add_option("--source", options->sources, "a stream: rtsp://, http(s)://, a file, /dev/videoN; repeat for more")
      ->allow_extra_args(false);
  command
      ->add_option("--model", options->models, "a model: a name in the repository, a file or a folder; repeat for more")
      ->allow_extra_args(false);
  command->add_option("--duration", options->duration, "stop after this time, such as 30s");
  command->add_option("--pace", options->pace, "files: real = as a camera would deliver, fast = every frame, at once")
      ->check(CLI::IsMember({"real", "fast"}));
  command->add_flag("--every-frame", options->every_frame, "no sampling: maximum rates are not kept");
  command->add_flag("--loop", options->loop, "files start again at their end");
  command->add_option("--events", options->events, "append events to this file, or write them to standard output (-)");
  command->add_option("--cores", options->cores, "use at most this many cores")->check(CLI::PositiveNumber);
  command->add_option("--repository", options->repository, "folder of models by name");
  command->add_flag("--json", options->json, "print the summary as one line of JSON");
  command->callback([options, &action] { action = [options] { return Run(*options); }; });
}

}  // namespace deepedge
