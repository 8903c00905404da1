// From evidence to a card: the best proposal, the input that its family takes unless somebody says otherwise, labels.
// Pure. Everything that is decided leaves a Finding.
#pragma once

#include <vector>

#include "deepedge/pipeline/card/evidence.h"
#include "deepedge/pipeline/card/proposal.h"

namespace deepedge {

struct WrittenCard {
  ModelCard card;
  std::vector<Finding> findings;
};

// The card that a proposal makes.
WrittenCard WriteCard(const Evidence& evidence, const Proposal& proposal);

// The card of a model that nobody has a reading for: raw tensors, `reason` why.
WrittenCard WriteRawCard(const Evidence& evidence, const std::string& reason);

// The first, with the other readings of the outputs as its alternatives, for the user. `readings` is not empty.
WrittenCard TakeFirst(std::vector<WrittenCard> readings);

// How the numbers that go in are made, with how sure that is and why.
struct InputReading {
  PictureInput input;
  std::vector<Finding> findings;  // input.layout, .size, .color, .values, .resize
};

InputReading ReadInput(const Evidence& evidence, const InputHabit& habit);

// The labels of a card whose decoder is set; may set the decoder's background where the labels name one.
Finding ChooseLabels(const Evidence& evidence, const Proposal& proposal, ModelCard* card);

}  // namespace deepedge
