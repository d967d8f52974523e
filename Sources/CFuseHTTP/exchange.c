#include "parts.h"
#include <strings.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

const fuse_request *fuse_exchange_request(const fuse_exchange *exchange) { return &exchange->request; }
fuse_text *fuse_exchange_text(fuse_exchange *exchange) { return &exchange->text; }

void fuse_exchange_answer(fuse_exchange *exchange, int status, const char *kind, uint64_t generation, int is_tagged) {
  exchange->status = status;
  exchange->kind = kind;
  exchange->generation = generation;
  exchange->is_tagged = is_tagged;
}

int fuse_exchange_header(fuse_exchange *exchange, const char *name, const char *value) {
  if (exchange->header_count == MOST_HEADERS) return 0;
  char *copies[2] = {strdup(name), strdup(value)};
  if (copies[0] == NULL || copies[1] == NULL) {
    free(copies[0]);
    free(copies[1]);
    return 0;
  }
  exchange->headers[exchange->header_count].name = copies[0];
  exchange->headers[exchange->header_count++].value = copies[1];
  return 1;
}

void fuse_exchange_stream(fuse_exchange *exchange, void *stream, int (*more)(void *, fuse_text *), void (*end)(void *)) {
  exchange->stream = stream;
  exchange->more = more;
  exchange->end = end;
  exchange->has_more = 1;
  exchange->text_given = 0;
}

static void end_stream(fuse_exchange *exchange) {
  if (exchange->stream != NULL) exchange->end(exchange->stream);
  exchange->stream = NULL;
}

static void clear(fuse_exchange *exchange) {
  end_stream(exchange);
  for (size_t i = 0; i < exchange->header_count; i++) {
    free(exchange->headers[i].name);
    free(exchange->headers[i].value);
  }
  exchange->header_count = 0;
  fuse_text *texts[] = {&exchange->text, &exchange->body, &exchange->target, &exchange->decoded};
  for (size_t i = 0; i < 4; i++) {
    texts[i]->count = 0;
    texts[i]->failed = 0;
    // What was large once is mostly not so again.
    if (texts[i]->capacity > KEPT_BYTES) fuse_text_free(texts[i]);
  }
  if (exchange->key_capacity > KEPT_BYTES / sizeof(fuse_bytes)) {
    free(exchange->keys);
    exchange->keys = NULL;
    exchange->key_capacity = 0;
  }
}

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t size) {
  (void)position;
  fuse_exchange *exchange = context;
  fuse_text *text = &exchange->text;
  while (exchange->text_given == text->count) {
    if (!exchange->has_more) return MHD_CONTENT_READER_END_OF_STREAM;
    text->count = exchange->text_given = 0;
    exchange->has_more = exchange->more(exchange->stream, text);
    if (text->failed) return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  size_t count = text->count - exchange->text_given;
  if (count > size) count = size;
  memcpy(buffer, text->start + exchange->text_given, count);
  exchange->text_given += count;
  exchange->sent += count;
  return (ssize_t)count;
}

/// Whether a list of tags has this one, or is a star.
static int has_tag(fuse_bytes list, const char *tag, size_t size) {
  if (list.count == 1 && list.start[0] == '*') return 1;
  return list.count >= size && memmem(list.start, list.count, tag, size) != NULL;
}

static enum MHD_Result respond(fuse_exchange *exchange) {
  fuse_http *server = exchange->server;
  atomic_store_explicit(&exchange->stage, SENDING, memory_order_relaxed);
  atomic_store_explicit(&exchange->since, fuse_seconds(), memory_order_relaxed);
  if (exchange->text.failed) {
    end_stream(exchange);
    exchange->text.failed = 0;
    exchange->text.count = 0;
    exchange->generation = 0;
    exchange->is_tagged = 0;
    server->options.refuse(server->options.context, exchange, 503, "memory is too short for the answer; ask again later, or for less");
  }
  int status = exchange->status;
  size_t size = exchange->text.count;
  char tag[24];
  if (exchange->is_tagged) {
    uint64_t hash = XXH3_64bits(exchange->text.start, size);
    tag[0] = tag[17] = '"';
    for (int i = 0; i < 16; i++) tag[1 + i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
    tag[18] = 0;
    if (exchange->request.if_none_match.start != NULL && has_tag(exchange->request.if_none_match, tag, 18)) {
      status = exchange->status = 304;
      size = exchange->text.count = 0;
    }
  }
  struct MHD_Response *response =
      exchange->stream != NULL ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, KEPT_BYTES, read_stream, exchange, NULL)
                               // The text stays as it is until the answer was sent.
                               : MHD_create_response_from_buffer(size, exchange->text.start, MHD_RESPMEM_PERSISTENT);
  if (response == NULL) return MHD_NO;
  exchange->sent = exchange->stream != NULL || exchange->request.method == FUSE_HEAD ? 0 : size;
  if (status != 304) MHD_add_response_header(response, "Content-Type", exchange->kind);
  if (exchange->is_tagged) {
    MHD_add_response_header(response, "ETag", tag);
    MHD_add_response_header(response, "Vary", "Accept");
  }
  if (exchange->generation > 0) {
    char number[24];
    size_t at = sizeof number - 1;
    number[at] = 0;
    for (uint64_t rest = exchange->generation; rest > 0; rest /= 10) number[--at] = (char)('0' + rest % 10);
    MHD_add_response_header(response, "FuseDB-Generation", number + at);
  }
  int has_cache_control = 0, has_nosniff = 0;
  for (size_t i = 0; i < exchange->header_count; i++) {
    has_cache_control |= strcasecmp(exchange->headers[i].name, "Cache-Control") == 0;
    has_nosniff |= strcasecmp(exchange->headers[i].name, "X-Content-Type-Options") == 0;
    MHD_add_response_header(response, exchange->headers[i].name, exchange->headers[i].value);
  }
  if (!has_cache_control) MHD_add_response_header(response, "Cache-Control", exchange->is_tagged ? server->cache_control : "no-store");
  if (!has_nosniff) MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  if (status == 401) {
    // A line each: of two in one, browsers read the first alone, and ask for no password.
    MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"fusedb\", charset=\"UTF-8\"");
  }
  if (status == 405) MHD_add_response_header(response, "Allow", "GET, HEAD, POST");
  if (exchange->must_close || atomic_load_explicit(&server->is_quiet, memory_order_relaxed))
    MHD_add_response_header(response, "Connection", "close");
  enum MHD_Result result = MHD_queue_response(exchange->connection, (unsigned)status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result refuse(fuse_exchange *exchange, int status, const char *problem) {
  fuse_http *server = exchange->server;
  exchange->text.count = 0;
  fuse_exchange_answer(exchange, status, "application/problem+json", 0, 0);
  server->options.refuse(server->options.context, exchange, status, problem);
  fuse_add(&fuse_own_counts(server)->refused, 1);
  return respond(exchange);
}

/// Has another thread answer, or nobody where too many wait.
static enum MHD_Result answer_slowly(fuse_exchange *exchange) {
  fuse_http *server = exchange->server;
  pthread_mutex_lock(&server->slow_lock);
  // At the end nobody would resume it.
  int has_room = !server->is_ending && server->slow_count < server->options.slow_queue_limit;
  if (has_room) {
    atomic_store_explicit(&exchange->stage, SLOW, memory_order_relaxed);
    // Before another thread can resume it.
    MHD_suspend_connection(exchange->connection);
    exchange->next_slow = NULL;
    *(server->last_slow == NULL ? &server->first_slow : &server->last_slow->next_slow) = exchange;
    server->last_slow = exchange;
    server->slow_count++;
    pthread_cond_signal(&server->slow_change);
  }
  pthread_mutex_unlock(&server->slow_lock);
  if (has_room) return MHD_YES;
  return refuse(exchange, 503, "too many requests that take long wait already; ask again later");
}

static enum MHD_Result answer(fuse_exchange *exchange) {
  fuse_http *server = exchange->server;
  if (exchange->request.problem != NULL) return refuse(exchange, exchange->request.problem_status, exchange->request.problem);
  if (!server->options.answer(server->options.context, exchange)) return answer_slowly(exchange);
  return respond(exchange);
}

void *fuse_take_target(void *context, const char *target, struct MHD_Connection *connection) {
  fuse_http *server = context;
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  fuse_exchange *exchange = info == NULL ? NULL : info->socket_context;
  if (exchange == NULL) return NULL;
  clear(exchange);
  exchange->request = (fuse_request){0};
  exchange->start = fuse_now();
  exchange->excess = 0;
  exchange->must_close = 0;
  exchange->sent = 0;
  exchange->target_end = target + strlen(target);
  fuse_text_append(&exchange->target, target, strlen(target));
  atomic_fetch_add_explicit(&server->request_count, 1, memory_order_relaxed);
  return NULL;
}

/// The head is there.
static enum MHD_Result begin(fuse_exchange *exchange, const char *method, const char *version) {
  fuse_request *request = &exchange->request;
  exchange->must_close = 1;
  request->method = strcmp(method, "GET") == 0    ? FUSE_GET
                    : strcmp(method, "HEAD") == 0 ? FUSE_HEAD
                    : strcmp(method, "POST") == 0 ? FUSE_POST
                                                  : FUSE_OTHER_METHOD;
  if (strcmp(version, "HTTP/1.1") != 0) return refuse(exchange, 505, "only HTTP/1.1 is spoken here");
  if (request->method == FUSE_OTHER_METHOD) return refuse(exchange, 405, "the methods are GET, HEAD and POST");
  if (exchange->target.count > exchange->server->options.head_limit)
    return refuse(exchange, 414, "the address is longer than is allowed; ask by POST, or start the server with a greater --max-head");
  // Where the version does not follow the target at once, a zero byte cut that short.
  if (exchange->target.failed || version != exchange->target_end + 1 || !fuse_read_target(exchange))
    return refuse(exchange, 400, "the target of the request is no path; it begins with '/', and has spaces and control characters as %XX");
  const char *problem = NULL;
  int status = fuse_read_headers(exchange, &problem);
  if (status != 0) return refuse(exchange, status, problem);
  // What is answered before the whole request was taken ends the connection, so also that without a body waits for the next call.
  atomic_store_explicit(&exchange->stage, BODY, memory_order_relaxed);
  atomic_store_explicit(&exchange->since, fuse_seconds(), memory_order_relaxed);
  return MHD_YES;
}

enum MHD_Result fuse_handle(
    void *context, struct MHD_Connection *connection, const char *url, const char *method, const char *version, const char *body,
    size_t *body_size, void **state) {
  (void)url;
  fuse_http *server = context;
  fuse_exchange *exchange = *state;
  if (exchange == NULL) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    exchange = info == NULL ? NULL : info->socket_context;
    if (exchange == NULL) return MHD_NO;
    *state = exchange;
    exchange->connection = connection;
    return begin(exchange, method, version);
  }
  if (*body_size > 0) {
    size_t room = server->options.body_limit - exchange->body.count;
    if (*body_size <= room && exchange->excess == 0) {
      fuse_text_append(&exchange->body, body, *body_size);
    } else {
      // A little more is read, so that the client gets to know why; then the connection ends.
      exchange->excess += *body_size;
      if (exchange->excess > KEPT_BYTES) return MHD_NO;
    }
    *body_size = 0;
    return MHD_YES;
  }
  int stage = atomic_load_explicit(&exchange->stage, memory_order_acquire);
  if (stage == ANSWERED) return respond(exchange);
  if (stage == SLOW) return MHD_YES;
  exchange->request.body = (fuse_bytes){exchange->body.start, exchange->body.count};
  if (exchange->excess > 0 || exchange->body.failed) {
    exchange->must_close = 1;
    return refuse(exchange, 413, "the body is longer than is allowed; ask for less in a request, or start the server with a greater --max-body");
  }
  return answer(exchange);
}

void fuse_completed(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
  (void)connection;
  fuse_http *server = context;
  fuse_exchange *exchange = *state;
  if (exchange == NULL) return;
  *state = NULL;
  struct counts *counts = fuse_own_counts(server);
  uint64_t taken = fuse_now() - exchange->start;
  if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
    size_t bucket = 0;
    while (bucket < FUSE_BUCKET_COUNT && taken > 1000 * fuse_bucket_bound(bucket)) bucket++;
    fuse_add(&counts->buckets[bucket], 1);
    fuse_add(&counts->nanoseconds, taken);
    fuse_add(&counts->answers[exchange->status / 100 % 6], 1);
    fuse_add(&counts->bytes, exchange->sent);
  }
  if (server->options.log >= 0) fuse_log(server, exchange, code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? exchange->status : 0, exchange->sent);
  clear(exchange);
  atomic_store_explicit(&exchange->since, fuse_seconds(), memory_order_relaxed);
  atomic_store_explicit(&exchange->stage, WAITING, memory_order_relaxed);
}
