#include "deepedge/app/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

struct TerminalSize {
  size_t columns = 120;
  size_t rows = 40;
};

TerminalSize ReadTerminalSize() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

}  // namespace

std::string_view CutToColumns(std::string_view line, size_t columns) {
  size_t end = 0;
  for (; columns > 0 && end < line.size(); --columns) end += std::max<size_t>(Utf8CharacterLength(line.substr(end)), 1);
  return line.substr(0, end);
}

void LiveTable::Show(const std::vector<std::string>& lines) {
  const TerminalSize size = ReadTerminalSize();
  // More lines than the terminal has would scroll away instead of being drawn over.
  const size_t count = std::min(lines.size(), size.rows - 1);
  std::string text = shown_ > 0 ? fmt::format("\x1b[{}A", shown_) : std::string();
  for (size_t i = 0; i < count; ++i) text += fmt::format("\x1b[2K{}\n", CutToColumns(lines[i], size.columns));
  text += "\x1b[J";
  shown_ = count;
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void LiveTable::Clear() {
  if (shown_ == 0) return;
  fmt::print(stderr, "\x1b[{}A\x1b[J", shown_);
  std::fflush(stderr);
  shown_ = 0;
}

}  // namespace deepedge
