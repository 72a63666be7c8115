include(GNUInstallDirs)
install(TARGETS mete RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(plugin torch clp blas cuda onnx python)
  if(TARGET mete_${plugin})
    install(TARGETS mete_${plugin} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/mete)
  endif()
endforeach()
# For agents as shared libraries; a component of its own, so that tests can install it alone.
install(DIRECTORY include/mete DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT headers)
install(DIRECTORY boards/ DESTINATION ${CMAKE_INSTALL_DATADIR}/mete/boards FILES_MATCHING PATTERN "*.csv")
install(TARGETS mete_region_static mete_region_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Relative to itself: what is installed can be moved, or staged with DESTDIR.
file(RELATIVE_PATH METE_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" METE_PC_PREFIX "${METE_PC_PREFIX}")
configure_file(${PROJECT_SOURCE_DIR}/cmake/mete_region.pc.in ${CMAKE_BINARY_DIR}/mete_region.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/mete_region.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET mete_core)
  # Where the interpreter it was built for looks: Debian's for /usr/local, and for other prefixes with PYTHONPATH.
  set(METE_PYTHON_INSTALL_DIR lib/python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}/dist-packages
      CACHE STRING "Where `import mete` is installed, under the prefix")
  install(TARGETS mete_core LIBRARY DESTINATION ${METE_PYTHON_INSTALL_DIR}/mete)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/python/mete DESTINATION ${METE_PYTHON_INSTALL_DIR} FILES_MATCHING PATTERN "*.py"
          PATTERN "__pycache__" EXCLUDE)
endif()
