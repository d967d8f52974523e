// A C face for simdjson's DOM parser: one JSON text in, its tape out.
// The tape's layout is simdjson's documented one (doc/tape.md): one 64-bit word a node, the type in
// the top byte; numbers take a second word; a string's word holds the offset of its length (32 bits,
// this machine's byte order) and bytes in `strings`.
#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fuse_json_parser fuse_json_parser;

typedef struct {
  const uint64_t *_Nullable tape;    // NULL when the text is not JSON
  const uint8_t *_Nullable strings;
  const char *_Nonnull error;        // a sentence without a full stop, static storage
  bool lacksMemory;                  // whether memory was short; the text may be JSON
} fuse_json_result;

/// Bytes that must be readable after a text that is parsed in place.
size_t fuse_json_padding(void);

fuse_json_parser *_Nullable fuse_json_parser_create(size_t max_depth);
void fuse_json_parser_destroy(fuse_json_parser *_Nonnull parser);

/// Parses `length` bytes, after which `fuse_json_padding()` more are readable. The result lives until
/// the next call with the same parser.
fuse_json_result fuse_json_parse(fuse_json_parser *_Nonnull parser, const uint8_t *_Nonnull text, size_t length);

/// The length of the longest text that the parser has memory for; it needs up to 14 times as many bytes.
size_t fuse_json_capacity(const fuse_json_parser *_Nonnull parser);

/// How many values a JSON text of these bytes can have: one, and one for each comma and opening bracket outside of strings.
size_t fuse_json_value_count(const void *_Nullable text, size_t length);

/// What ends a record of a JSON document.
typedef enum {
  fuse_json_more,  // nothing here
  fuse_json_comma, // the comma after it
  fuse_json_close, // the bracket that closes the list around it
  fuse_json_value, // its own last bracket
} fuse_json_stop;

/// Finds where a value ends that begins at `start` or after spaces there: in a list, at the next comma or `]` outside of all brackets and
/// strings; otherwise, after its last bracket. Sets `offset` to where that is, or to `end`.
fuse_json_stop fuse_json_element_end(
    const void *_Nonnull text, size_t start, size_t end, bool is_list, size_t *_Nonnull offset);

/// Whether the bytes are valid UTF-8, at many bytes a nanosecond.
bool fuse_is_utf8(const void *_Nonnull bytes, size_t length);

#ifdef __cplusplus
}
#endif
#endif
