#include "parts.h"
#include <strings.h>

static int equals(fuse_bytes bytes, const char *text) {
  return bytes.count == strlen(text) && memcmp(bytes.start, text, bytes.count) == 0;
}

static int refuse(fuse_request *request, int status, const char *problem) {
  request->problem_status = status;
  request->problem = problem;
  return 1;
}

static const char *const names[FUSE_PARAMETER_COUNT] = {"key", "field", "match", "prefix", "limit", "after", "from"};
// Those whose bytes may come as base64url, with 64 after the name.
static const unsigned takes_base64 = 1u << FUSE_PARAMETER_KEY | 1u << FUSE_PARAMETER_PREFIX;

static unsigned parameters_of(enum fuse_verb verb) {
  switch (verb) {
  case FUSE_VERB_GET: return 1u << FUSE_PARAMETER_KEY | 1u << FUSE_PARAMETER_FIELD | 1u << FUSE_PARAMETER_MATCH;
  case FUSE_VERB_PREFIX: return 1u << FUSE_PARAMETER_PREFIX | 1u << FUSE_PARAMETER_LIMIT | 1u << FUSE_PARAMETER_AFTER | 1u << FUSE_PARAMETER_FIELD;
  case FUSE_VERB_ALIASES: return 1u << FUSE_PARAMETER_KEY | 1u << FUSE_PARAMETER_LIMIT | 1u << FUSE_PARAMETER_AFTER;
  case FUSE_VERB_DIFF: return 1u << FUSE_PARAMETER_FROM | 1u << FUSE_PARAMETER_LIMIT | 1u << FUSE_PARAMETER_AFTER;
  default: return 0;
  }
}

static int sextet(uint8_t byte) {
  if (byte >= 'A' && byte <= 'Z') return byte - 'A';
  if (byte >= 'a' && byte <= 'z') return byte - 'a' + 26;
  if (byte >= '0' && byte <= '9') return byte - '0' + 52;
  return byte == '-' ? 62 : byte == '_' ? 63 : -1;
}

/// Decodes base64url, without padding, in place; 0 where it is none.
static int decode_base64(fuse_bytes *bytes) {
  uint8_t *out = (uint8_t *)bytes->start;
  size_t count = 0;
  uint32_t bits = 0;
  unsigned have = 0;
  if (bytes->count % 4 == 1) return 0;
  for (size_t i = 0; i < bytes->count; i++) {
    int value = sextet(bytes->start[i]);
    if (value < 0) return 0;
    bits = bits << 6 | (uint32_t)value;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out[count++] = (uint8_t)(bits >> have);
      bits &= (1u << have) - 1;
    }
  }
  // One spelling for the same bytes.
  if (bits != 0) return 0;
  bytes->count = count;
  return 1;
}

/// Decodes a part of the target, after those before it. There is room for all.
static int decode(fuse_exchange *exchange, fuse_bytes part, int plus_is_space, fuse_bytes *out) {
  size_t start = exchange->decoded.count;
  if (!fuse_percent_decode(part, plus_is_space, &exchange->decoded)) return 0;
  *out = (fuse_bytes){exchange->decoded.start + start, exchange->decoded.count - start};
  return 1;
}

static int read_query(fuse_exchange *exchange) {
  fuse_request *request = &exchange->request;
  unsigned allowed = parameters_of(request->verb), seen = 0;
  if (request->query.start == NULL) return 1;
  const uint8_t *at = request->query.start, *end = at + request->query.count;
  while (at < end) {
    const uint8_t *stop = memchr(at, '&', (size_t)(end - at));
    if (stop == NULL) stop = end;
    const uint8_t *equal = memchr(at, '=', (size_t)(stop - at));
    fuse_bytes name = {at, (size_t)((equal ? equal : stop) - at)};
    fuse_bytes text = {equal ? equal + 1 : stop, (size_t)(stop - (equal ? equal + 1 : stop))};
    at = stop + 1;
    if (name.count == 0 && text.count == 0) continue;
    int is_base64 = name.count > 2 && memcmp(name.start + name.count - 2, "64", 2) == 0;
    fuse_bytes plain = {name.start, name.count - (is_base64 ? 2 : 0)};
    int number = 0;
    while (number < FUSE_PARAMETER_COUNT && !(allowed >> number & 1 && equals(plain, names[number]))) number++;
    if (number == FUSE_PARAMETER_COUNT || (is_base64 && !(takes_base64 >> number & 1)))
      return refuse(request, 400, "the query has a parameter that is none of this address; /openapi.json lists them");
    if (seen >> number & 1) return refuse(request, 400, "the query names a parameter twice; name it once");
    seen |= 1u << number;
    if (!decode(exchange, text, !is_base64, &request->parameters[number]))
      return refuse(request, 400, "the query has a '%' without two hexadecimal digits after it; write '%' itself as %25");
    if (is_base64 && !decode_base64(&request->parameters[number]))
      return refuse(request, 400, "the bytes are no base64url without padding; it has the letters A-Z, a-z, 0-9, - and _");
  }
  return 1;
}

static int is_name(fuse_bytes bytes) {
  for (size_t i = 0; i < bytes.count; i++) {
    uint8_t byte = bytes.start[i];
    int is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    if (!is_letter && !(byte >= '0' && byte <= '9') && byte != '.' && byte != '_' && byte != '-') return 0;
  }
  return bytes.count > 0;
}

static int read_path(fuse_exchange *exchange) {
  static const struct { const char *path; enum fuse_verb verb; } alone[] = {
      {"/v1/", FUSE_VERB_NAMES}, {"/v1", FUSE_VERB_NAMES}, {"/metrics", FUSE_VERB_METRICS}, {"/healthz", FUSE_VERB_HEALTH},
      {"/readyz", FUSE_VERB_READY}, {"/openapi.json", FUSE_VERB_DOCUMENT}};
  static const struct { const char *word; enum fuse_verb verb; } of_files[] = {
      {"get", FUSE_VERB_GET}, {"prefix", FUSE_VERB_PREFIX}, {"stats", FUSE_VERB_STATS}, {"aliases", FUSE_VERB_ALIASES},
      {"diff", FUSE_VERB_DIFF}};
  fuse_request *request = &exchange->request;
  fuse_bytes path = request->path;
  if (path.count > 4 && memcmp(path.start, "/v1/", 4) == 0) {
    const uint8_t *name = path.start + 4, *end = path.start + path.count;
    const uint8_t *slash = memchr(name, '/', (size_t)(end - name));
    if (slash == NULL) return refuse(request, 404, "there is nothing at this address; /v1/ lists what is served");
    request->name = (fuse_bytes){name, (size_t)(slash - name)};
    if (!is_name(request->name)) return refuse(request, 404, "no file of this name is served; /v1/ lists those that are");
    fuse_bytes rest = {slash + 1, (size_t)(end - slash - 1)};
    for (size_t i = 0; i < sizeof of_files / sizeof *of_files; i++)
      if (equals(rest, of_files[i].word)) request->verb = of_files[i].verb;
    if (request->verb != FUSE_VERB_OTHER) return 1;
    int is_base64 = rest.count >= 7 && memcmp(rest.start, "keys64/", 7) == 0;
    if (!is_base64 && !(rest.count >= 5 && memcmp(rest.start, "keys/", 5) == 0))
      return refuse(request, 404, "there is nothing at this address; /openapi.json lists the addresses");
    size_t skipped = is_base64 ? 7 : 5;
    fuse_bytes key = {rest.start + skipped, rest.count - skipped};
    request->verb = FUSE_VERB_GET;
    if (!decode(exchange, key, 0, &request->parameters[FUSE_PARAMETER_KEY]))
      return refuse(request, 400, "the path has a '%' without two hexadecimal digits after it; write '%' itself as %25");
    if (is_base64 && !decode_base64(&request->parameters[FUSE_PARAMETER_KEY]))
      return refuse(request, 400, "the bytes are no base64url without padding; it has the letters A-Z, a-z, 0-9, - and _");
    return 1;
  }
  for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
    if (equals(path, alone[i].path)) request->verb = alone[i].verb;
  return 1;
}

int fuse_read_target(fuse_exchange *exchange) {
  fuse_request *request = &exchange->request;
  const uint8_t *at = exchange->target.start, *end = at + exchange->target.count;
  for (const uint8_t *byte = at; byte < end; byte++)
    if (*byte <= ' ' || *byte == 0x7F || *byte == '#') return 0;
  exchange->decoded.count = 0;
  if (!fuse_text_reserve(&exchange->decoded, exchange->target.count + 1)) return 0;
  if (end - at >= 7 && strncasecmp((const char *)at, "http://", 7) == 0) {
    // What a proxy is asked: its host counts, and has to be ours.
    at += 7;
    const uint8_t *slash = memchr(at, '/', (size_t)(end - at));
    if (slash == NULL) return 0;
    request->host = (fuse_bytes){at, (size_t)(slash - at)};
    at = slash;
  }
  if (at == end || *at != '/') return 0;
  const uint8_t *question = memchr(at, '?', (size_t)(end - at));
  request->path = (fuse_bytes){at, (size_t)((question ? question : end) - at)};
  if (question != NULL) request->query = (fuse_bytes){question + 1, (size_t)(end - question - 1)};
  if (!read_path(exchange)) return 0;
  if (request->problem == NULL && request->verb != FUSE_VERB_OTHER) {
    fuse_bytes key = request->parameters[FUSE_PARAMETER_KEY];
    read_query(exchange);
    if (request->problem == NULL && key.start != NULL && request->parameters[FUSE_PARAMETER_KEY].start != key.start)
      refuse(request, 400, "the path has the key, so the query has none");
  }
  return 1;
}
