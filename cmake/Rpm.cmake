# CPack's RPM, for tests on Debian and for trying things out. Header, dependencies, scriptlets and marks of files are read from
# rpm/commento-stack.spec, by which the packages of a release are built: on the target, whose libraries they then ask for.

set(spec ${PROJECT_SOURCE_DIR}/rpm/commento-stack.spec)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${spec})
file(READ ${spec} spec_text)

# Lists of CMake's end at a semicolon and may not hold single brackets; texts of the specification have both.
function(spec_tag tag result)
  string(REGEX MATCHALL "\n${tag}: +[^\n]+" lines "\n${spec_text}")
  list(TRANSFORM lines REPLACE "\n${tag}: +" "")
  list(JOIN lines ", " joined)
  set(${result} "${joined}" PARENT_SCOPE)
endfunction()

function(spec_section section result)
  string(FIND "${spec_text}" "\n%${section}\n" begin)
  if(begin EQUAL -1)
    message(FATAL_ERROR "${spec} has no section %${section}")
  endif()
  string(LENGTH "\n%${section}\n" skipped)
  math(EXPR begin "${begin} + ${skipped}")
  string(SUBSTRING "${spec_text}" ${begin} -1 rest)
  # The next section begins with its name alone in a line.
  string(REGEX MATCH "\n%(prep|build|install|pre|post|preun|postun|posttrans|files|changelog)\n" next "${rest}")
  if(next)
    string(FIND "${rest}" "${next}" end)
    string(SUBSTRING "${rest}" 0 ${end} rest)
  endif()
  string(STRIP "${rest}" rest)
  set(${result} "${rest}" PARENT_SCOPE)
endfunction()

spec_tag(Summary CPACK_RPM_PACKAGE_SUMMARY)
spec_tag(License CPACK_RPM_PACKAGE_LICENSE)
spec_tag(URL CPACK_RPM_PACKAGE_URL)
spec_tag(Requires CPACK_RPM_PACKAGE_REQUIRES)
spec_tag(Suggests suggests)
spec_tag("Requires\\(pre\\)" CPACK_RPM_PACKAGE_REQUIRES_PRE)
spec_tag("Requires\\(post\\)" CPACK_RPM_PACKAGE_REQUIRES_POST)
spec_section(description CPACK_RPM_PACKAGE_DESCRIPTION)

foreach(pair pre:PRE_INSTALL post:POST_INSTALL preun:PRE_UNINSTALL posttrans:POST_TRANS)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 section)
  list(GET pair 1 name)
  spec_section(${section} script)
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/rpm/${section} CONTENT "${script}\n")
  set(CPACK_RPM_${name}_SCRIPT_FILE ${PROJECT_BINARY_DIR}/rpm/${section})
endforeach()

# The history is none of the tree's specification (release/changelog.py).
set(CPACK_RPM_CHANGELOG_FILE ${PROJECT_BINARY_DIR}/rpm/changelog)
add_custom_command(OUTPUT ${CPACK_RPM_CHANGELOG_FILE} DEPENDS ${PROJECT_SOURCE_DIR}/debian/changelog ${PROJECT_SOURCE_DIR}/release/changelog.py
  COMMAND /usr/bin/python3 -B ${PROJECT_SOURCE_DIR}/release/changelog.py ${PROJECT_SOURCE_DIR}/debian/changelog > ${CPACK_RPM_CHANGELOG_FILE} VERBATIM)

# Marks of files. Documents need none: rpm knows their folder.
spec_section(files marked)
string(REGEX MATCHALL "[^\n]*%(config|license|lang)[^\n]*" CPACK_RPM_USER_FILELIST "${marked}")

# CPack takes this rpmbuild for one without weak dependencies, and leaves out CPACK_RPM_PACKAGE_SUGGESTS.
set(CPACK_RPM_SPEC_MORE_DEFINE "%{!?systemd_post:%{load:${PROJECT_SOURCE_DIR}/rpm/macros.systemd}}
Suggests: ${suggests}")
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_GROUP Unspecified)
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_INSTALL_WITH_EXEC OFF)
# Folders that other packages own.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /etc /usr/bin /usr/lib /usr/lib/systemd /usr/lib/systemd/system /usr/lib/systemd/system-generators /usr/lib/sysusers.d
    /usr/lib/tmpfiles.d /usr/libexec /usr/share /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/doc
    /usr/share/fish /usr/share/fish/vendor_completions.d /usr/share/licenses /usr/share/locale /usr/share/locale/ru /usr/share/locale/ru/LC_MESSAGES /usr/share/man /usr/share/man/man5
    /usr/share/man/man8 /usr/share/zsh /usr/share/zsh/site-functions /usr/share/zsh/vendor-completions)
