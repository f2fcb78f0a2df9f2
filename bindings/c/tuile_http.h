/* tuile_http.h - a request's session, and a response's headers, in the types of common
 * C servers. Include it after the server's header: what that declares decides what is here.
 *
 *   <microhttpd.h>   tuile_mhd_start, tuile_mhd_add_header
 *   <fcgiapp.h>      tuile_fcgi_start, tuile_fcgi_add_header
 *   <event2/http.h>  tuile_evhttp_start, tuile_evhttp_add_header
 *   <libsoup/soup.h> tuile_soup_start, tuile_soup_add_header
 *   none             tuile_cgi_start, tuile_cgi_add_header; tuile_head_add_header, for a
 *                    server that writes its responses itself
 *
 * tuile_is_local_page says whether a page that came with a request, to be gone back to
 * after the login, is one of this site.
 *
 * Each _start answers as tuile_session_start does, each _add_header goes to
 * tuile_session_commit with the context that it names. Since 0.1; before 0.2 _start was
 * _begin, and gave the session.
 */
#ifndef TUILE_HTTP_H
#define TUILE_HTTP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile.h>

/** The value of a hex digit, or -1. */
static inline int tuile_hex_digit(unsigned char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  digit |= 0x20;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/** Whether a browser that is redirected to this URL stays on this site: for the page to
 *  come back to after a login, which comes from the client. Give it as it was decoded.
 *
 * It has to begin with one '/'. "//host" and "/\host" are another site's, also with the
 * tabs and ends of lines in between that browsers drop, and whatever of it is
 * percent-encoded, since who gets the URL next may decode it. No control character and
 * no backslash may be in it, in its path not even percent-encoded. Since 0.1.1. */
static inline bool tuile_is_local_page(tuile_bytes page) {
  const unsigned char *bytes = (const unsigned char *)page.data;
  bool in_path = true;
  if (page.size == 0 || bytes[0] != '/') return false;
  for (size_t i = 1; i < page.size; i++) {
    int byte = bytes[i];
    if (byte < 0x20 || byte == 0x7f || byte == '\\') return false;
    if (byte == '?' || byte == '#') in_path = false;
    bool encoded = byte == '%' && in_path;
    if (encoded) {
      int high = page.size - i > 2 ? tuile_hex_digit(bytes[i + 1]) : -1;
      int low = high < 0 ? -1 : tuile_hex_digit(bytes[i + 2]);
      if (low < 0) return false;
      byte = high * 16 + low;
      if (byte < 0x20 || byte == 0x7f || byte == '\\') return false;
    }
    if (i == 1 && (byte == '/' || (encoded && byte == '%'))) return false;
  }
  return true;
}

/** A CGI program's request, from the environment. */
static inline tuile_status tuile_cgi_start(tuile_manager *manager, tuile_session **session, tuile_error *error) {
  return tuile_session_start(manager, tuile_text(getenv("HTTP_COOKIE")), tuile_text(NULL), session, error);
}

/** context: the FILE that the response goes to, while its headers are written. */
static inline tuile_status tuile_cgi_add_header(void *context, tuile_bytes name, tuile_bytes value) {
  int written = fprintf((FILE *)context, "%.*s: %.*s\r\n", (int)name.size, (const char *)name.data, (int)value.size,
                        (const char *)value.data);
  return written < 0 ? TUILE_E_FILE : TUILE_OK;
}

#ifdef MHD_VERSION
/** A request of libmicrohttpd. */
static inline tuile_status tuile_mhd_start(tuile_manager *manager, struct MHD_Connection *connection,
                                           tuile_session **session, tuile_error *error) {
  const char *cookies = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE);
  return tuile_session_start(manager, tuile_text(cookies), tuile_text(NULL), session, error);
}

/** context: the struct MHD_Response, not queued yet. */
static inline tuile_status tuile_mhd_add_header(void *context, tuile_bytes name, tuile_bytes value) {
  char *text = (char *)malloc(name.size + value.size + 2);
  if (!text) return TUILE_E_MEMORY;
  memcpy(text, name.data, name.size);
  text[name.size] = 0;
  memcpy(text + name.size + 1, value.data, value.size);
  text[name.size + 1 + value.size] = 0;
  enum MHD_Result added = MHD_add_response_header((struct MHD_Response *)context, text, text + name.size + 1);
  free(text);
  return added == MHD_YES ? TUILE_OK : TUILE_E_MEMORY;
}
#endif

#ifdef _FCGIAPP_H
/** A request of libfcgi. */
static inline tuile_status tuile_fcgi_start(tuile_manager *manager, const FCGX_Request *request, tuile_session **session,
                                            tuile_error *error) {
  const char *cookies = FCGX_GetParam("HTTP_COOKIE", request->envp);
  return tuile_session_start(manager, tuile_text(cookies), tuile_text(NULL), session, error);
}

/** context: the request's FCGX_Stream `out`, while its headers are written. */
static inline tuile_status tuile_fcgi_add_header(void *context, tuile_bytes name, tuile_bytes value) {
  FCGX_Stream *out = (FCGX_Stream *)context;
  FCGX_PutStr((const char *)name.data, (int)name.size, out);
  FCGX_PutS(": ", out);
  FCGX_PutStr((const char *)value.data, (int)value.size, out);
  return FCGX_PutS("\r\n", out) < 0 ? TUILE_E_FILE : TUILE_OK;
}
#endif

#ifdef EVENT2_HTTP_H_INCLUDED_
/** A request of libevent's evhttp. */
static inline tuile_status tuile_evhttp_start(tuile_manager *manager, struct evhttp_request *request,
                                              tuile_session **session, tuile_error *error) {
  const char *cookies = evhttp_find_header(evhttp_request_get_input_headers(request), "Cookie");
  return tuile_session_start(manager, tuile_text(cookies), tuile_text(NULL), session, error);
}

/** context: the request's output headers, a struct evkeyvalq, before the reply. */
static inline tuile_status tuile_evhttp_add_header(void *context, tuile_bytes name, tuile_bytes value) {
  char *text = (char *)malloc(name.size + value.size + 2);
  if (!text) return TUILE_E_MEMORY;
  memcpy(text, name.data, name.size);
  text[name.size] = 0;
  memcpy(text + name.size + 1, value.data, value.size);
  text[name.size + 1 + value.size] = 0;
  int added = evhttp_add_header((struct evkeyvalq *)context, text, text + name.size + 1);
  free(text);
  return added == 0 ? TUILE_OK : TUILE_E_MEMORY;
}
#endif

#ifdef SOUP_TYPE_SERVER_MESSAGE
/** A request of libsoup 3. */
static inline tuile_status tuile_soup_start(tuile_manager *manager, SoupServerMessage *message, tuile_session **session,
                                            tuile_error *error) {
  const char *cookies = soup_message_headers_get_list(soup_server_message_get_request_headers(message), "Cookie");
  return tuile_session_start(manager, tuile_text(cookies), tuile_text(NULL), session, error);
}

/** context: the message's SoupMessageHeaders of the response. */
static inline tuile_status tuile_soup_add_header(void *context, tuile_bytes name, tuile_bytes value) {
  char *key = g_strndup((const char *)name.data, name.size), *text = g_strndup((const char *)value.data, value.size);
  soup_message_headers_append((SoupMessageHeaders *)context, key, text);
  g_free(key);
  g_free(text);
  return TUILE_OK;
}
#endif

/** The headers of a response under construction, for a server that writes it itself: each
 *  a line that ends with CR LF. Since 0.2. */
typedef struct tuile_head {
  char *text;      /**< The caller's, with room for `capacity` bytes. */
  size_t size;     /**< How much of it is written. */
  size_t capacity; /**< 4,200 bytes hold what one session gives. */
} tuile_head;

/** context: a tuile_head. TUILE_E_SPACE if it is full. Since 0.2. */
static inline tuile_status tuile_head_add_header(void *context, tuile_bytes name, tuile_bytes value) {
  tuile_head *head = (tuile_head *)context;
  size_t free_bytes = head->capacity - head->size;
  if (name.size + value.size + 4 > free_bytes) return TUILE_E_SPACE;
  char *at = head->text + head->size;
  memcpy(at, name.data, name.size);
  memcpy(at + name.size, ": ", 2);
  memcpy(at + name.size + 2, value.data, value.size);
  memcpy(at + name.size + 2 + value.size, "\r\n", 2);
  head->size += name.size + value.size + 4;
  return TUILE_OK;
}

#endif
