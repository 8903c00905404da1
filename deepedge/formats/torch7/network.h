// Builds a Torch7 network: its containers, module by module, and the size of its input, which the file does not say.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/formats/torch7/module.h"
#include "deepedge/formats/torch7/object.h"

namespace deepedge::torch7 {

class Network {
 public:
  // Borrows both. `bytes` is the size of the file, which bounds what may be read from it.
  Network(const Path& path, const File& file, size_t bytes) : path_(path), file_(file), bytes_(bytes) {}

  // The shape of one sample: channels of the first module that tells them, height and width such that all modules fit,
  // kOpen where every size fits. Errors: no size fits (that of the largest one tried), nothing tells the channels.
  Result<std::vector<int64_t>> FindInput() const;

  // Errors name the file and the module.
  Result<Flow> Build(const Flow& input) const;

 private:
  struct Walk {
    Run run;
    int64_t modules_left;
  };

  Module ModuleOf(const Value& value, std::string name) const;
  Result<Flow> BuildModule(Walk& walk, const Value& value, const std::string& name, int depth, const Flow& in) const;
  Result<Flow> BuildContainer(Walk& walk, const Module& module, int depth, const Flow& in) const;
  Result<Flow> Join(const Run& run, const Module& module, const std::vector<Flow>& parts, int64_t axis) const;
  // Whether this sample fits the network.
  Status Try(const std::vector<int64_t>& dims, int64_t& modules_left) const;
  // The sample's shape as the first module that knows it says: {n}, or {channels, kOpen, kOpen}; empty: none does.
  std::vector<int64_t> FindForm(const Value& value, int depth, int64_t& modules_left) const;

  const Path& path_;
  const File& file_;
  size_t bytes_;
};

// Of sizes that fit, the one that was most probably meant: a usual one, else the roundest. `sizes` is not empty.
int64_t ChooseSize(const std::vector<int64_t>& sizes);

}  // namespace deepedge::torch7
