#include "deepedge/app/box_profile.h"

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <sstream>
#include <stop_token>

#include "deepedge/base/file.h"
#include "deepedge/base/thread.h"
#include "deepedge/profiler/calibration/measure_networks.h"
#include "deepedge/profiler/media_cost/media_costs_json.h"
#include "deepedge/profiler/meter/foreign_load.h"
#include "deepedge/profiler/meter/meter.h"
#include "deepedge/runtime/calibration/media_calibration.h"

namespace deepedge {
namespace {

constexpr const char* kNetworks = "networks";
constexpr const char* kBoxModel = "box model";
constexpr const char* kMedia = "media";
constexpr const char* kModels = "models";  // complete: the box model has learned from all of them
constexpr size_t kMostModels = 48;         // the oldest go

// Ctrl-C while something long is going on: asked for, never waited on.
std::atomic<bool> stop_asked = false;

class StopOnSignal {
 public:
  StopOnSignal() {
    stop_asked = false;
    before_ = std::signal(SIGINT, [](int) { stop_asked = true; });
  }
  ~StopOnSignal() { std::signal(SIGINT, before_); }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

 private:
  void (*before_)(int);
};

std::string ToText(const std::vector<MeasuredModel>& models) {
  std::string text;
  for (const MeasuredModel& model : models) text += ToJson(model) + "\n";
  return text;
}

Result<std::vector<MeasuredModel>> ModelsOf(const std::string& text) {
  std::vector<MeasuredModel> models;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    DE_TRY(MeasuredModel model, MeasuredModelFromJson(line));
    models.push_back(std::move(model));
  }
  return models;
}

// Others on the box do not change what is learned, but how sure it is.
double DoubtOf(const MeterReport& report) {
  const BusyBox busy = IsBusy(report);
  if (busy.is_busy) fmt::print(stderr, "note: {}; what is learned now is less sure\n", busy.text);
  return busy.is_busy ? busy.extra_log_sd : 0;
}

Result<std::vector<MeasuredModel>> KnownNetworks(BoxProfile& box, bool anew) {
  if (anew) return std::vector<MeasuredModel>{};
  DE_TRY(const auto record, box.store->LoadCalibration(box.box, kNetworks));
  if (!record) return std::vector<MeasuredModel>{};
  auto models = ModelsOf(record->text);
  // What cannot be read is measured again.
  return models.ok() ? std::move(models).value() : std::vector<MeasuredModel>{};
}

}  // namespace

BoxIdentity ThisBox(const Engine& engine) {
  auto box = ReadBox("/", engine.Description());
  if (box.ok()) return std::move(box).value();
  return {.engine = EngineVersion(engine.Description())};
}

Result<BoxProfile> OpenBoxProfile(const Engine& engine, const Path& state_folder, const Clock& clock) {
  std::error_code error;
  std::filesystem::create_directories(state_folder, error);  // what is wrong with it the store will say
  const BoxIdentity identity = ThisBox(engine);
  BoxProfile box{.box = Fingerprint(identity)};
  DE_TRY(box.store, ProfileStore::Open(state_folder, clock));
  box.store->SeenBox(box.box, BoxText(identity)).Ignore("said by the first write that matters");
  const auto model = box.store->LoadCalibration(box.box, kBoxModel);
  if (model.ok() && model.value()) {
    auto read = BoxModelFromJson(model.value()->text);
    if (read.ok()) {
      box.model = std::move(read).value();
      box.calibrated = model.value()->complete;
    } else {
      fmt::print(stderr, "note: the calibration of this box cannot be read: {}\n", read.error().message);
    }
  }
  const auto media = box.store->LoadCalibration(box.box, kMedia);
  if (media.ok() && media.value()) {
    auto read = MediaCostsFromJson(media.value()->text);
    if (read.ok()) box.media = std::move(read).value();
  }
  for (const std::string& note : box.store->notes()) fmt::print(stderr, "note: {}\n", note);
  return box;
}

Status KeepMeasured(BoxProfile& box, const std::string& sha256, const MeasuredModel& measured) {
  DE_TRY(const auto record, box.store->LoadCalibration(box.box, kModels));
  std::vector<MeasuredModel> models;
  if (record) {
    auto read = ModelsOf(record->text);
    if (read.ok()) models = std::move(read).value();
  }
  std::erase_if(models, [&](const MeasuredModel& model) { return model.name == sha256; });
  if (models.size() >= kMostModels) models.erase(models.begin());
  models.push_back(measured);
  models.back().name = sha256;
  return box.store->SaveCalibration(box.box, kModels, ToText(models), false);
}

Status LearnFromKept(BoxProfile& box) {
  DE_TRY(const auto record, box.store->LoadCalibration(box.box, kModels));
  if (!record || record->complete || box.model.networks == 0) return {};
  DE_TRY(const std::vector<MeasuredModel> models, ModelsOf(record->text));
  DE_TRY(const std::vector<MeasuredModel> networks, KnownNetworks(box, false));
  std::vector<const MeasuredModel*> pointers;
  for (const MeasuredModel& model : models) pointers.push_back(&model);
  LearnFromModels(box.model, networks, pointers);
  DE_TRY_STATUS(box.store->SaveCalibration(box.box, kBoxModel, ToJson(box.model), box.calibrated));
  return box.store->SaveCalibration(box.box, kModels, record->text, true);
}

Result<bool> CalibrateBox(Engine& engine, BoxProfile& box, const CalibrateRequest& request, const Clock& clock) {
  const StopOnSignal signals;
  const Time start = clock.Now();
  const auto tell = [&](const std::string& text) {
    if (request.tell) request.tell(text);
  };
  DE_TRY(std::vector<MeasuredModel> networks, KnownNetworks(box, request.anew));
  const int known = static_cast<int>(networks.size());
  NetworkOptions options{.budget = request.budget * 8 / 10, .cores = AllowedCpus().size() > 1 ? 2 : 1};
  options.stop = [] { return stop_asked.load(); };
  options.tell = [&](int count, double part) {
    tell(fmt::format("calibrating: {} networks, {:.0f} %", count, 80 * part));
  };
  Meter meter;
  meter.Sample(clock);
  DE_TRY(networks, MeasureNetworks(engine, options, clock, std::move(networks)));
  const bool whole = !stop_asked;
  const double doubt = DoubtOf(meter.Sample(clock));
  DE_TRY_STATUS(box.store->SaveCalibration(box.box, kNetworks, ToText(networks), whole));
  if (networks.size() < 6) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("calibration was stopped after {} networks; the next one goes on", networks.size())};
  }
  tell(fmt::format("learning from {} networks", networks.size()));
  box.model = LearnBox(networks, ReadCacheSizes(MemoryMeasuring{}.cache_folder).last_level_bytes);
  box.model.extra_log_sd = doubt;
  DE_TRY_STATUS(box.store->SaveCalibration(box.box, kBoxModel, ToJson(box.model), whole));
  bool complete = whole;
  if (!stop_asked) {
    std::stop_source stop;
    MediaCalibrationOptions media;
    media.budget = std::max<Duration>(request.budget - (clock.Now() - start), std::chrono::seconds(5));
    media.progress = [&](std::string_view part) {
      if (stop_asked) stop.request_stop();
      tell(fmt::format("calibrating: {}", part));
    };
    const MediaCalibration measured = CalibrateMedia(media, clock, stop.get_token());
    for (const std::string& note : measured.notes) fmt::print(stderr, "note: {}\n", note);
    box.media = MediaCosts::Fit(measured.samples);
    complete = complete && !stop_asked;
    DE_TRY_STATUS(box.store->SaveCalibration(box.box, kMedia, ToJson(box.media), !stop_asked));
  }
  box.calibrated = complete;
  tell(fmt::format("calibrated: {} networks ({} new) in {:.0f} s", networks.size(),
                   static_cast<int>(networks.size()) - known,
                   static_cast<double>((clock.Now() - start).count()) / 1e6));
  return complete;
}

}  // namespace deepedge
