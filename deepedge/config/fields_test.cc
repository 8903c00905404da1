#include "deepedge/config/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deepedge {
namespace {

using nlohmann::json;
using testing::ElementsAre;

enum class Shape { kRound, kFlat };
constexpr auto NamesOf(Shape) { return std::array{EnumName{Shape::kRound, "round"}, EnumName{Shape::kFlat, "flat"}}; }

const TextRule kLowerCase{"lower case letters", "^[a-z]+$", [](std::string_view text) {
                            return std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
                          }};

struct Wheel {
  double size = 1.5;
  Shape shape = Shape::kRound;
  friend bool operator==(const Wheel&, const Wheel&) = default;

  static void Fields(auto&& field) {
    field("size", &Wheel::size, {.help = "Diameter", .min = 0.5, .max = 3});
    field("shape", &Wheel::shape, {.help = "Form"});
  }
};

struct Cart {
  std::string name;
  bool roof = false;
  int8_t seats = 2;
  std::optional<int> doors;
  std::array<float, 3> color{0, 0, 0};
  std::vector<std::string> owners;
  std::vector<Wheel> wheels;
  std::map<std::string, Wheel> spare;
  Wheel steering;
  std::string motto = "none";
  friend bool operator==(const Cart&, const Cart&) = default;

  static void Fields(auto&& field) {
    field("name", &Cart::name, {.help = "How it is called", .required = true});
    field("roof", &Cart::roof, {.help = "Has a roof", .support = Support::kIgnored});
    field("seats", &Cart::seats, {.help = "Seats"});
    field("doors", &Cart::doors,
          {.help = "Doors", .min = 1, .unset = "as many as seats", .support = Support::kRefused});
    field("color", &Cart::color, {.help = "Red, green, blue", .min = 0, .max = 1});
    field("owners", &Cart::owners, {.help = "Who owns it", .text = &kLowerCase});
    field("wheels", &Cart::wheels, {.help = "Wheels", .min_entries = 1});
    field("spare", &Cart::spare, {.help = "Spare wheels by name", .text = &kLowerCase});
    field("steering", &Cart::steering, {.help = "The steering wheel"});
    field("motto", &Cart::motto, {.help = "Painted on it"});
  }
};

constexpr const char* kFullCart = R"(name: Kate
roof: true
seats: 4
doors: 3
color: [0.1, 0, 1]
owners: [ann, bob]
wheels:
  - size: 2
    shape: flat
  - {}
spare:
  left: {size: 0.5}
steering: {shape: flat}
motto: "yes: 1"
)";

Cart ReadCart(std::string_view text) {
  const auto document = ParseYaml(text, "cart.yaml");
  EXPECT_TRUE(document.ok());
  const auto cart = LoadFields<Cart>(document.value());
  EXPECT_TRUE(cart.ok()) << cart.error().message;
  return cart.value();
}

std::string ErrorOf(std::string_view text) {
  const auto document = ParseYaml(text, "cart.yaml");
  EXPECT_TRUE(document.ok());
  const auto cart = LoadFields<Cart>(document.value());
  return cart.ok() ? "" : cart.error().message;
}

TEST(Fields, LoadsEveryKindOfMember) {
  const Cart cart = ReadCart(kFullCart);
  EXPECT_EQ(cart.name, "Kate");
  EXPECT_TRUE(cart.roof);
  EXPECT_EQ(cart.seats, 4);
  EXPECT_EQ(cart.doors, 3);
  EXPECT_THAT(cart.color, ElementsAre(0.1F, 0.0F, 1.0F));
  EXPECT_THAT(cart.owners, ElementsAre("ann", "bob"));
  EXPECT_THAT(cart.wheels, ElementsAre(Wheel{2, Shape::kFlat}, Wheel{}));
  EXPECT_EQ(cart.spare.at("left"), (Wheel{0.5, Shape::kRound}));
  EXPECT_EQ(cart.steering, (Wheel{1.5, Shape::kFlat}));
  EXPECT_EQ(cart.motto, "yes: 1");
}

TEST(Fields, LeavesDefaultsWhereNothingIsWritten) { EXPECT_EQ(ReadCart("name: Kate").seats, Cart{}.seats); }

TEST(Fields, PrintsWhatLoadsBack) {
  const Cart cart = ReadCart(kFullCart);
  const std::string printed = PrintFields(cart);
  EXPECT_EQ(printed, R"(name: Kate
roof: true
seats: 4
doors: 3
color: [0.1, 0, 1]
owners: [ann, bob]
wheels:
  - size: 2
    shape: flat
  - size: 1.5
    shape: round
spare:
  left:
    size: 0.5
    shape: round
steering:
  size: 1.5
  shape: flat
motto: "yes: 1"
)");
  EXPECT_EQ(ReadCart(printed), cart);
}

TEST(Fields, PrintsTextThatStaysText) {
  for (const std::string text :
       {"true", "12",  "",   "-",  "a b", "a:b", "T\xC3\xBCr", "#x", "line\nbreak\t\x7F\x01", "\"'\\", "[a]", "null",
        "~",    "007", "*a", "&a", "1e5", "@",   "...",        "---"}) {
    Cart cart;
    cart.name = text;
    cart.owners = {};
    cart.wheels = {Wheel{}};
    EXPECT_EQ(ReadCart(PrintFields(cart)), cart) << PrintFields(cart);
  }
}

TEST(Fields, ReportsEveryMistakeWithItsLine) {
  EXPECT_EQ(ErrorOf(R"(roof: yes
seats: 200
doors: 0
color: [0, 2, x, 1]
owners: [Ann, 7]
wheels:
  - sise: 2
  - size: 4
    shape: square
  - 5
spare:
  Left: {}
steering: 2
moto: x
wings: 2
)"),
            R"(cart.yaml:1: name: is missing
cart.yaml:1: roof: expected true or false, found text 'yes'
cart.yaml:2: seats: 200 is out of range; allowed: -128 to 127
cart.yaml:3: doors: 0 is out of range; allowed: 1 to 2147483647
cart.yaml:4: color: has 4 entries; 3 needed
cart.yaml:4: color[1]: 2 is out of range; allowed: 0 to 1
cart.yaml:4: color[2]: expected a number, found text 'x'
cart.yaml:5: owners[0]: 'Ann' is not allowed; allowed: lower case letters
cart.yaml:5: owners[1]: expected text, found the number 7; put it in quotes
cart.yaml:7: wheels[0].sise: unknown key; did you mean size?
cart.yaml:8: wheels[1].size: 4 is out of range; allowed: 0.5 to 3
cart.yaml:9: wheels[1].shape: 'square' is not allowed; allowed: round, flat
cart.yaml:10: wheels[2]: expected a table, found the number 5
cart.yaml:12: spare.Left: the name is not allowed; allowed: lower case letters
cart.yaml:13: steering: expected a table, found the number 2
cart.yaml:14: moto: unknown key; did you mean motto?
cart.yaml:15: wings: unknown key; allowed: name, roof, seats, doors, color, owners, wheels, spare, steering, motto)");
}

TEST(Fields, RefusesEmptyValuesAndWrongNumbers) {
  EXPECT_EQ(ErrorOf("name: a\nmotto:\nwheels: []"),
            "cart.yaml:2: motto: has no value; write one or remove the key\n"
            "cart.yaml:3: wheels: has 0 entries; at least 1 needed");
  EXPECT_EQ(ErrorOf("name: a\nseats: 2.5\ndoors: 1e300"),
            "cart.yaml:2: seats: expected a whole number, found the number 2.5\n"
            "cart.yaml:3: doors: expected a whole number, found the number 1e+300");
  EXPECT_EQ(ErrorOf("- a"), "cart.yaml:1: expected a table, found a list");
}

TEST(Fields, NeverPrintsPasswordsInMessages) {
  EXPECT_EQ(ErrorOf("name: a\nroof: rtsp://me:secret@10.0.0.7/x"),
            "cart.yaml:2: roof: expected true or false, found text 'rtsp://***@10.0.0.7/x'");
}

TEST(Fields, ComparesByPointer) {
  const Cart before = ReadCart(kFullCart);
  EXPECT_TRUE(ChangedFields(before, before).empty());
  Cart after = before;
  after.doors.reset();
  after.wheels[1].size = 3;
  after.owners.pop_back();
  after.spare["right"] = {};
  after.steering.shape = Shape::kRound;
  EXPECT_THAT(ChangedFields(before, after),
              ElementsAre("/doors", "/owners", "/spare/right", "/steering/shape", "/wheels/1/size"));
}

TEST(Fields, FindsWhatIsNotSupported) {
  const auto find = [](const Cart& cart) {
    std::vector<std::string> pointers;
    for (const auto& field : FindUnsupported(SchemaOf<Cart>(), FieldsToJson(cart))) pointers.push_back(field.pointer);
    return pointers;
  };
  EXPECT_THAT(find(ReadCart(kFullCart)), ElementsAre("/roof", "/doors"));
  EXPECT_TRUE(find(ReadCart("name: a\nroof: false")).empty());
}

TEST(Fields, MakesAJsonSchema) {
  const json schema = json::parse(ToJsonSchema(SchemaOf<Cart>(), "Cart"));
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["required"], json::array({"name"}));
  EXPECT_EQ(schema["properties"]["seats"],
            json::parse(R"({"description":"Seats","type":"integer","minimum":-128,"maximum":127,"default":2})"));
  EXPECT_EQ(schema["properties"]["color"]["items"], json::parse(R"({"type":"number","minimum":0,"maximum":1})"));
  EXPECT_EQ(schema["properties"]["color"]["maxItems"], 3);
  EXPECT_EQ(schema["properties"]["spare"]["propertyNames"]["pattern"], "^[a-z]+$");
  EXPECT_EQ(schema["properties"]["spare"]["additionalProperties"]["properties"]["shape"]["enum"],
            json::array({"round", "flat"}));
}

TEST(Fields, MakesAReferencePage) {
  const std::string page = ToMarkdown(SchemaOf<Cart>());
  EXPECT_THAT(page, testing::HasSubstr("| `name` | text | required | How it is called. |\n"));
  EXPECT_THAT(page,
              testing::HasSubstr("| `doors` | whole number, 1 or more | as many as seats | Doors. *Not supported "));
  EXPECT_THAT(page, testing::HasSubstr("\n## `wheels[]`\n"));
  EXPECT_THAT(page, testing::HasSubstr("\n## `spare.NAME`\n"));
  EXPECT_THAT(page, testing::HasSubstr("| `size` | number, 0.5 to 3 | `1.5` | Diameter. |\n"));
}

TEST(NearestName, ForgivesSmallSlips) {
  const std::vector<std::string> names{"max_rate", "min_rate", "model", "deadline_ms"};
  EXPECT_EQ(NearestName("max_rat", names), "max_rate");
  EXPECT_EQ(NearestName("mdoel", names), "model");
  EXPECT_EQ(NearestName("deadline", names), "deadline_ms");
  EXPECT_EQ(NearestName("fps", names), "");
  EXPECT_EQ(NearestName(std::string(100000, 'm'), names), "");
}

}  // namespace
}  // namespace deepedge
