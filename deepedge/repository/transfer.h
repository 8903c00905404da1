// Transfer: one attempt at getting the rest of a file: one request, and those that redirects lead to. Part of the
// downloader; the only user of the HTTP library.
#pragma once

#include <string>

#include "deepedge/repository/downloader.h"

namespace deepedge {

struct TransferResult {
  enum class Outcome {
    kWhole,      // everything is in the part file
    kTryAgain,   // may work later; `error` says why
    kFromStart,  // what we have does not go with what the server has
    kFailed,     // `error`
  };
  Outcome outcome = Outcome::kFailed;
  Error error;
};

// `resume_unasked`: ask for the rest even where the server gave nothing to tell by whether the content is still the
// same; for downloads whose hash is known.
TransferResult RunTransfer(const Downloader::Options& options, const DownloadRequest& request, bool resume_unasked,
                           const DownloadProgress& progress, PartFile& part);

}  // namespace deepedge
