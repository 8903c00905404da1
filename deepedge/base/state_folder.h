// Where this program keeps what outlives a run, for a user who did not say: models, events, galleries.
#pragma once

#include "deepedge/base/file.h"

namespace deepedge {

// $XDG_STATE_HOME/deepedge, else ~/.local/state/deepedge, else /var/lib/deepedge. A relative $XDG_STATE_HOME does not
// count, as its standard demands. Creates nothing.
Path DefaultStateFolder();

// The outbox in a state folder: `deepedge run` writes it, `deepedge events` reads it.
Path EventsFileIn(const Path& state_folder);

}  // namespace deepedge
