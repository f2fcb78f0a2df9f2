#include "csystem.h"

#include <zlib.h>

ptrdiff_t sys_compress(const void *data, size_t size, void *out, size_t capacity) {
  if (size > UINT32_MAX || capacity > UINT32_MAX) return SYS_Z_SPACE;
  uLongf written = (uLongf)capacity;
  switch (compress2(out, &written, data, (uLong)size, Z_DEFAULT_COMPRESSION)) {
    case Z_OK: return (ptrdiff_t)written;
    case Z_BUF_ERROR: return SYS_Z_SPACE;
    default: return SYS_Z_MEMORY;
  }
}

ptrdiff_t sys_decompress(const void *data, size_t size, void *out, size_t capacity) {
  if (size > UINT32_MAX || capacity > UINT32_MAX) return SYS_Z_SPACE;
  z_stream stream = {0};
  stream.next_in = (Bytef *)data;
  stream.avail_in = (uInt)size;
  stream.next_out = out;
  stream.avail_out = (uInt)capacity;
  if (inflateInit(&stream) != Z_OK) return SYS_Z_MEMORY;
  int result = inflate(&stream, Z_FINISH);
  ptrdiff_t written = (ptrdiff_t)stream.total_out;
  bool full = stream.avail_out == 0;
  bool whole = stream.avail_in == 0;
  inflateEnd(&stream);
  if (result == Z_STREAM_END) return whole ? written : SYS_Z_DATA;
  if (result == Z_MEM_ERROR) return SYS_Z_MEMORY;
  return result == Z_BUF_ERROR && full ? SYS_Z_SPACE : SYS_Z_DATA;
}
