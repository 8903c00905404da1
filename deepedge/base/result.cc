#include "deepedge/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace deepedge {

void CheckFailed(const char* expression, std::source_location where) {
  std::fprintf(stderr, "%s:%u: check failed in %s: %s\n", where.file_name(), static_cast<unsigned>(where.line()),
               where.function_name(), expression);
  std::abort();
}

std::string_view ToString(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadInput: return "bad input";
    case ErrorCode::kNotFound: return "not found";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kEndOfStream: return "end of stream";
    case ErrorCode::kExhausted: return "exhausted";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kInternal: return "internal";
  }
  return "unknown";
}

}  // namespace deepedge
