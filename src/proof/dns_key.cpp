#include "proof/dns_key.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <vector>

namespace commento {
namespace {

struct Algorithm {
    std::string_view word;
    std::string_view name;
};

/// Those that ldns knows (its tsig.c).
constexpr std::array kAlgorithms{
    Algorithm{"hmac-sha256", "hmac-sha256."},
    Algorithm{"hmac-sha512", "hmac-sha512."},
    Algorithm{"hmac-sha1", "hmac-sha1."},
    Algorithm{"hmac-md5", "hmac-md5.sig-alg.reg.int."},
};

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kMarks = "{};";

/// Skips space and the comments of named.conf.
std::string_view after_space(std::string_view text) {
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
        std::string_view end;
        if (text.starts_with('#') || text.starts_with("//"))
            end = "\n";
        else if (text.starts_with("/*"))
            end = "*/";
        else
            return text;
        const auto at = text.find(end, 1);
        text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
    }
}

/// Length of the first word, which is a text in quotes, one of {};, or goes to the next space or mark.
std::size_t word_size(std::string_view text) {
    if (text.front() == '"') {
        const auto end = text.find('"', 1);
        return end == std::string_view::npos ? text.size() : end + 1;
    }
    if (kMarks.find(text.front()) != std::string_view::npos)
        return 1;
    return std::min(text.find_first_of(" \t\r\n{};\""), text.size());
}

/// The words of the text; quotes are taken off.
std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (text = after_space(text); !text.empty(); text = after_space(text)) {
        const auto word = text.substr(0, word_size(text));
        const bool quoted = word.size() >= 2 && word.front() == '"' && word.back() == '"';
        words.push_back(quoted ? word.substr(1, word.size() - 2) : word);
        text.remove_prefix(word.size());
    }
    return words;
}

/// What follows `word` up to the mark.
std::string value_of(const std::vector<std::string_view>& words, std::string_view word, std::string_view mark) {
    const auto found = std::ranges::find(words, word);
    if (words.end() - found < 3 || found[2] != mark)
        return {};
    return std::string(found[1]);
}

bool is_base64(std::string_view text) {
    const auto digits = text.substr(0, text.find('='));
    return !digits.empty() && text.size() % 4 == 0 && text.size() - digits.size() <= 2 &&
           text.find_first_not_of('=', digits.size()) == std::string_view::npos &&
           std::ranges::all_of(digits, [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; });
}

bool is_key_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
}

} // namespace

Result<TsigKey> read_tsig_key(const std::filesystem::path& file) {
    constexpr std::size_t kLargest = 65536;
    const std::string hint = fmt::format("tsig-keygen NAME > {} makes one", file.string());
    COMMENTO_ASSIGN(const std::string text, read_file(file, kLargest));
    const auto words = words_of(text);
    TsigKey key{value_of(words, "key", "{"), value_of(words, "algorithm", ";"), value_of(words, "secret", ";")};
    if (!is_key_name(key.name) || key.algorithm.empty() || !is_base64(key.secret))
        return fail(
            ErrorCode::settings,
            fmt::format(R"({} holds no TSIG key: key "NAME" {{ algorithm ...; secret "..."; }};)", file.string()),
            hint);
    std::ranges::transform(key.algorithm, key.algorithm.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto* algorithm = std::ranges::find(kAlgorithms, key.algorithm, &Algorithm::word);
    if (algorithm == kAlgorithms.end())
        return fail(ErrorCode::settings,
                    fmt::format("{}: the algorithm {} is not known here", file.string(), key.algorithm),
                    "hmac-sha256, hmac-sha512, hmac-sha1 and hmac-md5 are; " + hint);
    key.algorithm = algorithm->name;
    return key;
}

} // namespace commento
