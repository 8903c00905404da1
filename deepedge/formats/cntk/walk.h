// Builds the tensors of a network from what they need first. Nothing recurses: a long network needs no deep stack, and
// a network that is a circle is an error.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/formats/cntk/layers.h"

namespace deepedge::cntk {

class Walk {
 public:
  // What a value needs, and how it is made from that; errors name the layer.
  using Needs = std::function<Result<std::vector<std::string>>(const std::string& name)>;
  using Make = std::function<Result<Tensor>(const std::string& name, const std::vector<Tensor>& inputs)>;

  Walk(const Path& file, Needs needs, Make make) : file_(file), needs_(std::move(needs)), make_(std::move(make)) {}

  // Each value is built once. Errors: those of both functions; kBadInput where a value needs itself.
  Result<Tensor> Build(const std::string& wanted);

 private:
  Status Visit(const std::string& name, std::vector<std::string>& open);

  const Path& file_;
  Needs needs_;
  Make make_;
  std::map<std::string, Tensor> built_;
  std::set<std::string> started_;
};

}  // namespace deepedge::cntk
