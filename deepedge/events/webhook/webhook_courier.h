// WebhookCourier posts events to a web server: one request an event, one JSON object a request, in order, over a
// connection that is kept open. Each request carries the event's id in `X-DeepEdge-Event-Id`, by which the server can
// tell an event that comes a second time.
//
// What an answer means is in webhook_rules.h. A server that asks for a pause (Retry-After) gets it, up to
// `longest_pause`. Redirects are not followed: an event, and the headers with their secrets, go where the operator sent
// them. The server's certificate is checked. Bodies of answers are read, so that the connection can be used again, and
// thrown away; what is longer than 64 KB is cut off.
//
// Messages name the server, not the whole address: path and query of a webhook are often its secret.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "deepedge/base/clock.h"
#include "deepedge/events/courier.h"

namespace deepedge {

class WebhookCourier final : public Courier {
 public:
  struct Options {
    std::string url;                              // http or https; may hold a user and a password
    std::map<std::string, std::string> headers;   // of each request
    Duration timeout = std::chrono::seconds(10);  // of one request
    std::string ca_file;                          // empty: the system's
    bool pictures = false;
    Duration longest_pause = std::chrono::minutes(5);
  };
  // Whether events can be posted there; asks nobody. Errors: kBadInput, without the address.
  static Status CheckAddress(const std::string& address);
  // `clock` is the real one. Errors: kBadInput for an address, header or file that cannot be used; kExhausted.
  static Result<std::unique_ptr<WebhookCourier>> Create(Options options, const Clock& clock);
  ~WebhookCourier() override;

  std::string_view name() const override { return "webhook"; }
  // Comes back after two seconds with what has arrived by then, so that a slow server does not keep the outbox from
  // noting it. Errors: kUnavailable, kCancelled.
  Result<Delivery> Deliver(std::span<const StoredEvent> events, std::stop_token stop) override;

 private:
  class Impl;
  explicit WebhookCourier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace deepedge
