#include "db/manifest.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace commento {
namespace {

using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;

const Manifest kManifest{.made = "2026-11-26T02:30:00Z",
                         .reason = "scheduled",
                         .domain = "comments.example.org",
                         .postgresql = "15.14 (Debian 15.14-0+deb12u1)",
                         .application = "commento-1.8.7",
                         .stack = "1.0.0",
                         .parts = {{"database.dump", 5'000'000'000, "ab"}, {"host.tar", 12, "cd"}},
                         .tables = {{"comments", 3, "-123456789012345678901"}, {"a \"b\"\n", 0, "0"}}};

Json valid() { return Json::parse(to_json(kManifest)); }

Json changed(const Json::json_pointer& where, const Json& value) {
    Json json = valid();
    json[where] = value;
    return json;
}

Json without(const Json::json_pointer& where) {
    Json json = valid();
    json.at(where.parent_pointer()).erase(where.back());
    return json;
}

/// Whether it is refused, by a message that names the file.
void expect_refused(const std::string& text, const std::string& why = "") {
    const auto manifest = parse_manifest(text, "/backups/x.zip");
    ASSERT_FALSE(manifest) << text;
    EXPECT_EQ(manifest.error().code, ErrorCode::backup) << text;
    EXPECT_THAT(manifest.error().message, AllOf(HasSubstr("/backups/x.zip"), HasSubstr(why)));
    EXPECT_THAT(manifest.error().hint, HasSubstr("commentoctl backup list"));
}

TEST(Manifest, ComesBackAsItWasWritten) {
    const auto read = parse_manifest(to_json(kManifest), "x.zip");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->made, kManifest.made);
    EXPECT_EQ(read->reason, kManifest.reason);
    EXPECT_EQ(read->domain, kManifest.domain);
    EXPECT_EQ(read->postgresql, kManifest.postgresql);
    EXPECT_EQ(read->application, kManifest.application);
    EXPECT_EQ(read->stack, kManifest.stack);
    EXPECT_EQ(read->parts, kManifest.parts);
    EXPECT_EQ(read->tables, kManifest.tables);
}

TEST(Manifest, OfAnEmptyDatabaseComesBackToo) {
    Manifest empty = kManifest;
    empty.application.clear();
    empty.tables.clear();
    const auto read = parse_manifest(to_json(empty), "x.zip");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->application, "");
    EXPECT_THAT(read->tables, testing::IsEmpty());
}

TEST(Manifest, MayHaveFurtherMembers) { EXPECT_TRUE(parse_manifest(changed("/more"_json_pointer, 1).dump(), "x.zip")); }

TEST(Manifest, IsWrittenThoughATextIsNoUtf8) {
    Manifest odd = kManifest;
    odd.application = "commento-\xff";
    EXPECT_TRUE(parse_manifest(to_json(odd), "x.zip"));
}

TEST(Manifest, IsNothingButJson) {
    const std::string text = to_json(kManifest);
    for (const std::string& damaged : {std::string(), std::string("x"), std::string("\0\0", 2), std::string("\xff\xfe"),
                                       text.substr(0, text.size() / 2), text + "}"})
        expect_refused(damaged);
}

TEST(Manifest, IsAnObject) {
    for (const char* text : {"[]", "null", "1", "\"format\"", "{}"})
        expect_refused(text);
}

TEST(Manifest, OfAnotherFormatIsRefusedByItsNumber) {
    expect_refused(changed("/format"_json_pointer, 2).dump(), "it has format 2, and this version reads 1");
    expect_refused(changed("/format"_json_pointer, 0).dump(), "it has format 0");
}

TEST(Manifest, HasEachOfItsMembers) {
    const Json json = valid().flatten();
    for (const auto& [pointer, value] : json.items())
        expect_refused(without(Json::json_pointer(pointer)).dump(),
                       pointer.ends_with("/0") ? "" : pointer.substr(pointer.rfind('/') + 1));
    for (const char* pointer : {"/versions", "/parts", "/tables"})
        expect_refused(without(Json::json_pointer(pointer)).dump(), std::string(pointer).substr(1));
}

TEST(Manifest, HasTextsAndNumbersWhereTheyBelong) {
    const Json json = valid().flatten();
    for (const auto& [pointer, value] : json.items()) {
        expect_refused(changed(Json::json_pointer(pointer), Json::array({1})).dump());
        expect_refused(changed(Json::json_pointer(pointer), nullptr).dump());
        expect_refused(changed(Json::json_pointer(pointer), value.is_string() ? Json(7) : Json("7")).dump());
    }
}

TEST(Manifest, HasListsWhereTheyBelong) {
    for (const char* pointer : {"/versions", "/parts", "/tables", "/parts/0", "/tables/0"}) {
        expect_refused(changed(Json::json_pointer(pointer), "x").dump());
        expect_refused(changed(Json::json_pointer(pointer), 7).dump());
    }
}

TEST(Manifest, HasListsThoughThereIsNothingInThem) {
    for (const char* pointer : {"/parts", "/tables"}) {
        expect_refused(changed(Json::json_pointer(pointer), nullptr).dump());
        expect_refused(changed(Json::json_pointer(pointer), Json::object()).dump());
    }
}

TEST(Manifest, HasNumbersThatCountSomething) {
    for (const char* pointer : {"/parts/0/bytes", "/tables/0/rows"}) {
        for (const Json& value : {Json(-1), Json(1.5), Json(true)})
            expect_refused(changed(Json::json_pointer(pointer), value).dump());
    }
}

TEST(Manifest, HandsNoControlCharacterOn) {
    const auto manifest = parse_manifest("{\"made\": \x1b[2J", "x.zip");
    ASSERT_FALSE(manifest);
    EXPECT_THAT(manifest.error().message, testing::Not(HasSubstr("\x1b")));
}

} // namespace
} // namespace commento
