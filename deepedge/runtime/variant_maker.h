// MakeVariant: makes a cheaper form of a model and measures on real frames what it costs in agreement and saves in
// time.
#pragma once

#include <span>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"
#include "deepedge/media/picture.h"
#include "deepedge/model/model_card.h"
#include "deepedge/model/model_files.h"

namespace deepedge {

struct VariantRequest {
  VariantKey key;
  double least_agreement = 0.98;
  Path folder;  // of the model's file: an int8 graph is written into its subfolder `variants`, under a name of its own
};

// The size that has no bands when a letterboxed picture of source_width x source_height is put into `input`: the longer
// side stays, the other is as much as the picture needs, rounded up to `multiple` (32: the largest stride that is
// common). The input's own size where the model stretches. Pure.
VariantKey WithoutBands(const PictureInput& input, int source_width, int source_height, int multiple = 32);

// The card of a model in another size: the same but for the size of the input.
ModelCard CardOfVariant(const ModelCard& card, const VariantKey& key);

// Makes the variant and compares it with the card's own form. int8: frames at even positions calibrate and those at odd
// ones are compared, so that nothing is measured on what it was fitted to; the least cautious form that agrees enough
// is kept, or the best one, marked as not usable. Other precisions are compared on all frames. Takes seconds to
// minutes. Errors: kUnsupported (the graph does not allow the size, the CPU not the precision, the card has no decoder
// to compare by), kBadInput (too few frames, or nothing seen on any of them). After an error no file is left.
Result<VariantCard> MakeVariant(Engine& engine, const ModelFiles& files, const ModelCard& card,
                                const VariantRequest& request, std::span<const RgbPicture> frames, const Clock& clock);

// Removes the graphs in `folder`/variants that no variant of the card names: those that newer ones took the place of.
// Call it when the card is written. Whoever has loaded one keeps it: its file is mapped.
void RemoveUnusedForms(const Path& folder, const ModelCard& card);

}  // namespace deepedge
