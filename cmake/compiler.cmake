# deepedge_options: the flags every DeepEdge target is compiled with.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(deepedge_options INTERFACE)
target_include_directories(deepedge_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(deepedge_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -Werror
  # Designated initialisers leave fields at their defaults on purpose.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns falsely of overlapping copies inside std::string at -O2 and above.
  target_compile_options(deepedge_options INTERFACE -Wno-restrict)
else()
  target_compile_options(deepedge_options INTERFACE -Wthread-safety)
endif()
target_compile_definitions(deepedge_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

set(DEEPEDGE_SANITIZE "" CACHE STRING "address (with undefined), thread, or empty")
if(DEEPEDGE_SANITIZE STREQUAL "address")
  target_compile_options(deepedge_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined)
  target_link_options(deepedge_options INTERFACE -fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC warns falsely in instrumented code, in std::regex and std::optional for example.
    target_compile_options(deepedge_options INTERFACE -Wno-maybe-uninitialized)
  endif()
elseif(DEEPEDGE_SANITIZE STREQUAL "thread")
  target_compile_options(deepedge_options INTERFACE -fsanitize=thread)
  target_link_options(deepedge_options INTERFACE -fsanitize=thread)
elseif(NOT DEEPEDGE_SANITIZE STREQUAL "")
  message(FATAL_ERROR "DEEPEDGE_SANITIZE is '${DEEPEDGE_SANITIZE}'; allowed: address, thread or empty")
endif()

option(DEEPEDGE_FUZZ "Build the fuzz targets of the readers (clang only)" OFF)
if(DEEPEDGE_FUZZ)
  # Everything tells the fuzzer which way it went; the targets themselves are in the modules' folders fuzz/.
  target_compile_options(deepedge_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(deepedge_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
