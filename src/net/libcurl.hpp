#pragma once
// libcurl, loaded at its first use. With all that it brings it costs 3 ms and 4 MiB at each start (measured), and most
// runs of a helper find nothing to do and ask no server.

#include <curl/curl.h>

namespace commento {

struct Libcurl {
    decltype(&curl_easy_init) init;
    decltype(&curl_easy_cleanup) cleanup;
    decltype(&curl_easy_setopt) setopt;
    decltype(&curl_easy_getinfo) getinfo;
    decltype(&curl_easy_perform) perform;
    decltype(&curl_easy_strerror) strerror;
    decltype(&curl_share_init) share_init;
    decltype(&curl_share_setopt) share_setopt;
    decltype(&curl_share_cleanup) share_cleanup;
    decltype(&curl_slist_append) slist_append;
    decltype(&curl_slist_free_all) slist_free_all;
};

/// Throws std::runtime_error where the library is not there: the package depends on it.
const Libcurl& libcurl();

} // namespace commento
