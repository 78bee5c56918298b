# One target per library from the distribution. spdlog and fmt are used header-only, so that a package
# built on Debian 12 does not depend on the very versions of their shared libraries.

find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_path(MUSTACHE_INCLUDE kainjow/mustache.hpp REQUIRED)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)

add_library(logging INTERFACE)
target_link_libraries(logging INTERFACE fmt::fmt-header-only)
# spdlog's own header-only target lacks the switch to fmt's header-only form.
target_compile_definitions(logging INTERFACE SPDLOG_FMT_EXTERNAL)
