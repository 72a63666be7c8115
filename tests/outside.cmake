# Agents from outside the tree, and the Python package. Debian's python3, as for the other tests of the program.
set(outside_environment PYTHONDONTWRITEBYTECODE=1)
if(METE_SANITIZE)
  # Python's own memory, and what user's modules never free, are no leaks of ours.
  list(APPEND outside_environment ASAN_OPTIONS=detect_leaks=0)
endif()
add_test(NAME cli_outside COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/cli/outside_test.py
         $<TARGET_FILE:mete> ${CMAKE_BINARY_DIR} ${METE_HAVE_PYTHON})
set_tests_properties(cli_outside PROPERTIES LABELS cli TIMEOUT 600 ENVIRONMENT "${outside_environment}")
# A sanitised extension module cannot be loaded by a python3 that is none.
if(METE_HAVE_PYTHON AND NOT METE_SANITIZE)
  foreach(name package tutorial study)
    add_test(NAME python_${name} COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/python/${name}_test.py
             $<TARGET_FILE:mete> ${METE_PYTHON_BUILD_DIR})
    set_tests_properties(python_${name} PROPERTIES LABELS python TIMEOUT 600 ENVIRONMENT "${outside_environment}")
  endforeach()
endif()

# Both kinds in the suite that every agent is held to.
add_dependencies(mete_agent_conformance_test mete_template_agent_library)
target_compile_definitions(mete_agent_conformance_test PRIVATE
  METE_TEMPLATE_AGENT_LIBRARY="$<TARGET_FILE:mete_template_agent_library>")
if(METE_HAVE_PYTHON)
  add_dependencies(mete_agent_conformance_test mete_python)
  target_compile_definitions(mete_agent_conformance_test PRIVATE
    METE_TEST_PYTHON_AGENT="${CMAKE_CURRENT_SOURCE_DIR}/fixtures/agents/gpu_activity.py:Activity")
  set_tests_properties(agent_conformance PROPERTIES ENVIRONMENT "${outside_environment}")
endif()
