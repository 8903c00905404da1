// LineWriter: text lines into a file, a pipe or standard output, each line whole or not at all. When a regular file
// cannot take all of a line (disk full, size limit), the part that got through is cut off again, so that readers of the
// file only ever see whole lines and a later attempt starts with the line that failed.
//
// A pipe cannot take back what is in it; there a later attempt goes on where the last one stopped. Writing to a pipe
// waits for its reader in poll(), never in write(), so that it can be told to give up.
//
// Threads: owned by one thread, which has called BlockWriteSignals.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/base/result.h"
#include "deepedge/base/unique_fd.h"

namespace deepedge {

// Makes a write to a closed pipe or over a size limit fail with an error in this thread instead of ending the program.
void BlockWriteSignals();

class LineWriter {
 public:
  // Appends to an existing file; "-" is standard output. Of a line that a crash left half-written at the file's end
  // nothing is kept; an unfinished line that is no event gets a line break. Errors: kBadInput, kExhausted naming the
  // file.
  static Result<LineWriter> Open(const Path& path);

  struct Outcome {
    size_t done = 0;  // bytes of `lines` that need no further attempt; the next one starts behind them
    int error = 0;    // errno of what stopped it, 0: nothing did. EAGAIN: given up waiting for the reader
  };
  // One attempt at `lines`: one or more lines with their line breaks, or the rest of them. A pipe takes a part at a
  // time; a reader that is slow is waited for until `give_up` (a descriptor) becomes readable or, with `patience`,
  // for so long.
  Outcome Write(std::string_view lines, int give_up, std::optional<Duration> patience);

  // Bytes in the file now. Not set: a pipe, or standard output, which is not ours even where it is a file.
  std::optional<int64_t> FileSize() const;

  const std::string& name() const { return name_; }  // for messages

 private:
  LineWriter(UniqueFd fd, std::string name, bool is_regular, bool is_stdout)
      : fd_(std::move(fd)), name_(std::move(name)), is_regular_(is_regular), is_stdout_(is_stdout) {}

  Outcome WriteToFile(std::string_view lines);
  Outcome WriteToPipe(std::string_view lines, int give_up, std::optional<Duration> patience);
  // 0 when the pipe can take at least PIPE_BUF bytes, else the errno that ends the attempt.
  int WaitUntilWritable(int give_up, std::optional<Duration> patience) const;
  // Removes the last `count` bytes. False where that is not possible.
  bool CutTail(size_t count) const;

  UniqueFd fd_;
  std::string name_;
  bool is_regular_;
  bool is_stdout_;
};

}  // namespace deepedge
