// Reads protobuf's text format without a schema: what a .prototxt says, as a tree of fields in the order of the file.
// Which fields there are, how often and of which type is known to whoever reads the tree (params.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge {

struct TextField;

struct TextMessage {
  std::vector<TextField> fields;
};

struct TextField {
  std::string name;
  int line = 0;
  bool is_message = false;
  std::string value;    // a number or word as written, a string without its quotes
  TextMessage message;  // when it is one
};

// At most 4 MB of text and 16 messages inside one another. Errors: kBadInput, with the line, without the file's name.
Result<TextMessage> ParsePrototxt(std::string_view text);

}  // namespace deepedge
