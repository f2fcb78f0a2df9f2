#include "case.h"

static bool is_all(const uint8_t *data, size_t size, uint8_t byte) {
  for (size_t i = 0; i < size; i++)
    if (data[i] != byte) return false;
  return true;
}

/* Each case has a key of its own for each call, and then one that is kept from call to call. */
static bool keeps;
static sys_kept_key kept;

void keep_keys(bool on) {
  keeps = on;
  sys_kept_keys_wipe(&kept, 1);
}

static sys_cipher_key keyed(const test_case *test, sys_cipher cipher) {
  if (!keeps) return (sys_cipher_key){cipher, test->key.data, test->iv.data, NULL};
  if (kept.cipher != cipher || memcmp(kept.key, test->key.data, test->key.size) != 0) {
    sys_kept_keys_wipe(&kept, 1);
    kept.cipher = cipher;
    memcpy(kept.key, test->key.data, test->key.size);
  }
  return (sys_cipher_key){cipher, NULL, test->iv.data, &kept};
}

/* ---- sealing and opening ---- */

static int open_with(test_case *test, sys_cipher cipher, size_t size, const uint8_t *tag, uint8_t *out) {
  return sys_aead_open(keyed(test, cipher), lent(test->ad), (sys_bytes){test->ct.data, size}, out, tag);
}

/* Refused, with nothing of the text left in the output. */
static void refuse(test_case *test, sys_cipher cipher, size_t size, const uint8_t *tag, const char *what) {
  uint8_t *out = room(size);
  check(test, open_with(test, cipher, size, tag, out) == 0, what);
  check(test, is_all(out, size, 0), "a refused text is left in the output");
  leave(test, out, size);
}

static void refuse_each_flip(test_case *test, sys_cipher cipher, bytes field, const char *what) {
  for (size_t i = 0; i < field.size; i++) {
    uint8_t bit = (uint8_t)(1 << i % 8);
    field.data[i] ^= bit;
    refuse(test, cipher, test->ct.size, test->tag.data, what);
    field.data[i] ^= bit;
  }
}

static void refuse_each_cut(test_case *test, sys_cipher cipher) {
  /* As a reader cuts a token that came short: the last 16 bytes are the tag. */
  size_t size = test->ct.size;
  uint8_t *whole = malloc(size + 16), *text = test->ct.data;
  if (size > 0) memcpy(whole, text, size);
  memcpy(whole + size, test->tag.data, 16);
  test->ct.data = whole;
  for (size_t shorter = 0; shorter < size; shorter++) {
    refuse(test, cipher, shorter, whole + shorter, "opened cut short");
    refuse(test, cipher, shorter, test->tag.data, "opened cut short with its old tag");
  }
  test->ct.data = text;
  free(whole);
}

void test_aead(test_case *test, sys_cipher cipher) {
  if (!test->valid) {
    refuse(test, cipher, test->ct.size, test->tag.data, "opened");
    return;
  }
  size_t size = test->msg.size;
  check(test, test->ct.size == size && test->tag.size == 16, "the case's sizes");
  if (test->wrong) return;
  uint8_t *out = room(size), *tag = room(16);
  check(test,
        sys_aead_seal(keyed(test, cipher), lent(test->ad), lent(test->msg), out, tag),
        "sealing failed");
  check(test, size == 0 || memcmp(out, test->ct.data, size) == 0, "sealed text");
  check(test, memcmp(tag, test->tag.data, 16) == 0, "tag");
  leave(test, tag, 16);
  /* In place, from what was just sealed. */
  check(test,
        sys_aead_open(keyed(test, cipher), lent(test->ad), (sys_bytes){out, size}, out, test->tag.data) == 1,
        "opening in place failed");
  check(test, size == 0 || memcmp(out, test->msg.data, size) == 0, "text opened in place");
  leave(test, out, size);
  out = room(size);
  check(test, open_with(test, cipher, size, test->tag.data, out) == 1, "opening failed");
  check(test, size == 0 || memcmp(out, test->msg.data, size) == 0, "opened text");
  leave(test, out, size);

  for (size_t bit = 0; bit < 128; bit++) {
    test->tag.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    refuse(test, cipher, size, test->tag.data, "opened with a wrong tag");
    test->tag.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  refuse_each_flip(test, cipher, test->key, "opened with a wrong key");
  refuse_each_flip(test, cipher, test->iv, "opened with a wrong IV");
  refuse_each_flip(test, cipher, test->ad, "opened with wrong associated data");
  refuse_each_flip(test, cipher, test->ct, "opened a changed text");
  refuse_each_cut(test, cipher);
}

/* ---- CTR ---- */

static void run_to(test_case *test, sys_cipher cipher, bool encrypt, bytes in, const uint8_t *expected, size_t size,
                   const char *what) {
  uint8_t *out = room(in.size + 16);
  ptrdiff_t written = sys_cipher_run(keyed(test, cipher), encrypt, lent(in), out);
  check(test, written == (ptrdiff_t)size && (size == 0 || memcmp(out, expected, size) == 0), what);
  leave(test, out, in.size + 16);
}

void test_ctr(test_case *test, sys_cipher cipher) {
  check(test, test->ct.size == test->msg.size, "the case's sizes");
  if (test->wrong) return;
  /* A stream: each beginning of the text gives the beginning of the result. */
  for (size_t size = 0; size <= test->msg.size; size++) {
    run_to(test, cipher, true, (bytes){test->msg.data, size}, test->ct.data, size, "encrypted text");
    run_to(test, cipher, false, (bytes){test->ct.data, size}, test->msg.data, size, "decrypted text");
  }
}

/* ---- CBC ---- */

static ptrdiff_t decrypted_size(test_case *test, size_t size) {
  uint8_t *out = room(size + 16);
  ptrdiff_t written =
      sys_cipher_run(keyed(test, SYS_AES_256_CBC), false, (sys_bytes){test->ct.data, size}, out);
  leave(test, out, size + 16);
  return written;
}

/* What RFC 5652, section 6.3, says of a last block: the size of its padding, or 0. */
static size_t padding_of(const uint8_t block[16]) {
  size_t size = block[15];
  return size >= 1 && size <= 16 && is_all(block + 16 - size, size, (uint8_t)size) ? size : 0;
}

/* Makes the last block decrypt to `wanted`, by changing the block before it. */
static void check_padding(test_case *test, uint8_t *before, const uint8_t last[16], const uint8_t wanted[16]) {
  size_t size = test->ct.size, padding = padding_of(wanted);
  ptrdiff_t expected = padding ? (ptrdiff_t)(size - padding) : -1;
  uint8_t kept[16];
  memcpy(kept, before, 16);
  for (int i = 0; i < 16; i++) before[i] ^= last[i] ^ wanted[i];
  check(test, decrypted_size(test, size) == expected, padding ? "good padding is refused" : "bad padding is taken");
  memcpy(before, kept, 16);
}

static void check_paddings(test_case *test, const uint8_t last[16]) {
  size_t size = test->ct.size;
  uint8_t *before = size == 16 ? test->iv.data : test->ct.data + size - 32;
  uint8_t wanted[16];
  for (int byte = 0; byte < 256; byte++) {
    memset(wanted, byte, 16);
    check_padding(test, before, last, wanted);
    memset(wanted, 0xEE, 16);
    wanted[15] = (uint8_t)byte;
    check_padding(test, before, last, wanted);
  }
  for (int padding = 1; padding <= 16; padding++)
    for (int bit = 0; bit < 128; bit++) {
      memset(wanted, 0xEE, 16);
      memset(wanted + 16 - padding, padding, (size_t)padding);
      check_padding(test, before, last, wanted);
      wanted[bit / 8] ^= (uint8_t)(1 << bit % 8);
      check_padding(test, before, last, wanted);
    }
}

void test_cbc(test_case *test) {
  if (!test->valid) {
    check(test, decrypted_size(test, test->ct.size) == -1, "decrypted");
    return;
  }
  size_t size = test->msg.size;
  run_to(test, SYS_AES_256_CBC, true, test->msg, test->ct.data, test->ct.size, "encrypted text");
  run_to(test, SYS_AES_256_CBC, false, test->ct, test->msg.data, size, "decrypted text");
  for (size_t cut = 0; cut < test->ct.size; cut++)
    if (cut % 16 || cut == 0) check(test, decrypted_size(test, cut) == -1, "decrypted part of a block");
  if (test->wrong) return;
  uint8_t last[16];
  size_t rest = size % 16;
  memset(last, (int)(16 - rest), 16);
  if (rest > 0) memcpy(last, test->msg.data + size - rest, rest);
  check_paddings(test, last);
}

void test_cbc_blocks(test_case *test) {
  size_t size = test->msg.size;
  check(test, size > 0 && size % 16 == 0 && test->ct.size == size, "the case's sizes");
  if (test->wrong) return;
  uint8_t *out = room(size + 16);
  ptrdiff_t written =
      sys_cipher_run(keyed(test, SYS_AES_256_CBC), true, (sys_bytes){test->msg.data, size}, out);
  check(test, written == (ptrdiff_t)size + 16 && memcmp(out, test->ct.data, size) == 0, "encrypted text");
  run_to(test, SYS_AES_256_CBC, false, (bytes){out, size + 16}, test->msg.data, size, "decrypted text");
  leave(test, out, size + 16);
  /* Without the block of padding, the text's own last block is taken for it. */
  size_t padding = padding_of(test->msg.data + size - 16);
  check(test, decrypted_size(test, size) == (padding ? (ptrdiff_t)(size - padding) : -1), "the last block as padding");
}
