/* Base64 (RFC 4648) of whole groups, twelve octets at a time where the processor can. Private to libtuile like all of
 * this folder. */
#ifndef CSYSTEM_BASE64_H
#define CSYSTEM_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the characters of `size` octets, without padding. `url`: '-' and '_', else '+' and '/'. */
void sys_base64_encode(bool url, const uint8_t *octets, size_t size, uint8_t *out);

/* Writes three octets for each whole group of four characters, and returns how many characters it has read: `size`
 * without what is left over, or up to the group with a character that is none. No branch depends on which ones. `out`
 * has room for the octets of all groups. */
size_t sys_base64_decode(bool url, const uint8_t *text, size_t size, uint8_t *out);

/* The six bits of a character; 64 or more for one that is none. */
uint8_t sys_base64_value(bool url, uint8_t character);

/* The same by the plain way alone, for tests. */
void sys_base64_encode_plain(bool url, const uint8_t *octets, size_t size, uint8_t *out);
size_t sys_base64_decode_plain(bool url, const uint8_t *text, size_t size, uint8_t *out);

#endif /* CSYSTEM_BASE64_H */
