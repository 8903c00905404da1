#include "deepedge/formats/inflate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace deepedge {
namespace {

constexpr int kLongestCode = 15;
constexpr size_t kLiterals = 288;
constexpr size_t kDistances = 30;
constexpr int kEndOfBlock = 256;

// Huffman codes of increasing length: how many there are of each, and their symbols in order.
struct Code {
  std::array<int, kLongestCode + 1> count{};
  std::vector<int> symbols;
};

std::optional<Code> MakeCode(const std::vector<int>& lengths) {
  Code code;
  for (const int length : lengths) ++code.count[static_cast<size_t>(length)];
  code.count[0] = 0;
  int left = 1;  // codes that are not given yet
  std::array<int, kLongestCode + 2> first{};
  for (size_t length = 1; length <= kLongestCode; ++length) {
    left = 2 * left - code.count[length];
    if (left < 0) return std::nullopt;
    first[length + 1] = first[length] + code.count[length];
  }
  code.symbols.resize(lengths.size());
  for (size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    const auto length = static_cast<size_t>(lengths[symbol]);
    if (length != 0) code.symbols[static_cast<size_t>(first[length]++)] = static_cast<int>(symbol);
  }
  return code;
}

class Inflater {
 public:
  Inflater(std::string_view packed, size_t most) : packed_(packed), most_(most) {}

  std::optional<std::string> Run() {
    bool last = false;
    while (!last) {
      last = Bits(1) == 1;
      const int kind = Bits(2);
      const bool good = kind == 0 ? Stored() : kind == 1 ? Fixed() : kind == 2 && Dynamic();
      if (!good || broken_) return std::nullopt;
    }
    return std::move(out_);
  }

 private:
  int Bits(int count) {
    int value = 0;
    for (int i = 0; i < count; ++i, ++at_) {
      if (at_ / 8 >= packed_.size()) {
        broken_ = true;
        return 0;
      }
      value |= ((static_cast<uint8_t>(packed_[at_ / 8]) >> (at_ % 8)) & 1) << i;
    }
    return value;
  }

  // -1: no code.
  int Symbol(const Code& code) {
    int value = 0;
    int first = 0;
    int index = 0;
    for (size_t length = 1; length <= kLongestCode && !broken_; ++length) {
      value |= Bits(1);
      const int count = code.count[length];
      if (value - first < count) return code.symbols[static_cast<size_t>(index + value - first)];
      index += count;
      first = (first + count) * 2;
      value *= 2;
    }
    broken_ = true;
    return -1;
  }

  bool Stored() {
    at_ = (at_ + 7) / 8 * 8;
    const int length = Bits(16);
    const int inverse = Bits(16);
    const size_t from = at_ / 8;
    const auto count = static_cast<size_t>(length);
    if (broken_ || (length ^ 0xFFFF) != inverse || count > packed_.size() - from || count > most_ - out_.size()) {
      return false;
    }
    out_ += packed_.substr(from, count);
    at_ += 8 * count;
    return true;
  }

  bool Fixed() {
    std::vector<int> lengths(kLiterals, 8);
    std::fill(lengths.begin() + 144, lengths.begin() + 256, 9);
    std::fill(lengths.begin() + 256, lengths.begin() + 280, 7);
    return Block(*MakeCode(lengths), *MakeCode(std::vector<int>(kDistances, 5)));
  }

  bool Dynamic() {
    static constexpr std::array<size_t, 19> kOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    const auto literals = static_cast<size_t>(Bits(5)) + 257;
    const auto distances = static_cast<size_t>(Bits(5)) + 1;
    const auto given = static_cast<size_t>(Bits(4)) + 4;
    std::vector<int> code_lengths(kOrder.size(), 0);
    for (size_t i = 0; i < given; ++i) code_lengths[kOrder[i]] = Bits(3);
    const auto code = MakeCode(code_lengths);
    if (!code || broken_ || literals > 286 || distances > kDistances) return false;
    std::vector<int> lengths;
    while (lengths.size() < literals + distances) {
      const int symbol = Symbol(*code);
      if (broken_) return false;
      if (symbol < 16) {
        lengths.push_back(symbol);
        continue;
      }
      if (symbol == 16 && lengths.empty()) return false;
      const int repeated = symbol == 16 ? lengths.back() : 0;
      const int times = symbol == 16 ? 3 + Bits(2) : symbol == 17 ? 3 + Bits(3) : 11 + Bits(7);
      lengths.insert(lengths.end(), static_cast<size_t>(times), repeated);
    }
    if (lengths.size() != literals + distances) return false;
    const auto split = lengths.begin() + static_cast<std::ptrdiff_t>(literals);
    const auto literal_code = MakeCode({lengths.begin(), split});
    const auto distance_code = MakeCode({split, lengths.end()});
    return literal_code && distance_code && Block(*literal_code, *distance_code);
  }

  bool Block(const Code& literals, const Code& distances) {
    static constexpr std::array<int, 29> kLength = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static constexpr std::array<int, 29> kLengthBits = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                        2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    while (true) {
      const int symbol = Symbol(literals);
      if (broken_) return false;
      if (symbol == kEndOfBlock) return true;
      if (symbol < kEndOfBlock) {
        if (out_.size() >= most_) return false;
        out_ += static_cast<char>(symbol);
        continue;
      }
      const auto which = static_cast<size_t>(symbol - kEndOfBlock - 1);
      if (which >= kLength.size()) return false;
      const int length = kLength[which] + Bits(kLengthBits[which]);
      const int far = Symbol(distances);
      if (broken_ || far >= static_cast<int>(kDistances)) return false;
      // 1, 2, 3, 4, then two for every further bit.
      const int more = std::max(0, far / 2 - 1);
      const int distance = (far < 2 ? far : ((2 + far % 2) << more)) + 1 + Bits(more);
      if (!Copy(static_cast<size_t>(length), static_cast<size_t>(distance))) return false;
    }
  }

  bool Copy(size_t length, size_t distance) {
    if (broken_ || distance > out_.size() || length > most_ - out_.size()) return false;
    for (size_t i = 0; i < length; ++i) out_ += out_[out_.size() - distance];
    return true;
  }

  std::string_view packed_;
  size_t most_;
  size_t at_ = 0;  // in bits
  bool broken_ = false;
  std::string out_;
};

}  // namespace

std::optional<std::string> Inflate(std::string_view packed, size_t most) { return Inflater(packed, most).Run(); }

}  // namespace deepedge
