#include "deepedge/events/webhook/webhook_courier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "deepedge/base/file.h"
#include "deepedge/events/webhook/http_server_for_test.h"

namespace deepedge {
namespace {

using testing::HasSubstr;
using testing::Not;
using Server = HttpServerForTest;

std::vector<StoredEvent> MakeEvents(int count) {
  std::vector<StoredEvent> events;
  for (int i = 1; i <= count; ++i) {
    const std::string id = fmt::format("run-{}", i);
    events.push_back({.number = i,
                      .id = id,
                      .type = "stream_up",
                      .stream = "gate",
                      .at_us = i,
                      .json = fmt::format(R"({{"type":"stream_up","stream":"gate","id":"{}"}})", id)});
  }
  return events;
}

class WebhookCourierTest : public testing::Test {
 protected:
  std::unique_ptr<WebhookCourier> Make(WebhookCourier::Options options) {
    auto courier = WebhookCourier::Create(std::move(options), clock_);
    EXPECT_TRUE(courier.ok()) << courier.error().message;
    return std::move(courier).value();
  }
  // What one event gets from a server that gives this reply; an error is returned as its message.
  std::string Deliver(WebhookCourier::Options options, int count = 1) {
    const auto delivered = Make(std::move(options))->Deliver(MakeEvents(count), {});
    if (!delivered.ok()) return delivered.error().message;
    return fmt::format("{} arrived, {} refused", delivered.value().arrived, delivered.value().refused);
  }
  std::string DeliverTo(const Server::Reply& reply, Duration timeout = std::chrono::seconds(10)) {
    const Server server([&](const Server::Request&) { return reply; });
    return Deliver({.url = server.Url(), .timeout = timeout});
  }

  RealClock clock_;
};

TEST_F(WebhookCourierTest, PostsEachEventOverOneConnection) {
  Server server([](const Server::Request&) { return Server::Answer(200); });
  auto events = MakeEvents(3);
  events[1].picture = "foo";
  const auto courier = Make({.url = server.Url("/hook?key=1"),
                             .headers = {{"Authorization", "Bearer secret"}, {"X-Empty", ""}},
                             .pictures = true});
  const auto delivered = courier->Deliver(events, {});
  ASSERT_TRUE(delivered.ok()) << delivered.error().message;
  EXPECT_EQ(delivered.value().arrived, 3u);
  EXPECT_EQ(delivered.value().refused, 0u);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(requests[i].head.starts_with("POST /hook?key=1 HTTP/1.1\r\n")) << requests[i].head;
    EXPECT_TRUE(requests[i].Has("Content-Type: application/json")) << requests[i].head;
    EXPECT_TRUE(requests[i].Has("X-DeepEdge-Event-Id: " + events[i].id)) << requests[i].head;
    EXPECT_TRUE(requests[i].Has("Authorization: Bearer secret")) << requests[i].head;
    EXPECT_TRUE(requests[i].Has("X-Empty:") || requests[i].Has("X-Empty: ")) << requests[i].head;
    EXPECT_EQ(requests[i].connection, 1);
  }
  EXPECT_EQ(requests[0].body, events[0].json);
  EXPECT_EQ(requests[1].body, R"({"type":"stream_up","stream":"gate","id":"run-2","picture":"Zm9v"})");
}

TEST_F(WebhookCourierTest, SendsLargePicturesAndTheUsersContentType) {
  Server server([](const Server::Request&) { return Server::Answer(204); });
  auto events = MakeEvents(1);
  events[0].picture.assign(3'000'000, 'x');
  const auto courier =
      Make({.url = server.Url(), .headers = {{"content-type", "application/cloudevents+json"}}, .pictures = true});
  ASSERT_TRUE(courier->Deliver(events, {}).ok());
  EXPECT_GT(server.requests().at(0).body.size(), 4'000'000u);
  EXPECT_THAT(server.requests().at(0).head, Not(HasSubstr("application/json")));
  EXPECT_THAT(server.requests().at(0).head, HasSubstr("application/cloudevents+json"));
}

TEST_F(WebhookCourierTest, SendsTheLoginOfTheAddressAndNeverSaysIt) {
  Server server([](const Server::Request&) { return Server::Answer(503); });
  const std::string said =
      Deliver({.url = fmt::format("http://me:pass%40word@127.0.0.1:{}/hook/token?k=token", server.port())});
  EXPECT_EQ(said, fmt::format("http://127.0.0.1:{}: answers 503", server.port()));
  EXPECT_TRUE(server.requests().at(0).Has("Authorization: Basic bWU6cGFzc0B3b3Jk")) << server.requests().at(0).head;
}

TEST_F(WebhookCourierTest, GoesByTheAnswer) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const struct {
    const char* what;
    Server::Reply reply;
    const char* expected;
  } cases[] = {
      {"created", Server::Answer(201), "1 arrived, 0 refused"},
      {"bad request", Server::Answer(400), "1 arrived, 1 refused"},
      {"no login", Server::Answer(401), "answers 401: it does not take the login"},
      {"missing", Server::Answer(404), "answers 404"},
      {"overload", Server::Answer(500), "answers 500"},
      {"elsewhere", Server::Answer(302, "Location: /other\r\n"), "redirects are not followed"},
      {"pause", Server::Answer(429, "Retry-After: 30\r\n"), "it asks for a pause of 30 s"},
      {"hangs up", {.hang_up = true}, "Empty reply"},
      {"hangs up in the status", {.bytes = "HTTP/1.1 20", .hang_up = true}, ""},
      {"hangs up in the head", {.bytes = head + "Server: x", .hang_up = true}, "127.0.0.1"},
      {"hangs up in the body",
       {.bytes = head + "Content-Length: 9\r\n\r\nab", .hang_up = true},
       "1 arrived, 0 refused"},
      {"refuses, hangs up",
       {.bytes = "HTTP/1.1 400 No\r\nContent-Length: 9\r\n\r\nab", .hang_up = true},
       "1 arrived, 1 refused"},
      {"no body", {.bytes = head + "\r\n", .hang_up = true}, "1 arrived, 0 refused"},
      {"no HTTP", {.bytes = "SSH-2.0-server\r\n\r\n", .hang_up = true}, "HTTP"},
      {"only promises", {.bytes = "HTTP/1.1 100 Continue\r\n\r\n", .hang_up = true}, "127.0.0.1"},
      {"promises first", {.bytes = "HTTP/1.1 103 Hint\r\n\r\n" + Server::Answer(200).bytes}, "1 arrived, 0 refused"},
  };
  for (const auto& c : cases) {
    const std::string said = DeliverTo(c.reply);
    EXPECT_THAT(said, HasSubstr(c.expected)) << c.what;
    if (c.expected[0] == '\0') {
      EXPECT_THAT(said, Not(HasSubstr("arrived"))) << c.what;
    }
  }
}

TEST_F(WebhookCourierTest, CutsLongAnswersOff) {
  const Server::Reply long_body = Server::Answer(200, "", std::string(20'000'000, 'x'));
  EXPECT_EQ(DeliverTo(long_body), "1 arrived, 0 refused");
  Server::Reply long_head{.bytes = "HTTP/1.1 200 OK\r\n", .hang_up = true};
  for (int i = 0; i < 10'000; ++i) long_head.bytes += "X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n";
  EXPECT_THAT(DeliverTo(long_head), HasSubstr("127.0.0.1"));
}

TEST_F(WebhookCourierTest, TellsWhatArrivedBeforeAFailure) {
  std::atomic<int> count = 0;
  Server server([&](const Server::Request&) { return Server::Answer(++count == 2 ? 400 : count == 4 ? 503 : 200); });
  const auto courier = Make({.url = server.Url()});
  const auto events = MakeEvents(5);
  const auto first = courier->Deliver(events, {});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first.value().arrived, 3u);
  EXPECT_EQ(first.value().refused, 1u);
  const auto rest = courier->Deliver(std::span(events).subspan(3), {});
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest.value().arrived, 2u);
  EXPECT_EQ(server.requests().size(), 6u);
}

TEST_F(WebhookCourierTest, SaysThatNobodyListens) {
  auto server = std::make_unique<Server>([](const Server::Request&) { return Server::Answer(200); });
  const auto courier = Make({.url = server->Url()});
  ASSERT_TRUE(courier->Deliver(MakeEvents(1), {}).ok());
  server.reset();  // closes the connection and the port
  const auto refused = courier->Deliver(MakeEvents(1), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("127.0.0.1"));
}

TEST_F(WebhookCourierTest, ConnectsAgainWhenAnIdleConnectionWasClosed) {
  Server server([](const Server::Request&) {
    Server::Reply reply = Server::Answer(200);
    reply.hang_up = true;
    return reply;
  });
  const auto courier = Make({.url = server.Url()});
  for (int i = 0; i < 5; ++i) {
    const auto delivered = courier->Deliver(MakeEvents(3), {});
    ASSERT_TRUE(delivered.ok()) << delivered.error().message;
    EXPECT_EQ(delivered.value().arrived, 3u);
  }
  EXPECT_EQ(server.requests().size(), 15u);
}

TEST_F(WebhookCourierTest, GivesUpOnAServerThatDoesNotAnswer) {
  const Time before = clock_.Now();
  EXPECT_THAT(DeliverTo({}, std::chrono::milliseconds(200)), HasSubstr("timed out"));
  EXPECT_LT(clock_.Now() - before, std::chrono::seconds(5));
}

TEST_F(WebhookCourierTest, KeepsThePauseThatTheServerAsksForUpToABound) {
  std::atomic<int> count = 0;
  Server server([&](const Server::Request&) {
    return ++count == 1 ? Server::Answer(429, "Retry-After: 3600\r\n") : Server::Answer(200);
  });
  const auto courier = Make({.url = server.Url(), .longest_pause = std::chrono::seconds(1)});
  ASSERT_FALSE(courier->Deliver(MakeEvents(1), {}).ok());
  const Time before = clock_.Now();
  ASSERT_TRUE(courier->Deliver(MakeEvents(1), {}).ok());
  EXPECT_GE(clock_.Now() - before, std::chrono::milliseconds(900));
  EXPECT_LT(clock_.Now() - before, std::chrono::seconds(8));
}

TEST_F(WebhookCourierTest, StopsInTheMiddleOfARequest) {
  Server server([](const Server::Request&) { return Server::Reply{}; });
  const auto courier = Make({.url = server.Url()});
  std::stop_source stop;
  std::optional<Result<Delivery>> result;
  std::thread thread([&] { result = courier->Deliver(MakeEvents(1), stop.get_token()); });
  ASSERT_TRUE(server.WaitForRequests(1));
  const Time before = clock_.Now();
  stop.request_stop();
  thread.join();
  EXPECT_LT(clock_.Now() - before, std::chrono::seconds(1));
  ASSERT_FALSE(result->ok());
  EXPECT_EQ(result->error().code, ErrorCode::kCancelled);
}

TEST_F(WebhookCourierTest, StopsDuringAPause) {
  Server server([](const Server::Request&) { return Server::Answer(503, "Retry-After: 60\r\n"); });
  const auto courier = Make({.url = server.Url()});
  ASSERT_FALSE(courier->Deliver(MakeEvents(1), {}).ok());
  std::stop_source stop;
  const Time before = clock_.Now();
  std::thread thread([&] {
    const auto result = courier->Deliver(MakeEvents(1), stop.get_token());
    EXPECT_FALSE(result.ok());
  });
  stop.request_stop();
  thread.join();
  EXPECT_LT(clock_.Now() - before, std::chrono::seconds(1));
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(WebhookCourierTest, RefusesWhatCannotBeUsed) {
  const auto folder = TemporaryFolder::Create("de_webhook_test").value();
  const struct {
    WebhookCourier::Options options;
    const char* expected;
  } cases[] = {
      {{.url = ""}, "cannot be understood"},
      {{.url = "file:///etc/passwd"}, "begins with 'file://'"},
      {{.url = "ftp://me:secret@host/"}, "begins with 'ftp://'"},
      {{.url = "http://me:sec#ret@host/"}, "cannot be understood"},
      {{.url = "http://host:99999/"}, "cannot be understood"},
      {{.url = "http://host/", .headers = {{"A", "secret\r\nB: c"}}}, "header 'A'"},
      {{.url = "http://host/", .ca_file = (folder.path() / "none.pem").string()}, "none.pem: no such file"},
  };
  for (const auto& c : cases) {
    const auto courier = WebhookCourier::Create(c.options, clock_);
    ASSERT_FALSE(courier.ok()) << c.options.url;
    EXPECT_THAT(courier.error().message, HasSubstr(c.expected));
    EXPECT_THAT(courier.error().message, Not(HasSubstr("secret")));
    EXPECT_THAT(courier.error().message, Not(HasSubstr("sec#ret")));
  }
}

}  // namespace
}  // namespace deepedge
