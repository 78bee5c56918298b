# What `cmake --install` installs is what the package holds. debian/ has what is specific to the format.

if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  return() # a package of a debug build would only mislead
endif()

set(CPACK_GENERATOR DEB) # the target `rpm` makes the other one
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_VENDOR "commento-stack maintainers")
set(CPACK_PACKAGE_CONTACT "commento-stack maintainers <maintainers@commento-stack.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Comment server: Commento with nginx and PostgreSQL")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
# Folders of a package are 0755 whatever the umask of who builds it (see PackageFolder.cmake).
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION web)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Runs Commento, a comment server that web sites embed, as native services:
behind nginx with HTTPS, on the host's PostgreSQL, supervised by systemd.

Certificates come from Let's Encrypt or another ACME authority and renew
themselves, the database is provisioned, and the application's release is
downloaded, verified and installed. Two settings, the domain and an e-mail
address, are enough.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The server itself is only recommended: apt installs it unless told otherwise, and where the database is elsewhere
# (DATABASE_URL) there need be none. What is needed in any case is pg_dump, and the user postgres, which postgresql-common makes.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "nginx, postgresql-client, postgresql-common, pgbouncer, systemd (>= 251), default-dbus-system-bus | dbus-system-bus, ca-certificates, libcurl4t64 | libcurl4, libpsl5t64 | libpsl5, debconf (>= 0.5) | debconf-2.0")
# Without the last one, files are served compressed with gzip only.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql, libnginx-mod-http-brotli-static")
# For BACKUP_RECIPIENT_FILE.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "age, gnupg, prometheus-node-exporter")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(debian ${PROJECT_SOURCE_DIR}/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/debian/templates ${debian}/config ${debian}/preinst ${debian}/postinst ${debian}/prerm ${debian}/postrm)

# debconf's questions with their translations in them (po2debconf(1)).
find_program(PO2DEBCONF po2debconf)
if(PO2DEBCONF) # where there is none, no Debian package is made either
  file(GLOB translations CONFIGURE_DEPENDS ${debian}/po/*.po)
  add_custom_command(OUTPUT debian/templates DEPENDS ${debian}/templates ${translations}
                     COMMAND ${PO2DEBCONF} templates > ${CMAKE_BINARY_DIR}/debian/templates
                     WORKING_DIRECTORY ${debian}) # it takes no path with blanks
  add_custom_target(questions ALL DEPENDS debian/templates)
endif()

set(documents ${CMAKE_INSTALL_DATADIR}/doc/${PROJECT_NAME})
install(FILES README.md docs/alerts.yml docs/grafana-dashboard.json DESTINATION ${documents})
install(FILES docs/fedora.md DESTINATION ${documents}/docs) # README links it
add_custom_command(OUTPUT changelog.gz COMMAND ${GZIP} -9nc ${debian}/changelog > changelog.gz DEPENDS ${debian}/changelog)
add_custom_target(changelog ALL DEPENDS changelog.gz)
# What operators have to know of a version (apt-listchanges shows it before it is installed).
if(EXISTS ${debian}/NEWS)
  add_custom_command(OUTPUT NEWS.Debian.gz COMMAND ${GZIP} -9nc ${debian}/NEWS > NEWS.Debian.gz DEPENDS ${debian}/NEWS)
  add_custom_target(news ALL DEPENDS NEWS.Debian.gz)
  install(FILES ${CMAKE_BINARY_DIR}/NEWS.Debian.gz DESTINATION ${documents} COMPONENT deb EXCLUDE_FROM_ALL)
endif()

# What only one of the formats has (cmake/Generator.cmake). The RPM has the settings files, which rpm keeps as they are,
# and no debconf.
install(FILES debian/copyright ${CMAKE_BINARY_DIR}/changelog.gz DESTINATION ${documents} COMPONENT deb EXCLUDE_FROM_ALL)
install(FILES debian/commento-stack.lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME ${PROJECT_NAME}
        COMPONENT deb EXCLUDE_FROM_ALL)
install(FILES config/commento-stack.conf config/secrets.conf DESTINATION /etc/${PROJECT_NAME} COMPONENT rpm EXCLUDE_FROM_ALL)
install(FILES LICENSE debian/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/${PROJECT_NAME} COMPONENT rpm EXCLUDE_FROM_ALL)
install(FILES rpm/selinux-contexts DESTINATION ${CMAKE_INSTALL_DATADIR}/${PROJECT_NAME} COMPONENT rpm EXCLUDE_FROM_ALL)

# The same bytes from the same source: times are that of the changelog's last entry, and programs are stripped as
# dh_strip(1) does it.
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/Generator.cmake)
set(CPACK_PACKAGE_SECONDS ${changelog_seconds})
set(CPACK_PACKAGE_STRIP ${CMAKE_STRIP})
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/PackageFolder.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/PackageFile.cmake)

include(Rpm)
include(CPack)

# All that is installed and made by a target: the target `package` has it made before by itself, others that call cpack do not.
get_property(packaged GLOBAL PROPERTY commento_programs)
list(APPEND packaged man catalogues changelog)
foreach(name questions news)
  if(TARGET ${name})
    list(APPEND packaged ${name})
  endif()
endforeach()
add_custom_target(rpm COMMAND ${CMAKE_CPACK_COMMAND} -G RPM DEPENDS ${CPACK_RPM_CHANGELOG_FILE} VERBATIM USES_TERMINAL)
add_dependencies(rpm ${packaged})
include(Release)
