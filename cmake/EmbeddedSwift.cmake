# tuile_swift_object(OUT MODULE SOURCES FLAGS): all of SOURCES as one object file of Embedded Swift, whose path
# is put into OUT. CMake's own language Swift would link with swiftc, which knows neither another architecture
# nor an archive; an object is linked by C's compiler, as any other.
find_program(TUILE_SWIFTC swiftc REQUIRED DOC "Swift's compiler, 6.2 or later")
set(TUILE_SWIFT_FLAGS "" CACHE STRING "more flags for Swift's compiler")
separate_arguments(more_swift_flags UNIX_COMMAND "${TUILE_SWIFT_FLAGS}")

# Debian's swiftc calls its triple "pc" and has the modules of "unknown"; the toolchains of swift.org have
# those of Linux for their own processor alone, and for others those of no system. What Swift takes from the
# system is what C's headers say, so that these do as well, once C's macros of Linux are there.
execute_process(COMMAND ${TUILE_SWIFTC} -print-target-info OUTPUT_VARIABLE target_info COMMAND_ERROR_IS_FATAL ANY)
string(JSON swift_resources GET "${target_info}" paths runtimeResourcePath)
set(swift_target "")
foreach(system unknown-linux-gnu unknown-linux-musl none-none-elf)
  if(NOT swift_target AND EXISTS ${swift_resources}/embedded/Swift.swiftmodule/${CMAKE_SYSTEM_PROCESSOR}-${system}.swiftmodule)
    set(swift_target ${CMAKE_SYSTEM_PROCESSOR}-${system})
  endif()
endforeach()
if(NOT swift_target)
  message(FATAL_ERROR "${TUILE_SWIFTC} has no Embedded modules for ${CMAKE_SYSTEM_PROCESSOR}")
endif()
set(embedded -target ${swift_target} -enable-experimental-feature Embedded -wmo -parse-as-library -O
  -enforce-exclusivity=unchecked -Xcc -fPIC)
if(swift_target MATCHES "none-elf" OR TUILE_HEADERS_OF_C)
  # Where C's compiler looks for headers, in its order; clang has its own of stddef.h and the like.
  separate_arguments(c_flags UNIX_COMMAND "${CMAKE_C_FLAGS}")
  execute_process(COMMAND ${CMAKE_C_COMPILER} ${c_flags} -E -v -x c /dev/null WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    OUTPUT_QUIET ERROR_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE ".*#include <...> search starts here:\n(.*)End of search list.*" "\\1" folders "${said}")
  string(REGEX MATCHALL "[^ \n]+" folders "${folders}")
  list(FILTER folders EXCLUDE REGEX "/gcc[^/]*/[^/]+/[0-9.]+/include|/ziglang/lib/include$")
  foreach(folder ${folders})
    # zig says of what is below the working folder where it is from there.
    get_filename_component(folder ${folder} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
    list(APPEND embedded -Xcc -idirafter${folder})
  endforeach()
  # zig says so which of glibc's versions its headers are for.
  if(said MATCHES "-D (__GLIBC_MINOR__=[0-9]+)")
    list(APPEND embedded -Xcc -D${CMAKE_MATCH_1})
  endif()
  list(APPEND embedded -Xcc -nostdlibinc -Xcc -D__linux__=1 -Xcc -D__gnu_linux__=1 -Xcc -D__unix__=1)
endif()
message(STATUS "Swift for ${swift_target}")

# What Swift sees of C: a change there compiles it anew.
file(GLOB seen_by_swift CONFIGURE_DEPENDS Sources/C*/*.h Sources/C*/include/* include/*.h include/*/*.h)
function(tuile_swift_object out module sources flags)
  set(object ${PROJECT_BINARY_DIR}/${module}.o)
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/ REGEX "^[^/]")
  add_custom_command(OUTPUT ${object}
    COMMAND ${TUILE_SWIFTC} ${embedded} ${flags} ${more_swift_flags} -module-name ${module} -c ${sources} -o ${object}
    DEPENDS ${sources} ${seen_by_swift}
    COMMENT "Compiling the Swift module ${module}" VERBATIM)
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set(${out} ${object} PARENT_SCOPE)
endfunction()
