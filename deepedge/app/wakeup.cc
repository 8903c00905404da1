#include "deepedge/app/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

// A signal handler can reach globals only.
std::atomic<int> g_signal_fd{-1};
std::atomic<bool> g_signalled{false};

void HandleSignal(int signal) {
  if (g_signalled.exchange(true)) _exit(128 + signal);
  const uint64_t one = 1;
  // Nothing can be done in a handler if this fails; the second signal still ends the program.
  [[maybe_unused]] const ssize_t written = write(g_signal_fd.load(), &one, sizeof(one));
}

bool Take(int fd) {
  uint64_t count = 0;
  return read(fd, &count, sizeof(count)) == sizeof(count);
}

}  // namespace

Wakeup::Wakeup()
    : finished_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), signal_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  DE_CHECK(finished_fd_ >= 0 && signal_fd_ >= 0);
}

Wakeup::~Wakeup() {
  if (g_signal_fd == signal_fd_) {
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    g_signal_fd = -1;
  }
  close(finished_fd_);
  close(signal_fd_);
}

void Wakeup::Finish() {
  const uint64_t one = 1;
  DE_CHECK(write(finished_fd_, &one, sizeof(one)) == sizeof(one));
}

void Wakeup::TakeSignals() {
  g_signalled = false;
  g_signal_fd = signal_fd_;
  struct sigaction action{};
  action.sa_handler = HandleSignal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

Wakeup::Reason Wakeup::Wait(Time until, const Clock& clock) {
  while (true) {
    int timeout_ms = -1;
    if (until != kTimeNever) {
      const int64_t left_us = (until - clock.Now()).count();
      if (left_us <= 0) return Reason::kTimeReached;
      timeout_ms = static_cast<int>(std::min<int64_t>((left_us + 999) / 1000, 3'600'000));
    }
    std::array<pollfd, 2> fds{{{signal_fd_, POLLIN, 0}, {finished_fd_, POLLIN, 0}}};
    poll(fds.data(), fds.size(), timeout_ms);
    if (Take(signal_fd_)) return Reason::kStopRequested;
    if (Take(finished_fd_)) return Reason::kFinished;
  }
}

}  // namespace deepedge
