#include "deepedge/formats/inflate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

template <size_t N>
std::string_view Bytes(const char (&text)[N]) {
  return {text, N - 1};
}

constexpr char kStored[] = "\001\010\000\367\377\141\163\040\151\164\040\151\163";
constexpr char kFixed[] = "\113\116\054\321\121\110\206\023\051\371\351\000";
// The 60 names of Names().
constexpr char kDynamic[] =
    "\105\323\053\156\004\061\020\204\341\253\054\133\022\340\176\273\163\233\200\205\311\375\141\134"
    "\043\271\032\376\322\200\117\236\352\365\375\172\377\375\374\176\136\353\375\365\222\033\055\175"
    "\122\157\156\333\047\355\146\105\235\364\233\131\171\062\156\106\307\311\144\212\237\254\233\156"
    "\166\162\337\264\320\223\175\123\113\300\130\267\245\037\026\135\262\340\022\302\024\056\041\254"
    "\035\060\241\154\047\144\102\132\155\320\204\266\132\260\011\161\251\300\011\165\341\320\011\171"
    "\236\340\051\171\266\301\123\362\264\237\147\033\236\300\247\364\211\301\247\364\005\170\112\136"
    "\027\170\112\336\156\360\224\274\055\340\051\171\145\340\051\171\031\340\031\171\121\340\031\171"
    "\276\301\063\362\174\075\277\225\074\123\360\214\074\165\370\214\076\111\370\154\174\340\031\171"
    "\300\031\161\255\300\131\317\307\300\071\161\225\300\271\314\212\200\163\235\031\001\347\066\073"
    "\172\106\347\063\044\340\074\146\111\300\171\316\224\240\363\232\051\301\347\364\211\300\347\364"
    "\031\170\101\136\007\170\041\063\045\360\102\147\112\340\305\334\304\002\057\346\050\364\071\212"
    "\271\012\007\057\162\246\004\136\314\343\155\360\142\016\143\201\027\163\031\012\337\077";

std::string Names() {
  std::string names;
  for (int i = 0; i < 60; ++i) names += fmt::format("{}: 'name {}', ", i, i * 7919 % 1000);
  return names;
}

TEST(Inflate, ReadsEveryKindOfBlock) {
  EXPECT_EQ(Inflate(Bytes(kStored), 100), "as it is");
  EXPECT_EQ(Inflate(Bytes(kFixed), 100), "cat, cat, cat, dog");
  EXPECT_EQ(Inflate(Bytes(kDynamic), 10000), Names());
}

TEST(Inflate, StopsAtTheLimit) {
  EXPECT_EQ(Inflate(Bytes(kStored), 7), std::nullopt);
  EXPECT_EQ(Inflate(Bytes(kFixed), 17), std::nullopt);
  EXPECT_EQ(Inflate(Bytes(kDynamic), Names().size() - 1), std::nullopt);
  EXPECT_EQ(Inflate(Bytes(kDynamic), Names().size()), Names());
}

TEST(Inflate, SurvivesDamage) {
  for (const std::string_view good : {Bytes(kStored), Bytes(kFixed), Bytes(kDynamic)}) {
    for (size_t at = 0; at < good.size(); ++at) {
      EXPECT_EQ(Inflate(good.substr(0, at), 10000), std::nullopt);
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged(good);
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        EXPECT_LE(Inflate(damaged, 10000).value_or("").size(), 10000U);
      }
    }
  }
}

}  // namespace
}  // namespace deepedge
