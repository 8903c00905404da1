#include "deepedge/profiler/media_cost/media_costs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "deepedge/model/model_card_names.h"

namespace deepedge {
namespace {

using Terms = std::array<double, 3>;
using ScaleTerms = std::array<double, 6>;

// How far laws are believed at best. What a video shows and how it was encoded matter beside pixels and bits: of ten
// real clips nine are predicted within 26 % by the law of made-up clips, one takes 40 % less than predicted. The others
// depend on what else is in the caches.
constexpr double kDecodeLogSd = 0.25;
constexpr double kScaleLogSd = 0.08;
constexpr double kPostLogSd = 0.15;
constexpr double kJpegLogSd = 0.15;
constexpr double kTrackLogSd = 0.25;

// Doubt of a law that was measured for something else; added to its own as variances.
constexpr double kOtherFrames = 0.3;
constexpr double kOtherCodec = 0.5;
constexpr double kOtherForm = 0.4;
constexpr double kOtherFormat = 0.4;
constexpr double kOtherDecoder = 0.5;
// Of a guess without any measurement: right to a factor of two, two times out of three.
constexpr double kGuess = 0.7;

// Guesses for a core of some 3 GHz.
constexpr Terms kDecodeGuess{0.0025, 0.012, 50};
constexpr ScaleTerms kScaleGuess{0.0001, 0.001, 0.0001, 0.0003, 0.0005, 5};
constexpr Terms kPostGuess{0.001, 1, 3};
constexpr Terms kJpegGuess{0.0005, 0.005, 30};
constexpr Terms kTrackGuess{1, 0.01, 2};

Terms TermsOf(const DecodeWork& work) { return {work.pixels, work.bits, 1}; }
ScaleTerms TermsOf(const ScaleWork& work) {
  return {work.blended_pixels, work.filtered_pixels, work.fast_pixels, work.split_pixels, work.packed_pixels, 1};
}
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

std::string ScaleName(PixelFormat source, bool to_gray) {
  std::string name = "scale/";
  name += NameOf(source);
  return to_gray ? name + "/gray" : name;
}

std::string NameOf(const DecodeWork& work) { return DecodeName(work.codec, work.frames); }
std::string NameOf(const ScaleWork& work) { return ScaleName(work.source, work.to_gray); }
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

template <size_t count>
CostEstimate Guess(const std::array<double, count>& us_per, const std::array<double, count>& terms) {
  double us = 0;
  for (size_t i = 0; i < count; ++i) us += us_per[i] * terms[i];
  return {.us = us, .log_sd = kGuess};
}

template <typename Work>
void FitEach(const std::vector<CostSample<Work>>& samples, double least_log_sd,
             std::map<std::string, LinearLaw>& laws) {
  std::map<std::string, std::vector<LawRow>> rows;
  for (const CostSample<Work>& sample : samples) {
    const auto terms = TermsOf(sample.work);
    rows[NameOf(sample.work)].push_back({{terms.begin(), terms.end()}, sample.us});
  }
  for (const auto& [name, of_name] : rows) {
    LinearLaw law = FitLinearLaw(of_name, least_log_sd);
    if (law.samples > 0) laws.insert_or_assign(name, std::move(law));
  }
}

}  // namespace

std::string CodecOf(std::string_view codec, std::string_view profile) {
  const bool plain = profile == "Baseline" || profile == "Constrained Baseline" || profile == "Extended";
  std::string name(codec);
  return codec == "h264" && plain ? name + "_baseline" : name;
}

namespace {

struct Size {
  int width = 0;
  int height = 0;
};

void AddPlane(const Size& from, const Size& to, ScaleWork& work) {
  const double from_width = from.width;
  const double from_height = from.height;
  const double width = to.width;
  const double height = to.height;
  const auto is = [&](double part) { return from_width * part == width && from_height * part == height; };
  if (is(1) || is(0.5) || is(0.75) || is(0.375)) {
    work.fast_pixels += from_width * from_height;
    return;
  }
  if (is(2)) {
    work.fast_pixels += width * height;
    return;
  }
  // Where rows fall on rows, none are blended.
  const bool blends = height != from_height && height * 3 != from_height;
  const bool grows = height > from_height;
  if (blends) work.blended_pixels += height * (grows ? width : from_width);
  if (width != from_width) work.filtered_pixels += width * (grows ? from_height : height);
}

}  // namespace

ScaleWork ScaleWorkOf(PixelFormat source, int source_width, int source_height, const Placement& place,
                      ChannelOrder order) {
  const bool gray = order == ChannelOrder::kGray;
  ScaleWork work{.source = source, .to_gray = gray};
  const Size to{place.width, place.height};
  work.packed_pixels = static_cast<double>(to.width) * to.height;
  if (source_width == to.width && source_height == to.height) return work;  // is only converted
  const Size luma{source_width, source_height};
  Size chroma = luma;
  int planes = 3;
  switch (source) {
    case PixelFormat::kYuv420p:
    case PixelFormat::kNv12: chroma.height = (chroma.height + 1) / 2; [[fallthrough]];
    case PixelFormat::kYuv422p: chroma.width = (chroma.width + 1) / 2; break;
    case PixelFormat::kGray8: planes = 1; break;
    case PixelFormat::kYuv444p: break;
    case PixelFormat::kRgb24:
    case PixelFormat::kBgr24: work.split_pixels = static_cast<double>(luma.width) * luma.height; break;
  }
  if (gray && work.split_pixels == 0) planes = 1;
  if (source == PixelFormat::kNv12 && planes == 3) {
    work.split_pixels = static_cast<double>(chroma.width) * chroma.height;
  }
  AddPlane(luma, to, work);
  for (int i = 1; i < planes; ++i) AddPlane(chroma, to, work);
  return work;
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
    const auto terms = TermsOf(sample.work);
    rows.push_back({{terms.begin(), terms.end()}, sample.us});
  }
  LinearLaw any = FitLinearLaw(rows, kPostLogSd);
  if (any.samples > 0) laws.insert_or_assign("post/any", std::move(any));
  return MediaCosts(std::move(laws));
}

const LinearLaw* MediaCosts::Find(std::string_view name, size_t terms) const {
  const auto found = laws_.find(name);
  return found == laws_.end() || found->second.us_per.size() != terms ? nullptr : &found->second;
}

CostEstimate MediaCosts::Decode(const DecodeWork& work) const {
  const auto terms = TermsOf(work);
  const DecodedFrames other = work.frames == DecodedFrames::kAll ? DecodedFrames::kKeyOnly : DecodedFrames::kAll;
  const std::string_view form = work.codec == "h264" ? "h264_baseline" : "h264";
  const double form_doubt = work.codec.starts_with("h264") ? kOtherForm : kOtherCodec;
  const std::array<Candidate, 5> candidates{{{DecodeName(work.codec, work.frames), 0},
                                             {DecodeName(work.codec, other), kOtherFrames},
                                             {DecodeName(form, work.frames), form_doubt},
                                             {DecodeName(form, other), form_doubt + kOtherFrames},
                                             {DecodeName("h264", work.frames), kOtherCodec}}};
  for (const auto& [name, doubt] : candidates) {
    if (const LinearLaw* const law = Find(name, terms.size())) return Doubted(law->Estimate(terms), doubt);
  }
  return Guess(kDecodeGuess, terms);
}

CostEstimate MediaCosts::Scale(const ScaleWork& work) const {
  const auto terms = TermsOf(work);
  if (const LinearLaw* const law = Find(NameOf(work), terms.size())) return law->Estimate(terms);
  // Gray is asked as colour; another format as the one that most videos have.
  const std::array<Candidate, 3> candidates{{{ScaleName(work.source, false), kOtherFormat},
                                             {ScaleName(PixelFormat::kYuv420p, work.to_gray), kOtherFormat},
                                             {ScaleName(PixelFormat::kYuv420p, false), kOtherFormat}}};
  for (const auto& [name, doubt] : candidates) {
    if (const LinearLaw* const law = Find(name, terms.size())) return Doubted(law->Estimate(terms), doubt);
  }
  return Guess(kScaleGuess, terms);
}

CostEstimate MediaCosts::Post(const PostWork& work) const {
  const auto terms = TermsOf(work);
  if (const LinearLaw* const law = Find(NameOf(work), terms.size())) return law->Estimate(terms);
  if (const LinearLaw* const law = Find("post/any", terms.size())) return Doubted(law->Estimate(terms), kOtherDecoder);
  return Guess(kPostGuess, terms);
}

CostEstimate MediaCosts::Jpeg(const JpegWork& work) const {
  const Terms terms = TermsOf(work);
  const LinearLaw* const law = Find("jpeg", terms.size());
  return law != nullptr ? law->Estimate(terms) : Guess(kJpegGuess, terms);
}

CostEstimate MediaCosts::Track(const TrackWork& work) const {
  const Terms terms = TermsOf(work);
  const LinearLaw* const law = Find("track", terms.size());
  return law != nullptr ? law->Estimate(terms) : Guess(kTrackGuess, terms);
}

}  // namespace deepedge
