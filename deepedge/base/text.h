// Small text helpers without a home of their own.
#pragma once

#include <string>
#include <string_view>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"

namespace deepedge {

// "500ms", "30s", "1.5s", "2m", "1h". Errors: kBadInput naming the text and the allowed forms.
Result<Duration> ParseDuration(std::string_view text);

}  // namespace deepedge
