#include "deepedge/formats/wire_pieces.h"

#include "deepedge/formats/test_files.h"

namespace deepedge {
namespace {

using WirePiecesTest = FilesTest;

TEST_F(WirePiecesTest, EncodesAsTheFormatSays) {
  EXPECT_EQ(WireNumber(1, 300), "\x08\xAC\x02");
  EXPECT_EQ(WireNumber(16, 0), std::string("\x80\x01\0", 3));
  EXPECT_EQ(WireBytes(2, "ab"),
            "\x12\x02"
            "ab");
  EXPECT_EQ(WireFloat(3, 1), std::string("\x1D\0\0\x80\x3F", 5));
  EXPECT_EQ(WireVarint(~uint64_t{0}), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
}

TEST_F(WirePiecesTest, JoinsRangesOfAFileAndNewBytes) {
  const Path source = Write("source", "0123456789");
  WirePieces inner;
  inner.Copy(2, 4);
  inner.Copy(4, 6);
  inner.Copy(6, 6);
  inner.Add("x");
  WirePieces outer;
  outer.Add("<");
  outer.AddMessage(1, inner);
  outer.Copy(9, 10);
  EXPECT_EQ(outer.size(), 1 + 2 + 5 + 1);
  ASSERT_TRUE(outer.Write(source, folder() / "target").ok());
  EXPECT_EQ(ReadFile(folder() / "target").value(),
            "<\x0A\x05"
            "2345x9");
}

TEST_F(WirePiecesTest, SaysWhenTheSourceIsShorter) {
  WirePieces pieces;
  pieces.Copy(0, 11);
  EXPECT_EQ(pieces.Write(Write("source", "0123456789"), folder() / "target").error().code, ErrorCode::kBadInput);
  WirePieces none;
  none.Add("x");
  EXPECT_EQ(none.Write(folder() / "source", folder() / "no" / "target").error().code, ErrorCode::kExhausted);
}

TEST_F(WirePiecesTest, ReadsRepeatedNumbersInBothForms) {
  const Path path = Write("m", NumberField(1, 7) + BytesField(1, Varint(300) + Varint(1)) + BytesField(1, "\x80"));
  auto file = BoundedFile::Open(path).value();
  WireScanner scanner(file, 0, file.size());
  std::vector<int64_t> numbers;
  EXPECT_TRUE(WireNumbers(file, path, *scanner.Next(), 3, numbers).ok());
  const auto packed = *scanner.Next();
  EXPECT_TRUE(WireNumbers(file, path, packed, 3, numbers).ok());
  EXPECT_EQ(numbers, (std::vector<int64_t>{7, 300, 1}));
  EXPECT_FALSE(WireNumbers(file, path, packed, 3, numbers).ok()) << "more than may be";
}

}  // namespace
}  // namespace deepedge
