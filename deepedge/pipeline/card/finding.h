// Finding: one thing that was worked out about a model, with how sure it is and why.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace deepedge {

struct Finding {
  std::string field;  // as the card calls it: "input.color", "output.decoder", "labels"
  std::string value;
  double confidence = 0;  // 0 to 1: how often such a reading turns out right
  std::string reason;     // what speaks for it, a part of a sentence
  std::vector<std::string> alternatives;

  friend bool operator==(const Finding&, const Finding&) = default;
};

constexpr double kSettledConfidence = 0.9;  // from here on a finding is taken as it is

// "certain" from 0.9 on, "likely" from 0.6 on, else "guess".
std::string_view ConfidenceWord(double confidence);

// "input.color: bgr (likely: Caffe networks take BGR)".
std::string ToSentence(const Finding& finding);

}  // namespace deepedge
