#include "deepedge/profiler/meter/cgroup_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "deepedge/base/text.h"
#include "deepedge/profiler/meter/proc_text.h"

namespace deepedge {
namespace {

constexpr size_t kShownBytes = 60;
constexpr size_t kMostFolders = 32;
constexpr int64_t kNoLimit = int64_t{1} << 60;  // version 1 writes the largest multiple of a page
constexpr double kMostCores = 1 << 20;

std::vector<std::string> Split(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (comma > 0) parts.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return parts;
}

// mountinfo writes blanks and backslashes as three octal digits: "\040".
std::string Unescaped(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && std::ranges::all_of(text.substr(i + 1, 3), is_octal)) {
      plain += static_cast<char>(((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')) & 0xff);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// A path below the root without "." and "..".
bool IsPlain(std::string_view path) {
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) return false;
  const std::filesystem::path parts(path);
  return std::ranges::none_of(parts, [](const auto& part) { return part == ".." || part == "."; });
}

Error Refused(std::string_view file, std::string_view text) {
  return {ErrorCode::kBadInput, fmt::format("{}: '{}' is not understood", file, text.substr(0, kShownBytes))};
}

Result<std::optional<double>> Cores(std::string_view file, std::string_view quota, std::string_view period) {
  const auto quota_us = ParseAmount(quota);
  const auto period_us = ParseAmount(period);
  if (!quota_us || !period_us || *quota_us == 0 || *period_us == 0) return Refused(file, quota);
  const double cores = static_cast<double>(*quota_us) / static_cast<double>(*period_us);
  if (cores > kMostCores) return Refused(file, quota);
  return std::optional<double>(cores);
}

}  // namespace

std::vector<CgroupLine> ParseSelfCgroup(std::string_view text) {
  std::vector<CgroupLine> lines;
  while (const auto line = NextLine(text)) {
    const size_t first = line->find(':');
    if (first == std::string_view::npos || !ParseAmount(line->substr(0, first))) continue;
    const size_t second = line->find(':', first + 1);
    if (second == std::string_view::npos) continue;
    lines.push_back({.controllers = Split(line->substr(first + 1, second - first - 1)),
                     .path = std::string(line->substr(second + 1))});
  }
  return lines;
}

// 36 35 0:28 ROOT POINT rw,relatime [optional fields] - TYPE SOURCE OPTIONS
std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  while (const auto line = NextLine(mountinfo)) {
    const auto words = Words(*line);
    const auto dash = std::ranges::find(words, std::string_view("-"));
    if (words.size() < 6 || words.end() - dash < 4 || dash - words.begin() < 6) continue;
    const std::string_view type = dash[1];
    if (type != "cgroup" && type != "cgroup2") continue;
    CgroupMount mount = {.root = Unescaped(words[3]), .point = Unescaped(words[4])};
    if (!IsPlain(mount.point)) continue;
    if (type == "cgroup") {
      mount.controllers = Split(dash[3]);
      std::erase_if(mount.controllers, [](const std::string& option) { return option == "rw" || option == "ro"; });
      if (mount.controllers.empty()) continue;
    }
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<std::string> CgroupFolders(const CgroupMount& mount, const CgroupLine& line) {
  std::string below = line.path;
  if (mount.root != "/") {
    const bool is_below = below == mount.root || below.starts_with(mount.root + "/");
    below = is_below ? below.substr(mount.root.size()) : "/";
  }
  if (below.empty() || !IsPlain(below)) below = "/";
  while (below.size() > 1 && below.ends_with('/')) below.pop_back();
  std::vector<std::string> folders;
  const std::string base = mount.point == "/" ? "" : mount.point;
  while (below.size() > 1 && folders.size() + 1 < kMostFolders) {
    folders.push_back(base + below);
    below.resize(below.rfind('/'));
  }
  folders.push_back(mount.point);
  return folders;
}

Result<std::optional<double>> ParseCpuMax(std::string_view text) {
  const auto words = Words(text);
  if (words.empty() || words.size() > 2) return Refused("cpu.max", text);
  if (words[0] == "max") return std::optional<double>();
  return Cores("cpu.max", words[0], words.size() == 2 ? words[1] : "100000");
}

Result<std::optional<double>> ParseCfsQuota(std::string_view quota, std::string_view period) {
  if (Trim(quota) == "-1") return std::optional<double>();
  return Cores("cpu.cfs_quota_us", Trim(quota), Trim(period));
}

Result<std::optional<int64_t>> ParseMemoryLimit(std::string_view text) {
  const std::string_view value = Trim(text);
  if (value == "max" || value == "-1") return std::optional<int64_t>();
  const auto bytes = ParseAmount(value);
  if (!bytes) return Refused("limit of memory", value);
  if (*bytes >= kNoLimit) return std::optional<int64_t>();
  return bytes;
}

Result<CgroupCpuStat> ParseCgroupCpuStat(std::string_view text) {
  CgroupCpuStat stat;
  while (const auto line = NextLine(text)) {
    const auto words = Words(*line);
    if (words.size() < 2) continue;
    const std::string_view name = words[0];
    const bool is_known = name == "usage_usec" || name == "nr_periods" || name == "nr_throttled" ||
                          name == "throttled_usec" || name == "throttled_time";
    if (!is_known) continue;
    const auto value = ParseAmount(words[1]);
    if (!value) return Refused("cpu.stat", *line);
    if (name == "usage_usec") stat.usage_us = value;
    if (name == "nr_periods") stat.periods = *value;
    if (name == "nr_throttled") stat.throttled_periods = *value;
    if (name == "throttled_usec") stat.throttled_us = *value;
    if (name == "throttled_time") stat.throttled_us = *value / 1000;  // version 1: nanoseconds
  }
  return stat;
}

}  // namespace deepedge
