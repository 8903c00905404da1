#include "deepedge/ingest/ffmpeg/pixel_convert.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "deepedge/base/check.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

namespace deepedge {
namespace {

std::optional<PixelFormat> KnownFormat(int format) {
  switch (format) {  // an int: FFmpeg has some 200 formats
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P: return PixelFormat::kYuv420p;
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P: return PixelFormat::kYuv422p;
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_YUVJ444P: return PixelFormat::kYuv444p;
    case AV_PIX_FMT_NV12: return PixelFormat::kNv12;
    case AV_PIX_FMT_GRAY8: return PixelFormat::kGray8;
    case AV_PIX_FMT_RGB24: return PixelFormat::kRgb24;
    case AV_PIX_FMT_BGR24: return PixelFormat::kBgr24;
    default: return std::nullopt;
  }
}

bool IsFullRange(const AVFrame& frame) {
  if (frame.color_range != AVCOL_RANGE_UNSPECIFIED) return frame.color_range == AVCOL_RANGE_JPEG;
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ444P: return true;
    default: return false;
  }
}

ColorMatrix MatrixOf(AVColorSpace space) {
  switch (static_cast<int>(space)) {
    case AVCOL_SPC_BT709:
    case AVCOL_SPC_BT2020_NCL:  // nearer to BT.709 than to BT.601
    case AVCOL_SPC_BT2020_CL: return ColorMatrix::kBt709;
    default: return ColorMatrix::kBt601;  // also where nothing is told, as FFmpeg's own tools do
  }
}

// The format of media/ that keeps most of a picture at the least cost.
AVPixelFormat TargetFor(AVPixelFormat format) {
  const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(format);
  if (descriptor == nullptr) return AV_PIX_FMT_YUV420P;
  if ((descriptor->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0) return AV_PIX_FMT_RGB24;
  if (descriptor->nb_components <= 2) return AV_PIX_FMT_GRAY8;
  if (format == AV_PIX_FMT_YUYV422 || format == AV_PIX_FMT_UYVY422 || format == AV_PIX_FMT_YVYU422) {
    return AV_PIX_FMT_YUV422P;
  }
  return AV_PIX_FMT_YUV420P;
}

// The same format under its name without range; libswscale is told the range apart.
AVPixelFormat WithoutRange(AVPixelFormat format) {
  switch (static_cast<int>(format)) {
    case AV_PIX_FMT_YUVJ411P: return AV_PIX_FMT_YUV411P;
    case AV_PIX_FMT_YUVJ420P: return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ440P: return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ444P: return AV_PIX_FMT_YUV444P;
    default: return format;
  }
}

bool IsUpsideDown(const AVFrame& frame) { return frame.linesize[0] < 0; }

}  // namespace

Result<AvFrame> PixelConverter::ToKnownFormat(AvFrame frame) {
  const auto format = static_cast<AVPixelFormat>(frame->format);
  const bool known = KnownFormat(format).has_value();
  if (known && !IsUpsideDown(*frame)) return frame;
  return Convert(*frame, known ? WithoutRange(format) : TargetFor(format), SWS_BILINEAR);
}

Result<AvFrame> PixelConverter::ToRgb24(const AVFrame& frame) {
  return Convert(frame, AV_PIX_FMT_RGB24, SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP);
}

Result<AvFrame> PixelConverter::Convert(const AVFrame& frame, AVPixelFormat target, int flags) {
  const auto source = WithoutRange(static_cast<AVPixelFormat>(frame.format));
  // Gives the old context back where nothing changed, and frees it where it did.
  scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height, source, frame.width, frame.height,
                                     target, flags, nullptr, nullptr, nullptr));
  const char* name = av_get_pix_fmt_name(source);
  if (scaler_ == nullptr) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("pixel format '{}' cannot be converted", name != nullptr ? name : "unknown")};
  }
  const bool from_rgb = (av_pix_fmt_desc_get(source)->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  const bool to_rgb = target == AV_PIX_FMT_RGB24;
  const bool range = from_rgb || IsFullRange(frame);
  const int matrix = MatrixOf(frame.colorspace) == ColorMatrix::kBt709 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(matrix), range ? 1 : 0, sws_getCoefficients(matrix),
                           to_rgb || range ? 1 : 0, 0, 1 << 16, 1 << 16);

  constexpr int kAlign = 64;
  const int bytes = av_image_get_buffer_size(target, frame.width, frame.height, kAlign);
  if (bytes <= 0) return Error{ErrorCode::kUnsupported, fmt::format("{}x{}: too large", frame.width, frame.height)};
  if (bytes != pool_bytes_) {
    pool_.reset(av_buffer_pool_init(static_cast<size_t>(bytes) + kAlign, nullptr));
    pool_bytes_ = bytes;
  }
  AvFrame out(av_frame_alloc());
  DE_CHECK(out != nullptr && pool_ != nullptr);
  out->buf[0] = av_buffer_pool_get(pool_.get());
  DE_CHECK(out->buf[0] != nullptr);
  av_frame_copy_props(out.get(), &frame);
  out->width = frame.width;
  out->height = frame.height;
  out->format = target;
  out->color_range = to_rgb || range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  av_image_fill_arrays(out->data, out->linesize, out->buf[0]->data, target, frame.width, frame.height, kAlign);
  if (sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, out->data, out->linesize) < 0) {
    return Error{ErrorCode::kInternal, fmt::format("pixel format '{}': conversion failed", name)};
  }
  return out;
}

PictureView ViewOf(const AVFrame& frame, bool gray_is_full) {
  const auto format = KnownFormat(frame.format);
  DE_CHECK(format.has_value());
  const bool untold_gray = *format == PixelFormat::kGray8 && frame.color_range == AVCOL_RANGE_UNSPECIFIED;
  PictureView view;
  view.format = *format;
  view.width = frame.width;
  view.height = frame.height;
  view.color = {.matrix = MatrixOf(frame.colorspace), .full_range = untold_gray ? gray_is_full : IsFullRange(frame)};
  for (size_t i = 0; i < view.planes.size(); ++i) {
    view.planes[i] = frame.data[i];
    view.strides[i] = frame.linesize[i];
  }
  return view;
}

}  // namespace deepedge
