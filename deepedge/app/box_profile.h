// What the verbs about profiles share: the store in the state folder, this box's name in it, what calibration has left
// there.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"
#include "deepedge/profiler/fit/box_model.h"
#include "deepedge/profiler/media_cost/media_costs.h"
#include "deepedge/profiler/meter/box.h"
#include "deepedge/profiler/store/profile_store.h"

namespace deepedge {

struct BoxProfile {
  std::string box;  // its fingerprint
  std::unique_ptr<ProfileStore> store;
  BoxModel model;           // networks = 0: not calibrated
  MediaCosts media;         // of a box that is not calibrated: rough guesses
  bool calibrated = false;  // completely
};

// The box as `engine` runs on it. Never fails: what cannot be read is unknown.
BoxIdentity ThisBox(const Engine& engine);

// Opens the store in `state_folder` (made where it is missing) and reads what is known of this box; says on standard
// error what somebody should know. Errors: as ProfileStore::Open.
Result<BoxProfile> OpenBoxProfile(const Engine& engine, const Path& state_folder, const Clock& clock);

// Keeps what was measured of a model, and learns from it with the next calibration or profile: LearnFromKept.
Status KeepMeasured(BoxProfile& box, const std::string& sha256, const MeasuredModel& measured);
// What was kept since the box has learned last makes its layer model better; nothing to learn costs nothing.
Status LearnFromKept(BoxProfile& box);

struct CalibrateRequest {
  Duration budget = std::chrono::seconds(165);
  bool anew = false;  // forget what an interrupted calibration has left
  std::function<void(const std::string&)> tell;
};

// Calibrates the box and keeps it in the store: networks, then what is around them. Ctrl-C ends it; what was measured
// is kept, and the next call goes on. True: complete.
Result<bool> CalibrateBox(Engine& engine, BoxProfile& box, const CalibrateRequest& request, const Clock& clock);

}  // namespace deepedge
