// Events: what leaves the box. Plain data, turned into one JSON object a line by event_json.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "deepedge/model/inference_result.h"

namespace deepedge {

struct ResultEvent {
  std::string stream;
  std::string model;
  int64_t frame = 0;
  int64_t pts_us = 0;
  int64_t captured_us = 0;   // Unix epoch
  int64_t available_us = 0;  // Unix epoch
  std::string task;          // the card's: which parts of `result` are written
  InferenceResult result;
  std::shared_ptr<const std::vector<std::string>> labels;
  std::string variant;  // "fp32@416x416"
  int64_t plan = 0;
};

struct StreamUpEvent {
  std::string stream;
  int64_t at_us = 0;
  std::string codec;
  int width = 0;
  int height = 0;
};

struct StreamDownEvent {
  std::string stream;
  int64_t at_us = 0;
  std::string reason;
  int64_t retry_in_us = -1;  // -1: not tried again (end of a file, stopped)
};

using Event = std::variant<ResultEvent, StreamUpEvent, StreamDownEvent>;

}  // namespace deepedge
