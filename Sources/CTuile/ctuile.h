/* What Swift sees of the public types: the same file that tuile.h includes,
 * with the handles completed so that they import as typed pointers. */
#define TUILE_SWIFT_IMPORT 1
#include "../../include/tuile/types.h"
