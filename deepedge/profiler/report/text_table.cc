#include "deepedge/profiler/report/text_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "deepedge/base/check.h"
#include "deepedge/base/utf8.h"

namespace deepedge {
namespace {

constexpr size_t kGap = 2;        // blanks between columns
constexpr size_t kNarrowest = 4;  // a column is not cut below this

// The bytes of the first `characters` characters.
size_t BytesOf(std::string_view printable, size_t characters) {
  size_t bytes = 0;
  for (; characters > 0 && bytes < printable.size(); --characters) {
    bytes += std::max(size_t{1}, Utf8CharacterLength(printable.substr(bytes)));
  }
  return bytes;
}

}  // namespace

std::string PrintableText(std::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const size_t length = Utf8CharacterLength(text);
    const std::string_view character = text.substr(0, std::max(size_t{1}, length));
    printable += length > 0 && IsPlainText(character) ? character : "?";
    text.remove_prefix(character.size());
  }
  return printable;
}

size_t CountCharacters(std::string_view printable) {
  size_t characters = 0;
  for (; !printable.empty(); ++characters) {
    printable.remove_prefix(std::max(size_t{1}, Utf8CharacterLength(printable)));
  }
  return characters;
}

std::string CutText(std::string_view text, size_t characters) {
  std::string printable = PrintableText(text);
  if (CountCharacters(printable) <= characters) return printable;
  const size_t kept = characters > 2 ? characters - 2 : 0;
  printable.resize(BytesOf(printable, kept));
  return printable + std::string(std::min<size_t>(2, characters), '.');
}

std::string WrapText(std::string_view text, size_t indent) {
  const std::string printable = PrintableText(text);
  std::string_view rest = printable;
  std::string lines;
  std::string line;
  size_t used = 0;
  const auto end_line = [&] {
    lines += line + '\n';
    line.assign(indent, ' ');
    used = indent;
  };
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    const std::string word = CutText(rest.substr(0, end), kReportColumns - indent);
    const size_t length = CountCharacters(word);
    const bool begins = line.find_first_not_of(' ') == std::string::npos;
    if (!begins && used + 1 + length > kReportColumns) end_line();
    const bool follows = line.find_first_not_of(' ') != std::string::npos;
    line += (follows ? " " : "") + word;
    used += length + (follows ? 1 : 0);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!line.empty()) end_line();
  return lines;
}

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  Add(std::move(titles));
}

void TextTable::Add(std::vector<std::string> values) {
  DE_CHECK(values.size() == columns_.size());
  for (std::string& value : values) value = PrintableText(value);
  rows_.push_back(std::move(values));
}

std::vector<size_t> TextTable::Widths() const {
  std::vector<size_t> widths(columns_.size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], CountCharacters(row[i]));
  }
  const size_t gaps = kGap * (columns_.size() - 1);
  while (std::accumulate(widths.begin(), widths.end(), gaps) > kReportColumns) {
    const auto widest = std::ranges::max_element(widths);
    if (*widest <= kNarrowest) break;
    --*widest;
  }
  return widths;
}

std::string TextTable::Text() const {
  const std::vector<size_t> widths = Widths();
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line.append(kGap, ' ');
      const std::string value = CutText(row[i], widths[i]);
      const std::string blanks(widths[i] - CountCharacters(value), ' ');
      line += columns_[i].align == Align::kRight ? blanks + value : value + blanks;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace deepedge
