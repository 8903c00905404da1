#include "deepedge/profiler/media_cost/media_costs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "deepedge/model/model_card_names.h"

namespace deepedge {
namespace {

constexpr size_t kTerms = 3;
using Terms = std::array<double, kTerms>;

// How far laws are believed at best. Decoding depends on what the video shows and how it was encoded: measured against
// real clips; the others on what else is in the caches.
constexpr double kDecodeLogSd = 0.25;
constexpr double kScaleLogSd = 0.08;
constexpr double kPostLogSd = 0.15;
constexpr double kJpegLogSd = 0.15;
constexpr double kTrackLogSd = 0.25;

// Doubt of a law that was measured for something else; added to its own as variances.
constexpr double kOtherFrames = 0.3;
constexpr double kOtherCodec = 0.5;
constexpr double kOtherRule = 0.1;
constexpr double kOtherFormat = 0.4;
constexpr double kOtherDecoder = 0.5;
// Of a guess without any measurement: right to a factor of two, two times out of three.
constexpr double kGuess = 0.7;

// Guesses for a core of some 3 GHz.
constexpr Terms kDecodeGuess{0.0025, 0.012, 50};
constexpr Terms kScaleGuess{0.0004, 0.002, 10};
constexpr Terms kPostGuess{0.001, 1, 3};
constexpr Terms kJpegGuess{0.0005, 0.005, 30};
constexpr Terms kTrackGuess{1, 0.01, 2};

Terms TermsOf(const DecodeWork& work) { return {work.pixels, work.bits, 1}; }
Terms TermsOf(const ScaleWork& work) { return {work.resampled ? work.source_pixels : 0, work.destination_pixels, 1}; }
Terms TermsOf(const PostWork& work) { return {work.elements, work.objects, 1}; }
Terms TermsOf(const JpegWork& work) { return {work.source_pixels, work.coded_pixels, 1}; }
Terms TermsOf(const TrackWork& work) { return {work.objects, work.objects * work.objects, 1}; }

std::string_view NameOf(PixelFormat format) {
  switch (format) {
    case PixelFormat::kYuv420p: return "yuv420p";
    case PixelFormat::kYuv422p: return "yuv422p";
    case PixelFormat::kYuv444p: return "yuv444p";
    case PixelFormat::kNv12: return "nv12";
    case PixelFormat::kGray8: return "gray8";
    case PixelFormat::kRgb24: return "rgb24";
    case PixelFormat::kBgr24: return "bgr24";
  }
  return "?";
}

std::string DecodeName(std::string_view codec, DecodedFrames frames) {
  std::string name = "decode/";
  name += codec;
  return name + (frames == DecodedFrames::kAll ? "/all" : "/key");
}

std::string ScaleName(PixelFormat source, ResizeRule rule, bool to_gray, bool resampled) {
  std::string name = "scale/";
  name += NameOf(source);
  name += '/';
  // Without resampling the rule does not matter.
  name += resampled ? NameOf(kResizeNames, rule) : std::string_view("same_size");
  return to_gray ? name + "/gray" : name;
}

std::string NameOf(const DecodeWork& work) { return DecodeName(work.codec, work.frames); }
std::string NameOf(const ScaleWork& work) { return ScaleName(work.source, work.rule, work.to_gray, work.resampled); }
std::string NameOf(const PostWork& work) {
  std::string name = "post/";
  return name += NameOf(kDecoderNames, work.kind);
}
std::string NameOf(const JpegWork& /*work*/) { return "jpeg"; }
std::string NameOf(const TrackWork& /*work*/) { return "track"; }

// A law to ask, and how much less it is believed for it.
struct Candidate {
  std::string name;
  double doubt = 0;
};

CostEstimate Doubted(CostEstimate estimate, double doubt) {
  estimate.log_sd = std::hypot(estimate.log_sd, doubt);
  return estimate;
}

CostEstimate Guess(const Terms& us_per, const Terms& terms) {
  double us = 0;
  for (size_t i = 0; i < kTerms; ++i) us += us_per[i] * terms[i];
  return {.us = us, .log_sd = kGuess};
}

template <typename Work>
void FitEach(const std::vector<CostSample<Work>>& samples, double least_log_sd,
             std::map<std::string, LinearLaw>& laws) {
  std::map<std::string, std::vector<LawRow>> rows;
  for (const CostSample<Work>& sample : samples) {
    const Terms terms = TermsOf(sample.work);
    rows[NameOf(sample.work)].push_back({{terms.begin(), terms.end()}, sample.us});
  }
  for (const auto& [name, of_name] : rows) {
    LinearLaw law = FitLinearLaw(of_name, least_log_sd);
    if (law.samples > 0) laws.insert_or_assign(name, std::move(law));
  }
}

}  // namespace

ScaleWork ScaleWorkOf(PixelFormat source, int source_width, int source_height, const Placement& place, ResizeRule rule,
                      ChannelOrder order) {
  const double rows = std::min(static_cast<double>(source_height), 2.0 * place.height);
  return {.source = source,
          .rule = rule,
          .to_gray = order == ChannelOrder::kGray,
          .resampled = source_width != place.width || source_height != place.height,
          .source_pixels = rows * source_width,
          .destination_pixels = static_cast<double>(place.width) * place.height};
}

MediaCosts MediaCosts::Fit(const MediaSamples& samples) {
  std::map<std::string, LinearLaw> laws;
  FitEach(samples.decode, kDecodeLogSd, laws);
  FitEach(samples.scale, kScaleLogSd, laws);
  FitEach(samples.post, kPostLogSd, laws);
  FitEach(samples.jpeg, kJpegLogSd, laws);
  FitEach(samples.track, kTrackLogSd, laws);
  // For decoders that were not measured.
  std::vector<LawRow> rows;
  for (const auto& sample : samples.post) {
    const Terms terms = TermsOf(sample.work);
    rows.push_back({{terms.begin(), terms.end()}, sample.us});
  }
  LinearLaw any = FitLinearLaw(rows, kPostLogSd);
  if (any.samples > 0) laws.insert_or_assign("post/any", std::move(any));
  return MediaCosts(std::move(laws));
}

const LinearLaw* MediaCosts::Find(std::string_view name) const {
  const auto found = laws_.find(name);
  return found == laws_.end() || found->second.us_per.size() != kTerms ? nullptr : &found->second;
}

CostEstimate MediaCosts::Decode(const DecodeWork& work) const {
  const Terms terms = TermsOf(work);
  const DecodedFrames other = work.frames == DecodedFrames::kAll ? DecodedFrames::kKeyOnly : DecodedFrames::kAll;
  const std::array<Candidate, 4> candidates{{{DecodeName(work.codec, work.frames), 0},
                                             {DecodeName(work.codec, other), kOtherFrames},
                                             {DecodeName("h264", work.frames), kOtherCodec},
                                             {DecodeName("h264", other), kOtherCodec + kOtherFrames}}};
  for (const auto& [name, doubt] : candidates) {
    if (const LinearLaw* const law = Find(name)) return Doubted(law->Estimate(terms), doubt);
  }
  return Guess(kDecodeGuess, terms);
}

CostEstimate MediaCosts::Scale(const ScaleWork& work) const {
  const Terms terms = TermsOf(work);
  if (const LinearLaw* const law = Find(NameOf(work))) return law->Estimate(terms);
  if (work.resampled) {
    for (const auto& [word, rule] : kResizeNames) {
      const LinearLaw* const law = Find(ScaleName(work.source, rule, work.to_gray, true));
      if (law != nullptr) return Doubted(law->Estimate(terms), kOtherRule);
    }
  }
  // Gray is asked as colour; another format as the one that most videos have.
  const std::array<Candidate, 3> candidates{
      {{ScaleName(work.source, ResizeRule::kStretch, false, work.resampled), kOtherFormat},
       {ScaleName(PixelFormat::kYuv420p, ResizeRule::kStretch, work.to_gray, work.resampled), kOtherFormat},
       {ScaleName(PixelFormat::kYuv420p, ResizeRule::kStretch, false, work.resampled), kOtherFormat}}};
  for (const auto& [name, doubt] : candidates) {
    if (const LinearLaw* const law = Find(name)) return Doubted(law->Estimate(terms), doubt);
  }
  return Guess(kScaleGuess, terms);
}

CostEstimate MediaCosts::Post(const PostWork& work) const {
  const Terms terms = TermsOf(work);
  if (const LinearLaw* const law = Find(NameOf(work))) return law->Estimate(terms);
  if (const LinearLaw* const law = Find("post/any")) return Doubted(law->Estimate(terms), kOtherDecoder);
  return Guess(kPostGuess, terms);
}

CostEstimate MediaCosts::Jpeg(const JpegWork& work) const {
  const LinearLaw* const law = Find("jpeg");
  return law != nullptr ? law->Estimate(TermsOf(work)) : Guess(kJpegGuess, TermsOf(work));
}

CostEstimate MediaCosts::Track(const TrackWork& work) const {
  const LinearLaw* const law = Find("track");
  return law != nullptr ? law->Estimate(TermsOf(work)) : Guess(kTrackGuess, TermsOf(work));
}

}  // namespace deepedge
