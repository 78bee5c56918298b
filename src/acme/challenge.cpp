#include "acme/challenge.hpp"

#include "acme/jose.hpp"

namespace commento {

std::string digest_of(const Challenge& challenge) { return sha256(challenge.content); }

std::string record_of(const Challenge& challenge) { return base64url(digest_of(challenge)); }

} // namespace commento
