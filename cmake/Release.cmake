# `repositories` and `release`: from packages to what is put on the web (release/make.py). RPMs are built on their targets, and the
# .deb for arm64 elsewhere, so they are named here: cmake --preset package -DCOMMENTO_SIGNING_KEY=… -DCOMMENTO_DEBS=… -DCOMMENTO_RPMS=…

set(COMMENTO_SIGNING_KEY "" CACHE STRING "What gpg knows the key by that repositories and checksums are signed with")
set(COMMENTO_REPOSITORY_URL https://packages.commento-stack.example CACHE STRING "Where the repositories are served")
set(COMMENTO_DEBS "" CACHE STRING "Packages for other architectures (preset arm64), to publish beside the .deb")
set(COMMENTO_RPMS "" CACHE STRING "RPMs that were built on Fedora or EL, to publish beside the .deb")

function(add_release_target name program folder)
  add_custom_target(${name}
    COMMAND ${CMAKE_CPACK_COMMAND} -G DEB
    COMMAND /usr/bin/python3 -B ${PROJECT_SOURCE_DIR}/release/${program} ${folder} --url ${COMMENTO_REPOSITORY_URL}
            --key "$<IF:$<BOOL:${COMMENTO_SIGNING_KEY}>,${COMMENTO_SIGNING_KEY},commento-stack>"
            ${CPACK_PACKAGE_NAME}_${PROJECT_VERSION}_${architecture}.deb ${COMMENTO_DEBS} ${COMMENTO_RPMS}
    VERBATIM USES_TERMINAL)
  add_dependencies(${name} ${packaged})
endfunction()

set(architecture ${CPACK_DEBIAN_PACKAGE_ARCHITECTURE})
if(NOT architecture) # not cross-built
  execute_process(COMMAND dpkg --print-architecture OUTPUT_VARIABLE architecture OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
add_release_target(repositories repositories.py repositories)
add_release_target(release make.py release)
