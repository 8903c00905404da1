// What decoding costs on this box: clips are made on the spot, each of another size, bit rate, motion and form of its
// codec, and decoded by the program's own decoder in the calling thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deepedge/ingest/packet.h"
#include "deepedge/profiler/media_cost/media_costs.h"
#include "deepedge/runtime/calibration/measuring.h"

namespace deepedge {

struct DecodeMeasuring {
  std::vector<std::string> codecs{"h264", "mjpeg", "mpeg4", "hevc"};  // hevc takes longest to make
  std::vector<std::pair<int, int>> sizes{{640, 360}, {1280, 720}};
  std::vector<double> bits_per_pixel{0.04, 0.15};  // mjpeg: ten times that
  int frames = 24;
  int rounds = 3;
  std::function<bool(std::string_view codec)> has_encoder;  // not set: HasEncoder of ingest/ffmpeg/clip_writer.h
};

// Adds a sample for each clip: of all frames, of those that are not key frames (another share of bits for pixels), and
// of key frames alone. Codecs that no clip can be made of are noted. Stops between clips, and while one is made.
void MeasureDecoding(const DecodeMeasuring& plan, Measuring& measuring, MediaSamples& samples);

// Mean of the packets that are decoded in one pass.
struct PassCost {
  int frames = 0;     // packets that were sent
  double us = 0;      // of one
  double bits = 0;    // of one
  double pixels = 0;  // of one picture
};

// The packets of a file, up to `most`. Errors: as Source::Open and Read, but for the end of the file.
Result<std::vector<Packet>> ReadPackets(const std::string& address, size_t most, const Clock& clock);

// Decodes `packets`, from a key frame on, once to warm up and then `rounds` times; the least time of each packet
// counts. Nothing where none gives a picture.
struct PassCosts {
  PassCost all;
  std::optional<PassCost> not_key;
};
std::optional<PassCosts> MeasurePass(const std::vector<Packet>& packets, int rounds);

}  // namespace deepedge
