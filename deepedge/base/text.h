// Small text helpers without a home of their own.
#pragma once

#include <string>
#include <string_view>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"

namespace deepedge {

// "500ms", "30s", "1.5s", "2m", "1h". Errors: kBadInput naming the text and the allowed forms.
Result<Duration> ParseDuration(std::string_view text);

// ASCII letters in lower case, everything else as it is.
std::string LowerCase(std::string text);

// Without blanks, tabs and line ends at both ends.
std::string_view Trim(std::string_view text);

// Whether it is a SHA-256 as it is written everywhere here: 64 hexadecimal digits in lower case.
bool IsSha256(std::string_view text);

}  // namespace deepedge
