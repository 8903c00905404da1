// MemoryModel: bytes that a model holds once it is ready to run: its weights as the kernels want them, tensors that are
// alive at once, the code that was generated for each layer, what the engine keeps of the graph. A law that is linear
// in these, fitted to relative errors by non-negative least squares (the structure of DNNMem, Gao et al., FSE 2020).
#pragma once

#include <Eigen/Core>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "deepedge/base/result.h"
#include "deepedge/model/layer_graph.h"
#include "deepedge/plan/profile.h"

namespace deepedge {

struct MemorySample {
  const LayerGraph* graph = nullptr;  // of one picture; borrowed for the call
  Setting setting;
  double bytes = 0;
};

struct MemoryEstimate {
  double bytes = 0;
  double log_sd = 0;
};

class MemoryModel {
 public:
  static constexpr int kTerms = 7;
  using Terms = Eigen::Matrix<double, kTerms, 1>;

  MemoryModel();
  static MemoryModel Fit(std::span<const MemorySample> samples);

  MemoryEstimate Estimate(const LayerGraph& graph, const Setting& setting) const;

  std::string ToJson() const;
  static Result<MemoryModel> FromJson(std::string_view text);  // errors: kBadInput

  static Terms TermsOf(const LayerGraph& graph, const Setting& setting);

 private:
  std::array<Terms, 3> bytes_per_;  // by precision
  std::array<double, 3> log_sd_{0.3, 0.3, 0.3};
};

}  // namespace deepedge
