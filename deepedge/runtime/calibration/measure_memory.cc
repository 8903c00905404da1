#include "deepedge/runtime/calibration/measure_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "deepedge/base/thread.h"

namespace deepedge {
namespace {

constexpr CacheSizes kGuess{.l1_bytes = 32 << 10, .l2_bytes = 1 << 20, .last_level_bytes = 8 << 20, .guessed = true};
constexpr int kMostIndexes = 16;
constexpr size_t kChunk = 64 << 10;  // between two looks at the clock

std::string FirstLine(const Path& file) {
  const auto text = ReadFilePrefix(file, 64);
  if (!text.ok()) return {};
  return text.value().substr(0, text.value().find('\n'));
}

// "512K", "32M", "1024".
int64_t BytesOf(std::string_view text) {
  int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value <= 0 || value > (int64_t{1} << 40)) return 0;
  if (rest == text.data() + text.size()) return value;
  if (*rest == 'K') return value << 10;
  if (*rest == 'M') return value << 20;
  return 0;
}

// Sums up what lies there, so that every byte is read: eight sums, which do not wait for one another.
uint64_t ReadAll(const uint64_t* words, size_t count) {
  std::array<uint64_t, 8> sums{};
  for (size_t i = 0; i + 8 <= count; i += 8) {
    for (size_t k = 0; k < 8; ++k) sums[k] += words[i + k];
  }
  uint64_t sum = 0;
  for (const uint64_t part : sums) sum += part;
  return sum;
}

struct Buffer {
  std::unique_ptr<uint64_t[]> words;
  size_t bytes = 0;
};

// Written once, so that it has memory of its own. Nothing where there is not enough.
std::optional<Buffer> MakeBuffer(size_t bytes) {
  Buffer buffer{.words = std::unique_ptr<uint64_t[]>(new (std::nothrow) uint64_t[bytes / 8]), .bytes = bytes / 8 * 8};
  if (buffer.words == nullptr) return std::nullopt;
  std::memset(buffer.words.get(), 1, buffer.bytes);
  return buffer;
}

// Threads that begin at the same time.
class Race {
 public:
  Race(const Clock& clock, size_t runners, Duration slice) : clock_(clock), runners_(runners), slice_(slice) {}

  // Reads `part` over and over until the time is over; GB/s. Called by each runner once. A stop ends the waiting for
  // the others, too.
  double Run(std::span<const uint64_t> part, const std::stop_token& stop) {
    ReadAll(part.data(), std::min(part.size(), kChunk / 8));
    ready_.fetch_add(1);
    while (ready_.load() < runners_ && !stop.stop_requested()) std::this_thread::yield();
    const Time start = clock_.Now();
    const Time end = start + slice_;
    uint64_t sum = 0;
    double bytes = 0;
    Time now = start;
    for (size_t at = 0; now < end && !stop.stop_requested(); now = clock_.Now()) {
      const size_t count = std::min(kChunk / 8, part.size() - at);
      sum += ReadAll(part.data() + at, count);
      bytes += static_cast<double>(count) * 8;
      at = at + count >= part.size() ? 0 : at + count;
    }
    sum_.fetch_add(sum);
    const auto us = static_cast<double>((now - start).count());
    return us > 0 ? bytes / us * 1e-3 : 0;
  }

 private:
  const Clock& clock_;
  size_t runners_;
  Duration slice_;
  std::atomic<size_t> ready_{0};
  std::atomic<uint64_t> sum_{0};  // so that the compiler cannot leave the reading out
};

// One thread for each of `cpus`, each with an equal part of the first `bytes`. All together.
double ReadTogether(const Buffer& buffer, size_t bytes, std::span<const int> cpus, const MemoryMeasuring& plan,
                    Measuring& measuring) {
  double best = 0;
  const size_t words = std::max<size_t>(std::min(bytes, buffer.bytes) / 8 / cpus.size() / 8 * 8, 8);
  for (int round = 0; round < plan.rounds && measuring.GoOn(); ++round) {
    Race race(measuring.clock(), cpus.size(), plan.slice);
    std::vector<double> rates(cpus.size());
    {
      std::vector<Thread> threads;
      for (size_t i = 0; i < cpus.size(); ++i) {
        const std::span<const uint64_t> part(buffer.words.get() + i * words, words);
        threads.emplace_back(Thread::Options{.name = fmt::format("memory-{}", i), .cpu = cpus[i]},
                             [&race, &rates, &measuring, part, i](const std::stop_token&) {
                               rates[i] = race.Run(part, measuring.stop());
                             });
      }
      for (Thread& thread : threads) thread.Join();
    }
    double sum = 0;
    for (const double rate : rates) sum += rate;
    best = std::max(best, sum);
  }
  return measuring.stopped() ? 0 : best;
}

}  // namespace

CacheSizes ReadCacheSizes(const Path& folder) {
  CacheSizes sizes;
  int64_t last_level = 0;
  for (int i = 0; i < kMostIndexes; ++i) {
    const Path index = folder / fmt::format("index{}", i);
    const std::string type = FirstLine(index / "type");
    if (type != "Data" && type != "Unified") continue;
    const int64_t level = BytesOf(FirstLine(index / "level"));
    const int64_t bytes = BytesOf(FirstLine(index / "size"));
    if (bytes == 0) continue;
    if (level == 1) sizes.l1_bytes = bytes;
    if (level == 2) sizes.l2_bytes = bytes;
    if (level > last_level) {
      last_level = level;
      sizes.last_level_bytes = bytes;
    }
  }
  sizes.guessed = sizes.l1_bytes == 0 || sizes.l2_bytes == 0 || last_level < 2;
  if (sizes.l1_bytes == 0) sizes.l1_bytes = kGuess.l1_bytes;
  if (sizes.l2_bytes == 0) sizes.l2_bytes = kGuess.l2_bytes;
  if (last_level < 2) sizes.last_level_bytes = std::max(kGuess.last_level_bytes, sizes.l2_bytes);
  return sizes;
}

MemoryRates MeasureMemory(const MemoryMeasuring& plan, Measuring& measuring) {
  MemoryRates rates{.caches = ReadCacheSizes(plan.cache_folder)};
  const CacheSizes& caches = rates.caches;
  if (caches.guessed) measuring.Note("memory: the system does not tell the sizes of its caches; they are guessed");
  const int64_t bytes = std::min(4 * caches.last_level_bytes, plan.most_bytes);
  if (bytes < 2 * caches.last_level_bytes) {
    measuring.Note(fmt::format("memory: rates are of {} MB, of which a cache of {} MB holds much", bytes >> 20,
                               caches.last_level_bytes >> 20));
  }
  const std::optional<Buffer> buffer = MakeBuffer(static_cast<size_t>(std::max<int64_t>(bytes, 4096)));
  if (!buffer) {
    measuring.Note(fmt::format("memory: not measured: no {} MB of it free", bytes >> 20));
    return rates;
  }
  const std::vector<int> cpus = plan.cpus.empty() ? AllowedCpus() : plan.cpus;
  for (size_t cores = 1; measuring.GoOn(); cores = std::min(2 * cores, cpus.size())) {
    const double gb_s = ReadTogether(*buffer, buffer->bytes, std::span(cpus).first(cores), plan, measuring);
    if (gb_s > 0) rates.memory.push_back({.cores = static_cast<int>(cores), .gb_s = gb_s});
    if (cores == cpus.size()) break;
  }
  // Half of a cache leaves room for what else is in it.
  const std::span<const int> one = std::span(cpus).first(1);
  if (measuring.GoOn()) {
    rates.l2_gb_s = ReadTogether(*buffer, static_cast<size_t>(caches.l2_bytes / 2), one, plan, measuring);
  }
  // Of a last level that many cores share, one finds a part only.
  const int64_t last_level = std::min(caches.last_level_bytes / 2, std::max(4 * caches.l2_bytes, int64_t{8} << 20));
  if (measuring.GoOn() && caches.last_level_bytes > caches.l2_bytes) {
    rates.last_level_gb_s = ReadTogether(*buffer, static_cast<size_t>(last_level), one, plan, measuring);
  }
  return rates;
}

}  // namespace deepedge
