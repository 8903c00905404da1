#include "deepedge/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "deepedge/base/url.h"

namespace deepedge {
namespace {

spdlog::logger& Logger() {
  static const auto logger = [] {
    auto created =
        std::make_shared<spdlog::logger>("deepedge", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    created->set_pattern("%H:%M:%S.%e %^%l%$ %v");
    created->flush_on(spdlog::level::trace);
    return created;
  }();
  return *logger;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void WriteLog(LogLevel level, std::string_view message) {
  Logger().log(ToSpdlog(level), spdlog::string_view_t(message.data(), message.size()));
}

std::string RedactUrl(std::string_view url) {
  const UrlParts parts = SplitUrl(url);
  if (!parts.has_user) return std::string(url);
  return fmt::format("{}://***@{}", parts.scheme, parts.rest);
}

}  // namespace deepedge
