#include "deepedge/repository/minisign.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <cstring>
#include <optional>
#include <vector>

namespace deepedge {
namespace {

constexpr size_t kKeyNumberBytes = 8;
constexpr std::string_view kTrusted = "trusted comment: ";

struct PublicKey {
  std::array<unsigned char, kKeyNumberBytes> number{};
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> key{};
};

struct Signature {
  bool hashed = false;
  std::array<unsigned char, kKeyNumberBytes> number{};
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  std::string trusted_comment;
  std::array<unsigned char, crypto_sign_BYTES> global{};
};

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() < 16) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// Exactly `size` bytes in base64, or nothing.
std::optional<std::string> Decode(std::string_view base64, size_t size) {
  std::string bytes(size, '\0');
  size_t length = 0;
  const int done = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), base64.data(),
                                     base64.size(), " \t", &length, nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (done != 0 || length != size) return std::nullopt;
  return bytes;
}

std::optional<PublicKey> ReadKey(std::string_view text) {
  const std::vector<std::string_view> lines = Lines(text);
  if (lines.empty()) return std::nullopt;
  PublicKey key;
  const auto bytes = Decode(lines.back(), 2 + key.number.size() + key.key.size());
  if (!bytes || !bytes->starts_with("Ed")) return std::nullopt;
  std::memcpy(key.number.data(), bytes->data() + 2, key.number.size());
  std::memcpy(key.key.data(), bytes->data() + 2 + key.number.size(), key.key.size());
  return key;
}

std::optional<Signature> ReadSignature(std::string_view text) {
  const std::vector<std::string_view> lines = Lines(text);
  if (lines.size() != 4 || !lines[0].starts_with("untrusted comment:") || !lines[2].starts_with(kTrusted)) {
    return std::nullopt;
  }
  Signature signature;
  const auto bytes = Decode(lines[1], 2 + signature.number.size() + signature.signature.size());
  const auto global = Decode(lines[3], signature.global.size());
  if (!bytes || !global || (!bytes->starts_with("Ed") && !bytes->starts_with("ED"))) return std::nullopt;
  signature.hashed = bytes->starts_with("ED");
  std::memcpy(signature.number.data(), bytes->data() + 2, signature.number.size());
  std::memcpy(signature.signature.data(), bytes->data() + 2 + signature.number.size(), signature.signature.size());
  std::memcpy(signature.global.data(), global->data(), signature.global.size());
  signature.trusted_comment = lines[2].substr(kTrusted.size());
  return signature;
}

std::string Hex(const std::array<unsigned char, kKeyNumberBytes>& number) {
  std::string hex;  // as minisign prints it: the last byte first
  for (size_t i = number.size(); i > 0; --i) hex += fmt::format("{:02X}", number[i - 1]);
  return hex;
}

bool Verify(const std::array<unsigned char, crypto_sign_BYTES>& signature, std::string_view message,
            const PublicKey& key) {
  return crypto_sign_verify_detached(signature.data(), Bytes(message), message.size(), key.key.data()) == 0;
}

std::string Hash(std::string_view text, size_t bytes) {
  std::string hash(bytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(), Bytes(text), text.size(), nullptr, 0);
  return hash;
}

}  // namespace

Result<std::string> VerifyMinisign(std::string_view text, std::string_view signature_text, std::string_view public_key,
                                   std::string_view what) {
  const auto refuse = [&](std::string_view why) {
    return Error{ErrorCode::kBadInput, fmt::format("{}: {}", what, why)};
  };
  if (sodium_init() < 0) return Error{ErrorCode::kInternal, "the library for signatures cannot be started"};
  const auto key = ReadKey(public_key);
  if (!key) return refuse("the public key is not one of minisign (a .pub file, or its line that begins with RW)");
  const auto signature = ReadSignature(signature_text);
  if (!signature) return refuse("its signature is not one of minisign");
  if (signature->number != key->number) {
    return refuse(fmt::format("is signed by key {}, not by {}", Hex(signature->number), Hex(key->number)));
  }
  const std::string signed_text = signature->hashed ? Hash(text, crypto_generichash_BYTES_MAX) : std::string(text);
  if (!Verify(signature->signature, signed_text, *key)) {
    return refuse("the signature does not fit: the file was changed after it was signed");
  }
  std::string with_comment(reinterpret_cast<const char*>(signature->signature.data()), signature->signature.size());
  with_comment += signature->trusted_comment;
  if (!Verify(signature->global, with_comment, *key)) {
    return refuse("the comment of the signature was changed after it was signed");
  }
  return signature->trusted_comment;
}

std::string ShortHash(std::string_view text) {
  std::string hex;
  for (const char byte : Hash(text, crypto_generichash_BYTES_MIN)) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return hex;
}

}  // namespace deepedge
