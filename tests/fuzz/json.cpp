// JSON from an authority, and the problem documents in it.

#include "acme/json.hpp"
#include "acme/jose.hpp"
#include "acme/problem.hpp"
#include "base/printable.hpp"
#include "property.hpp"

#include <sstream>

using namespace commento;

namespace {

void check_base64url(std::string_view bytes) {
    const std::string text = base64url(bytes);
    require(bytes.empty() ? text.empty() : is_base64url(text), "base64url() gives base64url");
    require(bytes.empty() || decode_base64url(text) == bytes, "what base64url() gives is decoded the same");
    require(text.size() == (bytes.size() * 4 + 2) / 3, "base64url() gives four letters for three bytes");
}

void check_decoding(std::string_view text) {
    const auto bytes = decode_base64url(text);
    require(!bytes || text.empty() || is_base64url(text), "only base64url is decoded");
    require(!bytes || bytes->size() == text.size() * 3 / 4, "four letters give three bytes");
}

void check_printable(std::string_view text) {
    const std::string shown = printable(std::string(text));
    require(std::ranges::none_of(shown, [](unsigned char c) { return c < ' ' || c == 0x7F; }),
            "printable() leaves no control character");
    require(shown.size() <= text.size() + 3, "printable() makes no text longer, but for its dots");
    require(printable(shown).size() <= shown.size(), "printable() changes nothing a second time");
}

void check_problem(const nlohmann::json& problem) {
    const std::string described = describe_problem(problem);
    require(!described.empty(), "a problem is described");
    require(described.size() < 50000, "the description of a problem is bounded");
    std::istringstream lines(described);
    for (std::string line; std::getline(lines, line);)
        require(is_showable(line), "the description of a problem can be shown");
    hint_for_problem(text_field(problem, "type"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = text_of(data, size);
    check_base64url(text);
    check_decoding(text);
    check_printable(text);
    const auto object = parse_object(text);
    if (!object)
        return 0;
    require(object->is_object(), "parse_object() gives an object");
    require(parse_object(object->dump()) == object, "an object that was written is read back the same");
    for (const auto& member : object->items()) {
        text_field(*object, member.key().c_str());
        require(list_field(*object, member.key().c_str()).is_array(), "list_field() gives a list");
    }
    check_problem(*object);
    return 0;
}
