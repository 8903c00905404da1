#include "deepedge/repository/update_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "deepedge/model/model_card_io.h"
#include "deepedge/repository/model_repository.h"

namespace deepedge {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class UpdateCardTest : public testing::Test {
 protected:
  void Add(const std::string& content, const std::string& sha256) {
    Staging staging = repository_.NewStaging().value();
    ASSERT_TRUE(WriteFileAtomically(staging.files() / "net.onnx", content).ok());
    ASSERT_TRUE(repository_.Publish(std::move(staging), "a", {.output = {}, .sha256 = sha256}, {}, {}).ok());
  }
  static VariantCard Form(int width) { return {.key = {Precision::kInt8, width, 64}, .graph = "", .agreement = 1}; }
  ModelCard Card(const Path& file = "model.yaml") const { return LoadModelCard(folder() / file).value(); }
  Path folder() const { return repository_.root() / "a"; }

  TemporaryFolder root_ = std::move(TemporaryFolder::Create("de_update_card_test")).value();
  ModelRepository repository_{root_.path() / "models"};
  const std::string one_ = std::string(64, '1');
  const std::string two_ = std::string(64, '2');
};

TEST_F(UpdateCardTest, KeepsWhatOthersChangedMeanwhile) {
  Add("one", one_);
  const ModelCard seen = Card();
  ModelCard edited = seen;
  edited.threshold = 0.9F;
  edited.variants = {Form(32)};
  ASSERT_TRUE(WriteFileAtomically(folder() / "model.yaml", ToYaml(edited)).ok());
  ASSERT_TRUE(EnterVariant(folder() / "model.yaml", seen, Form(64)).ok());
  ASSERT_TRUE(EnterVariant(folder() / "model.yaml", seen, Form(64)).ok());
  EXPECT_FLOAT_EQ(Card().threshold, 0.9F);
  EXPECT_THAT(Card().variants, testing::ElementsAre(Form(32), Form(64)));
}

TEST_F(UpdateCardTest, AVersionThatNoLongerServesHasItInTheCardItKeeps) {
  Add("one", one_);
  const ModelCard seen = Card();
  Add("two", two_);
  ASSERT_TRUE(EnterVariant(folder() / "model.yaml", seen, Form(64)).ok());
  EXPECT_EQ(Card().version, 2);
  EXPECT_THAT(Card().variants, SizeIs(0));
  EXPECT_THAT(Card("1/.card.yaml").variants, SizeIs(1));
  // And one that serves again, in the card that serves.
  ASSERT_TRUE(repository_.Rollback("a", 1).ok());
  ASSERT_TRUE(EnterVariant(folder() / "1" / ".card.yaml", seen, Form(96)).ok());
  EXPECT_THAT(Card().variants, SizeIs(2));
}

TEST_F(UpdateCardTest, RefusesAnotherGraphOrAVersionThatIsGone) {
  Add("one", one_);
  const ModelCard seen = Card();
  ModelCard other = seen;
  other.sha256 = two_;
  const Status changed = EnterVariant(folder() / "model.yaml", other, Form(64));
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(changed.error().message, HasSubstr(one_));
  Add("two", two_);
  ASSERT_TRUE(repository_.RemoveVersion("a", 1).ok());
  const Status gone = EnterVariant(folder() / "model.yaml", seen, Form(64));
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(Card().variants, SizeIs(0));
}

TEST_F(UpdateCardTest, ABadChangeChangesNothing) {
  Add("one", one_);
  const std::string before = ReadFile(folder() / "model.yaml").value();
  const Status refused = UpdateCard(folder() / "model.yaml", Card(), [](ModelCard& card) -> Status {
    card.threshold = 7;
    return {};
  });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(ReadFile(folder() / "model.yaml").value(), before);
}

TEST_F(UpdateCardTest, WorksOutsideARepository) {
  const Path card = root_.path() / "own" / "model.yaml";
  std::filesystem::create_directories(card.parent_path());
  ASSERT_TRUE(WriteFileAtomically(card, "output: { decoder: raw }\n").ok());
  ASSERT_TRUE(EnterVariant(card, LoadModelCard(card).value(), Form(64)).ok());
  EXPECT_THAT(LoadModelCard(card).value().variants, SizeIs(1));
}

TEST_F(UpdateCardTest, WritersTakeTurns) {
  Add("one", one_);
  const ModelCard seen = Card();
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&, i] {
        for (int k = 0; k < 5; ++k) {
          EXPECT_TRUE(EnterVariant(folder() / "model.yaml", seen, Form(64 + 100 * i + k)).ok());
        }
      });
    }
  }
  EXPECT_THAT(Card().variants, SizeIs(20));
}

}  // namespace
}  // namespace deepedge
