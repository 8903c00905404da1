// The built-in font: 5x7 pixels a glyph, printable ASCII.
#pragma once

#include <array>
#include <cstdint>

namespace deepedge {

constexpr int kGlyphWidth = 5;
constexpr int kGlyphHeight = 7;

// One byte a row from the top; bit 4 is the leftmost pixel.
using Glyph = std::array<uint8_t, kGlyphHeight>;

// Pure. '?' for what the font does not have.
const Glyph& GlyphOf(char character);

}  // namespace deepedge
