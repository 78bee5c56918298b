# Read by cpack when it begins, and before each package: what differs between the formats.

# The time that all files of the package get (reproducible-builds.org, SOURCE_DATE_EPOCH).
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  set(ENV{SOURCE_DATE_EPOCH} ${CPACK_PACKAGE_SECONDS})
endif()

string(TOLOWER "${CPACK_GENERATOR}" format)
if(format MATCHES "^(deb|rpm)$")
  list(GET CPACK_INSTALL_CMAKE_PROJECTS 0 build_folder)
  set(CPACK_INSTALL_CMAKE_PROJECTS ${build_folder} ${CPACK_PACKAGE_NAME} ALL / ${build_folder} ${CPACK_PACKAGE_NAME} ${format} /)
endif()
if(format STREQUAL "rpm")
  set(CPACK_SET_DESTDIR ON) # /etc is not below the prefix
endif()
