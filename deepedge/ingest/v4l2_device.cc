#include "deepedge/ingest/v4l2_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace deepedge {
namespace {

// A camera may claim any number of modes; more than these are not looked at.
constexpr uint32_t kMostEntries = 64;

struct KnownFormat {
  uint32_t id;
  CameraCodec codec;
  const char* fourcc;
};
constexpr std::array<KnownFormat, 6> kKnownFormats{{
    {V4L2_PIX_FMT_YUYV, CameraCodec::kRaw, "YUYV"},
    {V4L2_PIX_FMT_NV12, CameraCodec::kRaw, "NV12"},
    {V4L2_PIX_FMT_YUV420, CameraCodec::kRaw, "YU12"},
    {V4L2_PIX_FMT_MJPEG, CameraCodec::kMjpeg, "MJPG"},
    {V4L2_PIX_FMT_JPEG, CameraCodec::kMjpeg, "JPEG"},
    {V4L2_PIX_FMT_H264, CameraCodec::kH264, "H264"},
}};

class Device {
 public:
  explicit Device(const std::string& path) : fd_(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) {}
  ~Device() {
    if (fd_ >= 0) close(fd_);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  bool is_open() const { return fd_ >= 0; }
  template <typename T>
  bool Ask(unsigned long request, T& argument) const {
    int result = 0;
    do {
      result = ioctl(fd_, request, &argument);
    } while (result < 0 && errno == EINTR);
    return result == 0;
  }

 private:
  int fd_;
};

double Rate(const v4l2_fract& interval) {
  return interval.numerator == 0 ? 0 : static_cast<double>(interval.denominator) / interval.numerator;
}

void AddRates(const Device& device, CameraMode mode, uint32_t pixel_format, std::vector<CameraMode>& modes) {
  const size_t before = modes.size();
  for (uint32_t i = 0; i < kMostEntries; ++i) {
    v4l2_frmivalenum interval{};
    interval.index = i;
    interval.pixel_format = pixel_format;
    interval.width = static_cast<uint32_t>(mode.width);
    interval.height = static_cast<uint32_t>(mode.height);
    if (!device.Ask(VIDIOC_ENUM_FRAMEINTERVALS, interval)) break;
    const bool discrete = interval.type == V4L2_FRMIVAL_TYPE_DISCRETE;
    mode.frame_rate = Rate(discrete ? interval.discrete : interval.stepwise.min);
    modes.push_back(mode);
    if (!discrete) break;
  }
  if (modes.size() == before) {
    mode.frame_rate = 30;  // not told; what nearly every camera does
    modes.push_back(mode);
  }
}

void AddSizes(const Device& device, const KnownFormat& format, std::vector<CameraMode>& modes) {
  for (uint32_t i = 0; i < kMostEntries; ++i) {
    v4l2_frmsizeenum size{};
    size.index = i;
    size.pixel_format = format.id;
    if (!device.Ask(VIDIOC_ENUM_FRAMESIZES, size)) return;
    CameraMode mode{.codec = format.codec, .fourcc = format.fourcc};
    if (size.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
      mode.width = static_cast<int>(size.discrete.width);
      mode.height = static_cast<int>(size.discrete.height);
      AddRates(device, mode, format.id, modes);
      continue;
    }
    // A range: the usual sizes inside it stand for it.
    constexpr std::array<std::array<uint32_t, 2>, 5> kUsual{
        {{320, 240}, {640, 360}, {640, 480}, {1280, 720}, {1920, 1080}}};
    for (const auto& [width, height] : kUsual) {
      if (width < size.stepwise.min_width || width > size.stepwise.max_width) continue;
      if (height < size.stepwise.min_height || height > size.stepwise.max_height) continue;
      mode.width = static_cast<int>(width);
      mode.height = static_cast<int>(height);
      AddRates(device, mode, format.id, modes);
    }
    return;
  }
}

}  // namespace

Result<std::vector<CameraMode>> ListCameraModes(const std::string& device_path) {
  const Device device(device_path);
  if (!device.is_open()) {
    const int error = errno;
    if (error == ENOENT || error == ENODEV || error == ENXIO) {
      return Error{ErrorCode::kNotFound, fmt::format("'{}': no such camera", device_path)};
    }
    const char* hint = error == EACCES ? " (is this user in the group 'video'?)" : "";
    return Error{ErrorCode::kUnavailable, fmt::format("'{}': {}{}", device_path, std::strerror(error), hint)};
  }
  v4l2_capability capability{};
  if (!device.Ask(VIDIOC_QUERYCAP, capability)) {
    return Error{ErrorCode::kBadInput, fmt::format("'{}': not a video device", device_path)};
  }
  const uint32_t abilities =
      (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? capability.device_caps : capability.capabilities;
  if ((abilities & V4L2_CAP_VIDEO_CAPTURE) == 0) {
    return Error{ErrorCode::kBadInput, fmt::format("'{}': a video device, but it takes no pictures", device_path)};
  }
  std::vector<CameraMode> modes;
  std::string offered;
  for (uint32_t i = 0; i < kMostEntries; ++i) {
    v4l2_fmtdesc description{};
    description.index = i;
    description.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    if (!device.Ask(VIDIOC_ENUM_FMT, description)) break;
    offered += fmt::format(" {}", reinterpret_cast<const char*>(description.description));
    for (const KnownFormat& format : kKnownFormats) {
      if (format.id == description.pixelformat) AddSizes(device, format, modes);
    }
  }
  if (modes.empty()) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("'{}': no known picture format; it offers:{}", device_path, offered)};
  }
  return modes;
}

}  // namespace deepedge
