#include "deepedge/formats/caffe/params.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace deepedge {
namespace {

constexpr size_t kMostNamed = 3;  // fields in a message

}  // namespace

Params::Params(std::string name, const TextMessage* message)
    : name_(std::move(name)), message_(message), read_(message == nullptr ? 0 : message->fields.size(), false) {}

bool Params::Has(std::string_view field) const {
  return message_ != nullptr && std::any_of(message_->fields.begin(), message_->fields.end(),
                                            [&](const TextField& f) { return f.name == field; });
}

std::vector<const TextField*> Params::Take(std::string_view field, bool message) {
  std::vector<const TextField*> found;
  if (message_ == nullptr) return found;
  for (size_t i = 0; i < message_->fields.size(); ++i) {
    const TextField& candidate = message_->fields[i];
    if (candidate.name != field) continue;
    if (candidate.is_message != message) {
      throw std::invalid_argument(fmt::format("line {}: {} of {} must be {}", candidate.line, field, name_,
                                              message ? "a message in braces" : "a value, not a message"));
    }
    read_[i] = true;
    found.push_back(&candidate);
  }
  return found;
}

const TextField* Params::TakeOne(std::string_view field, bool message) {
  const auto found = Take(field, message);
  if (found.size() > 1) {
    throw std::invalid_argument(
        fmt::format("line {}: {} of {} stands there {} times", found[1]->line, field, name_, found.size()));
  }
  return found.empty() ? nullptr : found.front();
}

double Params::NumberOf(const TextField& field) const {
  // from_chars knows neither a plus sign nor the f of a float literal, which text format allows.
  std::string_view text = field.value;
  if (text.starts_with('+')) text.remove_prefix(1);
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (text.size() > 1 && (text.back() == 'f' || text.back() == 'F') && !hexadecimal &&
      text.find_first_of("nN") == std::string_view::npos) {
    text.remove_suffix(1);
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    throw std::invalid_argument(
        fmt::format("line {}: {} of {} must be a number, not '{}'", field.line, field.name, name_, field.value));
  }
  return number;
}

int64_t Params::IntOf(const TextField& field, int64_t least, int64_t most) const {
  const double number = NumberOf(field);
  if (number != std::floor(number) || number < static_cast<double>(least) || number > static_cast<double>(most)) {
    throw std::invalid_argument(fmt::format("line {}: {} of {} must be a whole number from {} to {}, not {}",
                                            field.line, field.name, name_, least, most, field.value));
  }
  return static_cast<int64_t>(number);
}

double Params::Number(std::string_view field, double absent) {
  const TextField* found = TakeOne(field, false);
  return found == nullptr ? absent : NumberOf(*found);
}

int64_t Params::Int(std::string_view field, int64_t absent, int64_t least, int64_t most) {
  const TextField* found = TakeOne(field, false);
  return found == nullptr ? absent : IntOf(*found, least, most);
}

bool Params::Bool(std::string_view field, bool absent) {
  const TextField* found = TakeOne(field, false);
  if (found == nullptr) return absent;
  const std::string& word = found->value;
  if (word == "true" || word == "1" || word == "True" || word == "t") return true;
  if (word == "false" || word == "0" || word == "False" || word == "f") return false;
  throw std::invalid_argument(
      fmt::format("line {}: {} of {} must be true or false, not '{}'", found->line, field, name_, word));
}

std::string Params::Word(std::string_view field, std::string_view absent) {
  const TextField* found = TakeOne(field, false);
  return found == nullptr ? std::string(absent) : found->value;
}

Params Params::Message(std::string_view field) {
  const TextField* found = TakeOne(field, true);
  return Params(std::string(field), found == nullptr ? nullptr : &found->message);
}

std::vector<int64_t> Params::Ints(std::string_view field, int64_t least, int64_t most) {
  std::vector<int64_t> numbers;
  for (const TextField* f : Take(field, false)) numbers.push_back(IntOf(*f, least, most));
  return numbers;
}

std::vector<float> Params::Floats(std::string_view field) {
  std::vector<float> numbers;
  for (const TextField* f : Take(field, false)) numbers.push_back(static_cast<float>(NumberOf(*f)));
  return numbers;
}

std::vector<std::string> Params::Words(std::string_view field) {
  std::vector<std::string> words;
  for (const TextField* f : Take(field, false)) words.push_back(f->value);
  return words;
}

std::vector<Params> Params::Messages(std::string_view field) {
  std::vector<Params> messages;
  for (const TextField* f : Take(field, true)) messages.emplace_back(std::string(field), &f->message);
  return messages;
}

void Params::Ignore(std::initializer_list<std::string_view> fields) {
  for (size_t i = 0; message_ != nullptr && i < message_->fields.size(); ++i) {
    if (std::find(fields.begin(), fields.end(), message_->fields[i].name) != fields.end()) read_[i] = true;
  }
}

std::vector<std::string> Params::Unread() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < read_.size() && names.size() < kMostNamed; ++i) {
    const std::string& name = message_->fields[i].name;
    if (!read_[i] && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

void Params::Finish() const {
  const std::vector<std::string> names = Unread();
  if (names.empty()) return;
  throw Unsupported(fmt::format("{} says {}, which is not read", name_, fmt::join(names, ", ")));
}

}  // namespace deepedge
