# Read by cpack when everything is in the package's folder. What says which compiler made a program is of no use there, and
# CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS leaves to folders what the umask of who builds takes away.
set(folder ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
file(GLOB programs ${folder}/usr/bin/* ${folder}/usr/libexec/*/* ${folder}/usr/lib/systemd/system-generators/*)
execute_process(COMMAND ${CPACK_PACKAGE_STRIP} --remove-section=.comment --remove-section=.note ${programs} COMMAND_ERROR_IS_FATAL ANY)
file(CHMOD_RECURSE ${folder} DIRECTORY_PERMISSIONS ${CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
