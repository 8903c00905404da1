// WebUrl: an address taken apart by the library that will also connect to it, so that what is checked and what is
// connected to cannot differ. Values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "deepedge/base/result.h"

namespace deepedge {

struct WebUrl {
  std::string scheme;  // lower case
  std::string host;    // lower case, without brackets
  std::string port;    // empty: the scheme's own
  std::string path;    // as written, with its first slash
  std::string query;   // without '?'
  bool has_user = false;

  // The box itself, said in a way that no name server can change: 127.x.y.z, [::1] or "localhost".
  bool IsLoopback() const;
};

// Errors: kBadInput, without the secret parts of the address.
Result<WebUrl> ParseWebUrl(const std::string& url);

// For messages: without user, password and what stands behind '?' (signed addresses carry their key there).
std::string PrintableUrl(std::string_view url);

// The address without user and password, as it may be stored.
std::string WithoutUser(const std::string& url);

// Percent-encodes everything but letters, digits, "-._~" and '/'.
std::string EncodePath(std::string_view path);

// The reverse of it for "%41".
std::string DecodePath(std::string_view path);

// https is always right; http only to the box itself, or when `allow_http`. Errors: kBadInput naming what is allowed.
Status CheckMayConnect(const std::string& url, bool allow_http);

// Whether a server at `from` may send us on to `to`: to https, and from http to where http was allowed in the first
// place: the box itself when `start` was the box itself, anything when `allow_http`.
Status CheckMayRedirect(const std::string& start, const std::string& from, const std::string& to, bool allow_http);

}  // namespace deepedge
