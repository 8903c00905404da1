# DEEPEDGE_TEST_ENVIRONMENT: the environment of every test, for set_tests_properties(.. ENVIRONMENT ..). Tells the
# sanitizers what to leave out: libraries that are not instrumented. The reasons stand in the files.
#
# To run a test program by hand in the same way:
#   TSAN_OPTIONS=suppressions=tools/tsan.supp build/tsan/bin/engine_test
set(DEEPEDGE_TEST_ENVIRONMENT "")
if(DEEPEDGE_SANITIZE STREQUAL "address")
  list(APPEND DEEPEDGE_TEST_ENVIRONMENT
    "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/lsan.supp:print_suppressions=0"
    "UBSAN_OPTIONS=print_stacktrace=1")
elseif(DEEPEDGE_SANITIZE STREQUAL "thread")
  list(APPEND DEEPEDGE_TEST_ENVIRONMENT
    "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/tsan.supp:print_suppressions=0")
endif()
