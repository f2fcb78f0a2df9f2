/* Compressors that other frameworks use: zlib and gzip by zlib, the others by the
 * system's libraries, which are loaded when a store's URL names them. */
#include "csystem.h"

#include <stdatomic.h>
#include <zlib.h>

/* What is used of their ABIs, which all three keep stable. */
typedef struct lzma {
  size_t (*bound)(size_t size);
  int (*encode)(uint32_t preset, int check, const void *allocator, const uint8_t *in, size_t in_size, uint8_t *out,
                size_t *out_position, size_t out_size);
  int (*decode)(uint64_t *memory_limit, uint32_t flags, const void *allocator, const uint8_t *in, size_t *in_position,
                size_t in_size, uint8_t *out, size_t *out_position, size_t out_size);
} lzma;

typedef struct lz4 {
  size_t (*bound)(size_t size, const void *preferences);
  size_t (*encode)(void *out, size_t capacity, const void *in, size_t size, const void *preferences);
  size_t (*make)(void **context, unsigned int version);
  size_t (*decode)(void *context, void *out, size_t *out_size, const void *in, size_t *in_size, const void *options);
  size_t (*release)(void *context);
  unsigned int (*is_error)(size_t code);
} lz4;

typedef struct zstd {
  size_t (*bound)(size_t size);
  size_t (*encode)(void *out, size_t capacity, const void *in, size_t size, int level);
  size_t (*decode)(void *out, size_t capacity, const void *in, size_t size);
  unsigned int (*is_error)(size_t code);
  int (*error)(size_t code);
} zstd;

static lzma lzma_functions;
static lz4 lz4_functions;
static zstd zstd_functions;
static atomic_bool ready[SYS_ZSTD + 1];

/* Held while the functions above are filled in. */
static sys_mutex guard;
static pthread_once_t making = PTHREAD_ONCE_INIT;
static void make_guard(void) { sys_mutex_init(&guard); }

static bool find(const char *library, const char *name, void *function) {
  void *found = sys_library_symbol(library, name);
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

bool sys_codec_load(sys_codec codec) {
  if (codec == SYS_ZLIB || codec == SYS_GZIP || atomic_load(&ready[codec])) return true;
  lzma x = {0};
  lz4 l = {0};
  zstd z = {0};
  bool found = false;
  switch (codec) {
    case SYS_LZMA:
      found = find("liblzma.so.5", "lzma_stream_buffer_bound", &x.bound) &&
              find("liblzma.so.5", "lzma_easy_buffer_encode", &x.encode) &&
              find("liblzma.so.5", "lzma_stream_buffer_decode", &x.decode);
      break;
    case SYS_LZ4:
      found = find("liblz4.so.1", "LZ4F_compressFrameBound", &l.bound) &&
              find("liblz4.so.1", "LZ4F_compressFrame", &l.encode) &&
              find("liblz4.so.1", "LZ4F_createDecompressionContext", &l.make) &&
              find("liblz4.so.1", "LZ4F_decompress", &l.decode) &&
              find("liblz4.so.1", "LZ4F_freeDecompressionContext", &l.release) &&
              find("liblz4.so.1", "LZ4F_isError", &l.is_error);
      break;
    default:
      found = find("libzstd.so.1", "ZSTD_compressBound", &z.bound) && find("libzstd.so.1", "ZSTD_compress", &z.encode) &&
              find("libzstd.so.1", "ZSTD_decompress", &z.decode) && find("libzstd.so.1", "ZSTD_isError", &z.is_error) &&
              find("libzstd.so.1", "ZSTD_getErrorCode", &z.error);
  }
  if (!found) return false;
  pthread_once(&making, make_guard);
  sys_mutex_lock(&guard);
  if (!atomic_load(&ready[codec])) {
    if (codec == SYS_LZMA) lzma_functions = x;
    if (codec == SYS_LZ4) lz4_functions = l;
    if (codec == SYS_ZSTD) zstd_functions = z;
    atomic_store(&ready[codec], true);
  }
  sys_mutex_unlock(&guard);
  return true;
}

size_t sys_codec_bound(sys_codec codec, size_t size) {
  switch (codec) {
    case SYS_LZMA: return lzma_functions.bound(size);
    case SYS_LZ4: return lz4_functions.bound(size, NULL);
    case SYS_ZSTD: return zstd_functions.bound(size);
    default: return compressBound((uLong)size) + 32;
  }
}

static ptrdiff_t deflate_all(int window, const void *data, size_t size, void *out, size_t capacity) {
  z_stream stream = {0};
  if (size > UINT32_MAX || capacity > UINT32_MAX) return SYS_Z_SPACE;
  if (deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) return SYS_Z_MEMORY;
  stream.next_in = (Bytef *)data;
  stream.avail_in = (uInt)size;
  stream.next_out = out;
  stream.avail_out = (uInt)capacity;
  int result = deflate(&stream, Z_FINISH);
  ptrdiff_t written = (ptrdiff_t)stream.total_out;
  deflateEnd(&stream);
  return result == Z_STREAM_END ? written : SYS_Z_SPACE;
}

ptrdiff_t sys_codec_encode(sys_codec codec, const void *data, size_t size, void *out, size_t capacity) {
  switch (codec) {
    case SYS_ZLIB: return deflate_all(15, data, size, out, capacity);
    case SYS_GZIP: return deflate_all(15 + 16, data, size, out, capacity);
    case SYS_LZMA: {
      size_t written = 0;
      /* Python's lzma.compress: CRC64. */
      int result = lzma_functions.encode(4, 4, NULL, data, size, out, &written, capacity);
      return result == 0 ? (ptrdiff_t)written : result == 5 ? SYS_Z_MEMORY : SYS_Z_SPACE;
    }
    case SYS_LZ4: {
      size_t written = lz4_functions.encode(out, capacity, data, size, NULL);
      return lz4_functions.is_error(written) ? SYS_Z_SPACE : (ptrdiff_t)written;
    }
    default: {
      size_t written = zstd_functions.encode(out, capacity, data, size, 3);
      return zstd_functions.is_error(written) ? SYS_Z_SPACE : (ptrdiff_t)written;
    }
  }
}

/* One gzip member or zlib stream, which is all there is. */
static ptrdiff_t inflate_all(int window, const void *data, size_t size, void *out, size_t capacity) {
  z_stream stream = {0};
  if (size > UINT32_MAX || capacity > UINT32_MAX) return SYS_Z_SPACE;
  if (inflateInit2(&stream, window) != Z_OK) return SYS_Z_MEMORY;
  stream.next_in = (Bytef *)data;
  stream.avail_in = (uInt)size;
  stream.next_out = out;
  stream.avail_out = (uInt)capacity;
  int result = inflate(&stream, Z_FINISH);
  ptrdiff_t written = (ptrdiff_t)((uint8_t *)stream.next_out - (uint8_t *)out);
  bool full = stream.avail_out == 0, whole = stream.avail_in == 0;
  inflateEnd(&stream);
  if (result == Z_STREAM_END) return whole ? written : SYS_Z_DATA;
  if (result == Z_MEM_ERROR) return SYS_Z_MEMORY;
  return result == Z_BUF_ERROR && full ? SYS_Z_SPACE : SYS_Z_DATA;
}

static ptrdiff_t unpack_lzma(const void *data, size_t size, void *out, size_t capacity) {
  /* It says of all that ends too early, and so of what is none, that the output is full. */
  if (size < 12 || memcmp(data, "\xfd" "7zXZ", 6) != 0) return SYS_Z_DATA;
  /* What a dictionary of preset 9 needs, and no more. */
  uint64_t memory = 80u << 20;
  size_t read = 0, written = 0;
  int result = lzma_functions.decode(&memory, 0, NULL, data, &read, size, out, &written, capacity);
  if (result == 0) return read == size ? (ptrdiff_t)written : SYS_Z_DATA;
  if (result == 5) return SYS_Z_MEMORY;
  return result == 10 ? SYS_Z_SPACE : SYS_Z_DATA;
}

static ptrdiff_t unpack_lz4(const void *data, size_t size, void *out, size_t capacity) {
  void *context = NULL;
  if (lz4_functions.is_error(lz4_functions.make(&context, 100))) return SYS_Z_MEMORY;
  size_t read = 0, written = 0, hint = 1;
  while (hint != 0) {
    size_t in = size - read, room = capacity - written;
    hint = lz4_functions.decode(context, (uint8_t *)out + written, &room, (const uint8_t *)data + read, &in, NULL);
    if (lz4_functions.is_error(hint)) break;
    read += in;
    written += room;
    if (in == 0 && room == 0) break;
  }
  lz4_functions.release(context);
  if (lz4_functions.is_error(hint)) return SYS_Z_DATA;
  if (hint == 0) return read == size ? (ptrdiff_t)written : SYS_Z_DATA;
  return written == capacity ? SYS_Z_SPACE : SYS_Z_DATA;
}

static ptrdiff_t unpack_zstd(const void *data, size_t size, void *out, size_t capacity) {
  size_t written = zstd_functions.decode(out, capacity, data, size);
  if (!zstd_functions.is_error(written)) return (ptrdiff_t)written;
  int code = zstd_functions.error(written);
  return code == 70 ? SYS_Z_SPACE : code == 64 ? SYS_Z_MEMORY : SYS_Z_DATA;
}

ptrdiff_t sys_codec_decode(sys_codec codec, const void *data, size_t size, void *out, size_t capacity) {
  switch (codec) {
    case SYS_ZLIB: return inflate_all(15, data, size, out, capacity);
    case SYS_GZIP: return inflate_all(15 + 16, data, size, out, capacity);
    case SYS_LZMA: return unpack_lzma(data, size, out, capacity);
    case SYS_LZ4: return unpack_lz4(data, size, out, capacity);
    default: return unpack_zstd(data, size, out, capacity);
  }
}
