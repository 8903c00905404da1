// How every `--json` prints.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace deepedge {

// One line without its line break. Text comes from the user, from file names for one, which may hold any bytes: what is
// not UTF-8 is written as U+FFFD instead of ending the program.
inline std::string DumpLine(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace deepedge
