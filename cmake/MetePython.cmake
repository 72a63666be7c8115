# Agents in Python, and `import mete`. Python must not be linked into the program: the agents' half is a plugin that is
# opened only when such an agent is asked for (docs/adr/0002 has the same reasons for libtorch).
#
# Debian's python3 is the one whose packages (pandas, numpy) the distribution maintains; another that comes first in
# $PATH is not taken by chance. -DPython_EXECUTABLE=.. chooses.
set(METE_HAVE_PYTHON OFF)
if(NOT METE_WITH_PYTHON STREQUAL "OFF")
  if(NOT Python_EXECUTABLE AND EXISTS /usr/bin/python3)
    set(Python_EXECUTABLE /usr/bin/python3)
  endif()
  find_package(Python 3.9 QUIET COMPONENTS Interpreter Development.Module Development.Embed)
  find_path(METE_PYBIND11_INCLUDE pybind11/embed.h)
  mark_as_advanced(METE_PYBIND11_INCLUDE)
  if(Python_FOUND AND METE_PYBIND11_INCLUDE)
    set(METE_HAVE_PYTHON ON)
  elseif(METE_WITH_PYTHON STREQUAL "ON")
    message(FATAL_ERROR "METE_WITH_PYTHON=ON, but pybind11 or Python was not found: apt install pybind11-dev python3-dev")
  endif()
endif()
if(NOT METE_HAVE_PYTHON)
  return()
endif()

# The Python half of the protocol, as text in the plugin.
set(host_file ${PROJECT_SOURCE_DIR}/python/mete/_agent_host.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${host_file})
file(READ ${host_file} METE_AGENT_HOST_TEXT)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/agent_host_source.cc @ONLY CONTENT
"namespace mete {
extern const char* const kAgentHostSource;
const char* const kAgentHostSource = R\"agent_host(@METE_AGENT_HOST_TEXT@)agent_host\";
}  // namespace mete
")

# Our warnings and sanitizers, and other people's headers as such.
function(mete_python_target name)
  target_include_directories(${name} SYSTEM PRIVATE ${METE_PYBIND11_INCLUDE} ${Python_INCLUDE_DIRS})
  set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(${name} PRIVATE mete_options)
endfunction()

add_library(mete_python MODULE
  ${PROJECT_SOURCE_DIR}/mete/control/python/python_runtime.cc
  ${PROJECT_SOURCE_DIR}/mete/control/python/python_agent.cc
  ${CMAKE_BINARY_DIR}/generated/agent_host_source.cc)
mete_python_target(mete_python)
target_compile_definitions(mete_python PRIVATE METE_PYTHON_EXECUTABLE="${Python_EXECUTABLE}")
target_link_libraries(mete_python PRIVATE mete_control Python::Python)
# Never unloaded: modules in C that the user imports do not survive it.
target_link_options(mete_python PRIVATE -Wl,-z,nodelete)
add_dependencies(mete mete_python)
if(TARGET mete_control_test)
  add_dependencies(mete_control_test mete_python)
endif()

# `import mete`: the package's Python files, linked into the build tree, beside the extension module. Works with
# PYTHONPATH=build/release/python.
file(GLOB core_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/core/*.cc)
file(GLOB package_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/mete/*.py)
set(METE_PYTHON_BUILD_DIR ${CMAKE_BINARY_DIR}/python)
file(MAKE_DIRECTORY ${METE_PYTHON_BUILD_DIR}/mete)
foreach(package_file IN LISTS package_files)
  get_filename_component(package_file_name ${package_file} NAME)
  file(CREATE_LINK ${package_file} ${METE_PYTHON_BUILD_DIR}/mete/${package_file_name} COPY_ON_ERROR SYMBOLIC)
endforeach()
add_library(mete_core MODULE ${core_sources} ${PROJECT_SOURCE_DIR}/mete/control/python/python_agent.cc)
mete_python_target(mete_core)
target_link_libraries(mete_core PRIVATE mete_cli Python::Module)
set_target_properties(mete_core PROPERTIES OUTPUT_NAME _core SUFFIX ".${Python_SOABI}.so"
  LIBRARY_OUTPUT_DIRECTORY ${METE_PYTHON_BUILD_DIR}/mete)
