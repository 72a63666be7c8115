# Compiler options shared by every target, as one interface library.
add_library(mete_options INTERFACE)
target_include_directories(mete_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(mete_options INTERFACE METE_VERSION="${PROJECT_VERSION}")
target_compile_options(mete_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wdouble-promotion
  -Wimplicit-fallthrough -Wformat=2)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(mete_options INTERFACE -Wduplicated-cond -Wlogical-op -Wuseless-cast
    # gcc 12 reports moved-from std::variant alternatives that are never read, at -O2.
    -Wno-maybe-uninitialized)
endif()
if(METE_WERROR)
  target_compile_options(mete_options INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(mete_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()
if(METE_SANITIZE)
  add_compile_options(-fsanitize=${METE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${METE_SANITIZE})
endif()
