#include "deepedge/app/model_describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "deepedge/app/json_line.h"
#include "deepedge/app/model_commands.h"
#include "deepedge/formats/foreign_reader.h"
#include "deepedge/formats/sniff.h"
#include "deepedge/model/model_card_io.h"
#include "deepedge/pipeline/describe_model.h"
#include "deepedge/runtime/model_loader.h"
#include "deepedge/runtime/probe_pictures.h"

namespace deepedge {
namespace {

nlohmann::json ToJson(const Finding& finding) {
  return {{"field", finding.field},           {"value", finding.value},
          {"confidence", finding.confidence}, {"sure", ConfidenceWord(finding.confidence)},
          {"reason", finding.reason},         {"alternatives", finding.alternatives}};
}

nlohmann::json ToJson(const std::vector<TensorSpec>& tensors) {
  nlohmann::json list = nlohmann::json::array();
  for (const TensorSpec& tensor : tensors) {
    list.push_back({{"name", tensor.name}, {"type", ToString(tensor.type)}, {"shape", tensor.shape}});
  }
  return list;
}

std::string FactsOf(const OutputFacts& facts) {
  std::string text = facts.operation;
  for (const auto& [seen, word] :
       std::initializer_list<std::pair<bool, const char*>>{{facts.sigmoid_inside, "sigmoid"},
                                                           {facts.softmax_inside, "softmax"},
                                                           {facts.exp_inside, "exp"},
                                                           {facts.square_inside, "square"},
                                                           {facts.grid_inside, "grid"},
                                                           {facts.suppressed, "suppressed"},
                                                           {facts.pooled, "pooled"},
                                                           {facts.fully_connected, "fully connected"},
                                                           {facts.unit_length, "unit length"},
                                                           {facts.upsampled, "upsampled"}}) {
    if (seen) text += fmt::format(", {}", word);
  }
  if (facts.dfl_bins > 0) text += fmt::format(", distribution of {}", facts.dfl_bins);
  for (const MapFacts& map : facts.maps) text += fmt::format(", map {}x{}x{}", map.channels, map.rows, map.columns);
  for (const ColumnPart& part : facts.parts) {
    text += fmt::format(", part {}{}{}{}", part.columns, part.sigmoid ? " sigmoid" : "", part.softmax ? " softmax" : "",
                        part.boxes ? " boxes" : "");
  }
  return text;
}

void PrintFacts(const GraphInfo& graph) {
  for (size_t i = 0; i < graph.facts.inputs.size() && i < graph.inputs.size(); ++i) {
    const InputFacts& facts = graph.facts.inputs[i];
    fmt::print("  seen behind input '{}': mean {} std {} range {} {}{}first {}\n", graph.inputs[i].name,
               fmt::join(facts.mean, " "), fmt::join(facts.std, " "),
               facts.range ? fmt::format("{}..{}", (*facts.range)[0], (*facts.range)[1]) : "-",
               facts.resizes ? "resizes " : "", facts.swaps_channels ? "swaps " : "", facts.first_layer);
  }
  for (size_t i = 0; i < graph.facts.outputs.size() && i < graph.outputs.size(); ++i) {
    fmt::print("  seen before output '{}': {}\n", graph.outputs[i].name, FactsOf(graph.facts.outputs[i]));
  }
  for (const auto& [key, value] : graph.metadata) fmt::print("  metadata {}: {}\n", key, value.substr(0, 300));
}

void PrintText(const ModelFiles& files, const GraphInfo& graph, const ModelDescription& description,
               const DescribeCommandOptions& options, const Path& repository) {
  fmt::print("{}: {}, read by the {}; {}, card from {}\n", files.graph.string(), ToString(files.format),
             HasOwnReader(files.format) ? "program's own reader" : "engine", description.card.task,
             ToString(description.origin));
  fmt::print("  inputs {}\n  outputs {}\n", DescribeTensors(graph.inputs), DescribeTensors(graph.outputs));
  if (options.facts) PrintFacts(graph);
  for (const Finding& finding : description.findings) {
    fmt::print("  {:<14} {}  [{} {:.2f}] {}\n", finding.field, finding.value, ConfidenceWord(finding.confidence),
               finding.confidence, finding.reason);
    for (const std::string& other : finding.alternatives) fmt::print("  {:<14}   or {}\n", "", other);
  }
  if (description.undecided) fmt::print("  {}\n", HowToDecide(repository));
  if (options.yaml) fmt::print("{}", ToYaml(description.card));
}

void PrintJson(const ModelFiles& files, const GraphInfo& graph, const ModelDescription& description) {
  nlohmann::json findings = nlohmann::json::array();
  for (const Finding& finding : description.findings) findings.push_back(ToJson(finding));
  const nlohmann::json line = {{"model", files.graph.string()},
                               {"name", description.card.name},
                               {"format", ToString(files.format)},
                               {"reader", HasOwnReader(files.format) ? "own" : "engine"},
                               {"task", description.card.task},
                               {"decoder", ToString(description.card.output.kind)},
                               {"origin", ToString(description.origin)},
                               {"inputs", ToJson(graph.inputs)},
                               {"outputs", ToJson(graph.outputs)},
                               {"weight_bytes", graph.weight_bytes},
                               {"findings", findings},
                               {"undecided", description.undecided},
                               {"card", ToYaml(description.card)}};
  fmt::print("{}\n", DumpLine(line));
}

Status DescribeOne(Engine& engine, const Path& path, const std::vector<RgbPicture>& pictures,
                   const DescribeCommandOptions& options, const Path& repository) {
  DE_TRY(const ModelFiles files, FindModelFiles(path));
  DE_TRY(const GraphInfo graph, engine.Inspect(files));
  const DescribeOptions how{.use_card_file = !options.no_catalogue, .use_catalogue = !options.no_catalogue};
  DE_TRY(const ModelDescription description,
         pictures.empty() ? DescribeModel(files, graph, how) : DescribeWithProbe(engine, files, graph, pictures, how));
  if (options.json) {
    PrintJson(files, graph, description);
  } else {
    PrintText(files, graph, description, options, repository);
  }
  return {};
}

}  // namespace

Status DescribeModels(Engine& engine, const DescribeCommandOptions& options, const Path& repository) {
  DE_TRY(const std::vector<Path> files, FindProbePictures(options.pictures));
  DE_TRY(std::vector<RgbPicture> pictures, ReadPictures(files));
  if (pictures.empty()) pictures = ReadRepositoryPictures(repository);
  std::optional<Error> failed;
  for (const std::string& model : options.models) {
    DE_TRY(const Path path, LocateModel(model, repository));
    const Status described = DescribeOne(engine, path, pictures, options, repository);
    if (described.ok()) continue;
    if (options.models.size() == 1) return described;
    if (options.json) {
      fmt::print("{}\n", DumpLine({{"model", path.string()}, {"error", described.error().message}}));
    } else {
      fmt::print("{}: {}\n", path.string(), described.error().message);
    }
    failed = described.error();
  }
  if (failed) return *failed;
  return {};
}

}  // namespace deepedge
