// The views of pictures that readings of a model are tried on: parts, mirror images, noise. Pure.
#pragma once

#include <vector>

#include "deepedge/media/picture.h"
#include "deepedge/model/model_card.h"

namespace deepedge {

// Does a network say one thing of the whole picture (classification, embedding)? It is then shown parts of pictures
// too.
bool SeesParts(OutputDecoderKind kind);

// The first few pictures, and, for networks that see parts, five parts of each. Pictures of less than 8 pixels a side
// are left out.
std::vector<RgbPicture> PartsOf(const std::vector<RgbPicture>& pictures, const ModelCard& card);

RgbPicture MirrorOf(const RgbPicture& picture);  // left and right changed over

// Noise in blocks of the picture's colours: nothing to see in it. The same for the same picture.
RgbPicture NoiseOf(const RgbPicture& picture);

// From x1, y1 to x2, y2 in fractions of the picture; at least one pixel.
RgbPicture CropOf(const RgbPicture& picture, double x1, double y1, double x2, double y2);

}  // namespace deepedge
