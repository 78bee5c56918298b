# Standard, warnings and hardening: one interface target each, taken by every room through cmake/Helper.cmake.

option(COMMENTO_WERROR "Treat warnings as errors" OFF)
option(COMMENTO_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(COMMENTO_FUZZ "Build for tests/fuzz: as with COMMENTO_SANITIZE, and guided by libFuzzer; needs clang" OFF)

# What was compiled once, in another clone or for another preset too, is not compiled again. Paths below the source folder
# do not count, nor does the language of warnings, which rpmbuild sets.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 LANG=C.UTF-8
      ${CCACHE})
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

add_library(compiler INTERFACE)
target_compile_features(compiler INTERFACE cxx_std_20)
target_compile_options(compiler INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
                                          $<$<BOOL:${COMMENTO_WERROR}>:-Werror>)
# g++ 12 sees overlaps in std::string that cannot be (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(compiler INTERFACE -Wno-restrict)
endif()

target_compile_definitions(compiler INTERFACE _GLIBCXX_ASSERTIONS)
if(COMMENTO_SANITIZE OR COMMENTO_FUZZ)
  target_compile_options(compiler INTERFACE $<$<BOOL:${COMMENTO_FUZZ}>:-fsanitize=fuzzer-no-link>
                                            -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(compiler INTERFACE -fsanitize=address,undefined)
else()
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-fcf-protection HAS_CF_PROTECTION) # amd64 has it
  # _FORTIFY_SOURCE needs an optimizing build.
  target_compile_options(compiler INTERFACE $<$<CONFIG:Release>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>
                                            -fstack-protector-strong -fstack-clash-protection
                                            $<$<BOOL:${HAS_CF_PROTECTION}>:-fcf-protection>)
  # The C++ library in the programs: 2 MiB less in memory for each that runs (measured), and no demand on the version of
  # the host's own.
  target_link_options(compiler INTERFACE -Wl,-z,relro,-z,now,--as-needed,--gc-sections -static-libstdc++ -static-libgcc)
endif()
