// What is kept between runs. It is ours, but disks and operators change files.

#include "cert/advice.hpp"
#include "cert/generation.hpp"
#include "cert/history.hpp"
#include "cert/limits.hpp"
#include "cert/order_file.hpp"
#include "folder.hpp"

using namespace commento;

namespace {

constexpr std::int64_t kNow = 1800000000;

void check_info(std::string_view text) {
    const auto generation = from_info("0001", text);
    if (!generation)
        return;
    const std::string written = to_info(*generation);
    const auto read_back = from_info("0001", written);
    require(read_back && to_info(*read_back) == written, "info.json is read back the same");
}

void check_advice(std::string_view text) {
    const auto advice = advice_from(text);
    require(!advice || advice_from(to_text(*advice)) == advice, "renewal.json is read back the same");
}

void check_failures(const MemoryFolder& folder, std::string_view text) {
    folder.write("failures.json", text);
    const auto failures = all_failures(folder.path());
    if (failures.empty())
        return;
    const Failure& first = failures.front();
    holds_back(first, kNow);
    require(pause_after(first.refusals, {}) <= 24 * 3600, "a pause is at most a day where nobody asked for more");
    require(remember(folder.path(), first).has_value(), "a failure is remembered");
    const auto again = last_failure(folder.path(), first.request);
    require(again && again->next_try == first.next_try && again->message == first.message,
            "failures.json is read back the same");
}

void check_limits(const MemoryFolder& folder, std::string_view text) {
    const Paths paths{folder.path()};
    folder.write(std::filesystem::relative(paths.acme() / "limits.json", folder.path()), text);
    const auto limits = Limits::load(paths, "https://acme-v02.api.letsencrypt.org/directory");
    const int left = limits.left({"comments.example.org"}, kNow);
    require(left >= 0 && left <= 5, "at most as many certificates are left as the limit has");
    limits.check({"comments.example.org", "192.0.2.1"}, kNow);
}

void check_order(const MemoryFolder& folder, std::string_view text) {
    const Site site{"main", nullptr, {folder.path(), folder.path() / "changed"}, folder.path()};
    folder.write("order.json", text);
    const auto order = load_order(site);
    if (!order)
        return;
    require(save_order(site, *order).has_value(), "an order is saved");
    const auto again = load_order(site);
    require(again && again->url == order->url && again->names == order->names && again->request == order->request &&
                EVP_PKEY_eq(again->key.get(), order->key.get()) == 1,
            "order.json is read back the same");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const MemoryFolder folder;
    const std::string_view text = text_of(data, size);
    check_info(text);
    check_advice(text);
    check_failures(folder, text);
    check_limits(folder, text);
    check_order(folder, text);
    return 0;
}
