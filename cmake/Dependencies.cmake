# One target per library from the distribution. In what is packaged, spdlog and fmt are used header-only, so that a
# package built on Debian 12 does not depend on the very versions of their shared libraries. Elsewhere they are linked:
# a file that logs compiles in less than half the time then (measured: 8 s against 19 s).
option(COMMENTO_HEADER_ONLY_LOGGING "Use spdlog and fmt without their shared libraries" OFF)

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
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlienc)
find_package(ZLIB REQUIRED)
pkg_check_modules(LDNS REQUIRED IMPORTED_TARGET ldns)
find_path(MUSTACHE_INCLUDE NAMES kainjow/mustache.hpp mustache.hpp REQUIRED)
if(NOT EXISTS ${MUSTACHE_INCLUDE}/kainjow/mustache.hpp) # Fedora's package has it in no folder of its own
  file(COPY ${MUSTACHE_INCLUDE}/mustache.hpp DESTINATION ${CMAKE_BINARY_DIR}/include/kainjow)
  set(MUSTACHE_INCLUDE ${CMAKE_BINARY_DIR}/include)
endif()
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)

add_library(logging INTERFACE)
if(COMMENTO_HEADER_ONLY_LOGGING)
  target_link_libraries(logging INTERFACE fmt::fmt-header-only)
  # spdlog's own header-only target lacks the switch to fmt's header-only form.
  target_compile_definitions(logging INTERFACE SPDLOG_FMT_EXTERNAL)
else()
  target_link_libraries(logging INTERFACE spdlog::spdlog)
endif()
