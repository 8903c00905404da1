#include "deepedge/profiler/meter/box.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "deepedge/base/text.h"
#include "deepedge/profiler/meter/memory_meter.h"
#include "deepedge/profiler/meter/proc_text.h"

namespace deepedge {
namespace {

constexpr std::string_view kUnknown = "unknown";
constexpr size_t kMostText = 120;
constexpr size_t kMostName = 24;  // of the CPU in a fingerprint
constexpr int64_t kMiB = int64_t{1} << 20;

// Any of the flags gives the feature.
struct Feature {
  std::string_view name;
  std::string_view flags[2];
};
constexpr Feature kFeatures[] = {
    {"avx2", {"avx2", ""}},
    {"avx512", {"avx512bw", ""}},
    {"vnni", {"avx512_vnni", "avx_vnni"}},
    {"bf16", {"avx512_bf16", "bf16"}},
    {"amx", {"amx_tile", "amx_int8"}},
};

// One line of plain characters that can stand in BoxText.
std::string Plain(std::string_view text) {
  std::string plain;
  for (const char c : text.substr(0, kMostText)) plain += (c < ' ' || c > '~' || c == ';') ? ' ' : c;
  plain = Trim(plain);
  return plain.empty() ? std::string(kUnknown) : plain;
}

std::string IsaOf(std::string_view flags) {
  const auto words = Words(flags);
  std::string isa;
  for (const Feature& feature : kFeatures) {
    const bool has = std::ranges::any_of(feature.flags, [&](std::string_view flag) {
      return !flag.empty() && std::ranges::find(words, flag) != words.end();
    });
    if (has) isa += (isa.empty() ? "" : " ") + std::string(feature.name);
  }
  return isa.empty() ? "none" : isa;
}

uint64_t Hash(std::string_view text) {  // FNV-1a: the same on every box and in every build
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// "AMD EPYC 7B13 64-Core" -> "amd-epyc-7b13-64-core".
std::string Slug(std::string_view name) {
  std::string slug;
  for (const char c : LowerCase(std::string(name))) {
    const bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (is_kept) slug += c;
    if (!is_kept && !slug.empty() && slug.back() != '-') slug += '-';
    if (slug.size() >= kMostName) break;
  }
  while (slug.ends_with('-')) slug.pop_back();
  return slug;
}

std::string WithoutMemory(const BoxIdentity& box) {
  return fmt::format("cpu {}; microcode {}; cores {}; isa {}; kernel {}; engine {}", box.cpu_model, box.microcode,
                     box.cores, box.isa, box.kernel, box.engine);
}

void AddDifference(std::string_view what, std::string_view now, std::string_view then, std::vector<std::string>& to) {
  if (now != then) to.push_back(fmt::format("{} {}, profile made with {}", what, now, then));
}

// "avx2 avx512, profile made with avx2" is harder to read than what came and what went.
std::string IsaDifference(std::string_view now, std::string_view then) {
  const auto only_in = [](std::string_view a, std::string_view b) {
    const auto others = Words(b);
    std::string text;
    for (const std::string_view word : Words(a)) {
      if (word == "none" || std::ranges::find(others, word) != others.end()) continue;
      text += (text.empty() ? "" : " ") + std::string(word);
    }
    return text;
  };
  const std::string more = only_in(now, then);
  const std::string less = only_in(then, now);
  if (less.empty()) return fmt::format("CPU has {}, profile made without", more);
  if (more.empty()) return fmt::format("CPU has no {}, profile made with", less);
  return fmt::format("CPU has {} and no {}, profile made the other way round", more, less);
}

Status SetPart(std::string_view name, std::string_view value, BoxIdentity& box) {
  const auto number = ParseAmount(Words(value).empty() ? "" : Words(value).front());
  const auto refuse = [&] {
    return Error{ErrorCode::kBadInput, fmt::format("box: {} '{}' is no number", name, value.substr(0, kMostText))};
  };
  if (name == "cpu") box.cpu_model = Plain(value);
  if (name == "microcode") box.microcode = Plain(value);
  if (name == "isa") box.isa = Plain(value);
  if (name == "kernel") box.kernel = Plain(value);
  if (name == "engine") box.engine = Plain(value);
  if (name == "cores") {
    if (!number || *number > kMostCpus) return refuse();
    box.cores = static_cast<int>(*number);
  }
  if (name == "memory") {
    if (!number || *number > INT64_MAX / kMiB) return refuse();
    box.memory_bytes = *number * kMiB;
  }
  return {};
}

int CoresOf(const Path& root) {
  const auto status = ReadProcFile(root, "proc/self/status");
  if (status.ok()) {
    const auto cpus = ParseAllowedCpus(status.value());
    if (cpus.ok()) return static_cast<int>(cpus.value().size());
  }
  const auto online = ReadProcValue(root, "sys/devices/system/cpu/online");
  if (!online.ok()) return 0;
  const auto cpus = ParseCpuList(online.value());
  return cpus.ok() ? static_cast<int>(cpus.value().size()) : 0;
}

}  // namespace

BoxIdentity ParseCpuinfo(std::string_view text) {
  BoxIdentity box = {.cpu_model = std::string(kUnknown),
                     .microcode = std::string(kUnknown),
                     .isa = std::string(kUnknown),
                     .kernel = std::string(kUnknown),
                     .engine = std::string(kUnknown)};
  while (const auto line = NextLine(text)) {
    const size_t colon = line->find(':');
    if (Trim(*line).empty()) break;  // the end of the first CPU
    if (colon == std::string_view::npos) continue;
    const std::string_view name = Trim(line->substr(0, colon));
    const std::string_view value = Trim(line->substr(colon + 1));
    if (name == "model name") box.cpu_model = Plain(value);
    if (name == "microcode") box.microcode = Plain(value);
    if (name == "flags" || name == "Features") box.isa = IsaOf(value);
  }
  return box;
}

std::string EngineVersion(std::string_view engine_description) {
  return Plain(engine_description.substr(0, std::min(engine_description.find(" on "), engine_description.find(','))));
}

Result<BoxIdentity> ReadBox(const Path& root, std::string_view engine_description) {
  const auto cpuinfo = ReadProcFile(root, "proc/cpuinfo");
  BoxIdentity box = ParseCpuinfo(cpuinfo.ok() ? std::string_view(cpuinfo.value()) : "");
  box.cores = CoresOf(root);
  box.engine = EngineVersion(engine_description);
  const auto kernel = ReadProcValue(root, "proc/sys/kernel/osrelease");
  if (kernel.ok()) box.kernel = Plain(kernel.value());
  const auto meminfo = ReadProcFile(root, "proc/meminfo");
  if (meminfo.ok()) {
    const auto memory = ParseMeminfo(meminfo.value());
    if (memory.ok()) box.memory_bytes = memory.value().total;
  }
  if (!cpuinfo.ok() && box.cores == 0) {
    return Error{ErrorCode::kUnavailable, fmt::format("which box this is cannot be told: {}", cpuinfo.error().message)};
  }
  return box;
}

std::string Fingerprint(const BoxIdentity& box) {
  return fmt::format("{}-{}c-{:016x}", Slug(box.cpu_model), box.cores, Hash(WithoutMemory(box)));
}

std::string BoxText(const BoxIdentity& box) {
  return fmt::format("{}; memory {} MiB", WithoutMemory(box), box.memory_bytes / kMiB);
}

Result<BoxIdentity> BoxFromText(std::string_view text) {
  if (!text.starts_with("cpu ")) {
    return Error{ErrorCode::kBadInput, fmt::format("box '{}': expected 'cpu ..; ..'", text.substr(0, kMostText))};
  }
  BoxIdentity box = ParseCpuinfo("");
  while (!text.empty()) {
    const size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = Trim(text.substr(0, end));
    const size_t blank = std::min(part.find(' '), part.size());
    DE_TRY_STATUS(SetPart(part.substr(0, blank), Trim(part.substr(blank)), box));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return box;
}

std::vector<std::string> Differences(const BoxIdentity& now, const BoxIdentity& profile) {
  std::vector<std::string> differences;
  AddDifference("CPU", now.cpu_model, profile.cpu_model, differences);
  AddDifference("microcode", now.microcode, profile.microcode, differences);
  AddDifference("cores", fmt::format("{}", now.cores), fmt::format("{}", profile.cores), differences);
  if (now.isa != profile.isa) differences.push_back(IsaDifference(now.isa, profile.isa));
  AddDifference("kernel", now.kernel, profile.kernel, differences);
  AddDifference("engine", now.engine, profile.engine, differences);
  const double a = static_cast<double>(now.memory_bytes);
  const double b = static_cast<double>(profile.memory_bytes);
  if (std::abs(a - b) > 0.1 * std::max(a, b)) {
    AddDifference("memory", fmt::format("{} MiB", now.memory_bytes / kMiB),
                  fmt::format("{} MiB", profile.memory_bytes / kMiB), differences);
  }
  return differences;
}

}  // namespace deepedge
