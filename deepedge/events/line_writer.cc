#include "deepedge/events/line_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <string>

namespace deepedge {
namespace {

constexpr off_t kLongestTail = off_t{1} << 20;  // no event is longer

// What stands behind the last line break of a file, at most kLongestTail bytes of it. Unreadable: nothing.
std::string ReadTail(const Path& path, off_t size) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string tail;
  if (!fd.valid()) return tail;
  std::array<char, 4096> block{};
  while (size > 0 && static_cast<off_t>(tail.size()) < kLongestTail) {
    const off_t count = std::min<off_t>(size, block.size());
    size -= count;
    const ssize_t got = pread(fd.get(), block.data(), static_cast<size_t>(count), size);
    if (got != count) return {};
    const std::string_view text(block.data(), static_cast<size_t>(count));
    const size_t line_break = text.rfind('\n');
    if (line_break != std::string_view::npos) return std::string(text.substr(line_break + 1)) + tail;
    tail.insert(0, text);
  }
  return tail;
}

// A crash or a power cut leaves the start of an event at the file's end, or zeros where its bytes would have been.
// That is cut off. Anything else is not ours and stays. False, with errno: the file could not be changed.
bool EndWithWholeLine(const Path& path, int fd, off_t size) {
  const std::string tail = ReadTail(path, size);
  if (tail.empty()) return true;
  const bool is_ours = (tail[0] == '{' || tail[0] == '\0') && static_cast<off_t>(tail.size()) < kLongestTail;
  if (is_ours) return ftruncate(fd, size - static_cast<off_t>(tail.size())) == 0;
  return write(fd, "\n", 1) == 1;
}

}  // namespace

void BlockWriteSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  sigaddset(&signals, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Result<LineWriter> LineWriter::Open(const Path& path) {
  const bool is_stdout = path == "-";
  std::string name = is_stdout ? "standard output" : path.string();
  // Without O_NONBLOCK, opening a named pipe that nobody reads would wait for ever. Standard output is shared with
  // other programs, whose writes must go on blocking, so its flags are left as they are.
  UniqueFd fd(is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                        : open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644));
  if (!fd.valid()) {
    const int error = errno;
    const bool exhausted = error == ENOSPC || error == EMFILE || error == ENFILE || error == EDQUOT;
    return Error{exhausted ? ErrorCode::kExhausted : ErrorCode::kBadInput,
                 fmt::format("{}: cannot be opened for events: {}", name,
                             error == ENXIO ? "nobody reads this pipe" : std::strerror(error))};
  }
  struct stat status{};
  const bool is_regular = fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode);
  if (is_regular && !is_stdout && !EndWithWholeLine(path, fd.get(), status.st_size)) {
    const int error = errno;
    return Error{error == ENOSPC || error == EDQUOT ? ErrorCode::kExhausted : ErrorCode::kBadInput,
                 fmt::format("{}: its unfinished last line cannot be ended: {}", name, std::strerror(error))};
  }
  return LineWriter(std::move(fd), std::move(name), is_regular, is_stdout);
}

LineWriter::Outcome LineWriter::Write(std::string_view lines, int give_up, std::optional<Duration> patience) {
  return is_regular_ ? WriteToFile(lines) : WriteToPipe(lines, give_up, patience);
}

LineWriter::Outcome LineWriter::WriteToFile(std::string_view lines) {
  size_t done = 0;
  while (done < lines.size()) {
    const ssize_t written = write(fd_.get(), lines.data() + done, lines.size() - done);
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (errno != EINTR) {
      const int error = errno;
      const size_t line_break = lines.substr(0, done).rfind('\n');
      const size_t whole = line_break == std::string_view::npos ? 0 : line_break + 1;
      return {CutTail(done - whole) ? whole : done, error};
    }
  }
  return {done, 0};
}

LineWriter::Outcome LineWriter::WriteToPipe(std::string_view lines, int give_up, std::optional<Duration> patience) {
  const int waited = WaitUntilWritable(give_up, patience);
  if (waited == EINTR) return {0, 0};  // a signal: no failure, only no progress
  if (waited != 0) return {0, waited};
  // So much fits without waiting, also into a pipe whose writes would block.
  const ssize_t written = write(fd_.get(), lines.data(), std::min<size_t>(lines.size(), PIPE_BUF));
  if (written >= 0) return {static_cast<size_t>(written), 0};
  const bool was_overtaken = errno == EINTR || errno == EAGAIN;
  return {0, was_overtaken ? 0 : errno};
}

int LineWriter::WaitUntilWritable(int give_up, std::optional<Duration> patience) const {
  // With `patience` the caller is giving up already.
  pollfd fds[] = {{.fd = fd_.get(), .events = POLLOUT, .revents = 0},
                  {.fd = patience ? -1 : give_up, .events = POLLIN, .revents = 0}};
  const int timeout_ms = patience ? static_cast<int>((patience->count() + 999) / 1000) : -1;
  if (poll(fds, 2, timeout_ms) < 0) return errno;
  return fds[0].revents != 0 ? 0 : EAGAIN;  // a closed pipe is "ready": write() then says so
}

std::optional<int64_t> LineWriter::FileSize() const {
  struct stat status{};
  if (!is_regular_ || is_stdout_ || fstat(fd_.get(), &status) != 0) return std::nullopt;
  return status.st_size;
}

bool LineWriter::CutTail(size_t count) const {
  if (count == 0) return true;
  // Only while the tail is still the end: somebody else may write to standard output's file too.
  struct stat status{};
  const off_t position = lseek(fd_.get(), 0, SEEK_CUR);
  if (position < 0 || fstat(fd_.get(), &status) != 0 || status.st_size != position) return false;
  const off_t end = position - static_cast<off_t>(count);
  return end >= 0 && ftruncate(fd_.get(), end) == 0 && lseek(fd_.get(), end, SEEK_SET) == end;
}

}  // namespace deepedge
