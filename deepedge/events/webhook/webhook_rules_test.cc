#include "deepedge/events/webhook/webhook_rules.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(VerdictOn, TellsWhatComesAgain) {
  const struct {
    WebhookVerdict verdict;
    std::vector<long> statuses;
  } cases[] = {
      {WebhookVerdict::kArrived, {200, 201, 202, 204, 299}},
      {WebhookVerdict::kRefused, {400, 402, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431, 451, 499}},
      {WebhookVerdict::kAgain,
       {300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 407, 408, 425, 429, 500, 502, 503, 504}},
      {WebhookVerdict::kAgain, {0, 100, 199, 599, 600, 999}},
  };
  for (const auto& c : cases) {
    for (const long status : c.statuses) EXPECT_EQ(VerdictOn(status), c.verdict) << status;
  }
}

TEST(Base64, HasTheKnownForms) {
  const struct {
    std::string_view bytes;
    const char* expected;
  } cases[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"},
               {"\xFF\xFE\xFD", "//79"}};
  for (const auto& c : cases) EXPECT_EQ(Base64(c.bytes), c.expected) << c.bytes;
}

TEST(WebhookBody, AddsThePictureWhenAskedFor) {
  StoredEvent event{.id = "a", .type = "dwell", .stream = "gate", .json = R"({"type":"dwell","id":"a"})"};
  EXPECT_EQ(WebhookBody(event, true), event.json);
  event.picture = "foo";
  EXPECT_EQ(WebhookBody(event, false), event.json);
  EXPECT_EQ(WebhookBody(event, true), R"({"type":"dwell","id":"a","picture":"Zm9v"})");
  event.json = "{}";
  EXPECT_EQ(WebhookBody(event, true), R"({"picture":"Zm9v"})");
}

TEST(CheckWebhookHeader, RefusesWhatWouldBreakTheRequest) {
  for (const auto& [name, value] :
       {std::pair{"Authorization", "Bearer x"}, {"X-Empty", ""}, {"X-Text", "\xC3\xA4\tb"}}) {
    EXPECT_TRUE(CheckWebhookHeader(name, value).ok()) << name;
  }
  const std::pair<std::string_view, std::string_view> bad[] = {{"", "x"},          {"A B", "x"},
                                                               {"A:", "x"},        {"A\r\nB", "x"},
                                                               {"A", "x\r\nB"},    {"A", "x\nsecret: 1"},
                                                               {"A", {"x\0y", 3}}, {"content-LENGTH", "3"},
                                                               {"Expect", "x"},    {"X-DeepEdge-Event-Id", "7"}};
  for (const auto& [name, value] : bad) {
    const Status status = CheckWebhookHeader(name, value);
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().message.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace deepedge
