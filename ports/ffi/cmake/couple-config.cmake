# find_package(couple) makes the target couple::couple: the headers couple.h and couple.hpp, and the library.
# The folder of this file tells where the rest is, so that the prefix can be moved.
get_filename_component(_couple_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET couple::couple)
  add_library(couple::couple SHARED IMPORTED)
  set_target_properties(couple::couple PROPERTIES
    IMPORTED_LOCATION "${_couple_prefix}/lib/libcouple_ffi.so"
    IMPORTED_NO_SONAME TRUE
    INTERFACE_INCLUDE_DIRECTORIES "${_couple_prefix}/include")
endif()
unset(_couple_prefix)
