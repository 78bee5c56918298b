# Read by cpack when it begins, and before each package: what differs between the formats.
include(${CMAKE_CURRENT_LIST_DIR}/PackageTime.cmake)

string(TOLOWER "${CPACK_GENERATOR}" format)
if(format MATCHES "^(deb|rpm)$")
  list(GET CPACK_INSTALL_CMAKE_PROJECTS 0 build_folder)
  set(CPACK_INSTALL_CMAKE_PROJECTS ${build_folder} ${CPACK_PACKAGE_NAME} ALL / ${build_folder} ${CPACK_PACKAGE_NAME} ${format} /)
endif()
if(format STREQUAL "rpm")
  set(CPACK_SET_DESTDIR ON) # /etc is not below the prefix
endif()
