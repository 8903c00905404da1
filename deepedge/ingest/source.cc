#include "deepedge/ingest/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "deepedge/base/file.h"
#include "deepedge/base/log.h"
#include "deepedge/ingest/ffmpeg/ffmpeg_source.h"

namespace deepedge {
namespace {

constexpr std::string_view kFileScheme = "file://";

std::string FilePath(const std::string& address) {
  return address.starts_with(kFileScheme) ? address.substr(kFileScheme.size()) : address;
}

Status CheckRegularFile(const std::string& path) {
  const auto found = StatusOf(path);
  if (!found.ok()) return Error{found.error().code, fmt::format("video file {}", found.error().message)};
  const std::filesystem::file_status status = found.value();
  std::error_code ec;
  if (std::filesystem::is_directory(status)) {
    return Error{ErrorCode::kBadInput, fmt::format("video file '{}': is a folder, expected a file", path)};
  }
  if (!std::filesystem::is_regular_file(status)) {
    return Error{ErrorCode::kBadInput, fmt::format("video file '{}': is not a regular file", path)};
  }
  if (std::filesystem::file_size(path, ec) == 0 && !ec) {
    return Error{ErrorCode::kBadInput, fmt::format("video file '{}': is empty", path)};
  }
  return {};
}

}  // namespace

Result<SourceKind> KindOf(const std::string& address) {
  if (address.empty()) return Error{ErrorCode::kBadInput, "source: the address is empty"};
  const size_t end = address.find("://");
  if (end == std::string::npos) return address.starts_with("/dev/video") ? SourceKind::kV4l2 : SourceKind::kFile;
  const std::string_view scheme = std::string_view(address).substr(0, end);
  if (scheme == "rtsp" || scheme == "rtsps") return SourceKind::kRtsp;
  if (scheme == "http" || scheme == "https") return SourceKind::kHttp;
  if (scheme == "file") return KindOf(FilePath(address));
  return Error{
      ErrorCode::kBadInput,
      fmt::format("source '{}': unknown scheme '{}'; allowed: rtsp://, rtsps://, http://, https://, file://, a "
                  "path of a file, /dev/videoN",
                  RedactUrl(address), scheme)};
}

SourceDeadlines DeadlinesOf(SourceKind kind, const SourceOptions& options) {
  constexpr Duration kLeastForFiles = std::chrono::seconds(60);
  const Duration least = kind == SourceKind::kFile ? kLeastForFiles : Duration(0);
  return {.open = std::max(options.open_deadline, least), .read = std::max(options.read_deadline, least)};
}

Status CheckSource(const SourceOptions& options) {
  DE_TRY(const SourceKind kind, KindOf(options.address));
  if (kind != SourceKind::kFile) return {};
  DE_TRY_STATUS(CheckRegularFile(FilePath(options.address)));
  const RealClock clock;  // only for the deadline of this one look into the file
  DE_TRY(const auto source, MakeSource(options, clock));
  DE_TRY_STATUS(source->Open({}));
  source->Close();
  return {};
}

Result<std::unique_ptr<Source>> MakeSource(SourceOptions options, const Clock& clock) {
  DE_TRY(const SourceKind kind, KindOf(options.address));
  if (kind == SourceKind::kFile || kind == SourceKind::kV4l2) options.address = FilePath(options.address);
  const SourceDeadlines deadlines = DeadlinesOf(kind, options);
  options.open_deadline = deadlines.open;
  options.read_deadline = deadlines.read;
  return MakeFfmpegSource(kind, std::move(options), clock);
}

}  // namespace deepedge
