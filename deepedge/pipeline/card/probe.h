// Tries readings of a model on pictures: runs the network with each (prober.h) and keeps what gives saner results
// (probe_score.h). Machinery; the judgement is pure.
#pragma once

#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/media/picture.h"
#include "deepedge/pipeline/card/write_card.h"

namespace deepedge {

// Takes a reading of the outputs, then of what goes in, and says in its findings what was tried. `readings`: what the
// evidence proposes, the likeliest first, not empty. Tried is only what is not settled:
//  - readings of the outputs (decoders) that are about as likely, each with the input that it asks for
//    (choose_reading.h); one that cannot be run is left out;
//  - of the one that is taken the order of colours, values, resize rule, whether boxes are in pixels.
// A clear result is needed to leave what the evidence speaks for. Compiles once, and not at all where nothing is open;
// runs the network some dozens of times a picture. Errors: what the engine says.
Result<WrittenCard> ProbeReadings(Engine& engine, const ModelFiles& files, std::vector<WrittenCard> readings,
                                  const std::vector<RgbPicture>& pictures);

// Is anything open that pictures could decide? `readings` as above. Pure.
bool PicturesCouldDecide(const std::vector<WrittenCard>& readings);

// The cards that differ from this one in one point that is not certain, the most likely first. Pure.
std::vector<WrittenCard> OtherReadings(const WrittenCard& card);

}  // namespace deepedge
