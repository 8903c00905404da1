#include "deepedge/ingest/ffmpeg/native.h"

#include <array>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string_view>

extern "C" {
#include <libavdevice/avdevice.h>
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
    avdevice_register_all();
    avformat_network_init();
  });
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
