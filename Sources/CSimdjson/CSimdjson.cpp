#include "CSimdjson.h"

#if !__has_include(<simdjson.h>)
#error "simdjson.h not found: apt-get install libsimdjson-dev"
#endif
#include <simdjson.h>

#include <new>

struct fuse_json_parser {
  simdjson::dom::parser parser;
  size_t max_depth;
};

size_t fuse_json_padding(void) { return simdjson::SIMDJSON_PADDING; }

fuse_json_parser *fuse_json_parser_create(size_t max_depth) {
  auto *made = new (std::nothrow) fuse_json_parser();
  if (made) made->max_depth = max_depth;
  return made;
}

void fuse_json_parser_destroy(fuse_json_parser *parser) { delete parser; }

fuse_json_result fuse_json_parse(fuse_json_parser *parser, const uint8_t *text, size_t length) {
  auto failed = [](simdjson::error_code code) {
    return fuse_json_result{nullptr, nullptr, simdjson::error_message(code), code == simdjson::MEMALLOC};
  };
  // allocate() is what sets the depth limit; capacity grows in powers of two, so it is called rarely.
  if (parser->parser.capacity() < length || parser->parser.max_depth() != parser->max_depth) {
    size_t capacity = 4096;
    while (capacity < length) capacity *= 2;
    if (auto code = parser->parser.allocate(capacity, parser->max_depth)) return failed(code);
  }
  simdjson::dom::element root;
  if (auto code = parser->parser.parse(text, length, false).get(root)) return failed(code);
  return {parser->parser.doc.tape.get(), parser->parser.doc.string_buf.get(), "", false};
}

size_t fuse_json_capacity(const fuse_json_parser *parser) { return parser->parser.capacity(); }

size_t fuse_json_value_count(const void *text, size_t length) {
  auto *bytes = static_cast<const uint8_t *>(text);
  size_t count = 1;
  bool in_string = false;
  for (size_t i = 0; i < length; i++) {
    switch (bytes[i]) {
      case '"': in_string = !in_string; break;
      case '\\': i += in_string; break;
      case ',': case '[': case '{': count += !in_string; break;
    }
  }
  return count;
}

fuse_json_stop fuse_json_element_end(const void *text, size_t start, size_t end, bool is_list, size_t *offset) {
  auto *bytes = static_cast<const uint8_t *>(text);
  size_t depth = 0;
  for (size_t i = start; i < end; i++) {
    switch (bytes[i]) {
      case '"':
        for (i++; i < end && bytes[i] != '"'; i++) i += bytes[i] == '\\';
        break;
      case '[': case '{': depth++; break;
      case ']': case '}':
        if (depth > 0) {
          depth--;
          if (depth > 0 || is_list) break;
          *offset = i + 1;
          return fuse_json_value;
        }
        // A brace too many is for the parser to find.
        if (!is_list || bytes[i] == '}') break;
        *offset = i;
        return fuse_json_close;
      case ',':
        if (depth > 0 || !is_list) break;
        *offset = i;
        return fuse_json_comma;
    }
  }
  *offset = end;
  return fuse_json_more;
}

bool fuse_is_utf8(const void *bytes, size_t length) {
  return simdjson::validate_utf8(static_cast<const char *>(bytes), length);
}
