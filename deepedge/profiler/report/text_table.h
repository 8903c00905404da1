// TextTable: rows of text in columns, for people; plain characters, lines of bounded length.
//
//   TextTable table({{"model"}, {"median", TextTable::Align::kRight}});
//   table.Add({"yolox_tiny", "41 ms"});
//   std::string lines = table.Text();      // each ends with a line break
//
// A value holds one line: control characters and bytes that are not UTF-8 become '?'. Where a line would be too long
// the widest column is cut until it fits. Threads: a value of one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace deepedge {

inline constexpr size_t kReportColumns = 120;

// What may stand in a line: see above.
std::string PrintableText(std::string_view text);
size_t CountCharacters(std::string_view printable);
// At most so many characters; what is cut ends in "..".
std::string CutText(std::string_view text, size_t characters);
// Words in lines of at most `kReportColumns` characters; those after the first begin with `indent` blanks.
std::string WrapText(std::string_view text, size_t indent);

class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit TextTable(std::vector<Column> columns);

  // As many values as there are columns.
  void Add(std::vector<std::string> values);
  std::string Text() const;

 private:
  std::vector<size_t> Widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // the first has the titles
};

}  // namespace deepedge
