// Decoder: packets in, frames out, in order of presentation. Single-threaded inside; parallelism comes from the number
// of streams. One stream's decoder is used by one job at a time.
//
//   DE_TRY_STATUS(decoder->Send(packet, frame_tag));
//   while (auto decoded = decoder->Receive(); decoded.ok() && decoded.value()) Use(*decoded.value());
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "deepedge/base/result.h"
#include "deepedge/ingest/packet.h"
#include "deepedge/media/picture.h"

namespace deepedge {

// A picture as it leaves the decoder. `owner` holds the pixels.
struct DecodedPicture {
  PictureView picture;
  int64_t pts_us = 0;  // of the packet that the picture came from
  Time captured;       // likewise
  std::shared_ptr<const void> owner;
};

class Decoder {
 public:
  virtual ~Decoder() = default;

  // Takes one packet. A packet with another format than the last one restarts the decoder by itself, after the pictures
  // still inside have been received. Errors: kBadInput for a broken packet; the decoder stays usable.
  virtual Status Send(const Packet& packet) = 0;

  // No more packets come: makes Receive give what is still inside. A later Send starts anew.
  virtual void Drain() = 0;

  // The next picture, or nothing when a further packet is needed (or, after Drain, when all are out). Pictures of pixel
  // formats that media/ does not know are converted. Errors: kBadInput for a picture that could not be decoded.
  virtual Result<std::optional<DecodedPicture>> Receive() = 0;
};

std::unique_ptr<Decoder> MakeDecoder();

}  // namespace deepedge
