#include "deepedge/formats/cntk/walk.h"

#include <algorithm>
#include <iterator>

#include "deepedge/formats/graph/graph_ops.h"

namespace deepedge::cntk {

Result<Tensor> Walk::Build(const std::string& wanted) {
  std::vector<std::string> open{wanted};
  while (!open.empty()) {
    const std::string name = open.back();
    if (built_.contains(name)) {
      open.pop_back();
    } else {
      DE_TRY_STATUS(Visit(name, open));
    }
  }
  return built_.at(wanted);
}

// Builds `name` when all that it needs is there, else puts what is missing on `open`.
Status Walk::Visit(const std::string& name, std::vector<std::string>& open) {
  DE_TRY(const auto needed, needs_(name));
  // The first is wanted on top, so that values are built in the order in which they are named.
  const size_t before = open.size();
  std::copy_if(needed.rbegin(), needed.rend(), std::back_inserter(open),
               [this](const std::string& input) { return !built_.contains(input); });
  if (open.size() > before) {
    if (started_.insert(name).second) return {};
    return LayerError(ErrorCode::kBadInput, {file_, name, "value"}, "needs its own result");
  }
  std::vector<Tensor> inputs;
  for (const std::string& input : needed) inputs.push_back(built_.at(input));
  DE_TRY(Tensor made, make_(name, inputs));
  built_.emplace(name, std::move(made));
  return {};
}

}  // namespace deepedge::cntk
