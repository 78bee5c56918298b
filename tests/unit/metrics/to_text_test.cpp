#include "metrics/exposition.hpp"
#include "metrics/observations.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Exposition, HasTheHeadOfAFamilyOnceAndOfAnEmptyOneNever) {
    Exposition out;
    out.gauge("a", "Nothing.");
    out.gauge("b", "Some.");
    out.sample(1.5, {{"x", "1"}, {"y", "\"\\\n"}});
    out.sample(1800000000);
    EXPECT_EQ(out.text(), "# HELP b Some.\n# TYPE b gauge\nb{x=\"1\",y=\"\\\"\\\\\\n\"} 1.5\nb 1800000000\n");
}

TEST(Metrics, LeaveOutWhatCouldNotBeFoundOut) {
    Observations seen;
    seen.certificates["main"] = std::nullopt;
    const std::string text = to_text(seen, 1'800'000'000, 0.25);
    for (const char* line :
         {"commento_certificate_up{name=\"main\"} 0\n", "commento_front_up 0\n", "commento_backup_up 0\n",
          "commento_application_up 0\n", "commento_application_database_up 0\n", "commento_database_up 0\n",
          "commento_collect_timestamp_seconds 1800000000\n", "commento_collect_duration_seconds 0.25\n"})
        EXPECT_THAT(text, HasSubstr(line));
    for (const char* name : {"not_after", "answer_seconds", "size_bytes", "connections", "run_success"})
        EXPECT_THAT(text, Not(HasSubstr(name)));
}

TEST(Metrics, TellNothingOfADatabaseElsewhere) {
    Observations seen;
    seen.database_is_elsewhere = true;
    EXPECT_THAT(to_text(seen, 1, 1), Not(HasSubstr("commento_database_up")));
}

TEST(Metrics, HaveEachObservation) {
    Observations seen;
    const Certificate certificate{"1", "issuer", {"c.example.org"}, 100, 200, true, "", false};
    seen.certificates = {{"main", certificate}, {"shop", certificate}};
    seen.served = certificate;
    seen.runs["commento-cert-renew.service"] = {300, false};
    seen.active["commento.service"] = true;
    seen.backups = Backups{2, 30, 20, 400, 500};
    seen.answer_seconds = 0.001;
    seen.answers_with_database = true;
    seen.release = "commentoplusplus-1.8.7";
    seen.database = Database{1000, 5, 100};
    const std::string text = to_text(seen, 1, 1);
    for (const char* line :
         {"commento_certificate_not_after_timestamp_seconds{name=\"shop\"} 200\n",
          "commento_certificate_self_signed{name=\"main\"} 1\n",
          "commento_front_certificate_not_after_timestamp_seconds 200\n",
          "commento_run_success{unit=\"commento-cert-renew.service\"} 0\n",
          "commento_run_end_timestamp_seconds{unit=\"commento-cert-renew.service\"} 300\n",
          "commento_unit_active{unit=\"commento.service\"} 1\n", "commento_backups 2\n",
          "commento_backups_size_bytes 30\n", "commento_backup_last_size_bytes 20\n",
          "commento_backup_last_success_timestamp_seconds 400\n",
          "commento_backup_last_verified_timestamp_seconds 500\n", "commento_application_answer_seconds 0.001\n",
          "commento_application_info{release=\"commentoplusplus-1.8.7\"} 1\n", "commento_database_size_bytes 1000\n",
          "commento_database_connections 5\n", "commento_database_connections_limit 100\n"})
        EXPECT_THAT(text, HasSubstr(line));
}

} // namespace
} // namespace commento
