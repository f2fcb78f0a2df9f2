#define _GNU_SOURCE
#include "csockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct cs_tls {
  SSL_CTX *context;
  BIO_METHOD *socket;
};

/* ---- a BIO that never raises SIGPIPE, as OpenSSL's own would ---- */

static int bio_send(BIO *bio, const char *data, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t sent;
  do sent = send((int)(intptr_t)BIO_get_data(bio), data, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno == EAGAIN) BIO_set_retry_write(bio);
  return (int)sent;
}

static int bio_receive(BIO *bio, char *data, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t got;
  do got = recv((int)(intptr_t)BIO_get_data(bio), data, (size_t)size, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
  return (int)got;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_method(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
  if (!method) return NULL;
  BIO_meth_set_write(method, bio_send);
  BIO_meth_set_read(method, bio_receive);
  BIO_meth_set_ctrl(method, bio_control);
  return method;
}

static BIO *make_bio(const cs_tls *tls, int socket) {
  BIO *bio = BIO_new(tls->socket);
  if (!bio) return NULL;
  BIO_set_data(bio, (void *)(intptr_t)socket);
  BIO_set_init(bio, 1);
  return bio;
}

/* ---- settings ---- */

static bool load_authorities(SSL_CTX *context, const char *ca) {
  struct stat found;
  if (!ca) return SSL_CTX_set_default_verify_paths(context) == 1;
  if (stat(ca, &found) != 0) return false;
  return S_ISDIR(found.st_mode) ? SSL_CTX_load_verify_dir(context, ca) == 1 : SSL_CTX_load_verify_file(context, ca) == 1;
}

static const char *configure(SSL_CTX *context, const char *ca, const char *certificate, const char *key, bool verify) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
  if (verify && !load_authorities(context, ca)) return "the certificates of 'ca' can't be read";
  if (certificate && SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
    return "the client's certificate can't be read";
  if (key && (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(context) != 1))
    return "the client's key can't be read or is not its certificate's";
  return NULL;
}

cs_tls *cs_tls_new(const char *ca, const char *certificate, const char *key, bool verify, char why[CS_WHY]) {
  cs_tls *tls = calloc(1, sizeof *tls);
  const char *problem = "memory ran out";
  /* The host may use OpenSSL in this thread: its errors stay, ours go. */
  ERR_set_mark();
  if (tls) tls->context = SSL_CTX_new(TLS_client_method());
  if (tls) tls->socket = make_method();
  if (tls && tls->context && tls->socket) problem = configure(tls->context, ca, certificate, key, verify);
  ERR_pop_to_mark();
  if (!problem) return tls;
  snprintf(why, CS_WHY, "%s", problem);
  cs_tls_free(tls);
  return NULL;
}

void cs_tls_free(cs_tls *tls) {
  if (!tls) return;
  SSL_CTX_free(tls->context);
  BIO_meth_free(tls->socket);
  free(tls);
}

/* ---- a connection ---- */

/* An address is compared with the certificate's addresses, a name with its names. */
static bool expect(SSL *ssl, const char *name) {
  unsigned char address[16];
  if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* What a failed call means: -1 with errno EAGAIN to try again after *events. */
static ptrdiff_t failed(SSL *ssl, int result, short *events) {
  int error = SSL_get_error(ssl, result);
  ERR_pop_to_mark();
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
  *events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
  return -1;
}

static cs_result shake_hands(SSL *ssl, int socket, int64_t deadline, char why[CS_WHY]) {
  for (;;) {
    short events = 0;
    ERR_set_mark();
    int done = SSL_connect(ssl);
    if (done == 1) return ERR_pop_to_mark(), CS_OK;
    if (failed(ssl, done, &events) == 0 || errno != EAGAIN) break;
    cs_result result = cs_wait(socket, events, deadline);
    if (result != CS_OK) return result;
  }
  long verdict = SSL_get_verify_result(ssl);
  snprintf(why, CS_WHY, "TLS: %s", verdict == X509_V_OK ? "the handshake failed" : X509_verify_cert_error_string(verdict));
  return CS_CLOSED;
}

cs_result cs_tls_connect(cs_tls *tls, int socket, const char *name, int64_t deadline, SSL **out, char why[CS_WHY]) {
  SSL *ssl = SSL_new(tls->context);
  BIO *bio = ssl ? make_bio(tls, socket) : NULL;
  if (!bio || !expect(ssl, name)) {
    BIO_free(bio);
    SSL_free(ssl);
    return CS_MEMORY;
  }
  SSL_set_bio(ssl, bio, bio);
  cs_result result = shake_hands(ssl, socket, deadline, why);
  if (result == CS_OK) *out = ssl;
  else SSL_free(ssl);
  return result;
}

ptrdiff_t cs_tls_send(SSL *ssl, const void *data, size_t size, short *events) {
  ERR_set_mark();
  int sent = SSL_write(ssl, data, size > 1 << 20 ? 1 << 20 : (int)size);
  if (sent > 0) return ERR_pop_to_mark(), sent;
  ptrdiff_t result = failed(ssl, sent, events);
  if (result == 0) errno = ECONNRESET;
  return -1;
}

ptrdiff_t cs_tls_receive(SSL *ssl, void *data, size_t size, short *events) {
  ERR_set_mark();
  int got = SSL_read(ssl, data, size > 1 << 20 ? 1 << 20 : (int)size);
  if (got > 0) return ERR_pop_to_mark(), got;
  return failed(ssl, got, events);
}

bool cs_tls_has_unread(SSL *ssl) { return SSL_has_pending(ssl) == 1; }

void cs_tls_close(SSL *ssl) {
  ERR_set_mark();
  SSL_shutdown(ssl);
  ERR_pop_to_mark();
  SSL_free(ssl);
}
