#include "deepedge/base/state_folder.h"

#include <cstdlib>

namespace deepedge {

Path DefaultStateFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return Path(state) / "deepedge";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] != '\0') return Path(home) / ".local" / "state" / "deepedge";
  return "/var/lib/deepedge";
}

Path EventsFileIn(const Path& state_folder) { return state_folder / "events.db"; }

}  // namespace deepedge
