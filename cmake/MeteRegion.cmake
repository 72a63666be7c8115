# The library that marked programs link (include/mete/region.h): libc only. Static for C and C++,
# shared for Python.
foreach(kind STATIC SHARED)
  string(TOLOWER ${kind} suffix)
  add_library(mete_region_${suffix} ${kind} mete/region/region.cc)
  set_target_properties(mete_region_${suffix} PROPERTIES OUTPUT_NAME mete_region CXX_VISIBILITY_PRESET default)
  target_include_directories(mete_region_${suffix} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_link_libraries(mete_region_${suffix} PRIVATE $<BUILD_INTERFACE:mete_options> Threads::Threads)
endforeach()
add_dependencies(mete mete_region_shared)
if(TARGET mete_measure_test)
  target_link_libraries(mete_measure_test PRIVATE mete_region_static)
endif()
