#include "deepedge/profiler/fit/will_it_fit.h"

#include <fmt/format.h>

#include <algorithm>

namespace deepedge {
namespace {

double RateOf(const FitTask& task, double share) { return std::max(task.min_rate, share * task.wanted_rate); }

Result<Utilisation> UseAt(std::span<const FitTask> tasks, const FitBox& box, double share) {
  std::vector<UtilisationTask> uses;
  for (const FitTask& task : tasks) {
    uses.push_back(task.use);
    uses.back().rate = RateOf(task, share);
  }
  return PredictUtilisation(uses, box.options);
}

Status CheckRates(std::span<const FitTask> tasks) {
  for (const FitTask& task : tasks) {
    if (task.wanted_rate >= task.min_rate && task.min_rate >= 0) continue;
    return Error{ErrorCode::kBadInput, fmt::format("{}: wants {:.3g} results a second, and {:.3g} at least", task.name,
                                                   task.wanted_rate, task.min_rate)};
  }
  return {};
}

std::string AmountText(const Amount& amount) { return fmt::format("{:.2f} +-{:.2f}", amount.value, 1.645 * amount.sd); }

}  // namespace

Result<FitAnswer> WillItFit(std::span<const FitTask> tasks, const FitBox& box) {
  DE_TRY_STATUS(CheckRates(tasks));
  FitAnswer answer;
  DE_TRY(answer.wanted, UseAt(tasks, box, 1));
  DE_TRY(answer.least, UseAt(tasks, box, 0));
  answer.short_by = ShortBy(answer.wanted, box.capacity_cores);
  answer.short_of_least = ShortBy(answer.least, box.capacity_cores);
  if (box.memory_limit_bytes > 0) {
    const double over = answer.wanted.memory_bytes.value - static_cast<double>(box.memory_limit_bytes);
    answer.short_memory_bytes = static_cast<int64_t>(std::max(over, 0.0));
  }
  answer.share = 1;
  if (answer.short_by.value > 0) {
    // What is used rises with the share; half a thousandth of it is near enough.
    double low = 0;
    double high = 1;
    for (int i = 0; i < 11 && answer.short_of_least.value <= 0; ++i) {
      const double middle = (low + high) / 2;
      DE_TRY(const Utilisation use, UseAt(tasks, box, middle));
      (use.cpu.value <= box.capacity_cores ? low : high) = middle;
    }
    answer.share = low;
  }
  DE_TRY(answer.used, UseAt(tasks, box, answer.share));
  const bool lacks = answer.short_of_least.value > 0 || answer.short_memory_bytes > 0;
  answer.fit = lacks ? Fit::kNot : (answer.share < 1 ? Fit::kReduced : Fit::kAll);
  const double error = answer.used.cpu.value > 0 ? answer.used.cpu.sd / answer.used.cpu.value : 0;
  for (const FitTask& task : tasks) {
    const double rate = RateOf(task, answer.share);
    // Where all get what they want an error of the times changes nothing, as long as there is room.
    const bool fixed = answer.fit == Fit::kAll || rate <= task.min_rate;
    answer.rates.push_back({task.name, task.wanted_rate, {rate, fixed ? 0 : rate * error}});
  }
  return answer;
}

std::string FitText(const FitAnswer& answer, const FitBox& box) {
  std::string text;
  switch (answer.fit) {
    case Fit::kAll:
      text = fmt::format("fits: {} of {:.2f} cores\n", AmountText(answer.wanted.cpu), box.capacity_cores);
      break;
    case Fit::kReduced:
      text = fmt::format(
          "fits at {:.0f} % of the wanted rates: those need {} cores, and there are {:.2f} (short by {:.1f})\n",
          100 * answer.share, AmountText(answer.wanted.cpu), box.capacity_cores, answer.short_by.value);
      break;
    case Fit::kNot:
      text = answer.short_of_least.value > 0
                 ? fmt::format(
                       "does not fit: the least rates need {} cores, and there are {:.2f}: short by {:.1f} cores\n",
                       AmountText(answer.least.cpu), box.capacity_cores, answer.short_of_least.value)
                 : std::string("does not fit\n");
      break;
  }
  if (answer.short_memory_bytes > 0) {
    text += fmt::format("memory: needs {:.0f} MB, and may have {} MB: short by {} MB\n",
                        answer.wanted.memory_bytes.value / 1e6, box.memory_limit_bytes / 1'000'000,
                        answer.short_memory_bytes / 1'000'000);
  } else {
    text += fmt::format("memory: {:.0f} +-{:.0f} MB\n", answer.wanted.memory_bytes.value / 1e6,
                        1.645 * answer.wanted.memory_bytes.sd / 1e6);
  }
  size_t width = 4;
  for (const FitRate& rate : answer.rates) width = std::max(width, rate.name.size());
  text += fmt::format("{:<{}}  wanted/s   gets/s\n", "task", width);
  for (const FitRate& rate : answer.rates) {
    text += fmt::format("{:<{}}  {:>8.2f}  {:>7.2f}{}\n", rate.name, width, rate.wanted, rate.rate.value,
                        rate.rate.sd > 0 ? fmt::format(" +-{:.2f}", 1.645 * rate.rate.sd) : "");
  }
  return text;
}

}  // namespace deepedge
