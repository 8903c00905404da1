#include "deepedge/events/webhook/webhook_courier.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "deepedge/base/file.h"
#include "deepedge/base/log.h"
#include "deepedge/base/text.h"
#include "deepedge/events/webhook/webhook_rules.h"

namespace deepedge {
namespace {

constexpr size_t kMostAnswerBytes = 64 * 1024;
constexpr Duration kReportAfter = std::chrono::seconds(2);

// The library initialises itself with the first handle, whichever part of the program makes it; that is thread-safe
// since its version 7.84.
using Easy = std::unique_ptr<CURL, void (*)(CURL*)>;
using Multi = std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)>;

class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(HeaderList&& other) noexcept : list_(std::exchange(other.list_, nullptr)) {}
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  HeaderList& operator=(HeaderList&&) = delete;
  ~HeaderList() { curl_slist_free_all(list_); }
  void Add(const std::string& line) {
    if (curl_slist* longer = curl_slist_append(list_, line.c_str())) list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// What of an address may be said and what has to be known of it.
struct ServerName {
  std::string printable;  // "https://host:8123"
  bool is_this_box = false;
};

std::string PartOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

Result<ServerName> ParseServer(const std::string& address) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (!url) return Error{ErrorCode::kExhausted, "webhook: no memory"};
  const CURLUcode read = curl_url_set(url.get(), CURLUPART_URL, address.c_str(), CURLU_NON_SUPPORT_SCHEME);
  const std::string scheme = LowerCase(PartOf(url.get(), CURLUPART_SCHEME));
  if (read != CURLUE_OK) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("webhook: the address cannot be understood: {}; it has the form "
                             "https://HOST/PATH, and special characters of a password are written as %XX",
                             curl_url_strerror(read))};
  }
  if (scheme != "http" && scheme != "https") {
    return Error{
        ErrorCode::kBadInput,
        fmt::format("webhook: the address begins with '{}://'; only http:// and https:// can be posted to", scheme)};
  }
  const std::string host = LowerCase(PartOf(url.get(), CURLUPART_HOST));
  const std::string port = PartOf(url.get(), CURLUPART_PORT);
  if (host.empty()) return Error{ErrorCode::kBadInput, "webhook: the address names no host"};
  return ServerName{.printable = fmt::format("{}://{}{}{}", scheme, host, port.empty() ? "" : ":", port),
                    .is_this_box = host == "localhost" || host == "[::1]" || host.starts_with("127.")};
}

long Milliseconds(Duration duration) {
  return static_cast<long>(
      std::max<int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()));
}

// What has become of one request.
struct Answer {
  long status = 0;     // 0: none came
  std::string reason;  // why none came
  int64_t pause_s = 0;
};

}  // namespace

class WebhookCourier::Impl {
 public:
  Impl(Options options, ServerName server, Easy easy, Multi multi, const Clock& clock)
      : options_(std::move(options)),
        server_(std::move(server)),
        clock_(clock),
        easy_(std::move(easy)),
        multi_(std::move(multi)) {
    SetOptions();
  }

  Result<Delivery> Deliver(std::span<const StoredEvent> events, const std::stop_token& stop) {
    // Also when it is asked for before the wait begins: the wakeup is kept for the next poll.
    const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_.get()); });
    if (!WaitForPause(stop)) return Cancelled();
    const Time report_at = clock_.Now() + kReportAfter;
    Delivery delivery;
    for (const StoredEvent& event : events) {
      if (delivery.arrived > 0 && clock_.Now() >= report_at) break;
      const std::optional<Answer> answer = Post(event, stop);
      if (!answer) return delivery.arrived > 0 ? Result<Delivery>(delivery) : Cancelled();
      const WebhookVerdict verdict = answer->status == 0 ? WebhookVerdict::kAgain : VerdictOn(answer->status);
      if (verdict == WebhookVerdict::kAgain) {
        const Error error = Failure(*answer);
        NotePause(*answer);
        // Else what has arrived is noted first; the same event is the next delivery's first.
        if (delivery.arrived == 0) return error;
        break;
      }
      ++delivery.arrived;
      if (verdict == WebhookVerdict::kArrived) continue;
      ++delivery.refused;
      if (refused_limit_.Allow(clock_.Now())) {
        LogWarning("events: webhook {}: {}; event {} ({}) is refused for good and lost", server_.printable,
                   ExplainStatus(answer->status), event.id, event.type);
      }
    }
    return delivery;
  }

 private:
  void SetOptions() {
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_URL, options_.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "deepedge");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // A name server that does not answer must not hold up the end: its thread is left to end by itself.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Milliseconds(options_.timeout));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_.data());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Impl::OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Impl::OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    // The box itself is never asked for by way of a proxy.
    if (server_.is_this_box) curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  }

  static size_t OnHeader(char* data, size_t size, size_t count, void* self) {
    const std::string_view line(data, size * count);
    static_cast<Impl*>(self)->has_head_ = line == "\r\n" || line == "\n";  // else it goes on, or another one begins
    return OnBody(data, size, count, self);
  }
  static size_t OnBody(char* /*data*/, size_t size, size_t count, void* self) {
    size_t& taken = static_cast<Impl*>(self)->answer_bytes_;
    taken += size * count;
    return taken <= kMostAnswerBytes ? size * count : 0;
  }

  HeaderList HeadersOf(const StoredEvent& event) const {
    HeaderList list;
    bool has_content_type = false;
    for (const auto& [name, value] : options_.headers) {
      has_content_type |= LowerCase(name) == "content-type";
      // A header without a value is written so that the library does not take it for one to be left out.
      list.Add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
    }
    if (!has_content_type) list.Add("Content-Type: application/json");
    list.Add("X-DeepEdge-Event-Id: " + event.id);
    list.Add("Expect:");
    return list;
  }

  // Not set: stopped.
  std::optional<Answer> Post(const StoredEvent& event, const std::stop_token& stop) {
    const std::string body = WebhookBody(event, options_.pictures);
    const HeaderList headers = HeadersOf(event);
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
    answer_bytes_ = 0;
    has_head_ = false;
    error_text_[0] = '\0';
    if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) return Answer{.reason = "no memory for a request"};
    const std::optional<CURLcode> done = Perform(stop);
    Answer answer;
    if (done) answer = ReadAnswer(*done);
    curl_multi_remove_handle(multi_.get(), easy);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
    return done ? std::optional<Answer>(std::move(answer)) : std::nullopt;
  }

  std::optional<CURLcode> Perform(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      int running = 0;
      if (curl_multi_perform(multi_.get(), &running) != CURLM_OK) return CURLE_FAILED_INIT;
      int queued = 0;
      if (const CURLMsg* message = curl_multi_info_read(multi_.get(), &queued)) return message->data.result;
      if (running == 0) return CURLE_FAILED_INIT;
      curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
    }
    return std::nullopt;
  }

  // The head of an answer says what has become of the event, even when the rest breaks off or is too long.
  Answer ReadAnswer(CURLcode done) const {
    Answer answer;
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (has_head_ && status >= 200) answer.status = status;
    if (answer.status == 0) {
      answer.reason = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(done);
      return answer;
    }
    curl_off_t pause_s = 0;
    if (curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &pause_s) == CURLE_OK) answer.pause_s = pause_s;
    return answer;
  }

  Error Failure(const Answer& answer) const {
    std::string message =
        fmt::format("{}: {}", server_.printable, answer.status == 0 ? answer.reason : ExplainStatus(answer.status));
    if (answer.pause_s > 0) message += fmt::format(" (it asks for a pause of {} s)", answer.pause_s);
    return {ErrorCode::kUnavailable, std::move(message)};
  }

  void NotePause(const Answer& answer) {
    const auto longest_s = std::chrono::duration_cast<std::chrono::seconds>(options_.longest_pause).count();
    const int64_t pause_s = std::clamp<int64_t>(answer.pause_s, 0, longest_s);
    if (pause_s > 0) not_before_ = clock_.Now() + std::chrono::seconds(pause_s);
  }

  // False: stopped.
  bool WaitForPause(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const Duration left = not_before_ - clock_.Now();
      if (left <= Duration(0)) return true;
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(std::min(Milliseconds(left) + 1, 60'000L)), nullptr);
    }
    return false;
  }

  Error Cancelled() const { return {ErrorCode::kCancelled, fmt::format("{}: stopped", server_.printable)}; }

  const Options options_;
  const ServerName server_;
  const Clock& clock_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  size_t answer_bytes_ = 0;  // of this request
  bool has_head_ = false;    // the answer's head is whole
  Time not_before_;
  LogLimiter refused_limit_;
  Easy easy_;
  Multi multi_;  // after the handle, which is never left inside it
};

Status WebhookCourier::CheckAddress(const std::string& address) { return ParseServer(address).status(); }

Result<std::unique_ptr<WebhookCourier>> WebhookCourier::Create(Options options, const Clock& clock) {
  DE_TRY(ServerName server, ParseServer(options.url));
  for (const auto& [header, value] : options.headers) DE_TRY_STATUS(CheckWebhookHeader(header, value));
  if (!options.ca_file.empty()) {
    const auto read = ReadFilePrefix(options.ca_file, 1);
    if (!read.ok()) return read.error().Wrap("webhook: ca_file");
  }
  Easy easy(curl_easy_init(), curl_easy_cleanup);
  Multi multi(curl_multi_init(), curl_multi_cleanup);
  if (!easy || !multi) return Error{ErrorCode::kExhausted, "webhook: no memory for connections"};
  return std::unique_ptr<WebhookCourier>(new WebhookCourier(
      std::make_unique<Impl>(std::move(options), std::move(server), std::move(easy), std::move(multi), clock)));
}

WebhookCourier::WebhookCourier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebhookCourier::~WebhookCourier() = default;
Result<Delivery> WebhookCourier::Deliver(std::span<const StoredEvent> events, std::stop_token stop) {
  return impl_->Deliver(events, stop);
}

}  // namespace deepedge
