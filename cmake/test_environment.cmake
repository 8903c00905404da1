# DEEPEDGE_TEST_ENVIRONMENT: the environment of every test, for set_tests_properties(.. ENVIRONMENT ..), so that the
# sanitizers get along with libraries that are not instrumented. To run a program by hand, set the same:
#   TBB_ENABLE_SANITIZERS=1 TSAN_OPTIONS=suppressions=tools/tsan.supp build/tsan/bin/engine_test
set(DEEPEDGE_TEST_ENVIRONMENT "")
if(NOT DEEPEDGE_SANITIZE STREQUAL "")
  # libtbb tries to load a helper with RTLD_DEEPBIND, which the sanitizers answer by stopping the program.
  list(APPEND DEEPEDGE_TEST_ENVIRONMENT "TBB_ENABLE_SANITIZERS=1")
endif()
# The path is quoted for the sanitizers, which end a value at a space.
# allocator_may_return_null: OpenVINO's XML reader looks at folders too (SavedModel), takes 2^63 bytes for their size, and
# goes on well when it does not get them.
if(DEEPEDGE_SANITIZE STREQUAL "address")
  list(APPEND DEEPEDGE_TEST_ENVIRONMENT
    "ASAN_OPTIONS=allocator_may_return_null=1"
    "LSAN_OPTIONS=suppressions='${CMAKE_SOURCE_DIR}/tools/lsan.supp':print_suppressions=0"
    "UBSAN_OPTIONS=print_stacktrace=1")
elseif(DEEPEDGE_SANITIZE STREQUAL "thread")
  list(APPEND DEEPEDGE_TEST_ENVIRONMENT
    "TSAN_OPTIONS=suppressions='${CMAKE_SOURCE_DIR}/tools/tsan.supp':print_suppressions=0:allocator_may_return_null=1")
endif()
