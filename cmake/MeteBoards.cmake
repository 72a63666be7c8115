# Puts every boards/*.csv into the provider room as text, so that the program needs no files beside it. To add a
# built-in board, add its .csv: nothing else changes.
file(GLOB board_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/boards/*.csv)
set(METE_BOARD_TEXTS "")
foreach(board_file IN LISTS board_files)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${board_file})
  get_filename_component(board_name ${board_file} NAME_WE)
  file(READ ${board_file} board_text)
  string(APPEND METE_BOARD_TEXTS "    {\"${board_name}\", R\"board(${board_text})board\"},\n")
endforeach()
configure_file(${PROJECT_SOURCE_DIR}/cmake/builtin_boards.cc.in
               ${CMAKE_BINARY_DIR}/generated/builtin_boards.cc @ONLY)
target_sources(mete_provider PRIVATE ${CMAKE_BINARY_DIR}/generated/builtin_boards.cc)
