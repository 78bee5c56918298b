#pragma once
// Certificates as an authority issues them, and what is logged of them.

#include "acme/key.hpp"
#include "acme/x509.hpp"
#include "cert/pair.hpp"

#include <chrono>
#include <openssl/pem.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

inline std::string to_pem(X509* certificate) {
    const commento::Owned<BIO> target(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(target.get(), certificate);
    char* text = nullptr;
    const long size = BIO_get_mem_data(target.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

inline commento::Owned<X509> parse_x509(const std::string& pem) {
    const commento::Owned<BIO> source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return commento::Owned<X509>(PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr));
}

inline commento::Pair self_signed_for(const std::vector<std::string>& names,
                                      std::chrono::seconds lifetime = std::chrono::hours(2160)) {
    const auto key = commento::make_key("ecdsa-p256").value();
    return {commento::make_self_signed(key.get(), names, lifetime).value(), commento::to_pem(key.get())};
}

/// A pair with its issuer in the chain; negative lifetimes have passed.
inline commento::Pair issue_for(const std::vector<std::string>& names,
                                std::chrono::seconds lifetime = std::chrono::hours(2160),
                                std::string_view type = "ecdsa-p256", const std::string& issuer = "Test Authority") {
    const auto authority_key = commento::make_key("ecdsa-p256").value();
    const auto authority = parse_x509(
        commento::make_self_signed(authority_key.get(), {"authority.example.org"}, std::chrono::hours(4320)).value());
    X509_NAME* name = X509_get_subject_name(authority.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(issuer.c_str()), -1, 0,
                               0);
    X509_set_issuer_name(authority.get(), name);
    X509_sign(authority.get(), authority_key.get(), EVP_sha256());

    const auto key = commento::make_key(type).value();
    const auto leaf = parse_x509(commento::make_self_signed(key.get(), names, lifetime).value());
    X509_set_issuer_name(leaf.get(), name);
    X509_sign(leaf.get(), authority_key.get(), EVP_sha256());
    return {to_pem(leaf.get()) + to_pem(authority.get()), commento::to_pem(key.get())};
}

/// What is logged while it lives.
class Log {
  public:
    Log() {
        spdlog::set_default_logger(
            std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_st>(stream_)));
    }
    ~Log() { spdlog::set_default_logger(former_); }
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    std::string text() const { return stream_.str(); }
    void clear() { stream_.str(""); }

  private:
    std::ostringstream stream_{};
    std::shared_ptr<spdlog::logger> former_ = spdlog::default_logger();
};
