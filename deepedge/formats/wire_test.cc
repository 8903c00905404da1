#include "deepedge/formats/wire.h"

#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

using WireTest = FilesTest;

TEST_F(WireTest, GivesFieldsInOrder) {
  const std::string bytes = NumberField(1, 300) + BytesField(2, "abc") + std::string("\x1D\x01\x02\x03\x04", 5);
  BoundedFile file = BoundedFile::Open(Write("a", bytes)).value();
  WireScanner scanner(file, 0, file.size());
  auto field = scanner.Next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->number, 1U);
  EXPECT_EQ(field->value, 300U);
  field = scanner.Next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->number, 2U);
  EXPECT_EQ(PrintableText(file, *field), "abc");
  field = scanner.Next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->type, WireType::kFixed32);
  EXPECT_FALSE(scanner.Next());
  EXPECT_FALSE(scanner.broken());
}

TEST_F(WireTest, StopsAtContentThatReachesPastTheEnd) {
  BoundedFile file = BoundedFile::Open(Write("a", BytesField(7, std::string(100, 'x')).substr(0, 50))).value();
  WireScanner scanner(file, 0, file.size());
  ASSERT_TRUE(scanner.Next());
  EXPECT_FALSE(scanner.Next());
  EXPECT_TRUE(scanner.broken());
  EXPECT_EQ(scanner.missing_bytes(), 52);
}

TEST_F(WireTest, RefusesDamagedTagsAndNumbers) {
  const std::string_view broken[] = {
      {"\x00\x01", 2},                                       // field number 0
      {"\x0B", 1},                                           // a group
      {"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 11},  // a number without an end
      {"\x08", 1},                                           // a tag without its value
      {"\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11},  // a length near 2^64
  };
  int i = 0;
  for (const std::string_view bytes : broken) {
    BoundedFile file = BoundedFile::Open(Write(std::to_string(i++), bytes)).value();
    WireScanner scanner(file, 0, file.size());
    EXPECT_FALSE(scanner.Next());
    EXPECT_TRUE(scanner.broken());
  }
}

TEST_F(WireTest, ReadsAnywhereInALargeFile) {
  std::string content;
  for (int i = 0; i < 5000; ++i) content += std::to_string(100000 + i);
  BoundedFile file = BoundedFile::Open(Write("a", content)).value();
  for (const int64_t i : {0, 4999, 700, 682, 683, 4000, 0}) {
    EXPECT_EQ(file.ReadAt(i * 6, 6), std::to_string(100000 + i));
  }
  EXPECT_EQ(file.ReadAt(5000 * 6 - 3, 6), "999");
  EXPECT_EQ(file.ReadAt(5000 * 6, 6), "");
  EXPECT_EQ(file.ReadAt(-1, 6), "");
}

TEST_F(WireTest, OpensRegularFilesOnly) {
  EXPECT_EQ(BoundedFile::Open(folder()).status().error().code, ErrorCode::kBadInput);
  EXPECT_EQ(BoundedFile::Open("/dev/null").status().error().code, ErrorCode::kBadInput);
  EXPECT_EQ(BoundedFile::Open(folder() / "none").status().error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace deepedge
