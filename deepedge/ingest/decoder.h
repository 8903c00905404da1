// Decoder: packets in, frames out, in order of presentation. Single-threaded inside; parallelism comes from the number
// of streams. One stream's decoder is used by one job at a time.
//
//   if (const Status sent = decoder->Send(packet); !sent.ok()) ++broken_packets;
//   while (true) {
//     auto decoded = decoder->Receive();
//     if (!decoded.ok()) { ++broken_pictures; continue; }
//     if (!decoded.value()) break;                 // needs the next packet
//     Use(std::move(*decoded.value()));
//   }
//
// At most 64 pictures wait to be received, then the oldest is dropped: receive after every Send.
//
// Packets may be left out from a key frame to the next one (to decode key frames only, or nothing); anything else left
// out damages the pictures up to the next key frame.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "deepedge/base/result.h"
#include "deepedge/ingest/packet.h"
#include "deepedge/media/picture.h"

namespace deepedge {

// A picture as it leaves the decoder. `owner` holds the pixels, also when the decoder is gone.
struct DecodedPicture {
  PictureView picture;
  int64_t pts_us = 0;         // of the packet that the picture came from; never decreases between two drains or formats
  int64_t packet_pts_us = 0;  // of the packet as it was sent: differs where a camera's clock was set back
  int64_t packet_sequence = 0;  // of the packet
  Time captured;                // of the packet
  bool damaged = false;         // parts were lost and made up from neighbouring pictures
  std::shared_ptr<const void> owner;
};

// A packet gives its picture before the picture of a packet that was sent this much later, or not at all: no video
// standard reorders pictures by more than 16.
constexpr int64_t kMostPacketsInside = 20;

class Decoder {
 public:
  virtual ~Decoder() = default;

  // Takes one packet. A packet with another format than the last one restarts the decoder by itself; the pictures still
  // inside come out of Receive first. Errors: kBadInput for a broken packet, kUnsupported for a codec that this build
  // cannot decode; the decoder stays usable.
  virtual Status Send(const Packet& packet) = 0;

  // No more packets come: makes Receive give what is still inside. A later Send starts anew.
  virtual void Drain() = 0;

  // The next picture, or nothing when a further packet is needed (or, after Drain, when all are out). Pictures of pixel
  // formats that media/ does not know are converted; size and format may change from one picture to the next. Errors:
  // kBadInput for a picture that could not be decoded; call again for the next one.
  virtual Result<std::optional<DecodedPicture>> Receive() = 0;
};

std::unique_ptr<Decoder> MakeDecoder();

}  // namespace deepedge
