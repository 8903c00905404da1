#include "deepedge/pipeline/card/probe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "deepedge/model/model_card_names.h"
#include "deepedge/pipeline/card/choose_reading.h"
#include "deepedge/pipeline/card/probe_views.h"
#include "deepedge/pipeline/card/prober.h"

namespace deepedge {
namespace {

Finding* Find(const char* field, std::vector<Finding>* findings) {
  const auto it = std::find_if(findings->begin(), findings->end(), [&](const Finding& f) { return f.field == field; });
  return it == findings->end() ? nullptr : &*it;
}

bool IsOpen(const char* field, const WrittenCard& card) {
  for (const Finding& finding : card.findings) {
    if (finding.field == field) return finding.confidence < kSettledConfidence;
  }
  return false;
}

WrittenCard With(const WrittenCard& card, const char* field, std::string value) {
  WrittenCard other = card;
  if (Finding* finding = Find(field, &other.findings)) finding->value = std::move(value);
  return other;
}

bool IsDetection(const ModelCard& card) { return TaskOf(card.output.kind) == "detection"; }

// Numbers that a network could not tell apart.
bool Alike(const ValueRule& a, const ValueRule& b) {
  for (size_t c = 0; c < 3; ++c) {
    if (std::abs(a.mean[c] - b.mean[c]) > 0.05F * std::max(a.std[c], b.std[c]) ||
        std::abs(a.std[c] / b.std[c] - 1) > 0.05F)
      return false;
  }
  return true;
}

WrittenCard WithValues(const WrittenCard& card, const ValueRule& rule) {
  WrittenCard other = With(card, "input.values", ToString(rule));
  other.card.input.mean = rule.mean;
  other.card.input.std = rule.std;
  return other;
}

void AddValues(const WrittenCard& card, std::vector<WrittenCard>* others) {
  const ValueRule usual{card.card.input.mean, card.card.input.std};
  const bool gray = card.card.input.order == ChannelOrder::kGray;
  const bool bgr = card.card.input.order == ChannelOrder::kBgr;
  std::vector<ValueRule> rules{kUnit, kPlusMinusOne, kBytes};
  if (!gray) rules.push_back(bgr ? kImageNetBgr : kImageNetRgb);
  if (!gray) rules.push_back(bgr ? kCaffeBgr : ValueRule{{123, 117, 104}, {1, 1, 1}});
  for (const ValueRule& rule : rules) {
    if (!Alike(rule, usual)) others->push_back(WithValues(card, rule));
  }
}

WrittenCard WithOtherOrder(const WrittenCard& card) {
  const bool to_bgr = card.card.input.order == ChannelOrder::kRgb;
  WrittenCard other = With(card, "input.color", to_bgr ? "bgr" : "rgb");
  PictureInput& input = other.card.input;
  input.order = to_bgr ? ChannelOrder::kBgr : ChannelOrder::kRgb;
  std::swap(input.mean[0], input.mean[2]);
  std::swap(input.std[0], input.std[2]);
  if (Finding* values = Find("input.values", &other.findings))
    values->value = ToString(ValueRule{input.mean, input.std});
  return other;
}

// How sure the evidence is of what the other card has differently.
double PriorAgainst(const WrittenCard& usual, const WrittenCard& other) {
  double prior = 0.5;
  for (size_t i = 0; i < usual.findings.size() && i < other.findings.size(); ++i) {
    if (usual.findings[i].value != other.findings[i].value) prior = std::max(prior, usual.findings[i].confidence);
  }
  return prior;
}

struct Scored {
  WrittenCard card;
  Sanity sanity;
};

// What was settled by trying: said in the findings.
void NoteDifferences(const WrittenCard& usual, const Sanity& usual_sanity, const Sanity& best_sanity,
                     WrittenCard* best) {
  for (Finding& finding : best->findings) {
    for (const Finding& before : usual.findings) {
      if (before.field != finding.field || before.value == finding.value) continue;
      finding.alternatives.push_back(fmt::format("{} ({})", before.value, before.reason));
      finding.confidence = 0.85;
      finding.reason = fmt::format("tried on the pictures: {:.2f} against {:.2f} for {}", best_sanity.value,
                                   usual_sanity.value, before.value);
    }
  }
}

// What the pictures did not speak against gains.
void Confirm(const Sanity& usual_sanity, const Sanity& next_sanity, const char* field, WrittenCard* card) {
  Finding* finding = Find(field, &card->findings);
  if (finding == nullptr || finding->confidence >= kSettledConfidence ||
      !IsClearlySaner(usual_sanity, next_sanity, 0.5))
    return;
  finding->confidence = std::max(finding->confidence, 0.88);
  finding->reason +=
      fmt::format("; tried on the pictures: {:.2f}, the next {:.2f}", usual_sanity.value, next_sanity.value);
}

// Are results of this kind ones that sanity can be told of?
bool HasSanity(OutputDecoderKind kind) {
  return kind != OutputDecoderKind::kRaw && kind != OutputDecoderKind::kRegression;
}

bool HasOpenResize(const WrittenCard& card) { return IsDetection(card.card) && IsOpen("input.resize", card); }

std::vector<ReadingOdds> OddsOf(const std::vector<WrittenCard>& readings) {
  std::vector<ReadingOdds> odds;
  for (const WrittenCard& one : readings) odds.push_back({one.card.output.kind, one.findings.front().confidence});
  return odds;
}

// "yolox, with objectness"
std::string NameOfReading(const WrittenCard& card) {
  for (const Finding& finding : card.findings) {
    if (finding.field == "output.decoder") return finding.value;
  }
  return card.card.task;
}

// What was tried, said in the findings of the reading that was taken; `taken` and its rivals are places in `tried`.
void NoteTrial(const std::vector<WrittenCard>& readings, const std::vector<size_t>& places,
               const std::vector<TriedReading>& tried, size_t taken, WrittenCard* card) {
  std::vector<std::string> rivals;
  bool clear = true;
  for (size_t i = 0; i < tried.size(); ++i) {
    if (i == taken || !tried[i].sanity) continue;
    rivals.push_back(fmt::format("{:.2f} for {}", tried[i].sanity->value, NameOfReading(readings[places[i]])));
    clear = clear && IsClearlySaner(*tried[taken].sanity, *tried[i].sanity, 0.5);
  }
  if (rivals.empty()) return;
  for (const char* field : {"task", "output.decoder"}) {
    Finding* finding = Find(field, &card->findings);
    if (finding == nullptr) continue;
    finding->reason +=
        fmt::format("; tried on the pictures: {:.2f} against {}", tried[taken].sanity->value, fmt::join(rivals, ", "));
    if (taken != 0) {
      finding->confidence = std::max(finding->confidence, 0.85);
    } else if (clear) {
      finding->confidence = std::max(finding->confidence, 0.88);
    } else {
      finding->reason += ", which does not speak against it";
    }
  }
}

// Puts the reading of the outputs that the pictures speak for first; gives how sane it is. Errors: those of the
// evidence's. Others that cannot be run are left out.
Result<std::optional<Sanity>> SettleOutputs(Prober& prober, const std::vector<RgbPicture>& parts,
                                            std::vector<WrittenCard>* readings) {
  std::vector<size_t> places{0};
  for (const size_t other : ReadingsToTry(OddsOf(*readings))) places.push_back(other);
  std::vector<TriedReading> tried;
  for (const size_t place : places) {
    const WrittenCard& reading = (*readings)[place];
    auto sanity = prober.Try(reading.card, parts);
    if (!sanity.ok() && place == 0) return sanity.error();
    tried.push_back({reading.findings.front().confidence, sanity.ok() ? sanity.value() : std::nullopt});
  }
  const size_t taken = ChooseReading(tried);
  if (!tried[taken].sanity) return std::optional<Sanity>();
  WrittenCard card = (*readings)[places[taken]];
  NoteTrial(*readings, places, tried, taken, &card);
  readings->erase(readings->begin() + static_cast<long>(places[taken]));
  readings->insert(readings->begin(), std::move(card));
  return tried[taken].sanity;
}

// Orders of colours differ little: the other one is taken only where it is clearly saner than the best of this one.
Result<Scored> SettleInput(Prober& prober, const std::vector<RgbPicture>& parts, const Scored& usual) {
  Scored best = usual;
  std::optional<Scored> best_other_order;
  std::optional<Sanity> next_values, next_color;
  for (WrittenCard& other : OtherReadings(usual.card)) {
    DE_TRY(const std::optional<Sanity> sanity, prober.Try(other.card, parts));
    if (!sanity) continue;
    const bool same_order = other.card.input.order == usual.card.card.input.order;
    std::optional<Sanity>& next = same_order ? next_values : next_color;
    if (!next || next->value < sanity->value) next = sanity;
    if (same_order && sanity->value > best.sanity.value) best = {std::move(other), *sanity};
    if (!same_order && (!best_other_order || sanity->value > best_other_order->sanity.value)) {
      best_other_order = Scored{std::move(other), *sanity};
    }
  }
  bool changed = IsClearlySaner(best.sanity, usual.sanity, PriorAgainst(usual.card, best.card));
  if (!changed) best = usual;
  if (best_other_order &&
      IsClearlySaner(best_other_order->sanity, best.sanity, PriorAgainst(usual.card, best_other_order->card))) {
    best = std::move(*best_other_order);
    changed = true;
  }
  if (changed) NoteDifferences(usual.card, usual.sanity, best.sanity, &best.card);
  if (!changed && next_values) Confirm(usual.sanity, *next_values, "input.values", &best.card);
  if (!changed && next_color) Confirm(usual.sanity, *next_color, "input.color", &best.card);
  return best;
}

Result<WrittenCard> SettleResize(Prober& prober, const std::vector<RgbPicture>& parts, Scored best) {
  if (!HasOpenResize(best.card)) return std::move(best.card);
  WrittenCard other = best.card;
  const bool stretched = other.card.input.resize == ResizeRule::kStretch;
  other.card.input.resize = stretched ? ResizeRule::kLetterboxCentered : ResizeRule::kStretch;
  if (Finding* finding = Find("input.resize", &other.findings))
    finding->value = stretched ? "letterbox_centered" : "stretch";
  DE_TRY(const std::optional<Sanity> sanity, prober.Try(other.card, parts));
  if (!sanity || !IsClearlySaner(*sanity, best.sanity, PriorAgainst(best.card, other))) return std::move(best.card);
  NoteDifferences(best.card, best.sanity, *sanity, &other);
  return other;
}

}  // namespace

std::vector<WrittenCard> OtherReadings(const WrittenCard& card) {
  std::vector<WrittenCard> others;
  const bool gray = card.card.input.order == ChannelOrder::kGray;
  const bool values = IsOpen("input.values", card);
  if (values) AddValues(card, &others);
  if (IsOpen("input.color", card) && !gray) {
    const WrittenCard other_order = WithOtherOrder(card);
    others.push_back(other_order);
    if (values) AddValues(other_order, &others);
  }
  const OutputDecoderKind kind = card.card.output.kind;
  const bool scaled = kind == OutputDecoderKind::kBoxesScores || kind == OutputDecoderKind::kDetections ||
                      kind == OutputDecoderKind::kDetectionRows;
  if (scaled && IsOpen("output.decoder", card)) {
    WrittenCard other =
        With(card, "output.decoder", card.card.output.normalized ? "boxes in pixels" : "boxes in fractions");
    other.card.output.normalized = !card.card.output.normalized;
    others.push_back(std::move(other));
  }
  return others;
}

bool PicturesCouldDecide(const std::vector<WrittenCard>& readings) {
  const WrittenCard& first = readings.front();
  const OutputDecoderKind kind = first.card.output.kind;
  if (first.card.input.width == 0 || !HasSanity(kind)) return false;
  return !ReadingsToTry(OddsOf(readings)).empty() || !OtherReadings(first).empty() || HasOpenResize(first);
}

Result<WrittenCard> ProbeReadings(Engine& engine, const ModelFiles& files, std::vector<WrittenCard> readings,
                                  const std::vector<RgbPicture>& pictures) {
  const std::vector<RgbPicture> parts = PartsOf(pictures, readings.front().card);
  if (parts.empty() || !PicturesCouldDecide(readings)) return TakeFirst(std::move(readings));
  DE_TRY(const auto model, engine.Compile(files, {}));
  Prober prober(*model);
  DE_TRY(const std::optional<Sanity> usual, SettleOutputs(prober, parts, &readings));
  WrittenCard card = TakeFirst(std::move(readings));
  if (!usual) return card;
  DE_TRY(Scored best, SettleInput(prober, parts, {std::move(card), *usual}));
  return SettleResize(prober, parts, std::move(best));
}

}  // namespace deepedge
