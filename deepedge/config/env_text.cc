#include "deepedge/config/env_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "deepedge/base/url.h"

namespace deepedge {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A value that stands before the '@' of an address. What is already percent-encoded stays as it is.
std::string EncodeForUserPart(std::string_view value) {
  std::string encoded;
  for (const char c : value) {
    const bool fits = IsNameCharacter(c) || std::string_view("-._~!$&'()*+,;=:%").find(c) != std::string_view::npos;
    encoded += fits ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Result<std::string> ExpandEnvironment(std::string_view text, const Environment& environment) {
  const std::string_view user = SplitUrl(text).user;
  const auto user_begin = static_cast<size_t>(user.data() - text.data());
  std::string expanded;
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("$${")) {
      expanded += "${";
      i += 3;
      continue;
    }
    if (!text.substr(i).starts_with("${")) {
      expanded += text[i++];
      continue;
    }
    const size_t end = text.find('}', i);
    const std::string name(text.substr(i + 2, end == std::string_view::npos ? 0 : end - i - 2));
    if (name.empty() || (name[0] >= '0' && name[0] <= '9') || !std::ranges::all_of(name, IsNameCharacter)) {
      return Error{ErrorCode::kBadInput,
                   "'${' has to be followed by a variable's name and '}'; write '$${' for the text"};
    }
    const std::optional<std::string> value = environment(name);
    if (!value) return Error{ErrorCode::kBadInput, fmt::format("the environment variable {} is not set", name)};
    expanded += i >= user_begin && i < user_begin + user.size() ? EncodeForUserPart(*value) : *value;
    i = end + 1;
  }
  return expanded;
}

}  // namespace deepedge
