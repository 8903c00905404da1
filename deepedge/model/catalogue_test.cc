#include "deepedge/model/catalogue.h"

#include <gtest/gtest.h>

#include <set>

namespace deepedge {
namespace {

TEST(Catalogue, EveryCardIsWholeAndItsHashIsItsOwn) {
  const auto cards = CatalogueCards();
  ASSERT_TRUE(cards.ok()) << cards.error().message;
  EXPECT_GE(cards.value().size(), 15U);
  std::set<std::string> hashes;
  for (const ModelCard& card : cards.value()) {
    SCOPED_TRACE(card.name + " " + card.sha256);
    EXPECT_FALSE(card.name.empty());
    EXPECT_FALSE(card.licence.empty());
    EXPECT_FALSE(card.source.empty());
    EXPECT_EQ(card.sha256.size(), 64U);
    EXPECT_TRUE(hashes.insert(card.sha256).second);
    // These results name no classes.
    const std::set<std::string> without = {"raw", "embedding", "text"};
    EXPECT_EQ(card.labels.empty(), without.contains(card.task)) << card.task;
  }
}

TEST(Catalogue, FindsACardByTheHashOfTheGraph) {
  const auto card = FindInCatalogue("c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d");
  ASSERT_TRUE(card.has_value());
  EXPECT_EQ(card->name, "yolox_nano");
  EXPECT_EQ(card->output.kind, OutputDecoderKind::kYolox);
  EXPECT_EQ(card->labels.size(), 80U);
  EXPECT_EQ(card->LabelOf(2), "car");
  EXPECT_FALSE(FindInCatalogue("c789").has_value());
  EXPECT_FALSE(FindInCatalogue("").has_value());
}

TEST(Catalogue, HoldsItsLabelLists) {
  EXPECT_EQ(CatalogueLabels("imagenet1000.txt").size(), 1000U);
  EXPECT_EQ(CatalogueLabels("imagenet1000.txt")[865], "toyshop");
  EXPECT_EQ(CatalogueLabels("coco80.txt")[79], "toothbrush");
  EXPECT_EQ(CatalogueLabels("coco90.txt")[89], "toothbrush");
  EXPECT_EQ(CatalogueLabels("objectron23.txt")[3], "Person");
  EXPECT_TRUE(CatalogueLabels("none.txt").empty());
}

}  // namespace
}  // namespace deepedge
