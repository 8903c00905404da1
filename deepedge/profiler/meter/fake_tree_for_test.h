// FakeTree: a folder that stands for "/", with the files that a test writes into proc, sys and the cgroups' trees.
#pragma once

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/file.h"

namespace deepedge {

class FakeTree {
 public:
  FakeTree() : folder_(TemporaryFolder::Create("meter").value()) {}

  const Path& root() const { return folder_.path(); }

  // Writes `text` to "proc/stat"; folders are made.
  void Write(std::string_view name, std::string_view text) const {
    const Path path = root() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  void Remove(std::string_view name) const { std::filesystem::remove_all(root() / name); }

  // Ticks of each CPU: user, idle, steal.
  void WriteStat(const std::vector<std::array<int64_t, 3>>& cores) const {
    std::string text = "cpu  1 2 3 4 5 6 7 8 9 10\n";
    for (size_t i = 0; i < cores.size(); ++i) {
      text += fmt::format("cpu{} {} 0 0 {} 0 0 0 {} 0 0\n", i, cores[i][0], cores[i][1], cores[i][2]);
    }
    Write("proc/stat", text + "intr 1 2 3\nprocs_running 2\n");
  }
  // Threads: ticks and CPU; the process has `ticks`.
  void WriteOwn(int64_t ticks, const std::vector<std::array<int64_t, 2>>& threads) const {
    Write("proc/self/stat", Stat(7, ticks, 0));
    for (size_t i = 0; i < threads.size(); ++i) {
      Write(fmt::format("proc/self/task/{}/stat", 7 + i), Stat(7 + i, threads[i][0], threads[i][1]));
    }
  }
  static std::string Stat(size_t id, int64_t ticks, int64_t cpu, int nice = 0) {
    return fmt::format(
        "{} (a (b) c) S 1 1 1 0 -1 64 5 0 0 0 {} 0 0 0 20 {} 1 0 99 4096 10 18446744073709551615"
        " 0 0 0 0 0 0 0 0 0 0 0 0 17 {} 0 0 0 0 0\n",
        id, ticks, nice, cpu);
  }
  void WriteStatus(std::string_view allowed) const {
    Write("proc/self/status",
          fmt::format("Name:\tx\nVmRSS:\t  3000 kB\nRssAnon:\t  2000 kB\nCpus_allowed:\tff\nCpus_allowed_list:\t{}\n",
                      allowed));
  }
  void WriteMemory() const {
    Write("proc/meminfo", "MemTotal:  8000000 kB\nMemFree: 5 kB\nMemAvailable: 6000000 kB\n");
  }
  void WritePressure(std::string_view name, int64_t some_us, int64_t full_us) const {
    Write(name, fmt::format("some avg10=1.50 avg60=0.00 avg300=0.00 total={}\n"
                            "full avg10=0.00 avg60=0.00 avg300=0.00 total={}\n",
                            some_us, full_us));
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace deepedge
