#include "csystem.h"

#include <stdatomic.h>
#include <zlib.h>

/* Setting a deflate state up costs ten times as much as deflating a session with
 * it: some wait here for the next call. Taken and given back by one exchange, so
 * that no lock is there for fork() to break. */
enum { idle_count = 8 };
static _Atomic(z_stream *) idle[idle_count];

static void release(z_stream *stream) {
  deflateEnd(stream);
  free(stream);
}

static z_stream *take_stream(void) {
  for (int i = 0; i < idle_count; i++) {
    z_stream *stream = atomic_exchange(&idle[i], NULL);
    if (!stream) continue;
    if (deflateReset(stream) == Z_OK) return stream;
    release(stream);
  }
  z_stream *stream = calloc(1, sizeof *stream);
  if (stream && deflateInit(stream, Z_DEFAULT_COMPRESSION) != Z_OK) {
    free(stream);
    stream = NULL;
  }
  return stream;
}

static void give_back(z_stream *stream) {
  for (int i = 0; i < idle_count; i++) {
    z_stream *none = NULL;
    if (atomic_compare_exchange_strong(&idle[i], &none, stream)) return;
  }
  release(stream);
}

__attribute__((destructor)) static void release_idle(void) {
  for (int i = 0; i < idle_count; i++) {
    z_stream *stream = atomic_exchange(&idle[i], NULL);
    if (stream) release(stream);
  }
}

ptrdiff_t sys_compress(const void *data, size_t size, void *out, size_t capacity) {
  if (size > UINT32_MAX || capacity > UINT32_MAX) return SYS_Z_SPACE;
  z_stream *stream = take_stream();
  if (!stream) return SYS_Z_MEMORY;
  stream->next_in = (Bytef *)data;
  stream->avail_in = (uInt)size;
  stream->next_out = out;
  stream->avail_out = (uInt)capacity;
  int result = deflate(stream, Z_FINISH);
  ptrdiff_t written = (ptrdiff_t)stream->total_out;
  give_back(stream);
  return result == Z_STREAM_END ? written : SYS_Z_SPACE;
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
