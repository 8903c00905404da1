// ChooseLabels of write_card.h: written lists that fit, then the family's own, then the well-known lists of that
// length.
#include <fmt/format.h>

#include <algorithm>

#include "deepedge/base/text.h"
#include "deepedge/model/catalogue.h"
#include "deepedge/model/model_card_names.h"
#include "deepedge/pipeline/card/write_card.h"

namespace deepedge {
namespace {

using Labels = std::vector<std::string>;

bool IsBackground(const std::string& label) {
  const std::string word = LowerCase(label);
  return word.empty() || word == "background" || word == "__background__" || word == "_background_" || word == "???";
}

// The list without a first entry that only stands for "nothing".
Labels WithoutBackground(Labels labels) {
  if (!labels.empty() && IsBackground(labels.front())) labels.erase(labels.begin());
  return labels;
}

Labels FirstNumbers(int count) {
  Labels labels;
  for (int i = 0; i < count; ++i) labels.push_back(std::to_string(i));
  return labels;
}

// The list as the card's decoder counts, or nothing where it has another length.
std::optional<Labels> Fitting(const Labels& list, const Proposal& proposal, ModelCard* card) {
  const auto wanted = static_cast<size_t>(std::max(proposal.classes, 0));
  const OutputDecoderSpec& output = card->output;
  const Labels plain = WithoutBackground(list);
  if (wanted == 0) return output.label_offset == 1 ? plain : list;  // the decoder does not say how many
  if (output.kind == OutputDecoderKind::kSegmentation && list.size() == wanted && plain.size() + 1 == wanted) {
    card->output.background = 0;
    card->output.label_offset = 1;
    return plain;
  }
  if (list.size() == wanted) return list;
  if (plain.size() == wanted) return plain;
  return std::nullopt;
}

struct Known {
  Labels labels;
  double confidence = 0;
  std::string reason;
};

Known KnownList(const Evidence& evidence, const Proposal& proposal, ModelCard* card) {
  const bool detection = TaskOf(card->output.kind) == "detection";
  const int classes = proposal.classes;
  const OutputDecoderKind kind = card->output.kind;
  if (detection && classes == 80) return {CatalogueLabels("coco80.txt"), 0.85, "80 classes: those of COCO"};
  if (detection && (classes == 90 || classes == 91))
    return {CatalogueLabels("coco90.txt"), 0.85, "90 numbers: those of COCO"};
  if (detection && classes == 20) return {CatalogueLabels("voc20.txt"), 0.75, "20 classes: those of Pascal VOC"};
  if (kind == OutputDecoderKind::kClassification && classes == 1000) {
    return {CatalogueLabels("imagenet1000.txt"), 0.9, "1000 classes: those of ImageNet"};
  }
  if (kind == OutputDecoderKind::kSegmentation && classes == 21) {
    card->output.background = 0;
    card->output.label_offset = 1;
    return {CatalogueLabels("voc20.txt"), 0.85, "21 classes: those of Pascal VOC and the background"};
  }
  if (kind == OutputDecoderKind::kSegmentation && classes == 19)
    return {CatalogueLabels("cityscapes19.txt"), 0.7, "19 classes: those of Cityscapes"};
  const bool digits = evidence.picture && evidence.picture->channels == 1 && evidence.picture->width == 28;
  if (kind == OutputDecoderKind::kClassification && classes == 10 && digits)
    return {FirstNumbers(10), 0.8, "ten classes of grey 28x28 pictures: digits"};
  const bool wake = evidence.HasWord("vww") || evidence.HasWord("wake_words") || evidence.HasWord("person_detect");
  if (kind == OutputDecoderKind::kClassification && classes == 2 && wake) {
    return {{"no_person", "person"}, 0.7, "visual wake words: is a person seen"};
  }
  const bool cifar = evidence.HasWord("cifar");
  if (kind == OutputDecoderKind::kClassification && classes == 10 && cifar) {
    return {{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
            0.9,
            "CIFAR-10's classes"};
  }
  return {};
}

// What a detector of one class is called after.
Known OneClass(const Evidence& evidence) {
  for (const auto& [word, label] : std::initializer_list<std::pair<const char*, const char*>>{{"face", "face"},
                                                                                              {"plate", "plate"},
                                                                                              {"person", "person"},
                                                                                              {"pedestrian", "person"},
                                                                                              {"people", "person"},
                                                                                              {"head", "head"},
                                                                                              {"hand", "hand"},
                                                                                              {"palm", "palm"},
                                                                                              {"vehicle", "vehicle"},
                                                                                              {"car", "car"},
                                                                                              {"text", "text"},
                                                                                              {"fire", "fire"}}) {
    if (evidence.HasWord(word)) return {{label}, 0.7, fmt::format("the model is called after '{}'", word)};
  }
  return {};
}

std::string Shown(const Labels& labels) {
  std::string text;
  for (size_t i = 0; i < labels.size() && i < 4; ++i) text += (i == 0 ? "" : ", ") + labels[i];
  return labels.size() > 4 ? fmt::format("{}, ... ({})", text, labels.size()) : text;
}

}  // namespace

Finding ChooseLabels(const Evidence& evidence, const Proposal& proposal, ModelCard* card) {
  const auto take = [&](Labels labels, double confidence, std::string reason) {
    card->labels = std::move(labels);
    return Finding{"labels", Shown(card->labels), confidence, std::move(reason), {}};
  };
  const OutputDecoderKind kind = card->output.kind;
  const bool without = kind == OutputDecoderKind::kEmbedding || kind == OutputDecoderKind::kRegression ||
                       kind == OutputDecoderKind::kRaw;
  if (without) return Finding{"labels", "none", 0.95, "this kind has none", {}};
  // The points of one person are no list that stands beside a model.
  for (const auto& said : evidence.notes.labels) {
    if (kind == OutputDecoderKind::kPose || kind == OutputDecoderKind::kHeatmapPose) break;
    if (auto fitting = Fitting(said.value, proposal, card))
      return take(std::move(*fitting), said.confidence, said.where);
  }
  if (!proposal.labels.empty() &&
      (proposal.classes == 0 || proposal.labels.size() == static_cast<size_t>(proposal.classes))) {
    return take(proposal.labels, proposal.confidence, proposal.labels_reason);
  }
  Known known = KnownList(evidence, proposal, card);
  if (known.labels.empty() && proposal.classes <= 1 && TaskOf(kind) == "detection") known = OneClass(evidence);
  if (!known.labels.empty()) return take(std::move(known.labels), known.confidence, std::move(known.reason));
  if (kind == OutputDecoderKind::kSegmentation && proposal.classes > 1) {  // the decoder counts channels by them
    for (int i = 0; i < proposal.classes; ++i) card->labels.push_back(fmt::format("class {}", i));
  }
  Finding none{"labels", "class 0, class 1, ...", 0.3, "nothing beside the model or in it names them", {}};
  for (const auto& said : evidence.notes.labels) {
    none.alternatives.push_back(
        fmt::format("{} has {} names, {} are needed", said.where, said.value.size(), proposal.classes));
  }
  return none;
}

}  // namespace deepedge
