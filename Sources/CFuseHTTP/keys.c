#include "parts.h"

// The keys in the body of a request, unpacked where they stand: what they say is never longer than how it is spelled.

struct scanner {
  uint8_t *start, *at, *end;
  const char *problem;
  int is_too_long;
};

static int fail(struct scanner *scanner, const char *problem) {
  if (scanner->problem == NULL) scanner->problem = problem;
  return 0;
}

static void skip_space(struct scanner *scanner, int lines_too) {
  while (scanner->at < scanner->end) {
    uint8_t byte = *scanner->at;
    if (byte != ' ' && byte != '\t' && byte != '\r' && !(lines_too && byte == '\n')) return;
    scanner->at++;
  }
}

/// The code unit of \uXXXX, whose digits come next; -1 where there are none.
static int32_t unit(struct scanner *scanner) {
  if (scanner->end - scanner->at < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    int four = fuse_digit(scanner->at[i]);
    if (four < 0) return -1;
    value = value << 4 | four;
  }
  scanner->at += 4;
  return value;
}

static uint8_t *put(uint8_t *out, uint32_t scalar) {
  if (scalar < 0x80) {
    *out++ = (uint8_t)scalar;
  } else if (scalar < 0x800) {
    *out++ = (uint8_t)(0xC0 | scalar >> 6);
    *out++ = (uint8_t)(0x80 | (scalar & 63));
  } else if (scalar < 0x10000) {
    *out++ = (uint8_t)(0xE0 | scalar >> 12);
    *out++ = (uint8_t)(0x80 | (scalar >> 6 & 63));
    *out++ = (uint8_t)(0x80 | (scalar & 63));
  } else {
    *out++ = (uint8_t)(0xF0 | scalar >> 18);
    *out++ = (uint8_t)(0x80 | (scalar >> 12 & 63));
    *out++ = (uint8_t)(0x80 | (scalar >> 6 & 63));
    *out++ = (uint8_t)(0x80 | (scalar & 63));
  }
  return out;
}

/// A string, whose quote comes next.
static int string(struct scanner *scanner, fuse_bytes *key) {
  uint8_t *out = ++scanner->at;
  key->start = out;
  // As long as all is plain, nothing moves.
  while (scanner->end - scanner->at >= 8) {
    uint64_t word, unplain = fuse_unplain(scanner->at, &word);
    if (unplain != 0) {
      scanner->at += __builtin_ctzll(unplain) / 8;
      break;
    }
    scanner->at += 8;
  }
  out = scanner->at;
  while (scanner->at < scanner->end) {
    uint8_t byte = *scanner->at++;
    if (byte == '"') {
      key->count = (size_t)(out - key->start);
      return 1;
    }
    if (byte < 0x20) return fail(scanner, "a string has a control character; write it as \\u00XX");
    if (byte != '\\') {
      *out++ = byte;
      continue;
    }
    if (scanner->at == scanner->end) break;
    switch (byte = *scanner->at++) {
    case '"': case '\\': case '/': *out++ = byte; break;
    case 'b': *out++ = 8; break;
    case 'f': *out++ = 12; break;
    case 'n': *out++ = 10; break;
    case 'r': *out++ = 13; break;
    case 't': *out++ = 9; break;
    case 'u': {
      int32_t scalar = unit(scanner);
      if (scalar >= 0xD800 && scalar < 0xDC00 && scanner->end - scanner->at >= 2 && scanner->at[0] == '\\' && scanner->at[1] == 'u') {
        scanner->at += 2;
        int32_t low = unit(scanner);
        scalar = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((scalar - 0xD800) << 10) + (low - 0xDC00) : -1;
      } else if (scalar >= 0xD800 && scalar < 0xE000) {
        scalar = -1;
      }
      if (scalar < 0) return fail(scanner, "a string has \\u without a character after it");
      out = put(out, (uint32_t)scalar);
      break;
    }
    default: return fail(scanner, "a string has a backslash before what needs none");
    }
  }
  return fail(scanner, "a string does not end");
}

/// {"$bin":"hexadecimal"}, whose brace comes next.
static int bytes(struct scanner *scanner, fuse_bytes *key) {
  static const char *const sentence = "a key is a string, or bytes as {\"$bin\":\"hexadecimal digits\"}";
  fuse_bytes name, digits;
  scanner->at++;
  skip_space(scanner, 1);
  if (scanner->at == scanner->end || *scanner->at != '"' || !string(scanner, &name)) return fail(scanner, sentence);
  skip_space(scanner, 1);
  if (name.count != 4 || memcmp(name.start, "$bin", 4) != 0 || scanner->at == scanner->end || *scanner->at++ != ':')
    return fail(scanner, sentence);
  skip_space(scanner, 1);
  if (scanner->at == scanner->end || *scanner->at != '"' || !string(scanner, &digits)) return fail(scanner, sentence);
  skip_space(scanner, 1);
  if (scanner->at == scanner->end || *scanner->at++ != '}' || digits.count % 2 != 0) return fail(scanner, sentence);
  uint8_t *out = (uint8_t *)digits.start;
  for (size_t i = 0; i < digits.count; i += 2) {
    int high = fuse_digit(digits.start[i]), low = fuse_digit(digits.start[i + 1]);
    if (high < 0 || low < 0) return fail(scanner, sentence);
    *out++ = (uint8_t)(high << 4 | low);
  }
  *key = (fuse_bytes){digits.start, digits.count / 2};
  return 1;
}

static int key(struct scanner *scanner, fuse_exchange *exchange, fuse_keys *keys, size_t limit) {
  scanner->is_too_long = keys->count == limit;
  if (scanner->is_too_long) return fail(scanner, "the request has more keys than are allowed; ask for the others in another one");
  if (keys->count == exchange->key_capacity) {
    size_t capacity = exchange->key_capacity == 0 ? 128 : 2 * exchange->key_capacity;
    fuse_bytes *more = realloc(exchange->keys, capacity * sizeof *more);
    if (more == NULL) return fail(scanner, "memory is too short for so many keys");
    exchange->keys = more;
    exchange->key_capacity = capacity;
  }
  fuse_bytes *place = &exchange->keys[keys->count];
  if (scanner->at == scanner->end) return fail(scanner, "the list of keys does not end");
  if (*scanner->at == '"' ? !string(scanner, place) : *scanner->at == '{' ? !bytes(scanner, place) : 1)
    return fail(scanner, "a key is a string, or bytes as {\"$bin\":\"hexadecimal digits\"}");
  keys->count++;
  return 1;
}

static int array(struct scanner *scanner, fuse_exchange *exchange, fuse_keys *keys, size_t limit) {
  scanner->at++;
  skip_space(scanner, 1);
  if (scanner->at < scanner->end && *scanner->at == ']') {
    scanner->at++;
  } else {
    for (;;) {
      skip_space(scanner, 1);
      if (!key(scanner, exchange, keys, limit)) return 0;
      skip_space(scanner, 1);
      if (scanner->at == scanner->end) return fail(scanner, "the list of keys does not end");
      uint8_t byte = *scanner->at++;
      if (byte == ']') break;
      if (byte != ',') return fail(scanner, "keys in a list are separated by commas");
    }
  }
  skip_space(scanner, 1);
  return scanner->at == scanner->end || fail(scanner, "there is something after the list of keys");
}

static int lines(struct scanner *scanner, fuse_exchange *exchange, fuse_keys *keys, size_t limit) {
  for (;;) {
    skip_space(scanner, 1);
    if (scanner->at == scanner->end) return 1;
    if (!key(scanner, exchange, keys, limit)) return 0;
    skip_space(scanner, 0);
    if (scanner->at < scanner->end && *scanner->at != '\n') return fail(scanner, "there is something after the key in a line");
  }
}

fuse_keys fuse_exchange_keys(fuse_exchange *exchange, size_t limit) {
  fuse_keys keys = {0};
  struct scanner scanner = {exchange->body.start, exchange->body.start, exchange->body.start + exchange->body.count, NULL, 0};
  if (exchange->body.count > 0) {
    skip_space(&scanner, 1);
    keys.is_array = scanner.at < scanner.end && *scanner.at == '[';
    if (keys.is_array) {
      array(&scanner, exchange, &keys, limit);
    } else {
      lines(&scanner, exchange, &keys, limit);
    }
  }
  keys.keys = exchange->keys;
  keys.problem = scanner.problem;
  keys.is_too_long = scanner.is_too_long;
  keys.offset = (size_t)(scanner.at - scanner.start);
  return keys;
}

struct kept {
  fuse_bytes *keys;
  uint8_t *body;
};

void *fuse_exchange_keep(fuse_exchange *exchange) {
  struct kept *kept = malloc(sizeof *kept);
  if (kept == NULL) return NULL;
  *kept = (struct kept){exchange->keys, exchange->body.start};
  exchange->keys = NULL;
  exchange->key_capacity = 0;
  exchange->body = (fuse_text){0};
  return kept;
}

void fuse_kept_free(void *kept) {
  if (kept == NULL) return;
  free(((struct kept *)kept)->keys);
  free(((struct kept *)kept)->body);
  free(kept);
}
