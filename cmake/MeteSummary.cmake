message(STATUS "mete ${PROJECT_VERSION}: build type ${CMAKE_BUILD_TYPE}, tests ${METE_BUILD_TESTS}, "
               "libtorch ${METE_HAVE_TORCH}, Python ${METE_HAVE_PYTHON}, sanitizers '${METE_SANITIZE}'")
