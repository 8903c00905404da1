// Signatures in the format of minisign (ed25519): `x.yaml.minisig` beside `x.yaml`. Both forms of it are read: 'Ed'
// (the text is signed) and 'ED' (its BLAKE2b-512 is). Any thread.
#pragma once

#include <string>
#include <string_view>

#include "deepedge/base/result.h"

namespace deepedge {

// Checks that `signature` (the content of a .minisig file) is by `public_key` (the content of a .pub file, or its
// second line alone) and over `text`, and gives the trusted comment, which is signed too. Errors: kBadInput saying what
// does not fit; `what` names the signed file in them.
Result<std::string> VerifyMinisign(std::string_view text, std::string_view signature, std::string_view public_key,
                                   std::string_view what);

// 32 hexadecimal digits that stand for a text, the same in every run.
std::string ShortHash(std::string_view text);

}  // namespace deepedge
