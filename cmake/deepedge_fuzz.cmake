# deepedge_fuzz(module TARGETS .. LINK ..): the fuzz targets of a module, in its folder fuzz/. Target `x` is x_fuzz.cc, its
# inputs lie in corpus/x: short files that lead it somewhere, and every file that once broke a reader.
#
# With the preset `fuzz` each target is a program <x>_fuzz (libFuzzer; scripts/fuzz runs them). In all other builds the
# targets are one test, <module>_corpus_test, that gives each its corpus.
function(deepedge_fuzz module)
  cmake_parse_arguments(F "" "" "TARGETS;LINK" ${ARGN})
  if(DEEPEDGE_FUZZ)
    foreach(target ${F_TARGETS})
      add_executable(${target}_fuzz ${target}_fuzz.cc)
      target_link_libraries(${target}_fuzz PRIVATE ${F_LINK})
      target_compile_options(${target}_fuzz PRIVATE -fsanitize=fuzzer)
      target_link_options(${target}_fuzz PRIVATE -fsanitize=fuzzer)
    endforeach()
    return()
  endif()

  set(sources "")
  set(declarations "")
  set(tests "")
  foreach(target ${F_TARGETS})
    list(APPEND sources ${target}_fuzz.cc)
    set_source_files_properties(${target}_fuzz.cc PROPERTIES COMPILE_DEFINITIONS LLVMFuzzerTestOneInput=Fuzz_${target})
    string(APPEND declarations "extern \"C\" int Fuzz_${target}(const uint8_t* data, size_t size);\n")
    string(APPEND tests
      "TEST(Corpus, ${target}) { deepedge::RunCorpus(\"${CMAKE_CURRENT_SOURCE_DIR}/corpus/${target}\", Fuzz_${target}); }\n")
  endforeach()
  file(CONFIGURE OUTPUT ${module}_corpus_test.cc @ONLY CONTENT
    "// Made by cmake/deepedge_fuzz.cmake.\n#include \"deepedge/base/run_corpus_for_test.h\"\n\n@declarations@\n@tests@")
  add_executable(${module}_corpus_test ${CMAKE_CURRENT_BINARY_DIR}/${module}_corpus_test.cc ${sources})
  target_link_libraries(${module}_corpus_test PRIVATE ${F_LINK} GTest::gtest GTest::gtest_main)
  add_test(NAME ${module}_corpus COMMAND ${module}_corpus_test)
  set_tests_properties(${module}_corpus PROPERTIES ENVIRONMENT "${DEEPEDGE_TEST_ENVIRONMENT}")
endfunction()
