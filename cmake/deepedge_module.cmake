include(test_environment)

# deepedge_module(name SOURCES .. [DEPENDS ..] [PRIVATE_DEPENDS ..] [TESTS ..] [TEST_DEPENDS ..])
# One library per folder, with its tests beside the code: the library is deepedge_<name>, the tests are one program
# <name>_test. DEPENDS may name modules (without prefix) or imported targets.
function(deepedge_module name)
  cmake_parse_arguments(M "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS;TESTS;TEST_DEPENDS" ${ARGN})
  foreach(kind DEPENDS PRIVATE_DEPENDS TEST_DEPENDS)
    set(resolved_${kind} "")
    foreach(dep ${M_${kind}})
      if(TARGET deepedge_${dep})
        list(APPEND resolved_${kind} deepedge_${dep})
      else()
        list(APPEND resolved_${kind} ${dep})
      endif()
    endforeach()
  endforeach()

  add_library(deepedge_${name} STATIC ${M_SOURCES})
  target_link_libraries(deepedge_${name}
    PUBLIC deepedge_options ${resolved_DEPENDS}
    PRIVATE ${resolved_PRIVATE_DEPENDS})

  if(M_TESTS)
    add_executable(${name}_test ${M_TESTS})
    target_link_libraries(${name}_test PRIVATE deepedge_${name} ${resolved_TEST_DEPENDS}
      GTest::gtest GTest::gmock GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "${DEEPEDGE_TEST_ENVIRONMENT}")
  endif()
endfunction()
