// Which of several readings of a network's outputs to take: the evidence proposes, pictures may speak against it. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "deepedge/model/model_card.h"
#include "deepedge/pipeline/card/probe_score.h"

namespace deepedge {

// A reading with how sure the evidence is of it.
struct ReadingOdds {
  OutputDecoderKind kind = OutputDecoderKind::kRaw;
  double confidence = 0;
};

// Those that should be tried beside the first, the evidence's, in order and without it: near enough in confidence to a
// first that is not settled, and with results that can be compared with its results. A few at most.
std::vector<size_t> ReadingsToTry(const std::vector<ReadingOdds>& readings);

struct TriedReading {
  double confidence = 0;         // of the evidence
  std::optional<Sanity> sanity;  // nothing: it could not be run, or nothing can be said
};

// The one to take. The first, the evidence's, unless another is clearly saner in the same unit (IsClearlySaner with the
// evidence's odds between the two); of several such the sanest. `tried` is not empty.
size_t ChooseReading(const std::vector<TriedReading>& tried);

}  // namespace deepedge
