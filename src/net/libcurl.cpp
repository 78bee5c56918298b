#include "net/libcurl.hpp"

#include "base/library.hpp"

#include <cstdlib>

namespace commento {
namespace {

constexpr const char* kName = "libcurl.so.4"; // its name in Debian and the Fedora family

Libcurl load() {
    // Debian's libcurl brings GnuTLS for RTMP, which is never used here: its start costs 1 ms and 0.7 MiB (measured).
    ::setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0); // NOLINT(concurrency-mt-unsafe)
    const Library library(kName);
    Libcurl curl{};
    library.find("curl_easy_init", curl.init);
    library.find("curl_easy_cleanup", curl.cleanup);
    library.find("curl_easy_setopt", curl.setopt);
    library.find("curl_easy_getinfo", curl.getinfo);
    library.find("curl_easy_perform", curl.perform);
    library.find("curl_easy_strerror", curl.strerror);
    library.find("curl_share_init", curl.share_init);
    library.find("curl_share_setopt", curl.share_setopt);
    library.find("curl_share_cleanup", curl.share_cleanup);
    library.find("curl_slist_append", curl.slist_append);
    library.find("curl_slist_free_all", curl.slist_free_all);
    return curl;
}

} // namespace

const Libcurl& libcurl() {
    static const Libcurl loaded = load();
    return loaded;
}

} // namespace commento
