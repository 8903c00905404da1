// Reads the facts of engine/graph_facts.h from an OpenVINO graph. Pure: looks at operations and constants, runs
// nothing.
#pragma once

#include <map>
#include <openvino/core/model.hpp>
#include <string>

#include "deepedge/engine/graph_facts.h"

namespace deepedge {

// Looks at a bounded number of operations behind every output, whatever the graph's size.
GraphFacts FindGraphFacts(const ov::Model& model);

// What the file says beyond its operations: what our readers left there, "onnx.<key>" of an ONNX file's metadata,
// "ov.model_info.<key>" of an IR.
std::map<std::string, std::string> FindMetadata(const ov::Model& model);

}  // namespace deepedge
