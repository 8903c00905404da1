// SplitUrl: the one place that knows which part of an address is secret.
//
// Passwords are written as they are, not as a standard wants them: with '#', '/', '?' and '@' in them. So everything
// between "://" and the last '@' of the whole address counts as user name and password. An address with an '@' in its
// path is thereby hidden more than needed, which harms nobody.
#pragma once

#include <string_view>

namespace deepedge {

// Views into the address: scheme "://" [user "@"] rest.
struct UrlParts {
  std::string_view scheme;  // empty: not an address but a path, which is `rest`
  bool has_user = false;
  std::string_view user;  // secret; never printed. Where there is no user part: empty, at the start of `rest`
  std::string_view rest;
};

UrlParts SplitUrl(std::string_view address);

}  // namespace deepedge
