// The JSON form of a Profile: what the store keeps, `--json` prints and an export carries. Reading what was written
// gives the same profile, to the last bit.
//
//   {"model": "yolox_tiny", "sha256": "5c..", "box": "..", "generation": 3, "created_us": 1700000000000000,
//    "costs": [{"setting": "fp32@416x416 batch 4", "precision": "fp32", "width": 416, "height": 416, "batch": 4,
//               "cores": 1, "median_us": 41200, "p99_us": 45000, "log_sd": 0.04, "cold_us": 42000,
//               "bound": {"compute": 0.7, "cache": 0.2, "memory": 0.1}, "probes": 0, "memory_bytes": 61000000,
//               "memory_log_sd": 0.02, "traffic_bytes": 31000000,
//               "stages": [{"after_op": 117, "median_us": .., "p99_us": .., "log_sd": .., "bound": {..}, "flops": ..,
//                           "weight_bytes": .., "live_bytes": .., "border_bytes": .., "layers": "convolution 12"}]}]}
//
// Needed are model, sha256, box, costs, and of each cost and stage median_us; what else is missing has the value that
// the structure gives it. Unknown fields do not matter; "setting" is for the reader's eyes and is not read back.
// Errors: kBadInput, naming the field: "costs[3].stages[0].median_us: -1 is not within 0 and ..".
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "deepedge/base/result.h"
#include "deepedge/plan/profile.h"

namespace deepedge {

nlohmann::ordered_json ProfileToJson(const Profile& profile);
std::string ProfileToText(const Profile& profile);  // the same in one line, without a line break

Result<Profile> ProfileFromJson(const nlohmann::json& json);
Result<Profile> ProfileFromText(std::string_view text);

// Whether it could be read back; the first thing that is wrong.
Status CheckProfile(const Profile& profile);

// ToString(setting) back: "int8@416x416 batch 4 on 2 cores", "fp32". Nothing for another text.
std::optional<Setting> ParseSetting(std::string_view text);

}  // namespace deepedge
