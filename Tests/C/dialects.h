/* What a test of all dialects has to know of each: a secret in the form that its
 * framework has, and what its format binds and writes. */
#ifndef DIALECTS_H
#define DIALECTS_H

#include "check.h"

#include "../../Sources/CSystem/include/dialect_table.h"

static inline bool has_wire(int dialect, int wanted) {
#define WIRE(constant, name, wire, session, rule, salt) [TUILE_DIALECT_##constant] = (wire),
  static const int wires[DIALECTS] = {DIALECT_TABLE(WIRE)};
#undef WIRE
  return (wires[dialect] & wanted) != 0;
}

/* Two secrets for each; most frameworks take any text. */
static inline tuile_bytes secret_of(int dialect, int which) {
  static const char *const plain[] = {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-./",
                                      "another secret of more than sixty-four bytes, for what needs so many"};
  static const char *const fernet[] = {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
                                       "IIBs4T7CIiHSdsBMzxxVyFRnWEvBLPhGdGXGtYiPe1A="};
  static const char *const ring[] = {
      "80732141-ec8f-4b80-af9c-c4d2d1ff8901:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OUFCQ0RFRg==",
      "80732141-ec8f-4b80-af9c-c4d2d1ff8902:YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OQ=="};
  switch (dialect) {
    case TUILE_DIALECT_FERNET: return text(fernet[which]);
    case TUILE_DIALECT_LARAVEL:
    case TUILE_DIALECT_LARAVEL_GCM: return text(which ? "an older secret, of thirty-two b" : "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=");
    case TUILE_DIALECT_DATA_PROTECTION: return text(ring[which]);
    default: return text(plain[which]);
  }
}

static inline bool writes_json(int dialect) { return has_wire(dialect, DIALECT_JSON); }
static inline bool writes_text(int dialect) { return has_wire(dialect, DIALECT_TEXT); }

/* A token from the future is none, not only an old one. */
static inline bool refuses_the_future(int dialect) { return has_wire(dialect, DIALECT_PRESENT); }

/* %2b is %2B: the same token, said in another way. */
static inline bool percent_encoded(int dialect) { return has_wire(dialect, DIALECT_PERCENT); }

static inline bool binds_salt(int dialect) { return has_wire(dialect, DIALECT_SALT); }
static inline bool binds_name(int dialect) { return has_wire(dialect, DIALECT_NAME); }

#endif
