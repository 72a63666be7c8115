# mete_hdf5: HDF5's C library, from its static archive where that links without more than zlib and szip. Debian's
# shared library brings 35 others along (curl, Kerberos, LDAP, TLS: for files on web servers, which we never open) and
# every verb's start pays for them: 10 ms of 14, measured. The archive's objects that need curl are not among ours.
include(CheckCSourceCompiles)

set(hdf5_shared "")
foreach(library IN LISTS HDF5_C_LIBRARIES)
  if(library MATCHES "/libhdf5(_serial)?\\.(so|a)$")
    set(hdf5_shared ${library})
  endif()
endforeach()
get_filename_component(hdf5_folder "${hdf5_shared}" DIRECTORY)
set(METE_HDF5_STATIC OFF)
if(hdf5_folder)
  find_library(METE_HDF5_ARCHIVE NAMES libhdf5.a libhdf5_serial.a HINTS ${hdf5_folder} NO_DEFAULT_PATH)
  find_library(METE_SZIP_LIBRARY NAMES libsz.a sz)
  find_library(METE_AEC_LIBRARY NAMES libaec.a aec)
  if(METE_HDF5_ARCHIVE)
    set(hdf5_needs "")
    foreach(library METE_SZIP_LIBRARY METE_AEC_LIBRARY)
      if(${library})
        list(APPEND hdf5_needs ${${library}})
      endif()
    endforeach()
    list(APPEND hdf5_needs ZLIB::ZLIB ${CMAKE_DL_LIBS} m)
    set(CMAKE_REQUIRED_INCLUDES ${HDF5_INCLUDE_DIRS})
    set(CMAKE_REQUIRED_LIBRARIES ${METE_HDF5_ARCHIVE} ${hdf5_needs})
    check_c_source_compiles("#include <hdf5.h>
      int main(void) { return H5open() < 0 || H5Fcreate(\"x\", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT) < 0; }"
      METE_HDF5_STATIC_LINKS)
    unset(CMAKE_REQUIRED_INCLUDES)
    unset(CMAKE_REQUIRED_LIBRARIES)
    set(METE_HDF5_STATIC ${METE_HDF5_STATIC_LINKS})
  endif()
endif()

add_library(mete_hdf5 INTERFACE)
if(METE_HDF5_STATIC)
  target_include_directories(mete_hdf5 INTERFACE ${HDF5_INCLUDE_DIRS})
  # The archive is not position-independent: what is loaded into another program (import mete) takes the shared library.
  target_link_libraries(mete_hdf5 INTERFACE
    "$<IF:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>,${METE_HDF5_ARCHIVE},${hdf5_shared}>" ${hdf5_needs})
  # A Python module in an agent may bring an HDF5 of its own; it must not find ours.
  target_link_options(mete_hdf5 INTERFACE -Wl,--exclude-libs,libhdf5.a:libhdf5_serial.a:libsz.a:libaec.a)
else()
  target_link_libraries(mete_hdf5 INTERFACE hdf5::hdf5)
endif()
