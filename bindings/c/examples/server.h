/* What the examples on libmicrohttpd share: options, secrets, a page under construction. */
#ifndef SERVER_H
#define SERVER_H

#include <microhttpd.h>
#include <stddef.h>
#include <stdint.h>
#include <tuile.h>

struct page {
  char text[8192];
  size_t size;
};

/* Adds to the page; what does not fit is cut off. */
void put(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, never as markup: for what a visitor may have had a hand in. */
void put_escaped(struct page *page, tuile_bytes text);

/* Prints to stderr; 1. */
int die(const char *what, const char *why);

/* The first line of the file, or without one the variable of the environment: never an
 * argument, which everybody on the machine can read. NULL if there is none. Lives as
 * long as the program. */
const char *read_secret(const char *path, const char *variable);

/* A number in a range, or -1. */
long number(const char *text, long least, long most);

/* Listens on the address, says where, and serves until SIGINT or SIGTERM. port 0 takes a
 * free one. Gives the program's status. */
int serve(const char *address, uint16_t port, unsigned int threads, MHD_AccessHandlerCallback handler,
          MHD_RequestCompletedCallback completed, void *context);

#endif
