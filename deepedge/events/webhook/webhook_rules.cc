#include "deepedge/events/webhook/webhook_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "deepedge/base/text.h"

namespace deepedge {
namespace {

bool IsTokenCharacter(char c) {
  const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

WebhookVerdict VerdictOn(long status) {
  if (status >= 200 && status < 300) return WebhookVerdict::kArrived;
  if (status < 400 || status >= 500) return WebhookVerdict::kAgain;
  constexpr std::array kPassing{401L, 403L, 404L, 407L, 408L, 425L, 429L};
  return std::ranges::count(kPassing, status) > 0 ? WebhookVerdict::kAgain : WebhookVerdict::kRefused;
}

std::string ExplainStatus(long status) {
  std::string text = fmt::format("answers {}", status);
  if (status >= 300 && status < 400) text += ": it points to another address, and redirects are not followed";
  if (status == 401 || status == 403 || status == 407) text += ": it does not take the login";
  if (status == 404) text += ": nothing takes events at this address";
  if (status == 429) text += ": too many requests";
  return text;
}

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string WebhookBody(const StoredEvent& event, bool pictures) {
  if (!pictures || event.picture.empty() || !event.json.ends_with('}')) return event.json;
  std::string body = event.json;
  body.pop_back();
  if (!body.ends_with('{')) body += ',';
  body += R"("picture":")";
  body += Base64(event.picture);
  body += "\"}";
  return body;
}

Status CheckWebhookHeader(std::string_view name, std::string_view value) {
  if (name.empty() || !std::ranges::all_of(name, IsTokenCharacter)) {
    return Error{ErrorCode::kBadInput, fmt::format("webhook: '{}' is no name of a header", name)};
  }
  const auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; };
  if (std::ranges::any_of(value, is_control)) {
    return Error{ErrorCode::kBadInput, fmt::format("webhook: the value of header '{}' has a line break or another "
                                                   "control character in it",
                                                   name)};
  }
  constexpr std::array<std::string_view, 5> kOwn{"content-length", "transfer-encoding", "connection", "expect",
                                                 "x-deepedge-event-id"};
  if (std::ranges::count(kOwn, LowerCase(std::string(name))) > 0) {
    return Error{ErrorCode::kBadInput, fmt::format("webhook: header '{}' is set by the webhook itself", name)};
  }
  return {};
}

}  // namespace deepedge
