#include "deepedge/runtime/calibration/measure_memory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "deepedge/base/thread.h"

namespace deepedge {
namespace {

struct Index {
  const char* level;
  const char* type;
  const char* size;
};

CacheSizes Read(const std::vector<Index>& indexes) {
  const auto folder = TemporaryFolder::Create("cache-sizes");
  EXPECT_TRUE(folder.ok());
  for (size_t i = 0; i < indexes.size(); ++i) {
    const Path at = folder.value().path() / ("index" + std::to_string(i));
    std::filesystem::create_directories(at);
    std::ofstream(at / "level") << indexes[i].level << '\n';
    std::ofstream(at / "type") << indexes[i].type << '\n';
    std::ofstream(at / "size") << indexes[i].size << '\n';
  }
  return ReadCacheSizes(folder.value().path());
}

TEST(CacheSizes, AreReadOrGuessed) {
  constexpr int64_t kKi = 1024;
  const struct {
    const char* what;
    std::vector<Index> indexes;
    CacheSizes expected;
  } cases[] = {
      {"server",
       {{"1", "Data", "32K"}, {"1", "Instruction", "64K"}, {"2", "Unified", "1024K"}, {"3", "Unified", "32M"}},
       {32 * kKi, 1024 * kKi, 32 * kKi * kKi, false}},
      {"two levels", {{"1", "Data", "48K"}, {"2", "Unified", "2048K"}}, {48 * kKi, 2048 * kKi, 2048 * kKi, false}},
      {"nothing", {}, {32 * kKi, 1024 * kKi, 8192 * kKi, true}},
      {"first only", {{"1", "Data", "64K"}}, {64 * kKi, 1024 * kKi, 8192 * kKi, true}},
      {"damaged",
       {{"1", "Data", "x"}, {"2", "Unified", "-4K"}, {"?", "", ""}},
       {32 * kKi, 1024 * kKi, 8192 * kKi, true}},
      {"odd units", {{"1", "Data", "32768"}, {"2", "Unified", "1T"}}, {32 * kKi, 1024 * kKi, 8192 * kKi, true}},
  };
  for (const auto& c : cases) EXPECT_EQ(Read(c.indexes), c.expected) << c.what;
}

MemoryMeasuring Small() {
  return {.cache_folder = "/does/not/exist", .most_bytes = 1 << 20, .slice = std::chrono::milliseconds(2), .rounds = 1};
}

TEST(MeasureMemory, GivesARateForEachNumberOfCores) {
  const RealClock clock;
  Measuring measuring(clock, clock.Now() + std::chrono::seconds(60), {});
  MemoryMeasuring plan = Small();
  // Twice the same: threads that share a core count as two here.
  const int cpu = AllowedCpus().front();
  plan.cpus = {cpu, cpu, cpu};
  const MemoryRates rates = MeasureMemory(plan, measuring);
  ASSERT_EQ(rates.memory.size(), 3U);
  const int cores[] = {1, 2, 3};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(rates.memory[i].cores, cores[i]);
    EXPECT_GT(rates.memory[i].gb_s, 0);
  }
  EXPECT_GT(rates.l2_gb_s, 0);
  EXPECT_GT(rates.last_level_gb_s, 0);
  EXPECT_EQ(measuring.TakeNotes().size(), 2U);  // caches are guessed, and the buffer is too small for them
}

TEST(MeasureMemory, MeasuresNothingAfterAStop) {
  const RealClock clock;
  std::stop_source stop;
  stop.request_stop();
  Measuring measuring(clock, clock.Now() + std::chrono::seconds(60), stop.get_token());
  const MemoryRates rates = MeasureMemory(Small(), measuring);
  EXPECT_TRUE(rates.memory.empty());
  EXPECT_EQ(rates.l2_gb_s, 0);
}

}  // namespace
}  // namespace deepedge
