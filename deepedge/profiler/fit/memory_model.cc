#include "deepedge/profiler/fit/memory_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "deepedge/profiler/gp/nnls.h"

namespace deepedge {
namespace {

size_t IndexOf(Precision precision) { return static_cast<size_t>(precision); }

}  // namespace

MemoryModel::MemoryModel() {
  // Weights twice (the file's and the packed ones), tensors once, 30 kB a layer, 2 MB for each model.
  Terms usual;
  usual << 1, 1, 1, 1, 30e3, 10e3, 2e6;
  bytes_per_.fill(usual);
}

MemoryModel::Terms MemoryModel::TermsOf(const LayerGraph& graph, const Setting& setting) {
  const double batch = setting.batch;
  double packed = 0;
  double live = 0;
  double heavy = 0;
  for (const Layer& layer : graph.layers) {
    packed += static_cast<double>(layer.weight_bytes);
    live = std::max(live, static_cast<double>(layer.live_bytes));
    heavy += layer.weight_bytes > 0 ? 1 : 0;
  }
  const double layers = static_cast<double>(graph.layers.size());
  Terms terms;
  terms << static_cast<double>(graph.weight_bytes), packed, live * batch,
      static_cast<double>(graph.input_bytes + graph.output_bytes) * batch, heavy, layers, 1;
  return terms;
}

MemoryModel MemoryModel::Fit(std::span<const MemorySample> samples) {
  MemoryModel model;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    std::vector<const MemorySample*> chosen;
    for (const MemorySample& sample : samples) {
      if (sample.setting.variant.precision == precision && sample.bytes > 0) chosen.push_back(&sample);
    }
    if (chosen.size() < 2 * static_cast<size_t>(kTerms)) continue;
    Eigen::MatrixXd rows(static_cast<Eigen::Index>(chosen.size()), kTerms);
    for (size_t i = 0; i < chosen.size(); ++i) {
      rows.row(static_cast<Eigen::Index>(i)) =
          TermsOf(*chosen[i]->graph, chosen[i]->setting).transpose() / chosen[i]->bytes;
    }
    Eigen::VectorXd size = rows.colwise().maxCoeff().transpose();
    for (Eigen::Index i = 0; i < size.size(); ++i) size(i) = size(i) > 0 ? size(i) : 1;
    const Eigen::VectorXd x =
        NonNegativeLeastSquares(rows * size.cwiseInverse().asDiagonal(), Eigen::VectorXd::Ones(rows.rows()));
    const Terms law = x.cwiseQuotient(size);
    double squares = 0;
    for (Eigen::Index i = 0; i < rows.rows(); ++i)
      squares += std::pow(std::log(std::max(rows.row(i).dot(law), 1e-3)), 2);
    model.bytes_per_[IndexOf(precision)] = law;
    model.log_sd_[IndexOf(precision)] = std::sqrt(squares / static_cast<double>(rows.rows()));
  }
  return model;
}

MemoryEstimate MemoryModel::Estimate(const LayerGraph& graph, const Setting& setting) const {
  const size_t index = IndexOf(setting.variant.precision);
  return {.bytes = bytes_per_[index].dot(TermsOf(graph, setting)), .log_sd = log_sd_[index]};
}

std::string MemoryModel::ToJson() const {
  nlohmann::json laws = nlohmann::json::array();
  for (const Terms& law : bytes_per_) laws.push_back(std::vector<double>(law.begin(), law.end()));
  return nlohmann::json{{"bytes_per", std::move(laws)}, {"log_sd", log_sd_}}.dump();
}

Result<MemoryModel> MemoryModel::FromJson(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    MemoryModel model;
    model.log_sd_ = json.at("log_sd").get<std::array<double, 3>>();
    const auto laws = json.at("bytes_per").get<std::vector<std::array<double, kTerms>>>();
    bool sane = laws.size() == model.bytes_per_.size();
    for (size_t i = 0; sane && i < laws.size(); ++i) {
      for (size_t term = 0; term < laws[i].size(); ++term) {
        sane = sane && laws[i][term] >= 0 && laws[i][term] < 1e12;
        model.bytes_per_[i](static_cast<Eigen::Index>(term)) = laws[i][term];
      }
    }
    for (const double sd : model.log_sd_) sane = sane && sd >= 0 && sd < 10;
    if (sane) return model;
    return Error{ErrorCode::kBadInput, "a model of memory: a number is out of range"};
  } catch (const nlohmann::json::exception& e) {
    return Error{ErrorCode::kBadInput, std::string("a model of memory: ") + e.what()};
  }
}

}  // namespace deepedge
