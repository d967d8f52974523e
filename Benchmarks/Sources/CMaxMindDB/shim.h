#if !__has_include(<maxminddb.h>)
#error "maxminddb.h not found: apt-get install libmaxminddb-dev"
#endif
#include <maxminddb.h>
#include <netinet/in.h>

// Swift does not call functions with a variable number of arguments.

/// What one writes in C for a member of a map.
static inline int mmdb_get_member(MMDB_entry_s *start, MMDB_entry_data_s *data, const char *name) {
  return MMDB_get_value(start, data, name, NULL);
}

/// What one writes in C for an element of an array in a map.
static inline int
mmdb_get_element(MMDB_entry_s *start, MMDB_entry_data_s *data, const char *name, const char *index) {
  return MMDB_get_value(start, data, name, index, NULL);
}
