#pragma once

#include <boost/beast/http.hpp>
#include <string>

namespace standin {

namespace http = boost::beast::http;

using Request = http::request<http::string_body>;

/// An answer, before the server adds what every answer carries (length, date, keep-alive).
struct Reply {
    http::status status = http::status::ok;
    std::string body = {};
    std::string content_type = {}; // may be empty: it is then sent empty
    http::fields headers = {};
};

} // namespace standin
