// Params: the fields of one message of a prototxt, read by name with their defaults, which remembers what was read: a
// field that nobody asked for would change what a layer does, and is an error, never overlooked.
//
//   Params p = layer.Param("pooling_param");
//   const int64_t pad = p.Int("pad", 0, 0, 1000);
//   p.Ignore({"engine"});
//   p.Finish();                    // throws when there is a field besides these
//
// Errors are thrown, for CatchLayer: std::invalid_argument, and Unsupported for what is understood but not read.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/formats/caffe/prototxt.h"

namespace deepedge {

class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Thread-compatible. Borrows the message.
class Params {
 public:
  // No message: every field has its default.
  explicit Params(std::string name, const TextMessage* message = nullptr);

  bool Has(std::string_view field) const;
  // The fields that occur at most once.
  double Number(std::string_view field, double absent);
  float Float(std::string_view field, double absent) { return static_cast<float>(Number(field, absent)); }
  int64_t Int(std::string_view field, int64_t absent, int64_t least, int64_t most);
  bool Bool(std::string_view field, bool absent);
  std::string Word(std::string_view field, std::string_view absent);
  Params Message(std::string_view field);
  // Fields that may be repeated.
  std::vector<int64_t> Ints(std::string_view field, int64_t least, int64_t most);
  std::vector<float> Floats(std::string_view field);
  std::vector<std::string> Words(std::string_view field);
  std::vector<Params> Messages(std::string_view field);

  // Fields that do not change what a trained network computes.
  void Ignore(std::initializer_list<std::string_view> fields);
  // Throws Unsupported when a field was neither read nor ignored.
  void Finish() const;

 private:
  // The names of the first of those fields, each once.
  std::vector<std::string> Unread() const;
  std::vector<const TextField*> Take(std::string_view field, bool message);
  const TextField* TakeOne(std::string_view field, bool message);
  double NumberOf(const TextField& field) const;
  int64_t IntOf(const TextField& field, int64_t least, int64_t most) const;

  std::string name_;
  const TextMessage* message_;
  std::vector<bool> read_;  // by position
};

}  // namespace deepedge
