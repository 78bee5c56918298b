#include "proof/dns_key.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class KeyFile : public testing::Test {
  protected:
    Result<TsigKey> read(const std::string& text) {
        EXPECT_TRUE(write_file(folder_ / "key", text, 0600));
        return read_tsig_key(folder_ / "key");
    }
    Folder folder_;
};

TEST_F(KeyFile, IsReadAsTsigKeygenWritesIt) {
    const auto key = read("key \"tsig-key\" {\n\talgorithm hmac-sha256;\n"
                          "\tsecret \"GQ3wo4d1Ih07nLzW59vEEh7mittD60Dd2JiILrVkkoY=\";\n};\n");
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->name, "tsig-key");
    EXPECT_EQ(key->algorithm, "hmac-sha256.");
    EXPECT_EQ(key->secret, "GQ3wo4d1Ih07nLzW59vEEh7mittD60Dd2JiILrVkkoY=");
}

TEST_F(KeyFile, MayBeWrittenByHand) {
    const auto key = read("# a comment; with marks {\n// another\n/* key \"no\" { */\n"
                          "key my.key. {algorithm HMAC-SHA512;secret YWJj;};");
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->name, "my.key.");
    EXPECT_EQ(key->algorithm, "hmac-sha512.");
    EXPECT_EQ(key->secret, "YWJj");
}

TEST_F(KeyFile, OfAnyOtherFormIsRefusedWithoutItsSecret) {
    for (const std::string text :
         {"", "key", "key \"", "key \"a\"", "key \"a\" {", "/* never closed", "key a { algorithm hmac-sha256; };",
          "key a { secret YWJj; };", "key \"a b\" { algorithm hmac-sha256; secret YWJj; };",
          "key a { algorithm hmac-sha256; secret \"not*base64\"; };", "key a { algorithm hmac-sha256; secret YWJ; };",
          "key a { algorithm hmac-sha256; secret \"====\"; };", "key a { algorithm hmac-sha256; secret YWJj }",
          "Private-key-format: v1.3\nKey: YWJj\n"}) {
        const auto key = read(text);
        ASSERT_FALSE(key) << text;
        EXPECT_EQ(key.error().code, ErrorCode::settings) << text;
        EXPECT_THAT(key.error().message, AllOf(HasSubstr((folder_ / "key").string()), Not(HasSubstr("YWJj")))) << text;
        EXPECT_THAT(key.error().hint, HasSubstr("tsig-keygen")) << text;
    }
}

TEST_F(KeyFile, WithAnUnknownAlgorithmIsRefused) {
    const auto key = read("key a { algorithm hmac-sha384; secret YWJj; };");
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().message, HasSubstr("hmac-sha384"));
    EXPECT_THAT(key.error().hint, HasSubstr("hmac-sha512"));
}

TEST_F(KeyFile, ThatIsMissingIsNamed) {
    const auto key = read_tsig_key(folder_ / "missing");
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code, ErrorCode::storage);
    EXPECT_THAT(key.error().message, HasSubstr("missing"));
}

} // namespace
} // namespace commento
