// The text form of a TensorFlow graph that OpenCV's tools write beside a .pb: nodes with their inputs and attributes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/formats/caffe/prototxt.h"

namespace deepedge {

struct OpenCvNode {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;  // without ":0"
  std::map<std::string, TextMessage> attributes;

  bool Has(const std::string& key) const { return attributes.contains(key); }
  // A number, `otherwise` where there is no such attribute. All of these throw std::invalid_argument for what is none.
  double Number(const std::string& key, double otherwise) const;
  bool Flag(const std::string& key, bool otherwise) const;
  std::string Text(const std::string& key, const std::string& otherwise) const;
  // One number, a list or a tensor; empty where there is no such attribute.
  std::vector<double> Numbers(const std::string& key) const;
};

// At most a few thousand nodes. Errors: kBadInput with file and line.
Result<std::vector<OpenCvNode>> ParseOpenCvText(const Path& file, std::string_view text);

}  // namespace deepedge
