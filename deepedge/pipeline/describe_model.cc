#include "deepedge/pipeline/describe_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "deepedge/model/catalogue.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/pipeline/card/notes.h"
#include "deepedge/pipeline/card/probe.h"
#include "deepedge/pipeline/card/write_card.h"
#include "deepedge/pipeline/post/output_decoder.h"

namespace deepedge {
namespace {

// The folder that a card lies in: the model's own, whether the graph is a file or, for a SavedModel, the folder itself.
Path CardFolderOf(const ModelFiles& files) {
  const Path folder = FolderOfModel(files);
  std::error_code ec;
  const Path whole = std::filesystem::absolute(folder, ec).lexically_normal();
  if (ec) return folder;
  return whole.has_filename() ? whole : whole.parent_path();  // "a/b/" ends in an empty name
}

std::optional<Path> FindCardFile(const ModelFiles& files) {
  const Path folder = CardFolderOf(files);
  std::error_code ec;
  if (std::filesystem::exists(folder / "model.yaml", ec)) return folder / "model.yaml";
  const Path above = folder.parent_path() / "model.yaml";
  if (!IsVersionFolder(folder) || !std::filesystem::exists(above, ec)) return std::nullopt;
  // In the repository the card above is of the version that serves; the others keep their own.
  const Path kept = folder / ".card.yaml";
  if (!std::filesystem::exists(kept, ec)) return above;
  const auto card = LoadModelCard(above);
  const bool is_of_other =
      card.ok() && card.value().version > 0 && std::to_string(card.value().version) != folder.filename().string();
  return is_of_other ? kept : above;
}

}  // namespace

std::string_view ToString(CardOrigin origin) {
  switch (origin) {
    case CardOrigin::kFile: return "model.yaml";
    case CardOrigin::kCatalogue: return "catalogue";
    case CardOrigin::kGuess: return "guess from the graph";
  }
  return "?";
}

namespace {

// The hash of a model's graph file, read when it is first asked for.
class GraphHash {
 public:
  explicit GraphHash(const ModelFiles& files) : file_(GraphFileOf(files)) {}

  Result<std::string> Get() {
    if (sha256_.empty()) {
      DE_TRY(sha256_, Sha256OfFile(file_));
    }
    return sha256_;
  }

 private:
  Path file_;
  std::string sha256_;
};

// A description from the card file or the catalogue, or nothing.
Result<std::optional<ModelDescription>> FindWritten(const ModelFiles& files, GraphHash& hash,
                                                    const DescribeOptions& options) {
  const auto card_file = options.use_card_file ? FindCardFile(files) : std::nullopt;
  if (card_file) {
    ModelDescription described{.origin = CardOrigin::kFile, .card_file = *card_file};
    DE_TRY(described.card, LoadModelCard(*card_file));
    if (!described.card.sha256.empty()) {
      DE_TRY(const std::string sha256, hash.Get());
      if (sha256 != described.card.sha256) {
        return Error{ErrorCode::kBadInput,
                     fmt::format("{}: the card is for a graph with sha256 {}, but {} has {}", card_file->string(),
                                 described.card.sha256, GraphFileOf(files).string(), sha256)};
      }
    }
    if (described.card.name.empty()) described.card.name = card_file->parent_path().filename().string();
    return std::optional(std::move(described));
  }
  if (!options.use_catalogue) return std::optional<ModelDescription>();
  DE_TRY(const std::string sha256, hash.Get());
  auto card = FindInCatalogue(sha256);
  if (!card) return std::optional<ModelDescription>();
  return std::optional(ModelDescription{.card = std::move(*card), .origin = CardOrigin::kCatalogue});
}

ModelDescription ToDescription(WrittenCard written, const std::string& sha256) {
  ModelDescription description{.card = std::move(written.card), .findings = std::move(written.findings)};
  description.card.sha256 = sha256;
  for (const Finding& finding : description.findings) {
    if (finding.confidence < kSettledConfidence) description.assumptions.push_back(ToSentence(finding));
  }
  return description;
}

constexpr std::string_view kCardHelp =
    "put a model.yaml beside it that gives input (layout, width, height, color, mean, std, resize), output.decoder and "
    "labels";

// Does an output's size follow only from that of the picture? Then nothing can be checked before it is compiled.
bool HasOpenRows(const GraphInfo& graph) {
  for (const TensorSpec& output : graph.outputs) {
    if (output.shape.size() > 1 && !IsStatic(Shape(output.shape.begin() + 1, output.shape.end()))) return true;
  }
  return false;
}

std::vector<WrittenCard> WriteCards(const Evidence& evidence, std::string* why_raw) {
  std::vector<WrittenCard> cards;
  if (!evidence.picture) {
    *why_raw = fmt::format("{}: it runs on raw tensors", evidence.no_picture_because);
    return cards;
  }
  std::string refused;
  for (const Proposal& proposal : ProposeAll(evidence)) {
    WrittenCard written = WriteCard(evidence, proposal);
    const auto decoder = MakeOutputDecoder(written.card, evidence.graph.outputs);
    if (decoder.ok() || HasOpenRows(evidence.graph)) {
      cards.push_back(std::move(written));
    } else if (refused.empty()) {
      refused = fmt::format("; nearest was {}, but {}", proposal.family, decoder.error().message);
    }
  }
  *why_raw = fmt::format("its outputs are of no form that is known ({}){}: {}", DescribeTensors(evidence.graph.outputs),
                         refused, kCardHelp);
  return cards;
}

// Cards of a graph whose open shapes say too little, from its form for one picture.
std::vector<WrittenCard> WriteSizedCards(const ModelFiles& files, const Evidence& open) {
  std::vector<WrittenCard> cards;
  if (!open.graph.sized || !open.picture) return cards;
  std::string ignored;
  cards = WriteCards(MakeEvidence(files, *open.graph.sized, open.notes), &ignored);
  if (open.picture->width > 0 && open.picture->height > 0) return cards;
  for (WrittenCard& card : cards) {
    for (Finding& finding : card.findings) {
      if (finding.field != "input.size") continue;
      finding.confidence = open.notes.size ? open.notes.size->confidence : 0.5;
      finding.reason = open.notes.size ? fmt::format("{} says so", open.notes.size->where)
                                       : "the graph takes any size: a usual one of such networks";
    }
  }
  return cards;
}

// Every reading of the outputs that a decoder can be made for, the likeliest first.
std::vector<WrittenCard> WriteReadings(const ModelFiles& files, const GraphInfo& graph) {
  const Evidence evidence = MakeEvidence(files, graph, Merge(NotesInMetadata(graph.metadata), NotesBeside(files)));
  std::string why_raw;
  std::vector<WrittenCard> cards = WriteCards(evidence, &why_raw);
  if (cards.empty()) cards = WriteSizedCards(files, evidence);
  if (cards.empty()) cards.push_back(WriteRawCard(evidence, why_raw));
  return cards;
}

ModelDescription DescribeUntried(const ModelFiles& files, const GraphInfo& graph, const std::string& sha256) {
  std::vector<WrittenCard> readings = WriteReadings(files, graph);
  const bool undecided = PicturesCouldDecide(readings);
  ModelDescription description = ToDescription(TakeFirst(std::move(readings)), sha256);
  description.undecided = undecided;
  return description;
}

}  // namespace

Result<ModelDescription> DescribeModel(const ModelFiles& files, const GraphInfo& graph,
                                       const DescribeOptions& options) {
  GraphHash hash(files);
  DE_TRY(auto written, FindWritten(files, hash, options));
  if (written) return std::move(*written);
  DE_TRY(const std::string sha256, hash.Get());
  return DescribeUntried(files, graph, sha256);
}

Result<ModelDescription> DescribeModel(Engine& engine, const ModelFiles& files) {
  GraphHash hash(files);
  DE_TRY(auto written, FindWritten(files, hash, {}));
  if (written) return std::move(*written);
  DE_TRY(const GraphInfo graph, engine.Inspect(files));
  DE_TRY(const std::string sha256, hash.Get());
  return DescribeUntried(files, graph, sha256);
}

Result<ModelDescription> DescribeWithProbe(Engine& engine, const ModelFiles& files, const GraphInfo& graph,
                                           const std::vector<RgbPicture>& pictures, const DescribeOptions& options) {
  GraphHash hash(files);
  DE_TRY(auto written, FindWritten(files, hash, options));
  if (written) return std::move(*written);
  DE_TRY(const std::string sha256, hash.Get());
  std::vector<WrittenCard> readings = WriteReadings(files, graph);
  auto probed = ProbeReadings(engine, files, readings, pictures);
  if (probed.ok()) return ToDescription(std::move(probed).value(), sha256);
  ModelDescription description = ToDescription(TakeFirst(std::move(readings)), sha256);
  description.assumptions.push_back(fmt::format("nothing was tried on the pictures: {}", probed.error().message));
  return description;
}

}  // namespace deepedge
