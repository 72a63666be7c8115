# The page of `mete view`, built from web/ and kept in the tree (web/dist/index.html), so that a machine without Node builds
# mete. Here it becomes a string of the plot room. Written in pieces: a compiler need not take a literal of any length.
set(explorer_page ${PROJECT_SOURCE_DIR}/web/dist/index.html)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${explorer_page})
file(READ ${explorer_page} explorer_hex HEX)
string(REGEX REPLACE "(................................................)" "\\1\n" explorer_hex "${explorer_hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," explorer_hex "${explorer_hex}")
set(explorer_source ${CMAKE_BINARY_DIR}/generated/explorer_template.cc)
file(CONFIGURE OUTPUT ${explorer_source} @ONLY CONTENT [[
#include "mete/plot/explorer.h"
namespace mete {
namespace {
constexpr unsigned char kPage[] = {
@explorer_hex@};
}
std::string_view explorer_template() { return {reinterpret_cast<const char*>(kPage), sizeof kPage}; }
}  // namespace mete
]])
target_sources(mete_plot PRIVATE ${explorer_source})
