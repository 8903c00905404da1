// UpdateCard: a change of a model's card by somebody who read it a while ago. The card is read again under the
// repository's lock, and written at once: what others changed meanwhile stays, and a version that no longer serves has
// the change entered into the card that it keeps. Works for a folder with a model.yaml outside a repository too; then
// there is no lock. Blocks (the lock: 30 s at most); any thread.
#pragma once

#include <functional>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/model/model_card.h"

namespace deepedge {

// `card_file` and `seen`: where the card was read from (ModelDescription::card_file), and what it said. Errors:
// kUnavailable when the card is now for another version or graph (`seen.version`, `seen.sha256`), or the lock is taken;
// kNotFound when the version is gone; those of `change`; kBadInput when the changed card could not be read again.
// After an error the card is as it was.
Status UpdateCard(const Path& card_file, const ModelCard& seen, const std::function<Status(ModelCard&)>& change);

// Enters a form that was made for the model, in place of one of the same key.
Status EnterVariant(const Path& card_file, const ModelCard& seen, const VariantCard& made);

// kBadInput when the card, written out, would not be read again. Names and labels may come from files of any kind.
Status CheckReadsBack(const ModelCard& card);

}  // namespace deepedge
