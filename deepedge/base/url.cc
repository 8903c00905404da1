#include "deepedge/base/url.h"

namespace deepedge {

UrlParts SplitUrl(std::string_view address) {
  const size_t scheme = address.find("://");
  if (scheme == std::string_view::npos) return {.user = address.substr(0, 0), .rest = address};
  const std::string_view behind = address.substr(scheme + 3);
  UrlParts parts{.scheme = address.substr(0, scheme), .user = behind.substr(0, 0), .rest = behind};
  if (const size_t at = behind.rfind('@'); at != std::string_view::npos) {
    parts.has_user = true;
    parts.user = behind.substr(0, at);
    parts.rest = behind.substr(at + 1);
  }
  return parts;
}

}  // namespace deepedge
