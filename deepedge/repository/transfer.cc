#include "deepedge/repository/transfer.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>

#include "deepedge/base/text.h"
#include "deepedge/repository/web_url.h"

namespace deepedge {
namespace {

using Outcome = TransferResult::Outcome;
using Easy = std::unique_ptr<CURL, void (*)(CURL*)>;

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
  void Add(const std::string& line) {
    if (curl_slist* longer = curl_slist_append(list, line.c_str())) list = longer;
  }
};

// What the head of an answer says; lengths are -1 where it says nothing.
struct Head {
  int64_t length = -1;
  int64_t range_start = -1;
  int64_t range_total = -1;
  std::string tag;
  std::string modified;
  std::string encoding;
  std::string limit_remaining;
  std::string retry_after;
};

int64_t Number(std::string_view text) {
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0 ? number : -1;
}

// "bytes 100-199/200"
void ReadContentRange(std::string_view text, Head* head) {
  if (!text.starts_with("bytes ")) return;
  text.remove_prefix(6);
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos) return;
  head->range_start = Number(text.substr(0, dash));
  head->range_total = Number(text.substr(slash + 1));
}

void ReadHeaderLine(std::string_view line, Head* head) {
  if (line.starts_with("HTTP/")) {
    *head = {};  // a new answer; what an earlier one said no longer counts
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = LowerCase(std::string(line.substr(0, colon)));
  const std::string value(Trim(line.substr(colon + 1)));
  if (name == "content-length") head->length = Number(value);
  if (name == "content-range") ReadContentRange(value, head);
  if (name == "etag") head->tag = value;
  if (name == "last-modified") head->modified = value;
  if (name == "content-encoding") head->encoding = value;
  if (name == "x-ratelimit-remaining") head->limit_remaining = value;
  if (name == "retry-after") head->retry_after = value;
}

bool IsRedirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string Megabytes(int64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

// The part of one attempt that the library calls back into.
class Receiver {
 public:
  Receiver(CURL* easy, const Downloader::Options& options, const DownloadRequest& request,
           const DownloadProgress& progress, PartFile& part)
      : easy_(easy), options_(options), request_(request), progress_(progress), part_(part) {}

  static size_t OnHeader(char* data, size_t size, size_t count, void* self) {
    ReadHeaderLine(std::string_view(data, size * count), &static_cast<Receiver*>(self)->head_);
    return size * count;
  }
  static size_t OnBody(char* data, size_t size, size_t count, void* self) {
    return static_cast<Receiver*>(self)->Take(std::string_view(data, size * count)) ? size * count : 0;
  }

  // Also for answers without a body.
  bool Begin() {
    if (began_) return true;
    began_ = true;
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    keeps_body_ = status == 200 || status == 206;
    return !keeps_body_ || CheckHead(status);
  }

  const Head& head() const { return head_; }
  int64_t total() const { return total_; }  // bytes of the whole file; -1: nobody said
  const std::optional<TransferResult>& refused() const { return refused_; }

 private:
  bool Take(std::string_view bytes) {
    if (!Begin()) return false;
    if (!keeps_body_) {
      // The page behind an error or redirect; a long one is cut off.
      ignored_ += static_cast<int64_t>(bytes.size());
      return ignored_ <= 1 << 20;
    }
    const int64_t after = part_.size() + static_cast<int64_t>(bytes.size());
    if (after > Limit()) return Refuse(Outcome::kFailed, TooLarge(after, "at least "));
    if (const Status written = part_.Append(bytes); !written.ok()) {
      return Refuse(Outcome::kFailed,
                    written.error().Wrap(fmt::format("download {} ({} of {} are kept for the next try)",
                                                     PrintableUrl(request_.url), Megabytes(part_.size()),
                                                     total_ < 0 ? "?" : Megabytes(total_))));
    }
    if (progress_) progress_(Path(PrintableUrl(request_.url)).filename().string(), part_.size(), total_);
    return true;
  }

  bool CheckHead(long status) {
    if (!head_.encoding.empty() && head_.encoding != "identity") {
      // Not asked for: the bytes would not be those of the file.
      return Refuse(Outcome::kFailed, {ErrorCode::kUnavailable,
                                       fmt::format("{}: the server sends the file encoded as '{}', which was not "
                                                   "asked for",
                                                   PrintableUrl(request_.url), head_.encoding)});
    }
    const bool shrank = head_.range_total >= 0 && head_.range_total < part_.size();
    if (status == 206 && (head_.range_start != part_.size() || shrank)) return Refuse(Outcome::kFromStart, {});
    if (status == 200 && part_.size() > 0) {
      if (const Status cleared = part_.Clear(); !cleared.ok()) return Refuse(Outcome::kFailed, cleared.error());
    }
    total_ = status == 206 && head_.range_total >= 0 ? head_.range_total
             : head_.length >= 0                     ? part_.size() + head_.length
                                                     : request_.size;
    if (total_ > Limit()) return Refuse(Outcome::kFailed, TooLarge(total_, ""));
    if (request_.size >= 0 && total_ != request_.size) {
      return Refuse(Outcome::kFailed,
                    {ErrorCode::kBadInput, fmt::format("{}: has {} bytes, but {} were expected",
                                                       PrintableUrl(request_.url), total_, request_.size)});
    }
    if (!CheckSpace()) return false;
    // Only a strong tag, or a time, tells that the rest will be of the same content.
    const std::string tag = !head_.tag.empty() && !head_.tag.starts_with("W/") ? head_.tag : head_.modified;
    if (const Status noted = part_.SetTag(tag); !noted.ok()) return Refuse(Outcome::kFailed, noted.error());
    return true;
  }

  bool CheckSpace() {
    std::error_code ec;
    const auto space = std::filesystem::space(part_.path().parent_path(), ec);
    const int64_t missing = total_ - part_.size();
    if (ec || total_ < 0 || static_cast<uintmax_t>(missing) <= space.available) return true;
    return Refuse(Outcome::kFailed,
                  {ErrorCode::kExhausted,
                   fmt::format("{}: {} are missing and only {} are free in {}: the disk is full",
                               PrintableUrl(request_.url), Megabytes(missing),
                               Megabytes(static_cast<int64_t>(space.available)), part_.path().parent_path().string())});
  }

  int64_t Limit() const {
    return request_.size >= 0 ? std::min(request_.size, options_.max_bytes) : options_.max_bytes;
  }
  Error TooLarge(int64_t bytes, std::string_view about) const {
    if (request_.size >= 0 && request_.size <= options_.max_bytes) {
      return {ErrorCode::kBadInput, fmt::format("{}: has {}{} bytes, but {} were expected", PrintableUrl(request_.url),
                                                about, bytes, request_.size)};
    }
    return {ErrorCode::kBadInput, fmt::format("{}: has {}{} bytes, more than the {} that are allowed (--max-size)",
                                              PrintableUrl(request_.url), about, bytes, options_.max_bytes)};
  }
  bool Refuse(Outcome outcome, Error error) {
    refused_ = TransferResult{outcome, std::move(error)};
    return false;
  }

  CURL* easy_;
  const Downloader::Options& options_;
  const DownloadRequest& request_;
  const DownloadProgress& progress_;
  PartFile& part_;
  Head head_;
  int64_t total_ = -1;
  int64_t ignored_ = 0;
  bool began_ = false;
  bool keeps_body_ = false;
  std::optional<TransferResult> refused_;
};

void SetOptions(CURL* easy, const Downloader::Options& options, const std::string& url, char* error_text) {
  const auto parts = ParseWebUrl(url);
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);  // each step is checked by us
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "deepedge");
  curl_easy_setopt(
      easy, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(options.connect_timeout).count()));
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 100L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(std::max<int64_t>(
                       1, std::chrono::duration_cast<std::chrono::seconds>(options.stall_timeout).count())));
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  // The box itself is never asked for by way of a proxy.
  if (parts.ok() && parts.value().IsLoopback()) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

TransferResult Unavailable(const std::string& url, std::string_view why) {
  return {Outcome::kTryAgain, {ErrorCode::kUnavailable, fmt::format("{}: {}", PrintableUrl(url), why)}};
}

// An answer that came to its end. It may be a part of what was asked for.
TransferResult JudgeEnd(const std::string& url, int64_t total, const PartFile& part) {
  if (total < 0 || part.size() == total) return {Outcome::kWhole, {}};
  if (part.size() > total) return {Outcome::kFromStart, {}};
  return Unavailable(url,
                     fmt::format("the server says that there are {} bytes and stops after {}", total, part.size()));
}

TransferResult JudgeStatus(const std::string& url, long status, const Head& head, const PartFile& part) {
  const std::string where = PrintableUrl(url);
  const auto failed = [](ErrorCode code, std::string message) {
    return TransferResult{Outcome::kFailed, {code, std::move(message)}};
  };
  if (status == 404 || status == 410) {
    return failed(ErrorCode::kNotFound, fmt::format("{}: the server answers {}: there is no such file", where, status));
  }
  if (status == 429 || (status == 403 && head.limit_remaining == "0")) {
    return failed(ErrorCode::kUnavailable,
                  fmt::format("{}: the server answers {}: too many requests from this address; try again {}", where,
                              status, head.retry_after.empty() ? "later" : fmt::format("in {} s", head.retry_after)));
  }
  if (status == 401 || status == 403) {
    return failed(ErrorCode::kUnavailable, fmt::format("{}: the server answers {}: not allowed", where, status));
  }
  if (status == 416) {
    if (part.size() > 0) return {Outcome::kFromStart, {}};
    return failed(ErrorCode::kUnavailable, fmt::format("{}: the server answers 416 to a plain request", where));
  }
  if (status >= 500 || status == 408) return Unavailable(url, fmt::format("the server answers {}", status));
  return failed(ErrorCode::kUnavailable, fmt::format("{}: the server answers {}", where, status));
}

}  // namespace

TransferResult RunTransfer(const Downloader::Options& options, const DownloadRequest& request, bool resume_unasked,
                           const DownloadProgress& progress, PartFile& part) {
  std::string url = request.url;
  if (part.size() > 0 && part.tag().empty() && !resume_unasked) {
    if (const Status cleared = part.Clear(); !cleared.ok()) return {Outcome::kFailed, cleared.error()};
  }
  for (int hop = 0; hop <= options.max_redirects; ++hop) {
    const Easy easy(curl_easy_init(), curl_easy_cleanup);
    if (!easy) return {Outcome::kFailed, {ErrorCode::kExhausted, "no memory for a download"}};
    std::array<char, CURL_ERROR_SIZE> error_text{};
    SetOptions(easy.get(), options, url, error_text.data());
    HeaderList headers;
    headers.Add("Accept-Encoding: identity");
    if (part.size() > 0) {
      headers.Add(fmt::format("Range: bytes={}-", part.size()));
      if (!part.tag().empty()) headers.Add("If-Range: " + part.tag());
    }
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.list);
    Receiver receiver(easy.get(), options, request, progress, part);
    curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, &Receiver::OnHeader);
    curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &receiver);
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &Receiver::OnBody);
    curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &receiver);

    const CURLcode done = curl_easy_perform(easy.get());
    if (done == CURLE_OK) receiver.Begin();
    if (receiver.refused()) return *receiver.refused();
    long status = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (IsRedirect(status)) {
      const char* next = nullptr;
      curl_easy_getinfo(easy.get(), CURLINFO_REDIRECT_URL, &next);
      if (next == nullptr) {
        return {Outcome::kFailed,
                {ErrorCode::kUnavailable,
                 fmt::format("{}: the server answers {} without saying where to", PrintableUrl(url), status)}};
      }
      const std::string target(next);
      if (const Status may = CheckMayRedirect(request.url, url, target, options.allow_http); !may.ok()) {
        return {Outcome::kFailed, may.error()};
      }
      url = target;
      continue;
    }
    if (done == CURLE_OK && (status == 200 || status == 206)) return JudgeEnd(url, receiver.total(), part);
    if (done != CURLE_OK && (status == 0 || status == 200 || status == 206)) {
      const std::string why = error_text[0] != '\0' ? error_text.data() : curl_easy_strerror(done);
      const bool trust = done == CURLE_PEER_FAILED_VERIFICATION || done == CURLE_SSL_CACERT_BADFILE;
      TransferResult again = Unavailable(url, done == CURLE_OPERATION_TIMEDOUT && part.size() > 0
                                                  ? fmt::format("no progress after {} bytes: {}", part.size(), why)
                                                  : why);
      if (trust) again.outcome = Outcome::kFailed;
      return again;
    }
    return JudgeStatus(url, status, receiver.head(), part);
  }
  return {Outcome::kFailed,
          {ErrorCode::kBadInput,
           fmt::format("{}: more than {} redirects", PrintableUrl(request.url), options.max_redirects)}};
}

}  // namespace deepedge
