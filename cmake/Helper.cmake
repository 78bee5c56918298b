# add_room(NAME LIBS...): the library of src/NAME from all its sources but main.cpp, and its unit tests in tests/unit/NAME.
# add_helper(NAME): the program of src/NAME: main.cpp over the room's library. Its CMakeLists.txt calls add_room.

function(add_room name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PUBLIC compiler ${ARGN})
endfunction()

function(add_helper name)
  add_subdirectory(src/${name})
  if(name STREQUAL "ctl")
    set(binary commentoctl)
    set(folder ${CMAKE_INSTALL_BINDIR})
  else()
    set(binary commento-${name})
    set(folder ${CMAKE_INSTALL_LIBEXECDIR}/commento-stack)
  endif()
  add_executable(${binary} src/${name}/main.cpp)
  target_link_libraries(${binary} PRIVATE ${name})
  install(TARGETS ${binary} DESTINATION ${folder})
endfunction()
