#include "deepedge/runtime/calibration/measure_decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "deepedge/base/file.h"
#include "deepedge/ingest/decoder.h"
#include "deepedge/ingest/ffmpeg/clip_writer.h"
#include "deepedge/ingest/source.h"
#include "deepedge/runtime/calibration/synthetic_scene.h"

namespace deepedge {
namespace {

constexpr size_t kMostPackets = 1000;
constexpr int kMostErrors = 64;
constexpr int kKeyPasses = 4;  // a clip has few key frames; each is decoded so many times more

// The pixels of the last picture, 0 where none came.
double ReceiveAll(Decoder& decoder) {
  double pixels = 0;
  for (int errors = 0; errors < kMostErrors;) {
    const auto received = decoder.Receive();
    if (!received.ok()) {
      ++errors;
      continue;
    }
    if (!received.value()) break;
    const PictureView& picture = received.value()->picture;
    pixels = static_cast<double>(picture.width) * picture.height;
  }
  return pixels;
}

std::vector<Packet> KeyPackets(const std::vector<Packet>& packets) {
  std::vector<Packet> keys;
  for (int pass = 0; pass < kKeyPasses; ++pass) {
    std::copy_if(packets.begin(), packets.end(), std::back_inserter(keys), [](const Packet& p) { return p.key; });
  }
  return keys;
}

PassCost MeanOf(const std::vector<Packet>& packets, const std::vector<double>& us, double pixels, bool leave_keys_out) {
  PassCost cost{.pixels = pixels};
  for (size_t i = 0; i < packets.size(); ++i) {
    if (leave_keys_out && packets[i].key) continue;
    ++cost.frames;
    cost.us += us[i];
    cost.bits += 8.0 * static_cast<double>(packets[i].bytes);
  }
  if (cost.frames == 0) return cost;
  cost.us /= cost.frames;
  cost.bits /= cost.frames;
  return cost;
}

struct Clip {
  ClipPlan plan;
  CameraMotion motion = CameraMotion::kStill;
};

// H.264 comes in two forms, with and without arithmetic coding. At the higher rates the camera moves.
std::vector<Clip> ClipsOf(const std::string& codec, const DecodeMeasuring& plan) {
  const bool jpeg = codec == "mjpeg";
  std::vector<Clip> clips;
  for (size_t rate = 0; rate < plan.bits_per_pixel.size(); ++rate) {
    for (const auto& [width, height] : plan.sizes) {
      for (const int b_frames : {0, 2}) {
        // Only h264 is common enough for twice the clips.
        if (b_frames > 0 && codec != "h264") continue;
        Clip clip{.plan = {.codec = codec, .width = width, .height = height, .frames = plan.frames}};
        const double bits = plan.bits_per_pixel[rate] * width * height * (jpeg ? 10 : 1);
        clip.plan.bit_rate = static_cast<int64_t>(bits * clip.plan.frame_rate);
        clip.plan.key_interval = std::max(2, plan.frames / 2);
        clip.plan.b_frames = codec == "hevc" ? 2 : b_frames;
        if (jpeg) clip.plan.b_frames = 0;
        clip.motion = rate % 2 == 0 ? CameraMotion::kStill : CameraMotion::kPanning;
        clips.push_back(clip);
      }
    }
  }
  return clips;
}

void AddSample(const PassCost& cost, const std::string& codec, DecodedFrames frames, MediaSamples& samples) {
  if (!(cost.us > 0)) return;
  const DecodeWork work{.codec = codec, .frames = frames, .pixels = cost.pixels, .bits = cost.bits};
  samples.decode.push_back({work, cost.us});
}

Status MeasureClip(const Clip& clip, const Path& folder, const DecodeMeasuring& plan, Measuring& measuring,
                   MediaSamples& samples) {
  const Path path = folder / "clip.mkv";
  SyntheticScene scene(clip.plan.width, clip.plan.height, clip.motion);
  DE_TRY_STATUS(EncodeClip(path, clip.plan, [&](int index) { return scene.Draw(index); }, measuring.stop()));
  DE_TRY(const std::vector<Packet> packets, ReadPackets(path.string(), kMostPackets, measuring.clock()));
  if (packets.empty()) return Error{ErrorCode::kInternal, "the clip is empty"};
  const std::string codec = CodecOf(packets.front().format->codec, packets.front().format->profile);
  if (const auto costs = MeasurePass(packets, plan.rounds)) {
    AddSample(costs->all, codec, DecodedFrames::kAll, samples);
    if (costs->not_key) AddSample(*costs->not_key, codec, DecodedFrames::kAll, samples);
  }
  if (const auto costs = MeasurePass(KeyPackets(packets), plan.rounds)) {
    AddSample(costs->all, codec, DecodedFrames::kKeyOnly, samples);
  }
  return {};
}

void MeasureCodec(const std::string& codec, const Path& folder, const DecodeMeasuring& plan, Measuring& measuring,
                  MediaSamples& samples) {
  for (const Clip& clip : ClipsOf(codec, plan)) {
    if (!measuring.GoOn()) {
      if (!measuring.stopped()) measuring.Note(fmt::format("decoding of {}: not all measured, time was up", codec));
      return;
    }
    const Status measured = MeasureClip(clip, folder, plan, measuring, samples);
    if (!measured.ok() && measured.error().code != ErrorCode::kCancelled) {
      measuring.Note(fmt::format("decoding of {} at {}x{}: not measured: {}", codec, clip.plan.width, clip.plan.height,
                                 measured.error().message));
    }
  }
}

}  // namespace

Result<std::vector<Packet>> ReadPackets(const std::string& address, size_t most, const Clock& clock) {
  DE_TRY(const auto source, MakeSource({.address = address}, clock));
  DE_TRY_STATUS(source->Open({}));
  std::vector<Packet> packets;
  while (packets.size() < most) {
    auto packet = source->Read({});
    if (!packet.ok()) {
      if (packet.error().code == ErrorCode::kEndOfStream) break;
      return packet.error();
    }
    packets.push_back(std::move(packet).value());
  }
  return packets;
}

std::optional<PassCosts> MeasurePass(const std::vector<Packet>& packets, int rounds) {
  const std::unique_ptr<Decoder> decoder = MakeDecoder();
  std::vector<double> least_us(packets.size(), std::numeric_limits<double>::infinity());
  double pixels = 0;
  for (int round = 0; round <= rounds; ++round) {
    for (size_t i = 0; i < packets.size(); ++i) {
      const Duration start = ThreadCpuTime();
      // A packet that cannot be decoded has its cost, too.
      decoder->Send(packets[i]).Ignore("counted as it is");
      pixels = std::max(pixels, ReceiveAll(*decoder));
      const auto us = static_cast<double>((ThreadCpuTime() - start).count());
      if (round > 0) least_us[i] = std::min(least_us[i], us);
    }
    decoder->Drain();
    pixels = std::max(pixels, ReceiveAll(*decoder));
  }
  if (packets.empty() || pixels == 0) return std::nullopt;
  PassCosts costs{.all = MeanOf(packets, least_us, pixels, false)};
  const PassCost not_key = MeanOf(packets, least_us, pixels, true);
  if (not_key.frames > 0 && not_key.frames < costs.all.frames) costs.not_key = not_key;
  return costs;
}

void MeasureDecoding(const DecodeMeasuring& plan, Measuring& measuring, MediaSamples& samples) {
  const auto folder = TemporaryFolder::Create("deepedge-calibration-");
  if (!folder.ok()) {
    measuring.Note("decoding: not measured: " + folder.error().message);
    return;
  }
  for (const std::string& codec : plan.codecs) {
    const bool found = plan.has_encoder ? plan.has_encoder(codec) : HasEncoder(codec);
    if (!found) {
      measuring.Note(
          fmt::format("decoding of {}: estimated only, this FFmpeg has no encoder to make a clip with", codec));
      continue;
    }
    MeasureCodec(codec, folder.value().path(), plan, measuring, samples);
  }
}

}  // namespace deepedge
