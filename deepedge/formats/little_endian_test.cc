#include "deepedge/formats/little_endian.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

using namespace std::string_view_literals;

TEST(LittleEndian, TakesTheLowestByteFirst) {
  EXPECT_EQ(LittleEndian("\x01\x02\x03"sv), 0x030201U);
  EXPECT_EQ(LittleEndian("\0\0\0\0\0\0\0\xFFmore"sv), 0xFF00000000000000U);
  EXPECT_EQ(LittleEndian(""), 0U);
}

TEST(LittleEndian, ReadsNoByteThatIsNotThere) {
  EXPECT_EQ(Little32("\x01\x02\x03\x04\x05"sv, 1), 0x05040302U);
  EXPECT_EQ(Little32("\x01\x02"sv, 1), 2U);
  EXPECT_EQ(Little32("\x01"sv, 7), 0U);
  EXPECT_EQ(LittleFloat("\0\0\xC0\x3F"sv), 1.5F);
  EXPECT_EQ(LittleFloat("\0\0\xC0"sv), 0.0F);
}

}  // namespace
}  // namespace deepedge
