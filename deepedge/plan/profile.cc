#include "deepedge/plan/profile.h"

#include <fmt/format.h>

#include <algorithm>

namespace deepedge {

std::string ToString(const Setting& setting) {
  std::string text(setting.variant.width > 0 ? ToString(setting.variant)
                                             : std::string(ToString(setting.variant.precision)));
  if (setting.batch > 1) text += fmt::format(" batch {}", setting.batch);
  if (setting.cores > 1) text += fmt::format(" on {} cores", setting.cores);
  return text;
}

const SettingCost* FindCost(const Profile& profile, const Setting& setting) {
  const auto found = std::find_if(profile.costs.begin(), profile.costs.end(),
                                  [&](const SettingCost& cost) { return cost.setting == setting; });
  return found == profile.costs.end() ? nullptr : &*found;
}

}  // namespace deepedge
