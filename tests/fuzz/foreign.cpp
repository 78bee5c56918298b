// What other ACME clients left behind. The input is the texts of their files, one after another, each ended by a NUL.

#include "acme/jose.hpp"
#include "cert/acme_sh.hpp"
#include "cert/certbot.hpp"
#include "cert/dehydrated.hpp"
#include "cert/lego.hpp"
#include "folder.hpp"

#include <array>

using namespace commento;

namespace {

using Reader = Foreign (*)(const std::filesystem::path&);

struct Client {
    const char* folder;
    Reader read;
    std::array<const char*, 4> files;
};

constexpr std::array kClients{
    Client{"certbot",
           read_certbot,
           {"accounts/a.example/directory/1/private_key.json", "accounts/a.example/directory/1/regr.json",
            "renewal/a.example.conf", "live/a.example/privkey.pem"}},
    Client{"lego",
           read_lego,
           {"accounts/a.example_8443/a@b.example/keys/a@b.example.key",
            "accounts/a.example_8443/a@b.example/account.json", "certificates/a.example.json",
            "certificates/a.example.key"}},
    Client{"acme.sh",
           read_acme_sh,
           {"ca/a.example/directory/account.key", "ca/a.example/directory/ca.conf", "a.example_ecc/a.example.conf",
            "a.example_ecc/a.example.key"}},
    Client{"dehydrated",
           read_dehydrated,
           {"accounts/aHR0cHM6Ly9hLmV4YW1wbGUvCg/account_key.pem",
            "accounts/aHR0cHM6Ly9hLmV4YW1wbGUvCg/account_id.json",
            "accounts/aHR0cHM6Ly9hLmV4YW1wbGUvCg/registration_info.json", "certs/a.example/privkey.pem"}},
};

void check(const Foreign& found) {
    for (const auto& account : found.accounts)
        require(account.account.key && can_sign(account.account.key.get()), "an account has a key that can be used");
    require(found.accounts.size() + found.certificates.size() + found.problems.size() <= 2,
            "an account and a certificate are each found, or a problem");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const MemoryFolder folder;
    for (const auto& client : kClients) {
        std::string_view rest = text_of(data, size);
        for (const char* file : client.files) {
            const std::string_view text = rest.substr(0, rest.find('\0'));
            rest.remove_prefix(std::min(text.size() + 1, rest.size()));
            folder.write(std::filesystem::path(client.folder) / file, text);
        }
        check(client.read(folder.path() / client.folder));
    }
    return 0;
}
