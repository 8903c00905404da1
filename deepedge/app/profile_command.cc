// `deepedge profile`: what models cost on this box.
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <memory>

#include "deepedge/app/box_profile.h"
#include "deepedge/app/commands.h"
#include "deepedge/app/engines.h"
#include "deepedge/app/json_line.h"
#include "deepedge/app/terminal.h"
#include "deepedge/base/state_folder.h"
#include "deepedge/base/thread.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/pipeline/describe_model.h"
#include "deepedge/profiler/fit/profile_model.h"
#include "deepedge/profiler/meter/memory_meter.h"
#include "deepedge/profiler/probe/probe_target.h"
#include "deepedge/profiler/report/profile_text.h"
#include "deepedge/profiler/store/profile_json.h"
#include "deepedge/runtime/model_loader.h"

namespace deepedge {
namespace {

struct ProfileCommandOptions {
  std::vector<std::string> models;
  std::string repository;
  std::string state;
  std::string export_to;
  std::string import_from;
  std::vector<std::string> compare;
  int probes = 6;
  double seconds = 10;
  double calibrate_seconds = 165;
  bool calibrate = false;
  bool anew = false;
  bool list = false;
  bool explain = false;
  bool json = false;
};

// Progress: one line on a terminal, nothing otherwise.
class Progress {
 public:
  ~Progress() { table_.Clear(); }
  void Tell(const std::string& text) {
    if (isatty(STDERR_FILENO) != 0) table_.Show({text});
  }

 private:
  LiveTable table_;
};

struct Described {
  std::string name;
  std::string sha256;
  ProbeTarget target;
};

// The int8 form that was made for the model, where its card names one that is good enough at its own size.
std::optional<ModelFiles> Int8Form(const ModelFiles& files, const ModelCard& card) {
  for (const VariantCard& variant : card.variants) {
    const bool own = variant.key.width == card.input.width && variant.key.height == card.input.height;
    if (variant.key.precision != Precision::kInt8 || !own || !variant.Usable() || variant.graph.empty()) continue;
    auto found = FindModelFiles(FolderOfModel(files) / variant.graph);
    if (found.ok()) return std::move(found).value();
  }
  return std::nullopt;
}

// What a model is called in the store: the last part of what the user named, as for `deepedge run`.
std::string ShortName(const std::string& name) {
  const Path path(name);
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

Result<Described> Describe(Engine& engine, const std::string& name, const Path& repository) {
  DE_TRY(const Path path, LocateModel(name, repository));
  DE_TRY(const ModelFiles files, FindModelFiles(path));
  DE_TRY(const GraphInfo info, engine.Inspect(files));
  DE_TRY(const ModelDescription description, DescribeModel(files, info));
  Described model{.name = ShortName(name)};
  DE_TRY(model.sha256, Sha256OfFile(GraphFileOf(files)));
  DE_TRY(model.target, TargetOf(model.name, files, description.card, info.inputs));
  model.target.int8 = Int8Form(files, description.card);
  model.target.resizable = CanResize(engine, model.target);
  return model;
}

// What earlier calls have measured of the same file on this box.
MeasuredModel KnownOf(BoxProfile& box, const Described& model) {
  MeasuredModel known;
  const auto rows = box.store->Measurements(box.box, model.sha256);
  if (!rows.ok()) return known;
  for (const Measurement& row : rows.value()) {
    auto probe = ProbeResultFromJson(row.text);
    // Serving is not what is measured here: others come between.
    if (!probe.ok() || probe.value().origin == ProbeOrigin::kServing) continue;
    // A setting's last measurement counts.
    std::erase_if(known.probes, [&](const ProbeResult& other) { return other.setting == probe.value().setting; });
    known.probes.push_back(std::move(probe).value());
  }
  return known;
}

// 0: the system does not tell.
int64_t AvailableMemory() {
  const auto text = ReadFile("/proc/meminfo");
  if (!text.ok()) return 0;
  const auto memory = ParseMeminfo(text.value());
  return memory.ok() ? memory.value().available.value_or(0) : 0;
}

class ProfileCommand {
 public:
  ProfileCommand(const ProfileCommandOptions& options, Engine& engine, BoxProfile box)
      : options_(options),
        engine_(engine),
        box_(std::move(box)),
        repository_(options.repository.empty() ? DefaultRepository() : Path(options.repository)) {}

  Status Run() {
    if (!options_.import_from.empty()) return Import();
    if (!options_.export_to.empty()) return Export();
    if (options_.list) return List();
    if (!options_.compare.empty()) return Compare();
    const bool needed = !box_.calibrated && !options_.models.empty();
    if (options_.calibrate || needed) DE_TRY_STATUS(Calibrate());
    if (!options_.models.empty() && !options_.explain) Warn(LearnFromKept(box_));
    for (const std::string& model : options_.models) {
      DE_TRY_STATUS(options_.explain ? Explain(model) : ProfileOne(model));
    }
    if (!options_.calibrate && options_.models.empty()) {
      return Error{ErrorCode::kBadInput, "name a model, or say --calibrate, --list, --compare A B, --export FILE"};
    }
    return {};
  }

 private:
  int64_t NowUs() const { return clock_.EpochMicros(clock_.Now()); }

  Status Calibrate() {
    Progress progress;
    if (!options_.calibrate) fmt::print(stderr, "this box is not calibrated yet: it takes some minutes, once\n");
    const CalibrateRequest request{.budget = Duration(static_cast<int64_t>(options_.calibrate_seconds * 1e6)),
                                   .anew = options_.anew,
                                   .tell = [&](const std::string& text) { progress.Tell(text); }};
    DE_TRY(const bool complete, CalibrateBox(engine_, box_, request, clock_));
    if (!complete)
      fmt::print(stderr, "note: calibration was stopped; the next `deepedge profile --calibrate` goes on\n");
    return {};
  }

  Result<Profile> Make(const std::string& name) {
    DE_TRY(const Described model, Describe(engine_, name, repository_));
    MeasuredModel known = KnownOf(box_, model);
    const size_t before = known.probes.size();
    Progress progress;
    ProfileOptions options{.probes = options_.probes,
                           .budget = Duration(static_cast<int64_t>(options_.seconds * 1e6)),
                           .cores = AllowedCpus().size() > 1 ? 2 : 1,
                           .most_memory_bytes = AvailableMemory()};
    options.tell = [&](const std::string& text) { progress.Tell(text); };
    DE_TRY(ProfiledModel made, ProfileModel(engine_, box_.model, model.target, options, clock_, std::move(known)));
    for (const std::string& note : made.notes) fmt::print(stderr, "note: {}\n", note);
    for (size_t i = before; i < made.measured.probes.size(); ++i) {
      const ProbeResult& probe = made.measured.probes[i];
      Warn(box_.store->AddMeasurement(box_.box, model.sha256, probe.setting, ToJson(probe)));
    }
    if (made.measured.probes.size() > before) Warn(KeepMeasured(box_, model.sha256, made.measured));
    Profile profile = std::move(made.profile);
    profile.model = model.name;
    profile.sha256 = model.sha256;
    profile.box = box_.box;
    profile.created_us = NowUs();
    const auto saved = box_.store->Save(profile, ProfileReason::kAsked);
    if (saved.ok()) profile.generation = saved.value();
    Warn(saved.status());
    return profile;
  }

  Status ProfileOne(const std::string& name) {
    DE_TRY(const Profile profile, Make(name));
    if (options_.json) {
      fmt::print("{}\n", ProfileToText(profile));
    } else {
      fmt::print("{}", ProfileText(profile, NowUs()));
    }
    return {};
  }

  // Of the profile that there is, or of one made now.
  Status Explain(const std::string& name) {
    DE_TRY(std::optional<StoredProfile> known, box_.store->Latest(box_.box, ShortName(name)));
    Profile profile;
    if (known) {
      profile = std::move(known->profile);
    } else {
      DE_TRY(profile, Make(name));
    }
    const SettingCost* const cost = SettingToExplain(profile);
    if (cost == nullptr) return Error{ErrorCode::kUnsupported, fmt::format("{}: no setting could be predicted", name)};
    if (options_.json) {
      Profile one = profile;
      one.costs = {*cost};
      fmt::print("{}\n", ProfileToText(one));
    } else {
      fmt::print("{}", ProfileExplanationText(profile, *cost));
    }
    return {};
  }

  Status List() {
    DE_TRY(const std::vector<StoredProfile> all, box_.store->All(box_.box));
    if (options_.json) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const StoredProfile& stored : all) {
        auto json = ProfileToJson(stored.profile);
        json["reason"] = ToString(stored.reason);
        list.push_back(std::move(json));
      }
      fmt::print("{}\n", DumpLine(list));
    } else {
      fmt::print("{}", ProfileListText(all, NowUs()));
    }
    return {};
  }

  Result<Profile> Known(const std::string& name) {
    DE_TRY(std::optional<StoredProfile> stored, box_.store->Latest(box_.box, ShortName(name)));
    if (stored) return std::move(stored->profile);
    DE_TRY(const std::vector<OtherBox> others, box_.store->OtherBoxes(box_.box, ShortName(name)));
    return Error{ErrorCode::kNotFound,
                 fmt::format("no profile of '{}' on this box; `deepedge profile {}` makes one{}{}", name, name,
                             others.empty() ? "" : "\n", OtherBoxesText(name, others, NowUs()))};
  }

  Status Compare() {
    DE_TRY(const Profile a, Known(options_.compare[0]));
    DE_TRY(const Profile b, Known(options_.compare[1]));
    if (options_.json) {
      fmt::print("{}\n", DumpLine(nlohmann::ordered_json::array({ProfileToJson(a), ProfileToJson(b)})));
    } else {
      fmt::print("{}", ProfileComparisonText(a, b));
    }
    return {};
  }

  Status Export() {
    if (options_.export_to == "-") return box_.store->Export(std::cout);
    std::ofstream out(options_.export_to);
    if (!out) return Error{ErrorCode::kBadInput, fmt::format("{}: cannot be written", options_.export_to)};
    DE_TRY_STATUS(box_.store->Export(out));
    out.close();
    if (!out) return Error{ErrorCode::kExhausted, fmt::format("{}: not all could be written", options_.export_to)};
    return {};
  }

  Status Import() {
    std::ifstream in(options_.import_from);
    if (!in) return Error{ErrorCode::kNotFound, fmt::format("{}: cannot be read", options_.import_from)};
    DE_TRY(const ImportCounts counts, box_.store->Import(in));
    fmt::print("{} added, {} were known\n", counts.added, counts.known);
    return {};
  }

  static void Warn(const Status& status) {
    if (!status.ok()) fmt::print(stderr, "note: the profile is not kept: {}\n", status.error().message);
  }

  const ProfileCommandOptions& options_;
  Engine& engine_;
  BoxProfile box_;
  const Path repository_;
  const RealClock clock_;
};

Status Run(const ProfileCommandOptions& options) {
  DE_TRY(const std::unique_ptr<Engine> engine, MakeDefaultEngine());
  const RealClock clock;
  const Path state = options.state.empty() ? DefaultStateFolder() : Path(options.state);
  DE_TRY(BoxProfile box, OpenBoxProfile(*engine, state, clock));
  return ProfileCommand(options, *engine, std::move(box)).Run();
}

}  // namespace

void AddProfileCommand(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("profile", "what models cost on this box, in every setting");
  const auto options = std::make_shared<ProfileCommandOptions>();
  command->add_option("model", options->models, "names in the repository, files or folders");
  command->add_option("--repository", options->repository, "folder of models by name");
  command->add_option("--state-dir", options->state, "folder that profiles are kept in");
  command->add_option("--probes", options->probes, "measurements of a model at most")->check(CLI::Range(0, 100));
  command->add_option("--seconds", options->seconds, "that measuring a model may take")->check(CLI::PositiveNumber);
  command->add_flag("--explain", options->explain, "what each stage of a model costs, and why");
  command->add_flag("--list", options->list, "the profiles that there are");
  command->add_option("--compare", options->compare, "two profiles, setting by setting")->expected(2);
  command->add_flag("--calibrate", options->calibrate, "learn this box anew, or go on with it");
  command->add_flag("--from-nothing", options->anew, "with --calibrate: forget what an earlier one has measured");
  command->add_option("--calibrate-seconds", options->calibrate_seconds, "that calibration may take")
      ->check(CLI::Range(1, 3600));
  command->add_option("--export", options->export_to, "write all profiles and measurements to a file, or - for output");
  command->add_option("--import", options->import_from, "read what --export has written");
  command->add_flag("--json", options->json, "print as one line of JSON");
  command->callback([options, &action] { action = [options] { return Run(*options); }; });
}

}  // namespace deepedge
