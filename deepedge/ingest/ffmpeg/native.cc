#include "deepedge/ingest/ffmpeg/native.h"

#include <dlfcn.h>

#include <array>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>

extern "C" {
#include <libavdevice/version.h>
}

namespace deepedge {
namespace {

thread_local std::array<char, 200> last_message{};

// A broken stream makes FFmpeg log for every block of every picture: nothing is printed, the last line is kept for the
// error that our caller is about to report.
void KeepMessage(void* /*context*/, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR) return;
  std::vsnprintf(last_message.data(), last_message.size(), format, arguments);
}

}  // namespace

void PrepareFfmpeg() {
  static std::once_flag once;
  std::call_once(once, [] {
    av_log_set_callback(KeepMessage);
    avformat_network_init();
  });
}

const AVInputFormat* FindCameraFormat() {
  // Not linked: libavdevice brings some fifty libraries (speech, fonts, OpenGL) that cost every start time and memory,
  // for a demuxer that most boxes never use.
  static std::once_flag once;
  std::call_once(once, [] {
    const std::string name = "libavdevice.so." + std::to_string(LIBAVDEVICE_VERSION_MAJOR);
    void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (library == nullptr) return;
    if (auto* const register_all = reinterpret_cast<void (*)()>(dlsym(library, "avdevice_register_all")))
      register_all();
  });
  return av_find_input_format("v4l2");
}

std::string FfmpegErrorText(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(code, text.data(), text.size());
  // "Connection refused" becomes part of a sentence; "PPS missing" stays.
  if (std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text.data();
}

std::string TakeFfmpegMessage() {
  std::string message = last_message.data();
  last_message[0] = '\0';
  while (!message.empty() && (message.back() == '\n' || message.back() == '.')) message.pop_back();
  return message.find("://") == std::string::npos ? message : std::string();
}

}  // namespace deepedge
