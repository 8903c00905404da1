#include "deepedge/profiler/report/profile_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "deepedge/profiler/report/text_table.h"

namespace deepedge {
namespace {

using Column = TextTable::Column;

constexpr TextTable::Align kRight = TextTable::Align::kRight;
constexpr double kNinetyPercent = 1.645;  // standard deviations to either side that hold 90 % of a normal distribution
constexpr size_t kShaDigits = 12;         // enough to tell files apart
constexpr const char* kNone = "-";

double Micros(Duration d) { return static_cast<double>(d.count()); }

// At most one decimal, none from 10 on.
std::string Short(double value) { return fmt::format("{:.{}f}", value, std::abs(value) < 9.95 ? 1 : 0); }

std::string Scaled(int64_t amount, double unit, std::string_view name) {
  return amount == 0 ? kNone : fmt::format("{} {}", Short(static_cast<double>(amount) / unit), name);
}

std::string Percent(double share) { return fmt::format("{:.0f} %", share * 100); }

// Amounts in a microsecond are millions a second.
std::string Giga(int64_t amount, Duration time) {
  if (amount == 0 || time.count() == 0) return kNone;
  return Short(static_cast<double>(amount) / Micros(time) / 1e3);
}

std::string VariantText(const VariantKey& key) {
  return key.width > 0 ? ToString(key) : std::string(ToString(key.precision));
}

std::string SourceText(int probes) { return probes == 0 ? "predicted" : fmt::format("measured {}x", probes); }

double PerPicture(const SettingCost& cost) { return Micros(cost.time.median) / std::max(1, cost.setting.batch); }

std::string TitleOf(const Profile& profile) {
  return fmt::format("{} ({})", profile.model, profile.sha256.substr(0, kShaDigits));
}

std::string FastestText(const Profile& profile) {
  const auto fastest = std::ranges::min_element(profile.costs, {}, PerPicture);
  if (fastest == profile.costs.end()) return kNone;
  return fmt::format("{} {}", MillisText(PerPicture(*fastest)), ToString(fastest->setting));
}

int CountMeasured(const Profile& profile) {
  return static_cast<int>(
      std::ranges::count_if(profile.costs, [](const SettingCost& cost) { return cost.probes > 0; }));
}

// Both half-widths of the logarithm's interval together.
double ErrorTogether(const SettingCost& a, const SettingCost& b) {
  return kNinetyPercent * (a.time.log_sd + b.time.log_sd);
}

std::string Verdict(double log_ratio, double error) {
  if (std::abs(log_ratio) <= error) return "within the error";
  return log_ratio > 0 ? "B is slower" : "B is faster";
}

struct Comparison {
  int common = 0;     // settings that both have
  int compared = 0;   // with a time in both
  int different = 0;  // by more than the error bars
  double log_sum = 0;
};

void AddPair(const SettingCost& a, const SettingCost& b, Comparison& sum, TextTable& table) {
  std::string ratio = kNone;
  std::string verdict = kNone;
  ++sum.common;
  if (a.time.median.count() > 0 && b.time.median.count() > 0) {
    const double log_ratio = std::log(Micros(b.time.median) / Micros(a.time.median));
    const double error = ErrorTogether(a, b);
    ratio = fmt::format("{:.2f}", std::exp(log_ratio));
    verdict = Verdict(log_ratio, error);
    ++sum.compared;
    sum.different += std::abs(log_ratio) > error ? 1 : 0;
    sum.log_sum += log_ratio;
  }
  table.Add({ToString(a.setting), MillisText(Micros(a.time.median)), ErrorBarText(a.time.log_sd),
             MillisText(Micros(b.time.median)), ErrorBarText(b.time.log_sd), ratio, verdict});
}

std::string SummaryOf(const Comparison& sum, size_t settings_a, size_t settings_b) {
  const size_t common = static_cast<size_t>(sum.common);
  std::string text = fmt::format("settings in both: {}, of them beyond the error: {}", sum.common, sum.different);
  if (settings_a > common) text += fmt::format(", in A only: {}", settings_a - common);
  if (settings_b > common) text += fmt::format(", in B only: {}", settings_b - common);
  if (sum.compared == 0) return text;
  return text + fmt::format("; B/A {:.2f} (geometric mean)", std::exp(sum.log_sum / sum.compared));
}

std::string OriginText(const Profile& profile, const SettingCost& cost) {
  if (cost.probes > 0) {
    return fmt::format("measured {}x as a whole; what its stages take of it is predicted", cost.probes);
  }
  std::string text;
  for (const SettingCost& other : profile.costs) {
    if (other.probes == 0) continue;
    text += fmt::format("{}{} ({}x)", text.empty() ? "" : ", ", ToString(other.setting), other.probes);
  }
  if (text.empty()) return "predicted from the layers alone: nothing of this model was measured";
  return "predicted; measured were " + text;
}

Duration SumOfStages(const SettingCost& cost) {
  Duration sum{0};
  for (const StageCost& stage : cost.stages) sum += stage.time.median;
  return sum;
}

std::string StageTable(const SettingCost& cost) {
  const Duration sum = SumOfStages(cost);
  TextTable table({{"stage", kRight},
                   {"after op", kRight},
                   {"median", kRight},
                   {"90 %", kRight},
                   {"share", kRight},
                   {"compute", kRight},
                   {"cache", kRight},
                   {"memory", kRight},
                   {"GFLOP/s", kRight},
                   {"weights", kRight},
                   {"live", kRight},
                   {"border", kRight}});
  for (size_t i = 0; i < cost.stages.size(); ++i) {
    const StageCost& stage = cost.stages[i];
    table.Add({std::to_string(i), stage.after_op < 0 ? "end" : std::to_string(stage.after_op),
               MillisText(Micros(stage.time.median)), ErrorBarText(stage.time.log_sd),
               sum.count() == 0 ? kNone : Percent(Micros(stage.time.median) / Micros(sum)),
               Percent(stage.bound.compute), Percent(stage.bound.cache), Percent(stage.bound.memory),
               Giga(stage.flops, stage.time.median), Scaled(stage.weight_bytes, 1e6, "MB"),
               Scaled(stage.live_bytes, 1e6, "MB"), Scaled(stage.border_bytes, 1e3, "kB")});
  }
  return table.Text();
}

}  // namespace

std::string MillisText(double us) {
  const double ms = us / 1e3;
  const int decimals = ms >= 10 || ms == 0 ? 0 : ms >= 1 ? 1 : ms >= 0.1 ? 2 : 3;
  return fmt::format("{:.{}f} ms", ms, decimals);
}

std::string ErrorBarText(double log_sd) {
  constexpr double kMost = 9.99;
  const double part = std::expm1(kNinetyPercent * log_sd);
  if (!(part <= kMost)) return ">999 %";  // not a number either
  return fmt::format("+-{} %", Short(part * 100));
}

std::string AgeText(int64_t created_us, int64_t now_us) {
  if (created_us <= 0) return "?";
  if (created_us > now_us) return "?";
  const int64_t seconds = (now_us - created_us) / 1'000'000;
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  if (seconds < 2 * kMinute) return fmt::format("{} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{} h", seconds / kHour);
  return fmt::format("{} d", seconds / kDay);
}

std::string ProfileText(const Profile& profile, int64_t now_us) {
  std::string text = WrapText(fmt::format("{}: generation {}, {} old, {} settings, {} of them measured, on {}",
                                          TitleOf(profile), profile.generation, AgeText(profile.created_us, now_us),
                                          profile.costs.size(), CountMeasured(profile), profile.box),
                              2);
  TextTable table({{"variant"},
                   {"batch", kRight},
                   {"cores", kRight},
                   {"median", kRight},
                   {"90 %", kRight},
                   {"p99", kRight},
                   {"memory", kRight},
                   {"GB/s", kRight},
                   {"from"}});
  for (const SettingCost& cost : profile.costs) {
    table.Add({VariantText(cost.setting.variant), std::to_string(cost.setting.batch),
               std::to_string(cost.setting.cores), MillisText(Micros(cost.time.median)), ErrorBarText(cost.time.log_sd),
               MillisText(Micros(cost.time.p99)), Scaled(cost.memory_bytes, 1e6, "MB"),
               Giga(cost.traffic_bytes, cost.time.median), SourceText(cost.probes)});
  }
  return text + table.Text();
}

std::string ProfileListText(std::span<const StoredProfile> profiles, int64_t now_us) {
  if (profiles.empty()) return "no profiles of this box\n";
  TextTable table({{"model"},
                   {"generation", kRight},
                   {"made"},
                   {"age", kRight},
                   {"settings", kRight},
                   {"measured", kRight},
                   {"fastest a picture"},
                   {"box"}});
  for (const auto& [profile, reason] : profiles) {
    table.Add({profile.model, std::to_string(profile.generation), std::string(ToString(reason)),
               AgeText(profile.created_us, now_us), std::to_string(profile.costs.size()),
               std::to_string(CountMeasured(profile)), FastestText(profile), profile.box});
  }
  return table.Text();
}

std::string ProfileComparisonText(const Profile& a, const Profile& b) {
  std::string text = WrapText(fmt::format("A: {}, generation {}, on {}", TitleOf(a), a.generation, a.box), 2);
  text += WrapText(fmt::format("B: {}, generation {}, on {}", TitleOf(b), b.generation, b.box), 2);
  TextTable table(
      {{"setting"}, {"A", kRight}, {"90 %", kRight}, {"B", kRight}, {"90 %", kRight}, {"B/A", kRight}, {"verdict"}});
  Comparison sum;
  for (const SettingCost& cost : a.costs) {
    if (const SettingCost* other = FindCost(b, cost.setting)) AddPair(cost, *other, sum, table);
  }
  if (sum.common > 0) text += table.Text();
  return text + WrapText(SummaryOf(sum, a.costs.size(), b.costs.size()), 2);
}

const SettingCost* SettingToExplain(const Profile& profile) {
  const auto most = std::ranges::max_element(profile.costs, {}, &SettingCost::probes);
  return most == profile.costs.end() ? nullptr : &*most;
}

std::string ProfileExplanationText(const Profile& profile, const SettingCost& cost) {
  std::string text =
      WrapText(fmt::format("{}, {}: {} {}, p99 {}, {} of memory", TitleOf(profile), ToString(cost.setting),
                           MillisText(Micros(cost.time.median)), ErrorBarText(cost.time.log_sd),
                           MillisText(Micros(cost.time.p99)),
                           cost.memory_bytes == 0 ? "an unknown amount" : Scaled(cost.memory_bytes, 1e6, "MB")),
               2);
  text += WrapText(OriginText(profile, cost), 2);
  text += WrapText(
      fmt::format("bound by: compute {}, cache {}, memory {}; {} GB/s to and from memory", Percent(cost.bound.compute),
                  Percent(cost.bound.cache), Percent(cost.bound.memory), Giga(cost.traffic_bytes, cost.time.median)),
      2);
  if (cost.stages.empty()) return text + "no stages are known\n";
  text += StageTable(cost);
  for (size_t i = 0; i < cost.stages.size(); ++i) {
    if (!cost.stages[i].layers.empty()) text += WrapText(fmt::format("stage {}: {}", i, cost.stages[i].layers), 2);
  }
  return text;
}

std::string OtherBoxesText(std::string_view model, std::span<const OtherBox> boxes, int64_t now_us) {
  std::string text;
  for (const OtherBox& other : boxes) {
    text +=
        WrapText(fmt::format("{}: there is a profile of generation {}, {} old, of another box or engine, which is not "
                             "used here: {}",
                             model, other.generation, AgeText(other.created_us, now_us), other.box.box),
                 2);
  }
  return text;
}

}  // namespace deepedge
