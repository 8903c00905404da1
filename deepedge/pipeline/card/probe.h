// Tries readings of a model on pictures: runs the network with each and keeps what gives saner results
// (probe_score.h). Machinery; the judgement is pure.
#pragma once

#include <vector>

#include "deepedge/engine/engine.h"
#include "deepedge/media/picture.h"
#include "deepedge/pipeline/card/write_card.h"

namespace deepedge {

// The card with what the pictures decided, its findings corrected. Tried is only what is not certain: order of colours,
// values, resize rule, whether boxes are in pixels. A clear result is needed to leave the reading that the evidence
// speaks for. Compiles once and runs the network some dozens of times; a model that takes longer than a second a
// picture is tried with fewer readings. Errors: what the engine says.
Result<WrittenCard> ProbeReadings(Engine& engine, const ModelFiles& files, const WrittenCard& card,
                                  const std::vector<RgbPicture>& pictures);

// The cards that differ from this one in one point that is not certain, the most likely first. Pure.
std::vector<WrittenCard> OtherReadings(const WrittenCard& card);

}  // namespace deepedge
