#include "deepedge/formats/cntk/walk.h"

#include <fmt/format.h>

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
  std::vector<Tensor> inputs;
  const size_t before = open.size();
  for (const std::string& input : needed) {
    const auto it = built_.find(input);
    if (it == built_.end()) {
      open.push_back(input);
    } else if (open.size() == before) {
      inputs.push_back(it->second);
    }
  }
  if (open.size() > before) {
    if (started_.insert(name).second) return {};
    return Error{ErrorCode::kBadInput, fmt::format("'{}' needs its own result", name)};
  }
  DE_TRY(Tensor made, make_(name, inputs));
  built_.emplace(name, std::move(made));
  return {};
}

}  // namespace deepedge::cntk
