#include "deepedge/ingest/picture_file.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "deepedge/base/check.h"
#include "deepedge/ingest/ffmpeg/native.h"
#include "deepedge/ingest/ffmpeg/pixel_convert.h"

extern "C" {
#include <libavutil/display.h>
}

namespace deepedge {
namespace {

constexpr int64_t kMostPixels = 100'000'000;
constexpr int64_t kMostFileBytes = 256 << 20;

// A file's content as FFmpeg reads it.
class MemoryInput {
 public:
  explicit MemoryInput(std::string_view content) : content_(content) {
    constexpr int kBuffer = 1 << 16;
    auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
    context_ = avio_alloc_context(buffer, kBuffer, 0, this, Read, nullptr, Seek);
    DE_CHECK(buffer != nullptr && context_ != nullptr);
  }
  ~MemoryInput() {
    av_freep(&context_->buffer);
    avio_context_free(&context_);
  }
  MemoryInput(const MemoryInput&) = delete;
  MemoryInput& operator=(const MemoryInput&) = delete;
  AVIOContext* get() const { return context_; }

 private:
  static int Read(void* self, uint8_t* to, int bytes) {
    auto& input = *static_cast<MemoryInput*>(self);
    const size_t count = std::min(static_cast<size_t>(bytes), input.content_.size() - input.position_);
    if (count == 0) return AVERROR_EOF;
    std::memcpy(to, input.content_.data() + input.position_, count);
    input.position_ += count;
    return static_cast<int>(count);
  }
  static int64_t Seek(void* self, int64_t offset, int whence) {
    auto& input = *static_cast<MemoryInput*>(self);
    const auto size = static_cast<int64_t>(input.content_.size());
    if ((whence & AVSEEK_SIZE) != 0) return size;
    const int64_t base = whence == SEEK_CUR ? static_cast<int64_t>(input.position_) : whence == SEEK_END ? size : 0;
    const int64_t position = base + offset;
    if (position < 0 || position > size) return AVERROR(EINVAL);
    input.position_ = static_cast<size_t>(position);
    return position;
  }

  std::string_view content_;
  size_t position_ = 0;
  AVIOContext* context_ = nullptr;
};

// Readers of single pictures are called "png_pipe", "jpeg_pipe" and so on; anything else is a video or a sound.
bool IsPictureFormat(std::string_view name) { return name.ends_with("_pipe") || name == "gif" || name == "apng"; }

// The first picture in `content`.
Result<AvFrame> DecodePicture(std::string_view content) {
  const Error not_a_picture{ErrorCode::kBadInput, "is not a picture in a format that can be read"};
  const MemoryInput input(content);
  AVFormatContext* opened = avformat_alloc_context();
  DE_CHECK(opened != nullptr);
  opened->pb = input.get();
  if (avformat_open_input(&opened, nullptr, nullptr, nullptr) < 0) return not_a_picture;
  const AvFormatContext context(opened);
  if (!IsPictureFormat(context->iformat->name) || context->nb_streams == 0) return not_a_picture;

  const AvPacket packet(av_packet_alloc());
  DE_CHECK(packet != nullptr);
  if (av_read_frame(context.get(), packet.get()) < 0) return Error{ErrorCode::kBadInput, "is a broken picture"};
  const AVCodecParameters* parameters = context->streams[packet->stream_index]->codecpar;
  const AVCodec* codec = avcodec_find_decoder(parameters->codec_id);
  if (codec == nullptr) return not_a_picture;
  const AvCodecContext decoder(avcodec_alloc_context3(codec));
  DE_CHECK(decoder != nullptr && avcodec_parameters_to_context(decoder.get(), parameters) >= 0);
  decoder->thread_count = 1;
  decoder->max_pixels = kMostPixels;
  AvFrame frame(av_frame_alloc());
  DE_CHECK(frame != nullptr);
  int result = avcodec_open2(decoder.get(), codec, nullptr);
  if (result >= 0) result = avcodec_send_packet(decoder.get(), packet.get());
  if (result >= 0) result = avcodec_send_packet(decoder.get(), nullptr);
  if (result >= 0) result = avcodec_receive_frame(decoder.get(), frame.get());
  const int64_t pixels = static_cast<int64_t>(decoder->width) * decoder->height;
  if (result < 0 && pixels > kMostPixels) {
    return Error{ErrorCode::kBadInput, fmt::format("has {}x{} pixels, more than the {} million allowed", decoder->width,
                                                   decoder->height, kMostPixels / 1'000'000)};
  }
  if (result < 0 || frame->width <= 0 || frame->height <= 0 || frame->decode_error_flags != 0 ||
      (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0) {
    return Error{ErrorCode::kBadInput, "is a broken picture"};
  }
  return frame;
}

// How a camera was held when it took the picture (EXIF): the pixel at `column`, `row` of the turned picture is the one
// at x, y of the stored one.
struct Turn {
  int x_by_column = 1, x_by_row = 0, y_by_column = 0, y_by_row = 1;
};

Turn TurnOf(const AVFrame& frame) {
  const AVFrameSideData* side = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (side == nullptr || side->size < 9 * sizeof(int32_t)) return {};
  std::array<int32_t, 9> matrix{};
  std::memcpy(matrix.data(), side->data, sizeof(matrix));
  const auto sign = [](int32_t value) { return value > 0 ? 1 : value < 0 ? -1 : 0; };
  // The matrix maps stored (x, y) to shown (x, y); a quarter turn's inverse is its transpose.
  const Turn turn{sign(matrix[0]), sign(matrix[1]), sign(matrix[3]), sign(matrix[4])};
  const bool quarter = std::abs(turn.x_by_column) + std::abs(turn.x_by_row) == 1 &&
                       std::abs(turn.x_by_column) == std::abs(turn.y_by_row) &&
                       std::abs(turn.x_by_row) == std::abs(turn.y_by_column);
  return quarter ? turn : Turn{};
}

RgbPicture CopyTurned(const AVFrame& rgb, const Turn& turn) {
  const bool swapped = turn.x_by_column == 0;
  RgbPicture picture;
  picture.width = swapped ? rgb.height : rgb.width;
  picture.height = swapped ? rgb.width : rgb.height;
  picture.pixels.resize(static_cast<size_t>(picture.width) * static_cast<size_t>(picture.height) * 3);
  const int x0 = turn.x_by_column + turn.x_by_row < 0 ? rgb.width - 1 : 0;
  const int y0 = turn.y_by_column + turn.y_by_row < 0 ? rgb.height - 1 : 0;
  uint8_t* to = picture.pixels.data();
  for (int row = 0; row < picture.height; ++row) {
    for (int column = 0; column < picture.width; ++column, to += 3) {
      const int x = x0 + turn.x_by_column * column + turn.x_by_row * row;
      const int y = y0 + turn.y_by_column * column + turn.y_by_row * row;
      std::memcpy(to, rgb.data[0] + static_cast<ptrdiff_t>(y) * rgb.linesize[0] + x * 3, 3);
    }
  }
  return picture;
}

Result<RgbPicture> DecodeRgb(std::string_view content) {
  if (content.empty()) return Error{ErrorCode::kBadInput, "is empty"};
  DE_TRY(const AvFrame frame, DecodePicture(content));
  DE_TRY(const AvFrame rgb, PixelConverter().ToRgb24(*frame));
  return CopyTurned(*rgb, TurnOf(*frame));
}

}  // namespace

Result<RgbPicture> ReadPicture(const Path& path) {
  PrepareFfmpeg();
  DE_TRY(const std::string content, ReadFile(path, kMostFileBytes));
  Result<RgbPicture> picture = DecodeRgb(content);
  if (!picture.ok())
    return Error{picture.error().code, fmt::format("picture '{}' {}", path.string(), picture.error().message)};
  return picture;
}

Status WritePng(const Path& path, const RgbPicture& picture) {
  PrepareFfmpeg();
  DE_CHECK(picture.width > 0 && picture.height > 0);
  const size_t row_bytes = static_cast<size_t>(picture.width) * 3;
  DE_CHECK(picture.pixels.size() == row_bytes * static_cast<size_t>(picture.height));
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
  if (codec == nullptr) return Error{ErrorCode::kUnsupported, "this FFmpeg cannot write PNG"};
  const AvCodecContext encoder(avcodec_alloc_context3(codec));
  const AvFrame frame(av_frame_alloc());
  const AvPacket packet(av_packet_alloc());
  DE_CHECK(encoder != nullptr && frame != nullptr && packet != nullptr);
  encoder->width = frame->width = picture.width;
  encoder->height = frame->height = picture.height;
  encoder->pix_fmt = AV_PIX_FMT_RGB24;
  frame->format = AV_PIX_FMT_RGB24;
  encoder->time_base = {1, 1};
  int result = avcodec_open2(encoder.get(), codec, nullptr);
  if (result >= 0) result = av_frame_get_buffer(frame.get(), 0);
  if (result >= 0) {
    for (int y = 0; y < picture.height; ++y) {
      std::memcpy(frame->data[0] + static_cast<ptrdiff_t>(y) * frame->linesize[0],
                  picture.pixels.data() + static_cast<size_t>(y) * row_bytes, row_bytes);
    }
    result = avcodec_send_frame(encoder.get(), frame.get());
  }
  if (result >= 0) result = avcodec_send_frame(encoder.get(), nullptr);
  if (result >= 0) result = avcodec_receive_packet(encoder.get(), packet.get());
  if (result < 0) {
    return Error{ErrorCode::kInternal, fmt::format("picture '{}': {}", path.string(), FfmpegErrorText(result))};
  }
  return WriteFileAtomically(path, {reinterpret_cast<const char*>(packet->data), static_cast<size_t>(packet->size)});
}

}  // namespace deepedge
