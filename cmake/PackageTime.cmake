# Read by cpack when it begins: the time that all files of the package get (reproducible-builds.org, SOURCE_DATE_EPOCH).
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  file(STRINGS ${CPACK_PACKAGE_CHANGELOG} date REGEX "^ -- .*  " LIMIT_COUNT 1)
  string(REGEX REPLACE "^ -- .*  " "" date "${date}")
  execute_process(COMMAND date --date=${date} +%s OUTPUT_VARIABLE seconds OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{SOURCE_DATE_EPOCH} ${seconds})
endif()
