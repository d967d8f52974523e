#include "parts.h"
#include <arpa/inet.h>
#include <strings.h>

// The headers of a request. Where two readers of a message could disagree about where it ends, it is refused and the connection closed.

struct look {
  fuse_request *request;
  const char *problem;
  int status;
  int hosts, lengths, encodings;
  /// Of all headers, as they came.
  size_t size;
  fuse_bytes length, encoding, host;
};

static int is(fuse_bytes bytes, const char *text) {
  return bytes.count == strlen(text) && strncasecmp((const char *)bytes.start, text, bytes.count) == 0;
}

static int is_token(uint8_t byte) {
  return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static enum MHD_Result visit(
    void *context, enum MHD_ValueKind kind, const char *key, size_t key_size, const char *value, size_t value_size) {
  (void)kind;
  struct look *look = context;
  fuse_bytes name = {(const uint8_t *)key, key_size}, text = {(const uint8_t *)value, value == NULL ? 0 : value_size};
  look->size += name.count + text.count + 4;
  for (size_t i = 0; i < name.count; i++) {
    if (!is_token(name.start[i])) look->problem = "the name of a header has a character that none may have";
  }
  if (name.count == 0) look->problem = "a header has no name";
  for (size_t i = 0; i < text.count; i++) {
    uint8_t byte = text.start[i];
    if ((byte < 0x20 && byte != '\t') || byte == 0x7F) look->problem = "a header has a control character";
  }
  fuse_request *request = look->request;
  switch (name.count) {
  case 4:
    if (is(name, "host")) {
      look->hosts++;
      look->host = text;
    }
    break;
  case 6:
    if (is(name, "accept")) request->accept = text;
    break;
  case 13:
    if (is(name, "authorization")) request->authorization = text;
    if (is(name, "if-none-match")) request->if_none_match = text;
    break;
  case 14:
    if (is(name, "content-length")) look->lengths++, look->length = text;
    break;
  case 17:
    if (is(name, "transfer-encoding")) look->encodings++, look->encoding = text;
    break;
  default: break;
  }
  return MHD_YES;
}

/// Whether a host names this server: one of a list, or any numeric address, which no name can be rebound to.
static int is_ours(const fuse_http *server, fuse_bytes host) {
  char name[256];
  if (host.count == 0 || host.count >= sizeof name) return 0;
  for (size_t i = 0; i < host.count; i++) {
    uint8_t byte = host.start[i];
    name[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
  }
  name[host.count] = 0;
  char *port = NULL;
  unsigned char address[16];
  if (name[0] == '[') {
    char *end = strchr(name, ']');
    if (end == NULL) return 0;
    port = end[1] == 0 ? NULL : end + 1;
    if (port != NULL && *port != ':') return 0;
    *end = 0;
    if (inet_pton(AF_INET6, name + 1, address) != 1) return 0;
  } else {
    port = strchr(name, ':');
    if (port != NULL) *port = 0;
  }
  if (port != NULL && strspn(port + 1, "0123456789") != strlen(port + 1)) return 0;
  if (name[0] == '[' || inet_pton(AF_INET, name, address) == 1) return 1;
  for (size_t i = 0; i < server->options.host_count; i++)
    if (strcmp(name, server->hosts[i]) == 0) return 1;
  return 0;
}

/// Compares with a token in a time that says nothing of where they differ.
static int is_token_text(const uint8_t *bytes, size_t count, const char *token) {
  size_t length = strlen(token);
  unsigned difference = (unsigned)(count ^ length) | (unsigned)((count ^ length) >> 16);
  for (size_t i = 0; i < count; i++) difference |= bytes[i] ^ (uint8_t)token[length == 0 ? 0 : i % length];
  return difference == 0;
}

static int is_known(const fuse_http *server, fuse_bytes given) {
  uint8_t plain[512];
  const uint8_t *bytes;
  size_t count;
  if (given.count > 7 && strncasecmp((const char *)given.start, "bearer ", 7) == 0) {
    bytes = given.start + 7;
    count = given.count - 7;
  } else if (given.count > 6 && given.count < 600 && strncasecmp((const char *)given.start, "basic ", 6) == 0) {
    // A browser asks for a name and a password; the token is the password.
    uint32_t bits = 0;
    unsigned have = 0;
    count = 0;
    for (size_t i = 6; i < given.count && given.start[i] != '='; i++) {
      const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      const char *place = strchr(letters, given.start[i]);
      if (place == NULL || *place == 0) return 0;
      bits = bits << 6 | (uint32_t)(place - letters);
      have += 6;
      if (have >= 8) {
        have -= 8;
        plain[count++] = (uint8_t)(bits >> have);
      }
    }
    const uint8_t *colon = memchr(plain, ':', count);
    if (colon == NULL) return 0;
    bytes = colon + 1;
    count -= (size_t)(bytes - plain);
  } else {
    return 0;
  }
  int found = 0;
  for (size_t i = 0; i < server->options.token_count; i++) found |= is_token_text(bytes, count, server->tokens[i]);
  return found;
}

/// Whether the list of types has MessagePack, and JSON not before it.
static int wants_messagepack(fuse_bytes accept) {
  for (size_t i = 0; i + 19 <= accept.count; i++) {
    if (accept.start[i] != 'a') continue;
    if (accept.count - i >= 16 && memcmp(accept.start + i, "application/json", 16) == 0) return 0;
    if (memcmp(accept.start + i, "application/msgpack", 19) == 0) return 1;
  }
  return 0;
}

int fuse_read_headers(fuse_exchange *exchange, const char **problem) {
  fuse_http *server = exchange->server;
  fuse_request *request = &exchange->request;
  struct look look = {.request = request};
  // A target that has a host comes before the header, and both have to be ours.
  fuse_bytes target_host = request->host;
  MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, visit, &look);
  exchange->must_close = 1;
  *problem = look.problem;
  if (look.problem != NULL) return 400;
  if (look.size + exchange->target.count > server->options.head_limit) {
    *problem = "the headers are longer than is allowed; send fewer, or start the server with a greater --max-head";
    return 431;
  }
  if (look.hosts != 1) {
    *problem = look.hosts == 0 ? "the request has no Host; every request of HTTP/1.1 has one" : "the request has several Hosts";
    return 400;
  }
  if (look.lengths > 1 || look.encodings > 1 || (look.lengths > 0 && look.encodings > 0)) {
    *problem = "the request says in more than one way how long it is; it has one Content-Length or one Transfer-Encoding";
    return 400;
  }
  if (look.encodings > 0 && !is(look.encoding, "chunked")) {
    *problem = "the only Transfer-Encoding is chunked";
    return 501;
  }
  uint64_t length = 0;
  if (look.lengths > 0) {
    if (look.length.count == 0 || look.length.count > 18) *problem = "the Content-Length is no number, or too long a one";
    for (size_t i = 0; i < look.length.count; i++) {
      if (look.length.start[i] < '0' || look.length.start[i] > '9') *problem = "the Content-Length is no number";
      length = length * 10 + (uint64_t)(look.length.start[i] - '0');
    }
    if (*problem != NULL) return 400;
  }
  if (request->method != FUSE_POST && (look.encodings > 0 || length > 0)) {
    *problem = "a request of GET or HEAD has no body; use POST";
    return 400;
  }
  if (length > server->options.body_limit) {
    *problem = "the body is longer than is allowed; ask for less in a request, or start the server with a greater --max-body";
    return 413;
  }
  if (request->method != FUSE_POST) exchange->must_close = 0;
  if (target_host.start == NULL) request->host = look.host;
  if (!is_ours(server, look.host) || (target_host.start != NULL && !is_ours(server, target_host))) {
    *problem = "the Host is not a name of this server; start it with --host NAME where it is";
    return 421;
  }
  request->is_known = server->options.token_count > 0 && request->authorization.start != NULL && is_known(server, request->authorization);
  int is_open = request->verb == FUSE_VERB_HEALTH || request->verb == FUSE_VERB_READY;
  if (server->options.token_count > 0 && !request->is_known && !is_open) {
    *problem = "the request has no token that is known; send one as 'Authorization: Bearer TOKEN', or as the password of a browser";
    return 401;
  }
  request->wants_messagepack = request->accept.start != NULL && wants_messagepack(request->accept);
  exchange->must_close = 0;
  return 0;
}

struct going {
  void *context;
  int (*visit)(void *, fuse_bytes, fuse_bytes);
};

static enum MHD_Result pass(
    void *context, enum MHD_ValueKind kind, const char *key, size_t key_size, const char *value, size_t value_size) {
  (void)kind;
  struct going *going = context;
  fuse_bytes name = {(const uint8_t *)key, key_size}, text = {(const uint8_t *)(value == NULL ? "" : value), value == NULL ? 0 : value_size};
  return going->visit(going->context, name, text) ? MHD_YES : MHD_NO;
}

void fuse_exchange_headers(const fuse_exchange *exchange, void *context, int (*visit)(void *, fuse_bytes, fuse_bytes)) {
  struct going going = {context, visit};
  MHD_get_connection_values_n(exchange->connection, MHD_HEADER_KIND, pass, &going);
}
