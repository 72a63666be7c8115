# mete_room(NAME [ROOMS room..] [PRIVATE_LIBS lib..] [EXCLUDE path..])
#
# A room is one static library made of every mete/NAME/**/*.cc, and one test program made of every
# *_test.cc in it. Adding a file needs no change here. ROOMS are the rooms it may include;
# PRIVATE_LIBS are the heavy libraries that stay behind its own types; EXCLUDE names sub-folders or
# files that are built elsewhere (a plugin, main.cc).
function(mete_room name)
  cmake_parse_arguments(ARG "" "" "ROOMS;PRIVATE_LIBS;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/mete/${name}/*.cc)
  foreach(path IN LISTS ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "/mete/${name}/${path}(/|$)")
  endforeach()
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  if(NOT sources)  # a room that so far has headers only
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/empty_${name}.cc CONTENT "namespace mete {}\n")
    set(sources ${CMAKE_BINARY_DIR}/empty_${name}.cc)
  endif()
  add_library(mete_${name} STATIC ${sources})
  set_target_properties(mete_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(mete_${name} PRIVATE mete_options PUBLIC fmt::fmt Threads::Threads)
  foreach(room IN LISTS ARG_ROOMS)
    target_link_libraries(mete_${name} PUBLIC mete_${room})
  endforeach()
  foreach(lib IN LISTS ARG_PRIVATE_LIBS)
    # SYSTEM: other people's headers are not held to our warnings.
    if(TARGET ${lib})
      get_target_property(dirs ${lib} INTERFACE_INCLUDE_DIRECTORIES)
      if(dirs)
        target_include_directories(mete_${name} SYSTEM PRIVATE ${dirs})
      endif()
    endif()
    target_link_libraries(mete_${name} PRIVATE ${lib})
  endforeach()
  if(METE_BUILD_TESTS AND tests)
    add_executable(mete_${name}_test ${tests})
    target_link_libraries(mete_${name}_test PRIVATE mete_${name} mete_options GTest::gtest_main)
    target_compile_definitions(mete_${name}_test PRIVATE METE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND mete_${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()
