# tuile_test_program(NAME SOURCES...): a program against the shipped library.
get_filename_component(swift_libraries ${TUILE_SWIFTC} REALPATH)
get_filename_component(swift_libraries ${swift_libraries}/../../lib/swift/linux ABSOLUTE)
function(tuile_test_program name)
  add_executable(${name} ${ARGN})
  target_compile_options(${name} PRIVATE ${warnings} -g)
  target_link_libraries(${name} PRIVATE tuile pthread dl)
  # A program that names no function of the library loads it by itself.
  target_link_options(${name} PRIVATE LINKER:--as-needed)
  if(TUILE_SANITIZE)
    target_compile_options(${name} PRIVATE ${sanitize_c})
    target_link_options(${name} PRIVATE ${sanitize_c})
    # The toolchain's runtime for threads refers to libdispatch.
    if(TUILE_SANITIZE STREQUAL thread)
      target_link_libraries(${name} PRIVATE -L${swift_libraries} -Wl,-rpath,${swift_libraries} dispatch BlocksRuntime)
    endif()
  endif()
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
endfunction()
