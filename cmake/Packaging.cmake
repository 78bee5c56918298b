# What `cmake --install` installs is what the package holds. debian/ has what is specific to the format.

if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
  return() # a package of a debug build would only mislead
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_VENDOR "commento-stack maintainers")
set(CPACK_PACKAGE_CONTACT "commento-stack maintainers <maintainers@commento-stack.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Comment server: Commento with nginx and PostgreSQL")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
# Folders of a package are 0755 whatever the umask of who builds it.
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
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "nginx, postgresql, pgbouncer, systemd (>= 251), default-dbus-system-bus | dbus-system-bus, ca-certificates, libcurl4t64 | libcurl4, libpsl5t64 | libpsl5, debconf (>= 0.5) | debconf-2.0")
# Without it, files are served compressed with gzip only.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libnginx-mod-http-brotli-static")
# For BACKUP_RECIPIENT_FILE.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "age, gnupg, prometheus-node-exporter")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(debian ${PROJECT_SOURCE_DIR}/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/templates ${debian}/config ${debian}/postinst ${debian}/prerm ${debian}/postrm)

set(documents ${CMAKE_INSTALL_DATADIR}/doc/${PROJECT_NAME})
install(FILES debian/copyright README.md docs/alerts.yml docs/grafana-dashboard.json DESTINATION ${documents})
add_custom_command(OUTPUT changelog.gz COMMAND ${GZIP} -9nc ${debian}/changelog > changelog.gz DEPENDS ${debian}/changelog)
add_custom_target(changelog ALL DEPENDS changelog.gz)
install(FILES ${CMAKE_BINARY_DIR}/changelog.gz DESTINATION ${documents})

include(CPack)
