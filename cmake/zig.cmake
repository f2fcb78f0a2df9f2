# The library for an older glibc, another processor or musl, compiled by zig: what scripts/wheel TARGET does.
# In the environment: TUILE_TARGET, as zig calls it, and TUILE_LIBRARIES, the folder that scripts/wheel-libraries made.
set(CMAKE_SYSTEM_NAME Linux)
string(REGEX REPLACE "-.*" "" CMAKE_SYSTEM_PROCESSOR $ENV{TUILE_TARGET})
set(libraries $ENV{TUILE_LIBRARIES})
set(CMAKE_C_COMPILER ${libraries}/bin/zig-cc)
set(CMAKE_CXX_COMPILER ${libraries}/bin/zig-c++)
set(CMAKE_AR ${libraries}/bin/zig-ar)
set(CMAKE_RANLIB ${libraries}/bin/zig-ranlib)
set(CMAKE_C_FLAGS_INIT "-isystem ${libraries}/include")
set(CMAKE_FIND_ROOT_PATH ${libraries})
set(TUILE_LINKER lld)
# With the headers that zig has for that libc, not this system's.
set(TUILE_HEADERS_OF_C ON)
set(ENV{PKG_CONFIG_LIBDIR} ${libraries}/lib/pkgconfig)
set(mark "")
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(mark ${libraries}/shadow-stack.o)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -c ${CMAKE_CURRENT_LIST_DIR}/shadow-stack.S -o ${mark} COMMAND_ERROR_IS_FATAL ANY)
endif()
# Stripped by the linker: this system's strip may not know the processor.
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-s ${mark}")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-s ${mark}")
