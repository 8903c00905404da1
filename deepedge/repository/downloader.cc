#include "deepedge/repository/downloader.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "deepedge/base/log.h"
#include "deepedge/repository/minisign.h"
#include "deepedge/repository/transfer.h"
#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

constexpr int kMostAttempts = 50;  // also where each brings a few bytes

// 0.25, 0.5, 1, 2 s.
void WaitBeforeAttempt(int attempt) { poll(nullptr, 0, std::min(250 << std::min(attempt - 1, 3), 2000)); }

Error WrongHash(const DownloadRequest& request, const std::string& found) {
  return {ErrorCode::kBadInput, fmt::format("{}: sha256 is {}, but {} was expected; the file was thrown away",
                                            PrintableUrl(request.url), found, request.sha256)};
}

}  // namespace

Result<PartFile> Downloader::Fetch(const DownloadRequest& request, const DownloadProgress& progress) const {
  DE_TRY_STATUS(CheckMayConnect(request.url, options_.allow_http));
  // Two contents of one address are two downloads.
  DE_TRY(PartFile part, PartFile::Open(options_.folder, ShortHash(WithoutUser(request.url) + "\n" + request.sha256)));
  bool from_start = false;  // the second try after something did not fit
  int without_progress = 0;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const int64_t before = part.size();
    bool whole = request.size >= 0 && part.size() == request.size;
    if (!whole) {
      const TransferResult result = RunTransfer(options_, request, !request.sha256.empty(), progress, part);
      if (result.outcome == TransferResult::Outcome::kFailed) return result.error;
      if (result.outcome == TransferResult::Outcome::kFromStart) {
        if (from_start)
          return Error{ErrorCode::kUnavailable,
                       fmt::format("{}: the server cannot send the file from its start", PrintableUrl(request.url))};
        from_start = true;
        DE_TRY_STATUS(part.Clear());
        continue;
      }
      if (result.outcome == TransferResult::Outcome::kTryAgain) {
        without_progress = part.size() > before ? 0 : without_progress + 1;
        if (without_progress >= options_.max_attempts) return result.error;
        WaitBeforeAttempt(std::max(without_progress, 1));
        continue;
      }
    }
    DE_TRY_STATUS(part.Sync());
    if (request.sha256.empty()) return part;
    DE_TRY(const std::string found, Sha256OfFile(part.path()));
    if (found == request.sha256) return part;
    // What an earlier run left may be of another content: once more, from the start.
    if (before == 0 || from_start) {
      part.Remove();
      return WrongHash(request, found);
    }
    from_start = true;
    DE_TRY_STATUS(part.Clear());
  }
  return Error{ErrorCode::kUnavailable,
               fmt::format("{}: the connection broke {} times", PrintableUrl(request.url), kMostAttempts)};
}

}  // namespace deepedge
