// How well the law of decoding, fitted to clips made on the spot, predicts real ones. A measurement and not a check:
// runs only where DEEPEDGE_MEASURE_MEDIA is set (then also prints what else was measured), on the clips of the folder
// named by DEEPEDGE_TESTDATA, or shared/testdata beside the source tree.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "deepedge/base/thread.h"
#include "deepedge/profiler/media_cost/media_costs_json.h"
#include "deepedge/runtime/calibration/media_calibration.h"

namespace deepedge {
namespace {

std::optional<Path> FindVideos() {
  const char* named = std::getenv("DEEPEDGE_TESTDATA");  // NOLINT(concurrency-mt-unsafe): tests only
  const Path source_root = DEEPEDGE_SOURCE_DIR;
  for (const Path& root : {named != nullptr ? Path(named) : Path(), source_root / "../shared/testdata"}) {
    std::error_code ec;
    if (!root.empty() && std::filesystem::is_directory(root / "videos", ec)) return root / "videos";
  }
  return std::nullopt;
}

std::vector<Path> ClipsIn(const Path& folder) {
  std::vector<Path> clips;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) clips.push_back(entry.path());
  std::sort(clips.begin(), clips.end());
  return clips;
}

void PrintLine(const std::string& clip, const char* frames, const DecodeWork& work, double us,
               const CostEstimate& predicted) {
  fmt::print("{:44} {:4} {:5.3f} bit/pixel  measured {:6.2f} ms  predicted {:6.2f} ms  {:+5.0f} %  bar {:.2f}\n", clip,
             frames, work.bits / work.pixels, us / 1e3, predicted.us / 1e3, (predicted.us / us - 1) * 100,
             predicted.log_sd);
}

TEST(RealClips, AgainstTheLawOfDecoding) {
  const auto videos = FindVideos();
  if (std::getenv("DEEPEDGE_MEASURE_MEDIA") == nullptr || !videos) {  // NOLINT(concurrency-mt-unsafe): tests only
    GTEST_SKIP() << "a measurement: set DEEPEDGE_MEASURE_MEDIA";
  }
  const RealClock clock;
  MediaCalibrationOptions options;
  options.progress = [&](std::string_view part) {
    fmt::print("{:8.1f} s {}\n", static_cast<double>(clock.Now().us) / 1e6, part);
  };
  const MediaCalibration measured = CalibrateMedia(options, clock, {});
  fmt::print("took {:.1f} s, complete: {}\n", static_cast<double>(measured.took.count()) / 1e6, measured.complete);
  for (const std::string& note : measured.notes) fmt::print("note: {}\n", note);
  fmt::print("{}\n", ToJson(measured.memory));
  const MediaCosts costs = MediaCosts::Fit(measured.samples);
  for (const auto& [name, law] : costs.laws()) {
    fmt::print("{:32} bar {:.2f}  {:3} samples ", name, law.log_sd, law.samples);
    for (const double us : law.us_per) fmt::print(" {:9.6f}", us);
    fmt::print("\n");
  }
  for (const auto& s : measured.samples.decode) {
    PrintLine(fmt::format("made: {} {}", s.work.codec, s.work.pixels),
              s.work.frames == DecodedFrames::kAll ? "all" : "key", s.work, s.us, costs.Decode(s.work));
  }
  for (const auto& s : measured.samples.scale) {
    if (s.work.source != PixelFormat::kYuv420p) continue;
    fmt::print(
        "scale gray {} blended {:7.0f} filtered {:7.0f} fast {:7.0f} packed {:7.0f} {:6.1f} us predicted {:+.0f} %\n",
        s.work.to_gray, s.work.blended_pixels, s.work.filtered_pixels, s.work.fast_pixels, s.work.packed_pixels, s.us,
        (costs.Scale(s.work).us / s.us - 1) * 100);
  }
  for (const Path& clip : ClipsIn(*videos)) {
    const auto packets = ReadPackets(clip.string(), 400, clock);
    ASSERT_TRUE(packets.ok()) << packets.error().message;
    const auto cost = MeasurePass(packets.value(), 2);
    ASSERT_TRUE(cost.has_value()) << clip;
    DecodeWork work{.codec = CodecOf(packets.value().front().format->codec, packets.value().front().format->profile),
                    .pixels = cost->all.pixels,
                    .bits = cost->all.bits};
    PrintLine(clip.filename().string(), "all", work, cost->all.us, costs.Decode(work));
    std::vector<Packet> keys;
    for (const Packet& packet : packets.value()) {
      if (packet.key) keys.insert(keys.end(), 4, packet);
    }
    const auto of_keys = MeasurePass(keys, 2);
    ASSERT_TRUE(of_keys.has_value()) << clip;
    work.frames = DecodedFrames::kKeyOnly;
    work.bits = of_keys->all.bits;
    PrintLine(clip.filename().string(), "key", work, of_keys->all.us, costs.Decode(work));
  }
}

}  // namespace
}  // namespace deepedge
