// Stored and exported form of what media and memory cost: {"laws": {NAME: {"us_per": [..], "least": [..], "most": [..],
// "log_sd": .., "samples": ..}, ..}} and {"caches": {..}, "memory": [{"cores": .., "gb_s": ..}, ..], ..}.
#pragma once

#include <string>
#include <string_view>

#include "deepedge/base/result.h"
#include "deepedge/profiler/media_cost/media_costs.h"
#include "deepedge/profiler/media_cost/memory_rates.h"

namespace deepedge {

std::string ToJson(const MediaCosts& costs);
std::string ToJson(const MemoryRates& rates);

// Errors: kBadInput for what is not such JSON, and for numbers that cannot be costs.
Result<MediaCosts> MediaCostsFromJson(std::string_view json);
Result<MemoryRates> MemoryRatesFromJson(std::string_view json);

}  // namespace deepedge
