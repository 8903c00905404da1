#include "deepedge/repository/model_repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "deepedge/model/model_card_io.h"

namespace deepedge {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ModelRepositoryTest : public testing::Test {
 protected:
  ModelCard Card(float threshold = 0.4F) const { return {.output = {}, .threshold = threshold}; }
  Result<Published> Add(const std::string& name, const std::string& content, float threshold = 0.4F,
                        bool replace_card = false) {
    DE_TRY(Staging staging, repository_.NewStaging());
    DE_TRY_STATUS(WriteFileAtomically(staging.files() / "net.onnx", content));
    return repository_.Publish(std::move(staging), name, Card(threshold), {.sources = {"x"}},
                               {.replace_card = replace_card});
  }
  std::string Serving(const std::string& name) {
    return ReadFile(repository_.Locate(name).value() / "net.onnx").value();
  }
  ModelCard ServingCard(const std::string& name) { return LoadModelCard(root() / name / "model.yaml").value(); }
  size_t StagedCount() const {
    std::error_code ec;
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(root() / ".staging", ec), fs::directory_iterator()));
  }
  Path root() const { return folder_.path() / "models"; }

  TemporaryFolder folder_ = std::move(TemporaryFolder::Create("de_repository_test")).value();
  ModelRepository repository_{folder_.path() / "models"};
};

TEST_F(ModelRepositoryTest, KeepsVersionsAndRollsBackWithTheCard) {
  EXPECT_TRUE(repository_.List().value().empty());
  EXPECT_EQ(Add("a", "one", 0.1F).value().version, 1);
  EXPECT_EQ(Serving("a"), "one");
  const Published second = Add("a", "two", 0.2F).value();
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(second.before, 1);
  EXPECT_EQ(Serving("a"), "two");
  EXPECT_EQ(Serving("a@1"), "one");

  // What the user changed in the card of a version comes back with it.
  ModelCard card = ServingCard("a");
  EXPECT_EQ(card.version, 2);
  card.threshold = 0.9F;
  ASSERT_TRUE(WriteFileAtomically(root() / "a" / "model.yaml", ToYaml(card)).ok());
  EXPECT_EQ(repository_.Rollback("a", {}).value(), 1);
  EXPECT_EQ(Serving("a"), "one");
  EXPECT_FLOAT_EQ(ServingCard("a").threshold, 0.1F);
  EXPECT_EQ(repository_.Rollback("a", 2).value(), 2);
  EXPECT_FLOAT_EQ(ServingCard("a").threshold, 0.9F);

  const auto none = repository_.Rollback("a", 7);
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, HasSubstr("it has: 1, 2"));
  EXPECT_EQ(repository_.Rollback("a", 1).value(), 1);
  EXPECT_FALSE(repository_.Rollback("a", {}).ok());
  EXPECT_EQ(StagedCount(), 0U);
}

TEST_F(ModelRepositoryTest, TheSameFilesAreNoNewVersion) {
  Add("a", "one").value();
  Add("a", "two").value();
  const Published again = Add("a", "one").value();
  EXPECT_EQ(again.version, 1);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(Serving("a"), "one");
  EXPECT_THAT(repository_.Find("a").value().versions, ElementsAre(1, 2));
  // A card that the user gave counts even so.
  Add("a", "one", 0.7F, true).value();
  EXPECT_FLOAT_EQ(ServingCard("a").threshold, 0.7F);
}

TEST_F(ModelRepositoryTest, InstallsNothingWhoseCardCannotBeReadAgain) {
  auto staging = repository_.NewStaging();
  ASSERT_TRUE(staging.ok());
  ASSERT_TRUE(WriteFileAtomically(staging.value().files() / "net.onnx", "one").ok());
  ModelCard card = Card();
  card.threshold = 7;  // no card may say so
  const auto refused = repository_.Publish(std::move(staging).value(), "a", card, {.sources = {"x"}}, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(refused.error().message, HasSubstr("nothing was installed"));
  EXPECT_TRUE(repository_.List().value().empty());
}

TEST_F(ModelRepositoryTest, ANameNobodyChoseIsNewOrOfTheSameSource) {
  const auto add = [&](const char* content, const char* source) {
    Staging staging = repository_.NewStaging().value();
    EXPECT_TRUE(WriteFileAtomically(staging.files() / "net.onnx", content).ok());
    return repository_.Publish(std::move(staging), "a", Card(), {.sources = {source}}, {.same_source_only = true});
  };
  EXPECT_TRUE(add("one", "x").ok());
  EXPECT_EQ(add("two", "x").value().version, 2);
  const auto refused = add("three", "y");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("there is a model 'a' already, from x"));
  EXPECT_EQ(Serving("a"), "two");
}

TEST_F(ModelRepositoryTest, FormsGoOnWithTheirFilesOnly) {
  Add("a", "one").value();
  const VariantCard own{.key = {Precision::kInt8, 64, 64}, .graph = "variants/int8.xml", .agreement = 1};
  ModelCard card = ServingCard("a");
  card.variants = {own};
  ASSERT_TRUE(WriteFileAtomically(root() / "a" / "model.yaml", ToYaml(card)).ok());
  // Another card for the same files, then other files with a card that tells of forms.
  Add("a", "one", 0.7F, true).value();
  EXPECT_FLOAT_EQ(ServingCard("a").threshold, 0.7F);
  EXPECT_THAT(ServingCard("a").variants, ElementsAre(own));
  Staging staging = repository_.NewStaging().value();
  ASSERT_TRUE(WriteFileAtomically(staging.files() / "net.onnx", "two").ok());
  card.variants.push_back({.key = {Precision::kFp32, 32, 32}, .graph = "", .agreement = 1});
  repository_.Publish(std::move(staging), "a", card, {.sources = {"x"}}, {}).value();
  EXPECT_THAT(ServingCard("a").variants, testing::IsEmpty());
  EXPECT_EQ(repository_.Rollback("a", 1).value(), 1);
  EXPECT_THAT(ServingCard("a").variants, ElementsAre(own));
  // What was made of a version goes away with it.
  fs::create_directories(root() / "a" / "2" / "variants");
  ASSERT_TRUE(repository_.RemoveVersion("a", 2).ok());
  EXPECT_FALSE(fs::exists(root() / "a" / "2"));
}

TEST_F(ModelRepositoryTest, AVersionOutOfRangeIsNone) {
  Add("a", "one").value();
  for (const char* version : {"4294967297", "-1", "18446744073709551617", "99999999999999999999999"}) {
    const std::string text = std::string("version: ") + version + "\noutput: { decoder: raw }\n";
    ASSERT_TRUE(WriteFileAtomically(root() / "a" / "model.yaml", text).ok());
    EXPECT_EQ(repository_.Find("a").value().current, 1) << version;
  }
}

TEST_F(ModelRepositoryTest, Removes) {
  Add("a", "one").value();
  Add("a", "two").value();
  const Status serving = repository_.RemoveVersion("a", 2);
  ASSERT_FALSE(serving.ok());
  EXPECT_THAT(serving.error().message, HasSubstr("the one that serves"));
  EXPECT_TRUE(repository_.RemoveVersion("a", 1).ok());
  EXPECT_THAT(repository_.Find("a").value().versions, ElementsAre(2));
  // Numbers are not used again.
  EXPECT_EQ(Add("a", "three").value().version, 3);
  EXPECT_TRUE(repository_.RemoveModel("a").ok());
  const auto gone = repository_.Find("a");
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(repository_.RemoveModel("../models").error().code, ErrorCode::kBadInput);
  EXPECT_EQ(StagedCount(), 0U);
}

TEST_F(ModelRepositoryTest, AVersionThatNobodySwitchedToDoesNotServe) {
  Add("a", "one").value();
  // As a writer leaves it that is killed between the two renames.
  fs::create_directory(root() / "a" / "2");
  ASSERT_TRUE(WriteFileAtomically(root() / "a" / "2" / "net.onnx", "half").ok());
  EXPECT_EQ(Serving("a"), "one");
  EXPECT_EQ(Add("a", "two").value().version, 3);
}

TEST_F(ModelRepositoryTest, CleansUpAfterKilledRunsOnly) {
  auto busy = repository_.NewStaging();
  ASSERT_TRUE(busy.ok());
  fs::create_directories(root() / ".staging" / "1-dead" / "files");
  ASSERT_TRUE(WriteFileAtomically(root() / ".staging" / "1-dead" / "lock", "").ok());
  Add("a", "one").value();
  EXPECT_FALSE(fs::exists(root() / ".staging" / "1-dead"));
  EXPECT_TRUE(fs::exists(busy.value().files()));
}

TEST_F(ModelRepositoryTest, TakesWhatWasPutThereByHand) {
  fs::create_directories(root() / "flat");
  ASSERT_TRUE(WriteFileAtomically(root() / "flat" / "net.onnx", "flat").ok());
  fs::create_directories(root() / "numbered" / "3");
  ASSERT_TRUE(WriteFileAtomically(root() / "numbered" / "3" / "net.onnx", "three").ok());
  EXPECT_EQ(Serving("flat"), "flat");
  EXPECT_EQ(Serving("numbered"), "three");
  EXPECT_EQ(repository_.List().value().size(), 2U);
  const auto refused = Add("flat", "other");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("by hand"));
  EXPECT_EQ(Add("numbered", "four").value().version, 4);
  EXPECT_EQ(Serving("numbered"), "four");
}

TEST_F(ModelRepositoryTest, FindsByHash) {
  Add("a", "abc").value();
  Add("a", "two").value();
  const auto found = repository_.FindByHash("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(*found, root() / "a" / "1");
  EXPECT_FALSE(repository_.FindByHash(std::string(64, '0')).has_value());
}

TEST_F(ModelRepositoryTest, TwoWritersDoNotMeet) {
  std::vector<std::jthread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([this, i] {
      for (int k = 0; k < 5; ++k) {
        const auto added = Add("a", std::to_string(i * 100 + k));
        EXPECT_TRUE(added.ok()) << added.error().message;
      }
    });
  }
  writers.clear();
  EXPECT_EQ(repository_.Find("a").value().versions.size(), 20U);
  EXPECT_EQ(repository_.Find("a").value().current, 20);
}

TEST_F(ModelRepositoryTest, ReadsVersionedNames) {
  EXPECT_EQ(ParseVersionedName("a@3").value().version, 3);
  EXPECT_FALSE(ParseVersionedName("a").value().version.has_value());
  for (const std::string bad : {"a@", "a@0", "a@x", "a@1x", "@1", "a@-1", "a@01", "a@99999999999", "../a"}) {
    EXPECT_FALSE(ParseVersionedName(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace deepedge
