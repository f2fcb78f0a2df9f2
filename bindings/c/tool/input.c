/* What comes in: words, standard input and secrets. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

tuile_bytes bytes_of(const char *text) { return (tuile_bytes){text, text ? strlen(text) : 0}; }

bool buffer_grow(struct buffer *buffer) {
  size_t wanted = buffer->size > buffer->capacity ? buffer->size : buffer->capacity * 2 + 256;
  if (wanted > ((size_t)80 << 20)) return false;
  char *grown = realloc(buffer->data, wanted);
  if (!grown) return false;
  buffer->data = grown;
  buffer->capacity = wanted;
  return true;
}

static struct buffer input;

static void read_all(int file) {
  input.size = 0;
  for (;;) {
    if (input.size == input.capacity && !buffer_grow(&input)) exit(fail(TUILE_E_MEMORY, NULL));
    ssize_t more = read(file, input.data + input.size, input.capacity - input.size);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) exit(answer(TUILE_E_FILE, "the input can't be read"));
    if (more == 0) break;
    input.size += (size_t)more;
    if (input.size > INPUT_MOST) exit(answer(TUILE_E_LIMIT, "the input has more than 16 MiB"));
  }
}

tuile_bytes input_file(const char *path) {
  int file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) exit(answer(TUILE_E_FILE, "the file can't be read"));
  read_all(file);
  if (file != STDIN_FILENO) close(file);
  return buffer_bytes(&input);
}

tuile_bytes input_word(const char *word) {
  if (strcmp(word, "-") != 0) return bytes_of(word);
  read_all(STDIN_FILENO);
  if (input.size > 0 && input.data[input.size - 1] == '\n') input.size--;
  if (input.size > 0 && input.data[input.size - 1] == '\r') input.size--;
  return buffer_bytes(&input);
}

/* Names the file, and what mends it where that can be told. */
static _Noreturn void file_error(tuile_status status, const char *path, const char *message) {
  struct stat about;
  char text[1024];
  bool open_to_others = stat(path, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & 077);
  const char *mend = open_to_others && status == TUILE_E_FILE ? ": chmod 600 it, or say --allow-shared" : "";
  if (*mend && about.st_mode & 022) mend = ": chmod go-w it";
  snprintf(text, sizeof text, "%s: %s%s", path, message, mend);
  exit(answer(status, text));
}

tuile_keyring *input_keyring(const struct arguments *arguments) {
  static const char *const formats[] = {"text", "hex", "base64", NULL};
  tuile_secret_format format = (tuile_secret_format)option_choice(arguments, OPT_KEY_FORMAT, formats);
  unsigned shared = 0;
  tuile_keyring *keyring;
  tuile_error error;
  tuile_status status = tuile_keyring_new(arguments->text[OPT_ALLOW_WEAK] != NULL, &keyring, &error);
  if (status != TUILE_OK) exit(fail(status, &error));
  tuile_bytes file = option_bytes(arguments, OPT_SECRET_FILE);
  if (arguments->text[OPT_ALLOW_SHARED]) shared = TUILE_SECRET_SHARED_FILE;
  if (file.data)
    status = tuile_keyring_add_file(keyring, file, (tuile_secret_format)(format | shared), &error);
  else
    status = tuile_keyring_add_environment(keyring, TUILE_STR("TUILE_SECRET"), format, &error);
  if (status == TUILE_OK) return keyring;
  tuile_keyring_free(keyring);
  if (status == TUILE_ABSENT) return NULL;
  if (file.data) file_error(status, file.data, error.message);
  char message[1024];
  snprintf(message, sizeof message, "TUILE_SECRET: %s", error.message);
  exit(answer(status, message));
}

static char block_secret[64];

static bool is_block_size(ssize_t size) { return size == 16 || size == 24 || size == 32; }

tuile_bytes input_block_secret(const struct arguments *arguments) {
  const char *path = arguments->text[OPT_BLOCK_SECRET_FILE];
  if (!path) return (tuile_bytes){NULL, 0};
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat about;
  mode_t others = arguments->text[OPT_ALLOW_SHARED] ? 022 : 077;
  if (file < 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || (about.st_mode & others))
    file_error(TUILE_E_FILE, path, "the block secret can't be read, or others than its owner may open the file");
  ssize_t size = read(file, block_secret, sizeof block_secret);
  close(file);
  if (size < 0) file_error(TUILE_E_FILE, path, "the block secret can't be read");
  /* The line end that an editor left, where the key does not end so itself. */
  if (!is_block_size(size) && size > 0 && block_secret[size - 1] == '\n') size--;
  if (!is_block_size(size) && size > 0 && block_secret[size - 1] == '\r') size--;
  if (!is_block_size(size))
    file_error(TUILE_E_ARGUMENT, path, "the block secret has not 16, 24 or 32 octets; it is not hex, and has no byte order mark (BOM)");
  return (tuile_bytes){block_secret, (size_t)size};
}

void input_wipe(void) { explicit_bzero(block_secret, sizeof block_secret); }

bool is_utf8(tuile_bytes text) {
  const unsigned char *at = text.data, *end = at + text.size;
  while (at < end) {
    unsigned char first = *at++;
    int more = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2
               : first >= 0xf0 && first < 0xf5 ? 3 : -1;
    if (more < 0 || end - at < more) return false;
    if (more > 0) {
      unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
      unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
      if (at[0] < least || at[0] > most) return false;
    }
    for (int i = 1; i < more; i++)
      if ((at[i] & 0xc0) != 0x80) return false;
    at += more;
  }
  return true;
}

int64_t now_microseconds(void) { return (int64_t)time(NULL) * 1000000; }
