# Version and date of the last release: debian/changelog is the one place that has them.
set(changelog ${CMAKE_CURRENT_SOURCE_DIR}/debian/changelog)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${changelog})
file(STRINGS ${changelog} head LIMIT_COUNT 1)
if(NOT head MATCHES "^commento-stack \\(([0-9.]+)\\) ")
  message(FATAL_ERROR "${changelog} does not begin with a version: ${head}")
endif()
set(changelog_version ${CMAKE_MATCH_1})
file(STRINGS ${changelog} trailer REGEX "^ -- .*  " LIMIT_COUNT 1)
string(REGEX REPLACE "^ -- .*  " "" trailer "${trailer}")
execute_process(COMMAND date --utc --date=${trailer} "+%Y-%m-%d;%s" OUTPUT_VARIABLE changelog_time OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
list(POP_FRONT changelog_time changelog_date changelog_seconds)
