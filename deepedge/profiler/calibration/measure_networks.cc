#include "deepedge/profiler/calibration/measure_networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>

#include "deepedge/base/file.h"
#include "deepedge/profiler/calibration/synthetic_net.h"
#include "deepedge/profiler/cost/layer_model.h"
#include "deepedge/profiler/fit/box_model.h"
#include "deepedge/profiler/probe/probe.h"
#include "deepedge/profiler/probe/probe_target.h"

namespace deepedge {
namespace {

// A network with what is needed to measure it; its files live in a folder of its own.
struct Candidate {
  std::string name;
  TemporaryFolder folder;
  ProbeTarget target;
  MeasuredModel model;  // analysed in its own form
};

std::string NameOf(int number) { return fmt::format("network {}", number); }

Result<Candidate> MakeCandidate(Engine& engine, const NetworkOptions& options, int number) {
  const auto family = static_cast<NetFamily>(number % kNetFamilies);
  const SyntheticNet net =
      MakeSyntheticNet(family, options.seed * 10007U + static_cast<uint32_t>(number), options.most_flops);
  DE_TRY(TemporaryFolder folder, TemporaryFolder::Create("deepedge-calibrate-"));
  DE_TRY(ModelFiles files, WriteSyntheticNet(net, folder.path(), "network"));
  Candidate candidate{.name = NameOf(number), .folder = std::move(folder), .target = {}, .model = {}};
  // A fully connected layer is of one size of picture only.
  const bool resizable =
      net.cfg.find("[connected]") == std::string::npos || net.cfg.find("[avgpool]") != std::string::npos;
  candidate.target = {
      .name = candidate.name, .files = std::move(files), .picture = PictureOf(net), .resizable = resizable};
  candidate.model.name = candidate.name;
  DE_TRY_STATUS(AddForm(engine, candidate.target, {{Precision::kFp32, net.width, net.height}}, candidate.model));
  return candidate;
}

// How little is known of its layers, weighted by their time.
double Doubt(const LayerModel& layers, const MeasuredModel& model, const Setting& own) {
  double doubt = 0;
  double all = 0;
  for (const LayerCost& cost : CostsOfLayers(layers, model, own)) {
    doubt += cost.estimate.us * cost.estimate.log_variance;
    all += cost.estimate.us;
  }
  return all > 0 ? doubt / all : 0;
}

Setting OwnSetting(const ProbeTarget& target) {
  return {{Precision::kFp32, target.picture->width, target.picture->height}};
}

// Forms that the network is compiled in. One that takes several pictures is another form than the one for one picture,
// and slower for one: shapes that are open until the run cost something for every layer.
std::vector<Setting> DrawForms(const ProbeTarget& target, const std::vector<Precision>& precisions,
                               const NetworkOptions& options, std::mt19937& random) {
  std::vector<Setting> forms{OwnSetting(target)};
  const std::vector<VariantKey> sizes = SizesOf(target, 640 * 640);
  const auto draw = [&](size_t count) { return static_cast<size_t>(random() % count); };
  constexpr int kMostTries = 40;
  for (int i = 0; i < kMostTries && static_cast<int>(forms.size()) < options.forms; ++i) {
    // Every precision once, then any.
    const size_t precision = forms.size() < precisions.size() ? forms.size() : draw(precisions.size());
    const VariantKey size = draw(2) == 0 ? sizes.front() : sizes[draw(sizes.size())];
    Setting form{{precisions[precision], size.width, size.height}};
    form.cores = options.cores > 1 && draw(4) == 0 ? 2 : 1;
    form.batch = draw(2) == 0 ? 1 : 1 << (1 + draw(3));
    const bool known = std::any_of(forms.begin(), forms.end(), [&](const Setting& other) {
      return other.variant == form.variant && other.cores == form.cores && (other.batch > 1) == (form.batch > 1);
    });
    if (!known) forms.push_back(form);
  }
  return forms;
}

Status MeasureRuns(Probe& probe, const Clock& clock, CacheFiller& filler, Candidate& candidate) {
  constexpr int kColdRuns = 2;
  for (int i = 0; i < kColdRuns; ++i) {
    filler.Fill();
    DE_TRY_STATUS(probe.RunCold());
  }
  constexpr int kRuns = 5;
  constexpr Duration kEnough = std::chrono::milliseconds(120);
  const Time start = clock.Now();
  for (int i = 0; i < kRuns && (i < 2 || clock.Now() - start < kEnough); ++i) DE_TRY_STATUS(probe.Run());
  candidate.model.probes.push_back(probe.Summary());
  return {};
}

Status Measure(Engine& engine, const Clock& clock, const Setting& form, CacheFiller& filler, Candidate& candidate) {
  DE_TRY_STATUS(AddForm(engine, candidate.target, form, candidate.model));
  DE_TRY(Probe probe, Probe::Prepare(engine, candidate.target, form, clock));
  DE_TRY_STATUS(MeasureRuns(probe, clock, filler, candidate));
  if (form.batch < 4) return {};
  DE_TRY_STATUS(probe.UseBatch(2));
  return MeasureRuns(probe, clock, filler, candidate);
}

class Measurer {
 public:
  Measurer(Engine& engine, const NetworkOptions& options, const Clock& clock, std::vector<MeasuredModel> before)
      : engine_(engine), options_(options), clock_(clock), models_(std::move(before)), start_(clock.Now()) {
    for (const MeasuredModel& model : models_) next_ = std::max(next_, NumberOf(model) + 1);
  }

  Result<std::vector<MeasuredModel>> Run() {
    const int had = static_cast<int>(models_.size());
    // Some are needed to learn anything, however slow the box is.
    constexpr int kLeast = 8;
    const auto enough = [&] { return Part() >= 1 && static_cast<int>(models_.size()) >= kLeast; };
    while (!enough() && static_cast<int>(models_.size()) - had < options_.most_networks && !options_.stop()) {
      auto candidate = Next();
      if (!candidate.ok()) {
        if (++refused_ > kMostRefused) return candidate.error();
        continue;
      }
      MeasureAll(std::move(candidate).value());
    }
    return std::move(models_);
  }

 private:
  static constexpr int kMostRefused = 20;

  static int NumberOf(const MeasuredModel& model) {
    int number = -1;
    for (const char c : model.name) {
      if (c >= '0' && c <= '9') number = (number < 0 ? 0 : number) % 100000 * 10 + (c - '0');
    }
    return number;
  }

  double Part() const {
    return static_cast<double>((clock_.Now() - start_).count()) / static_cast<double>(options_.budget.count());
  }

  Result<Candidate> Next() {
    if (Part() < 0.5 || models_.size() < 10) return MakeCandidate(engine_, options_, next_++);
    if (!known_) known_ = LearnBox(models_, int64_t{32} << 20).layers;
    std::optional<Candidate> best;
    double most = -1;
    constexpr int kChoices = 3;
    for (int i = 0; i < kChoices; ++i) {
      auto candidate = MakeCandidate(engine_, options_, next_++);
      if (!candidate.ok()) continue;
      const double doubt = Doubt(*known_, candidate.value().model, OwnSetting(candidate.value().target));
      if (doubt <= most) continue;
      most = doubt;
      best = std::move(candidate).value();
    }
    if (!best) return Error{ErrorCode::kUnsupported, "the engine takes none of the networks"};
    return std::move(*best);
  }

  void MeasureAll(Candidate candidate) {
    auto int8 = MakeInt8ForTiming(engine_, candidate.target, candidate.folder.path(), "int8");
    std::vector<Precision> precisions = engine_.Precisions();
    if (int8.ok()) {
      candidate.target.int8 = std::move(int8).value();
    } else {
      std::erase(precisions, Precision::kInt8);
    }
    std::mt19937 random(static_cast<uint32_t>(NumberOf(candidate.model)) + options_.seed);
    for (const Setting& form : DrawForms(candidate.target, precisions, options_, random)) {
      if (options_.stop()) break;
      // What does not work in one setting is left out of it; the others count.
      Measure(engine_, clock_, form, filler_, candidate).Ignore("a setting that this network cannot have");
    }
    if (candidate.model.probes.empty()) return;
    models_.push_back(std::move(candidate.model));
    options_.tell(static_cast<int>(models_.size()), std::min(Part(), 1.0));
  }

  Engine& engine_;
  const NetworkOptions& options_;
  const Clock& clock_;
  std::vector<MeasuredModel> models_;
  const Time start_;
  std::optional<LayerModel> known_;
  CacheFiller filler_;
  int next_ = 0;
  int refused_ = 0;
};

}  // namespace

Result<std::vector<MeasuredModel>> MeasureNetworks(Engine& engine, const NetworkOptions& options, const Clock& clock,
                                                   std::vector<MeasuredModel> before) {
  return Measurer(engine, options, clock, std::move(before)).Run();
}

}  // namespace deepedge
