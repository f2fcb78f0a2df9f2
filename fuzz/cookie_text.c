/* A cookie's value in each encoding (the first octet says which): what can be
 * encoded comes back to the byte, fits a Set-Cookie, and what can't is what the
 * documentation says. Any value decodes as documented, into a bounded size. */
#include "fuzz.h"

static int hex(int c) { return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

static int is_octet(int c) { return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\'; }

static int is_value(const uint8_t *text, size_t size) {
  if (size > 1 && text[0] == '"' && text[size - 1] == '"') text++, size -= 2;
  for (size_t i = 0; i < size; i++)
    if (!is_octet(text[i])) return 0;
  return 1;
}

static int is_latin(const uint8_t *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (text[i] >= 0x80 && ((text[i] | 1) != 0xc3 || ++i == size || text[i] >> 6 != 2)) return 0;
  return 1;
}

static int is_percent(const uint8_t *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (text[i] == '%' && (i + 2 >= size || !hex(text[i + 1]) || !hex(text[i + 2]))) return 0;
  return 1;
}

typedef tuile_status convert(tuile_bytes, tuile_encoding, char *, size_t, size_t *, tuile_error *);

/* The answer, in a buffer as large as needed; NULL unless it is TUILE_OK. */
static char *run(convert *with, tuile_bytes text, tuile_encoding encoding, size_t *size, tuile_error *error) {
  error->offset = 0;
  tuile_status status = with(text, encoding, NULL, 0, size, error);
  if (status != TUILE_OK && status != TUILE_E_SPACE) {
    REQUIRE(status == TUILE_E_SYNTAX);
    REQUIRE(error->status == status);
    REQUIRE(error->offset <= text.size);
    return NULL;
  }
  REQUIRE((status == TUILE_OK) == (*size == 0));
  char *buffer = malloc(*size + 1);
  size_t needed = 0;
  memset(buffer, 0x5a, *size + 1);
  if (*size) {
    REQUIRE(with(text, encoding, buffer, *size - 1, &needed, error) == TUILE_E_SPACE);
    REQUIRE(needed == *size);
  }
  for (size_t i = 0; i < *size; i++) REQUIRE(buffer[i] == 0x5a);
  REQUIRE(with(text, encoding, buffer, *size, &needed, error) == TUILE_OK);
  REQUIRE(needed == *size);
  REQUIRE(buffer[*size] == 0x5a);
  return buffer;
}

static void check_value(const char *value, size_t size, tuile_encoding encoding) {
  static char text[5 * 4096];
  size_t written = 0;
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  cookie.name = TUILE_STR("a");
  cookie.value = (tuile_bytes){value, size};
  cookie.skip_rules = TUILE_RULE_SIZE;
  /* Python's and Werkzeug's quotes may have spaces between them. */
  int quoted = encoding == TUILE_ENCODING_QUOTED || encoding == TUILE_ENCODING_QUOTED_UTF8;
  if (quoted) cookie.skip_rules |= TUILE_RULE_VALUE;
  REQUIRE(quoted || is_value((const uint8_t *)value, size));
  REQUIRE(tuile_set_cookie_write(&cookie, text, sizeof text, &written, NULL) == TUILE_OK);
  REQUIRE(written == size + 10);
  REQUIRE(!memcmp(text + 2, value, size));
  for (size_t i = 0; i < size; i++) {
    REQUIRE(value[i] >= 0x20);
    REQUIRE(value[i] < 0x7f);
    REQUIRE(value[i] != ';');
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 4096) return 0;
  tuile_encoding encoding = (tuile_encoding)(data[0] % 5);
  tuile_bytes text = {++data, --size};
  tuile_error error;
  size_t encoded_size = 0, decoded_size = 0;
  char *encoded = run(tuile_cookie_encode, text, encoding, &encoded_size, &error), *decoded;
  if (encoding == TUILE_ENCODING_RAW) REQUIRE(!encoded == !is_value(data, size));
  else if (encoding == TUILE_ENCODING_QUOTED) REQUIRE(!encoded == !is_latin(data, size));
  else REQUIRE(encoded);
  if (encoded) {
    check_value(encoded, encoded_size, encoding);
    decoded = run(tuile_cookie_decode, (tuile_bytes){encoded, encoded_size}, encoding, &decoded_size, &error);
    REQUIRE(decoded);
    REQUIRE(decoded_size == size);
    REQUIRE(!memcmp(decoded, data, size));
    free(decoded);
  }
  free(encoded);

  decoded = run(tuile_cookie_decode, text, encoding, &decoded_size, &error);
  if (encoding == TUILE_ENCODING_PERCENT) REQUIRE(!decoded == !is_percent(data, size));
  else if (encoding != TUILE_ENCODING_BASE64URL) REQUIRE(decoded);
  if (!decoded) REQUIRE(encoding == TUILE_ENCODING_PERCENT ? data[error.offset] == '%' : 1);
  if (decoded) REQUIRE(decoded_size <= 2 * size);
  if (encoding == TUILE_ENCODING_BASE64URL) {
    /* There is one canonical form: it is what encoding gives. */
    if (decoded) {
      encoded = run(tuile_cookie_encode, (tuile_bytes){decoded, decoded_size}, encoding, &encoded_size, &error);
      REQUIRE(encoded);
      REQUIRE(encoded_size == size);
      REQUIRE(!memcmp(encoded, data, size));
      free(encoded);
    } else {
      static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      size_t good = 0;
      while (good < size && data[good] && strchr(letters, data[good])) good++;
      /* Else a group has one letter, or the last letter has spare bits. */
      int last = size ? data[size - 1] : 'A';
      const char *spare = size % 4 == 2 ? "AQgw" : "AEIMQUYcgkosw048";
      REQUIRE(good < size || size % 4 == 1 || (size % 4 && !strchr(spare, last)));
    }
  }
  free(decoded);
  return 0;
}
