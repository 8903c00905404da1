#include "deepedge/pipeline/cascade/answer_book.h"

#include <gtest/gtest.h>

namespace deepedge {
namespace {

TEST(AnswerBook, AsksAgainWhenTheAnswerIsOld) {
  AnswerBook book({.answer_s = 5});
  EXPECT_TRUE(book.Ask(7, 0));
  EXPECT_FALSE(book.Ask(7, 0.1)) << "the first question is still open";
  book.PutAnswer(7, 0.2, {"anna", 0.9F, 200000});
  EXPECT_FALSE(book.Ask(7, 5.1));
  EXPECT_TRUE(book.Ask(7, 5.3));
  ASSERT_NE(book.Find(7), nullptr);
  EXPECT_EQ(book.Find(7)->label, "anna") << "the old answer stands until there is another";
  EXPECT_TRUE(book.Ask(8, 5.3)) << "another track";
}

TEST(AnswerBook, DoesNotTrustAnUnsureAnswer) {
  AnswerBook book({.answer_s = 5, .unsure_below = 0.6});
  EXPECT_TRUE(book.Ask(1, 0));
  book.PutAnswer(1, 0, {"anna", 0.59F, 0});
  EXPECT_TRUE(book.Ask(1, 0.1));
  book.PutAnswer(1, 0.1, {"anna", 0.6F, 0});
  EXPECT_FALSE(book.Ask(1, 0.2));
}

TEST(AnswerBook, AsksOnceWhereTheFirstAnswerIsEnough) {
  AnswerBook book({.answer_s = 0, .unsure_below = 0.9, .first = true});
  EXPECT_TRUE(book.Ask(1, 0));
  book.TakeBack(1);
  EXPECT_TRUE(book.Ask(1, 1)) << "it was not answered";
  book.PutAnswer(1, 1, {"anna", 0.1F, 0});
  EXPECT_FALSE(book.Ask(1, 1000));
}

TEST(AnswerBook, AsksEverySoManyTimes) {
  AnswerBook book({.answer_s = 0, .every = 3});
  std::string asked;
  for (int i = 0; i < 7; ++i) {
    const bool ask = book.Ask(4, i);
    asked += ask ? 'x' : '.';
    if (ask) book.PutAnswer(4, i, {});
  }
  EXPECT_EQ(asked, "x..x..x");
  EXPECT_TRUE(book.Ask(0, 0));
  EXPECT_FALSE(book.Ask(0, 0)) << "what has no track is counted together";
}

TEST(AnswerBook, AsksAlwaysAboutWhatHasNoTrack) {
  AnswerBook book({.answer_s = 100});
  EXPECT_TRUE(book.Ask(0, 0));
  EXPECT_TRUE(book.Ask(0, 0));
  book.PutAnswer(0, 0, {"x", 1, 0});
  EXPECT_TRUE(book.Ask(0, 0));
  EXPECT_EQ(book.Find(0), nullptr);
}

TEST(AnswerBook, AnAnswerThatComesAfterTheTrackIsOverIsNotKept) {
  AnswerBook book({});
  EXPECT_TRUE(book.Ask(1, 0));
  book.Forget(1);
  book.PutAnswer(1, 1, {"anna", 0.9F, 0});
  EXPECT_EQ(book.Find(1), nullptr);
  EXPECT_EQ(book.size(), 0U);
}

TEST(AnswerBook, SurvivesAClockThatIsSetBack) {
  AnswerBook book({.answer_s = 5});
  EXPECT_TRUE(book.Ask(1, 1000));
  book.PutAnswer(1, 1000, {});
  EXPECT_TRUE(book.Ask(1, 10));
}

TEST(AnswerBook, StaysSmall) {
  AnswerBook book({});
  for (int64_t track = 1; track < 6000; ++track) EXPECT_TRUE(book.Ask(track, static_cast<double>(track)));
  EXPECT_LE(book.size(), 4096U);
  book.Forget(5999);
  EXPECT_EQ(book.Find(5999), nullptr);
  EXPECT_TRUE(book.Ask(5999, 6000)) << "the newest are kept, but one that is over is not";
}

}  // namespace
}  // namespace deepedge
