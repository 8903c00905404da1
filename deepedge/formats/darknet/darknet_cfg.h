// The text half of a Darknet network (.cfg) as plain data: sections of key=value lines, in order.
//
//   [convolutional]
//   filters=32          # white space means nothing; lines that start with # or ; are comments
//
// A line that is neither a section nor key=value is passed over, as Darknet does. Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

struct DarknetSection {
  std::string type;  // "convolutional"
  int line = 0;      // of the file, from 1
  std::vector<std::pair<std::string, std::string>> options;

  // The value of the first option of that name; null when there is none.
  const std::string* Find(std::string_view key) const;
};

// At least one section, the first of type net or network. Errors: kBadInput with file and line.
Result<std::vector<DarknetSection>> ParseDarknetCfg(const Path& file, std::string_view text);

// Where an option of a section is read, for messages.
struct DarknetPlace {
  const Path& file;
  const DarknetSection& section;
  size_t index = 0;  // of the layer: the section after [net] is 0
};

Error DarknetError(ErrorCode code, const DarknetPlace& place, std::string_view what);

// Options of a section; `otherwise` where there is none. Errors: kBadInput for what is no number (a comment may follow
// it) or lies out of range.
Result<int64_t> IntOption(const DarknetPlace& place, std::string_view key, int64_t otherwise, int64_t min, int64_t max);
Result<double> RealOption(const DarknetPlace& place, std::string_view key, double otherwise);
// Numbers with commas between; empty where there is no such option. At most kMaxDarknetList of them.
constexpr size_t kMaxDarknetList = 1024;
Result<std::vector<int64_t>> IntListOption(const DarknetPlace& place, std::string_view key);
Result<std::vector<double>> RealListOption(const DarknetPlace& place, std::string_view key);

}  // namespace deepedge
