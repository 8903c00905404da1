// WantedProbes: which settings of which models should be measured when there is time, first come first served; between
// those who find out (a start without a profile, a stage that has drifted) and IdleProbe, which asks. Each once; of a
// model 16 at most, a further one is refused. Thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deepedge/base/mutex.h"
#include "deepedge/plan/profile.h"

namespace deepedge {

class WantedProbes {
 public:
  static constexpr size_t kMostOfAModel = 16;

  // False when there are too many already.
  bool Want(const std::string& model, const Setting& setting) DE_EXCLUDES(mutex_);
  // The one that has waited for longest; it stays until it is done.
  std::optional<Setting> Next(const std::string& model) const DE_EXCLUDES(mutex_);
  void HandleDone(const std::string& model, const Setting& setting) DE_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::vector<Setting>> wanted_ DE_GUARDED_BY(mutex_);
};

}  // namespace deepedge
