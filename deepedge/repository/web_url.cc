#include "deepedge/repository/web_url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

#include "deepedge/base/log.h"
#include "deepedge/base/text.h"
#include "deepedge/base/url.h"

namespace deepedge {
namespace {

using Handle = std::unique_ptr<CURLU, void (*)(CURLU*)>;

Handle NewHandle() { return {curl_url(), curl_url_cleanup}; }

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool IsNumberBlock(std::string_view text) {
  return !text.empty() && text.size() <= 3 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// 127.a.b.c with four plain numbers: a name such as 127.evil.org is none.
bool IsLoopbackAddress(std::string_view host) {
  int blocks = 0;
  std::string_view rest = host;
  while (true) {
    const size_t dot = rest.find('.');
    if (!IsNumberBlock(rest.substr(0, dot))) return false;
    ++blocks;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return blocks == 4 && host.starts_with("127.");
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool WebUrl::IsLoopback() const { return host == "localhost" || host == "::1" || IsLoopbackAddress(host); }

Result<WebUrl> ParseWebUrl(const std::string& url) {
  const Handle handle = NewHandle();
  if (!handle) return Error{ErrorCode::kExhausted, "no memory to read an address"};
  const CURLUcode read = curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (read != CURLUE_OK) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("'{}' is no address of a file: {}", PrintableUrl(url), curl_url_strerror(read))};
  }
  WebUrl parts{.scheme = LowerCase(Part(handle.get(), CURLUPART_SCHEME)),
               .host = LowerCase(Part(handle.get(), CURLUPART_HOST)),
               .port = Part(handle.get(), CURLUPART_PORT),
               .path = Part(handle.get(), CURLUPART_PATH),
               .query = Part(handle.get(), CURLUPART_QUERY)};
  parts.has_user = !Part(handle.get(), CURLUPART_USER).empty() || !Part(handle.get(), CURLUPART_PASSWORD).empty();
  if (parts.host.starts_with('[') && parts.host.ends_with(']'))
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts;
}

std::string PrintableUrl(std::string_view url) {
  const std::string redacted = RedactUrl(url);
  if (SplitUrl(redacted).scheme.empty()) return redacted;
  const size_t query = redacted.find_first_of("?#");
  return query == std::string::npos ? redacted : redacted.substr(0, query) + "?***";
}

std::string WithoutUser(const std::string& url) {
  const auto parts = ParseWebUrl(url);
  if (!parts.ok() || !parts.value().has_user) return url;
  const Handle handle = NewHandle();
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return PrintableUrl(url);
  }
  curl_url_set(handle.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(handle.get(), CURLUPART_PASSWORD, nullptr, 0);
  return Part(handle.get(), CURLUPART_URL);
}

std::string EncodePath(std::string_view path) {
  std::string encoded;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || std::string_view("-._~/").find(c) != std::string_view::npos;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return encoded;
}

std::string DecodePath(std::string_view path) {
  std::string decoded;
  for (size_t i = 0; i < path.size(); ++i) {
    const bool escape =
        path[i] == '%' && i + 2 < path.size() && HexValue(path[i + 1]) >= 0 && HexValue(path[i + 2]) >= 0;
    decoded += escape ? static_cast<char>(HexValue(path[i + 1]) * 16 + HexValue(path[i + 2])) : path[i];
    if (escape) i += 2;
  }
  return decoded;
}

Status CheckMayConnect(const std::string& url, bool allow_http) {
  DE_TRY(const WebUrl parts, ParseWebUrl(url));
  if (parts.scheme == "https") return {};
  if (parts.scheme == "http") {
    if (allow_http || parts.IsLoopback()) return {};
    return Error{ErrorCode::kBadInput,
                 fmt::format("{}: http is allowed from this machine itself only, since anybody on the way could change "
                             "the file; use https, or say --allow-http",
                             PrintableUrl(url))};
  }
  return Error{ErrorCode::kBadInput,
               fmt::format("{}: '{}' is not a way to get a model; use https, or the path of a file", PrintableUrl(url),
                           parts.scheme)};
}

Status CheckMayRedirect(const std::string& start, const std::string& from, const std::string& to, bool allow_http) {
  DE_TRY(const WebUrl first, ParseWebUrl(start));
  DE_TRY(const WebUrl last, ParseWebUrl(from));
  DE_TRY(const WebUrl next, ParseWebUrl(to));
  if (next.scheme == "https") return {};
  const bool was_http = last.scheme == "http" && first.scheme == "http";
  if (next.scheme == "http" && was_http && (allow_http || (first.IsLoopback() && next.IsLoopback()))) return {};
  return Error{ErrorCode::kBadInput, fmt::format("{}: the server sends us on to {}, which is refused: only https is "
                                                 "followed",
                                                 PrintableUrl(from), PrintableUrl(to))};
}

}  // namespace deepedge
