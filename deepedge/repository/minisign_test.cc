#include "deepedge/repository/minisign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <cstring>

namespace deepedge {
namespace {

using testing::HasSubstr;

std::string Base64(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  return text.substr(0, std::strlen(text.c_str()));
}

// A signer of its own, so that the format is said twice.
class Signer {
 public:
  explicit Signer(char seed, std::string number = "12345678") : number_(std::move(number)) {
    std::array<unsigned char, crypto_sign_SEEDBYTES> bytes{};
    bytes.fill(static_cast<unsigned char>(seed));
    EXPECT_GE(sodium_init(), 0);
    crypto_sign_seed_keypair(public_.data(), secret_.data(), bytes.data());
  }

  std::string PublicKey() const {
    return "untrusted comment: minisign public key\n" +
           Base64("Ed" + number_ + std::string(reinterpret_cast<const char*>(public_.data()), public_.size())) + "\n";
  }
  std::string Sign(std::string_view text, bool hashed, const std::string& comment = "timestamp:1") const {
    std::string message(text);
    if (hashed) {
      message.assign(64, '\0');
      crypto_generichash(reinterpret_cast<unsigned char*>(message.data()), 64,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    }
    const std::string signature = Detached(message);
    return "untrusted comment: signature\n" + Base64((hashed ? "ED" : "Ed") + number_ + signature) +
           "\ntrusted comment: " + comment + "\n" + Base64(Detached(signature + comment)) + "\n";
  }

 private:
  std::string Detached(std::string_view message) const {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                         reinterpret_cast<const unsigned char*>(message.data()), message.size(), secret_.data());
    return signature;
  }

  std::string number_;
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
};

TEST(Minisign, AcceptsBothForms) {
  const Signer signer('a');
  for (const bool hashed : {false, true}) {
    const auto comment = VerifyMinisign("models: {}", signer.Sign("models: {}", hashed), signer.PublicKey(), "x.yaml");
    ASSERT_TRUE(comment.ok()) << comment.error().message;
    EXPECT_EQ(comment.value(), "timestamp:1");
  }
  // The second line of the key alone, and line ends of Windows.
  std::string signature = signer.Sign("t", true);
  for (size_t at = 0; (at = signature.find('\n', at)) != std::string::npos; at += 2) signature.insert(at, "\r");
  const std::string key = signer.PublicKey();
  EXPECT_TRUE(VerifyMinisign("t", signature, key.substr(key.find('\n') + 1), "x").ok());
}

// By the original program; the text is "test".
TEST(Minisign, AcceptsASignatureOfTheOriginal) {
  const std::string signature =
      "untrusted comment: signature from minisign secret key\n"
      "RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n"
      "trusted comment: timestamp:1633700835\tfile:test\tprehashed\n"
      "wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==\n";
  const auto comment =
      VerifyMinisign("test", signature, "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3", "test");
  ASSERT_TRUE(comment.ok()) << comment.error().message;
  EXPECT_EQ(comment.value(), "timestamp:1633700835\tfile:test\tprehashed");
}

TEST(Minisign, RefusesWhatDoesNotFit) {
  const Signer signer('a');
  const Signer other('b', "87654321");
  const Signer same_number('c');
  const std::string good = signer.Sign("text", true);
  std::string comment_changed = good;
  comment_changed.replace(comment_changed.find("timestamp:1"), 11, "timestamp:2");
  std::string form_changed = signer.Sign("text", false);
  const struct {
    std::string text, signature, key, why;
  } cases[] = {
      {"texT", good, signer.PublicKey(), "was changed"},
      {"text", comment_changed, signer.PublicKey(), "comment of the signature was changed"},
      {"text", good, other.PublicKey(), "is signed by key 3837363534333231, not by 3132333435363738"},
      {"text", good, same_number.PublicKey(), "was changed"},
      {"text", "", signer.PublicKey(), "not one of minisign"},
      {"text", good.substr(0, good.size() - 60), signer.PublicKey(), "not one of minisign"},
      {"text", "<html>not found</html>", signer.PublicKey(), "not one of minisign"},
      {"text", good, "", "public key is not"},
      {"text", good, "RWQ=", "public key is not"},
  };
  for (const auto& c : cases) {
    const auto verified = VerifyMinisign(c.text, c.signature, c.key, "x.yaml");
    ASSERT_FALSE(verified.ok()) << c.why;
    EXPECT_EQ(verified.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(verified.error().message, HasSubstr(c.why));
  }
}

}  // namespace
}  // namespace deepedge
