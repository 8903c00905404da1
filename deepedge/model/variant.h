// Variant: a form of a model, precision by input size, and what is known about it. The card lists those that were made
// for it, each with its measured agreement; one that agrees too little is kept in the list, so that nobody makes it
// again, but never used.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace deepedge {

enum class Precision { kFp32, kBf16, kInt8 };

std::string_view ToString(Precision precision);  // "fp32", "bf16", "int8"

struct VariantKey {
  Precision precision = Precision::kFp32;
  int width = 0;
  int height = 0;

  friend bool operator==(const VariantKey&, const VariantKey&) = default;
};

// "int8@416x256", and back; nothing for another text.
std::string ToString(const VariantKey& key);
std::optional<VariantKey> ParseVariant(std::string_view text);

struct VariantCard {
  VariantKey key;
  std::string graph;  // file of this form, relative to the model's own; empty: the model's own file serves
  // Measured against the card's own form (fp32 at the card's size) on `frames` frames: 1 = the same results. What is
  // compared depends on the task, see pipeline/agreement.h.
  double agreement = 0;
  int frames = 0;
  double least_agreement = 1;  // what was asked for when it was made; below it the variant is not used
  double time_ratio = 0;       // inference time against the card's own form, on the box that made it

  bool Usable() const { return agreement >= least_agreement; }

  friend bool operator==(const VariantCard&, const VariantCard&) = default;
};

}  // namespace deepedge
