// Profiles as text for people: what the verb `deepedge profile` prints without --json. Pure: plain lines of at most
// kReportColumns characters, each with its line break. Times are as in the table of `deepedge run`: milliseconds with
// one decimal below 10, more where they would say nothing; MB and GB are powers of ten.
//
//   fmt::print("{}", ProfileText(profile, now_us));                                   profile MODEL
//   fmt::print("{}", ProfileListText(store->All(box).value(), now_us));               profile --list
//   fmt::print("{}", ProfileComparisonText(a, b));                                    profile --compare A B
//   if (const SettingCost* cost = SettingToExplain(profile)) fmt::print("{}", ProfileExplanationText(profile, *cost));
//   fmt::print("{}", OtherBoxesText("yolox_tiny", store->OtherBoxes(box, "yolox_tiny").value(), now_us));
//
// Error bars are those of 90 %: the truth lies within exp(+-1.645 log_sd) times the median with that probability; "+-"
// is the upper half of it. `now_us` is in microseconds since the Unix epoch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "deepedge/plan/profile.h"
#include "deepedge/profiler/store/profile_store.h"

namespace deepedge {

// Every setting in a row: median, error bar, p99, memory, traffic, and whether it was measured or predicted.
std::string ProfileText(const Profile& profile, int64_t now_us);

// Every model in a row: generation, why it was made, age, box, settings, and the fastest of them a picture.
std::string ProfileListText(std::span<const StoredProfile> profiles, int64_t now_us);

// Every setting that both have in a row: B's time as a multiple of A's, and whether they differ by more than their
// error bars, which is where the two intervals do not touch.
std::string ProfileComparisonText(const Profile& a, const Profile& b);

// Every stage of a setting: time, share, what bounds it, speed, what it passes on, and its layers; and what of all that
// was measured.
std::string ProfileExplanationText(const Profile& profile, const SettingCost& cost);
// Where the user names none: what was measured most often, the first of those; null for a profile without settings.
const SettingCost* SettingToExplain(const Profile& profile);

// Why a profile of another box or engine is not used; empty where there is none.
std::string OtherBoxesText(std::string_view model, std::span<const OtherBox> boxes, int64_t now_us);

// Parts, for other reports.
std::string MillisText(double us);                        // "0.04 ms", "8.3 ms", "41 ms"
std::string ErrorBarText(double log_sd);                  // "+-5.6 %"
std::string AgeText(int64_t created_us, int64_t now_us);  // "5 s", "3 min", "2 h", "4 d"; "?": from a wrong clock

}  // namespace deepedge
