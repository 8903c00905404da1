#include "deepedge/runtime/wanted_probes.h"

#include <algorithm>

namespace deepedge {

bool WantedProbes::Want(const std::string& model, const Setting& setting) {
  MutexLock lock(mutex_);
  std::vector<Setting>& wanted = wanted_[model];
  if (std::ranges::find(wanted, setting) != wanted.end()) return true;
  if (wanted.size() >= kMostOfAModel) return false;
  wanted.push_back(setting);
  return true;
}

std::optional<Setting> WantedProbes::Next(const std::string& model) const {
  MutexLock lock(mutex_);
  const auto found = wanted_.find(model);
  if (found == wanted_.end() || found->second.empty()) return std::nullopt;
  return found->second.front();
}

void WantedProbes::HandleDone(const std::string& model, const Setting& setting) {
  MutexLock lock(mutex_);
  const auto found = wanted_.find(model);
  if (found != wanted_.end()) std::erase(found->second, setting);
}

}  // namespace deepedge
