#include "deepedge/app/run_profiler.h"

#include <fmt/format.h>

#include <utility>

#include "deepedge/base/file.h"
#include "deepedge/base/log.h"
#include "deepedge/base/thread.h"

namespace deepedge {

namespace {

// Empty where the file cannot be read: then nothing is known and nothing kept of it.
std::string HashOf(const LoadedModel& model) {
  if (!model.sha256.empty()) return model.sha256;
  auto hash = Sha256OfFile(GraphFileOf(model.files));
  return hash.ok() ? std::move(hash).value() : std::string();
}

}  // namespace

std::string NameOfBox(const Engine& engine) {
  return fmt::format("{}, {} CPUs", engine.Description(), AllowedCpus().size());
}

std::unique_ptr<ProfileStore> RunProfiler::OpenStore(const Path& state_folder, const Clock& clock) {
  auto opened = ProfileStore::Open(state_folder, clock);
  if (!opened.ok()) {
    LogWarning("what this box learns is not kept: {}", opened.error().message);
    return nullptr;
  }
  std::unique_ptr<ProfileStore> store = std::move(opened).value();
  for (const std::string& note : store->notes()) LogWarning("{}", note);
  return store;
}

RunProfiler::RunProfiler(Engine& engine, const Path& state_folder,
                         const std::vector<std::unique_ptr<LoadedModel>>& models, size_t lanes, const Clock& clock)
    : clock_(clock), runs_(lanes, clock), store_(OpenStore(state_folder, clock)) {
  const std::string box = NameOfBox(engine);
  std::vector<WatchedModel> watched;
  for (const auto& model : models) {
    const std::string sha256 = store_ ? HashOf(*model) : std::string();
    watched.push_back(WatchedModelOf(*model, sha256));
    if (!store_ || sha256.empty()) continue;
    auto known = store_->Latest(box, sha256);
    if (known.ok() && known.value()) watched.back().profile = std::move(known.value()->profile);
    if (!known.ok()) LogWarning("model '{}': its profile cannot be read: {}", model->name, known.error().message);
  }
  if (store_) store_->SeenBox(box, box).Ignore("said with the first thing that is not kept");
  watch_ = std::make_unique<ProfileWatch>(ProfileWatch::Options{.box = box}, std::move(watched), runs_, store_.get(),
                                          clock_);
}

void RunProfiler::Start(const DataPlane& /*plane*/) { watch_->Start(); }

void RunProfiler::Stop() { watch_->Stop(); }

}  // namespace deepedge
