// What a webhook sends, and what the server's answer means for the event. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "deepedge/base/result.h"
#include "deepedge/events/courier.h"

namespace deepedge {

enum class WebhookVerdict {
  kArrived,
  kRefused,  // the server will never take this event
  kAgain,    // it may take it later
};

// 2xx: arrived. Refused are the answers that speak of the event itself: 400, 413, 422 and the like. Everything that may
// be put right without the event being another one comes again: the server's own errors (5xx), 408, 425, 429, a login
// that it does not take (401, 403, 407), an address behind which nothing listens at the moment (404: what a gateway
// answers while the service behind it starts), and redirects, which are not followed.
WebhookVerdict VerdictOn(long status);

// In words, for messages: "answers 301: it points to another address, and redirects are not followed".
std::string ExplainStatus(long status);

std::string Base64(std::string_view bytes);

// The event's JSON object; with `pictures`, its JPEG in base64 as a last entry "picture".
std::string WebhookBody(const StoredEvent& event, bool pictures);

// Errors: kBadInput for a name or a value that cannot stand in a request, or that the webhook sets itself. Values are
// not printed: they may be secret.
Status CheckWebhookHeader(std::string_view name, std::string_view value);

}  // namespace deepedge
