// An HTTP/1.1 server by libmicrohttpd: what is hostile in a request ends here, and what is asked for often allocates nothing.
#ifndef CFUSEHTTP_H
#define CFUSEHTTP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma clang assume_nonnull begin

/// Bytes that belong to somebody else; `start` is NULL where there are none.
typedef struct {
  const uint8_t *_Nullable start;
  size_t count;
} fuse_bytes;

/// Text that grows. Where memory was too short, `failed` is set and the rest is left out.
typedef struct {
  uint8_t *_Nullable start;
  size_t count;
  size_t capacity;
  int failed;
} fuse_text;

/// Makes it longer than it can be now; whether that was possible.
int fuse_text_grow(fuse_text *text, size_t count);
/// Makes room for `count` more bytes; whether there is.
static inline int fuse_text_reserve(fuse_text *text, size_t count) {
  return text->capacity - text->count >= count ? !text->failed : fuse_text_grow(text, count);
}
static inline void fuse_text_append(fuse_text *text, const void *_Nullable bytes, size_t count) {
  if (count == 0 || !fuse_text_reserve(text, count)) return;
  memcpy(text->start + text->count, bytes, count);
  text->count += count;
}
void fuse_text_free(fuse_text *text);
/// Whether `part` is somewhere in `bytes`.
int fuse_contains(const uint8_t *bytes, size_t count, const uint8_t *part, size_t part_count);

// MARK: Requests

enum fuse_method { FUSE_GET = 0, FUSE_HEAD = 1, FUSE_POST = 2, FUSE_OTHER_METHOD = 3 };

/// What a target under /v1/ asks for.
enum fuse_verb {
  FUSE_VERB_OTHER = 0,
  /// /v1/NAME/get, /v1/NAME/keys/KEY and /v1/NAME/keys64/KEY.
  FUSE_VERB_GET,
  FUSE_VERB_PREFIX,
  FUSE_VERB_STATS,
  FUSE_VERB_ALIASES,
  FUSE_VERB_DIFF,
  FUSE_VERB_NAMES,
  FUSE_VERB_METRICS,
  FUSE_VERB_HEALTH,
  FUSE_VERB_READY,
  FUSE_VERB_DOCUMENT,
};

/// The parameters of a query, decoded; the last are those of some verbs.
enum fuse_parameter {
  FUSE_PARAMETER_KEY, FUSE_PARAMETER_FIELD, FUSE_PARAMETER_MATCH, FUSE_PARAMETER_PREFIX, FUSE_PARAMETER_LIMIT, FUSE_PARAMETER_AFTER,
  FUSE_PARAMETER_FROM, FUSE_PARAMETER_COUNT,
};

/// One request. Its bytes stay until it is answered.
typedef struct {
  enum fuse_method method;
  enum fuse_verb verb;
  /// The database that is named; of no others.
  fuse_bytes name;
  /// By number of `fuse_parameter`.
  fuse_bytes parameters[FUSE_PARAMETER_COUNT];
  /// A sentence on what is wrong with the target, with the status for it.
  const char *_Nullable problem;
  int problem_status;
  /// As they came: encoded, without the question mark.
  fuse_bytes path, query;
  fuse_bytes body;
  fuse_bytes host, authorization, accept, if_none_match;
  /// Whether a token that is known came along.
  int is_known;
  /// Whether the answer as stored bytes is what the request would rather have.
  int wants_messagepack;
} fuse_request;

static inline fuse_bytes fuse_parameter(const fuse_request *request, enum fuse_parameter number) { return request->parameters[number]; }

/// A request and its answer.
typedef struct fuse_exchange fuse_exchange;

const fuse_request *fuse_exchange_request(const fuse_exchange *exchange);
/// Where the answer's body is written to; empty at first.
fuse_text *fuse_exchange_text(fuse_exchange *exchange);
/// What the answer is. `kind` is kept as a reference for ever. An answer with `is_tagged` bears an ETag made of its bytes, and is 304 without
/// them where the request has it already. `generation` is 0 where no file answered.
void fuse_exchange_answer(fuse_exchange *exchange, int status, const char *kind, uint64_t generation, int is_tagged);
/// Adds a header; both are copied. Whether that can be.
int fuse_exchange_header(fuse_exchange *exchange, const char *name, const char *value);
/// Has more of the body come from `more` when what is in the text was sent. It appends to the text, which is empty then, and returns whether there is
/// still more after that; `end` is called once, also when the client went away.
void fuse_exchange_stream(
    fuse_exchange *exchange, void *stream, int (*more)(void *stream, fuse_text *text), void (*end)(void *stream));
/// Goes through the headers of the request while `visit` returns 1.
void fuse_exchange_headers(const fuse_exchange *exchange, void *_Nullable context, int (*visit)(void *_Nullable context, fuse_bytes name, fuse_bytes value));
/// Decodes the part of a target that `bytes` is, into `out`; 0 where a percent sign has no two digits after it.
int fuse_percent_decode(fuse_bytes bytes, int plus_is_space, fuse_text *out);

/// The keys of a body, unpacked where they stand: a JSON array or lines, each a string or {"$bin":"hexadecimal"}.
typedef struct {
  fuse_bytes *_Nullable keys;
  size_t count;
  /// What is wrong, and where in the body.
  const char *_Nullable problem;
  size_t offset;
  int is_array;
  /// Whether there are more keys than are allowed.
  int is_too_long;
} fuse_keys;

/// Takes the keys out of the request's body. They stay until the answer was sent, or the stream ended.
fuse_keys fuse_exchange_keys(fuse_exchange *exchange, size_t limit);
/// Gives away the memory that the body and its keys are in; `fuse_kept_free` frees it.
void *_Nullable fuse_exchange_keep(fuse_exchange *exchange);
void fuse_kept_free(void *_Nullable kept);

// MARK: JSON

/// Appends a key as JSON: a string, or {"$bin":"…"}.
void fuse_json_key(fuse_text *out, const uint8_t *_Nullable bytes, size_t count);
/// Appends a MessagePack value as JSON where all of it is common: whether it was. Nothing is appended otherwise.
///
/// `number` writes a finite float64 into 32 bytes, and returns how many it took.
int fuse_json_value(fuse_text *out, const uint8_t *_Nullable bytes, size_t count, size_t (*number)(double value, uint8_t *out));

/// Appends {"key":…,"value":…} and `tail`, where the value is common as above: whether it was.
int fuse_json_row(
    fuse_text *out, fuse_bytes key, fuse_bytes object, const char *tail, size_t (*number)(double value, uint8_t *out));

// MARK: Serving

typedef struct {
  size_t head_limit, body_limit;
  unsigned connection_limit, thread_count, timeout;
  unsigned slow_thread_count, slow_queue_limit;
  /// The texts of the header Cache-Control of answers, and its likes.
  const char *_Nullable cache_control;
  /// Names that a Host may have, in lower case, without a port; a numeric address is always taken.
  const char *_Nonnull const *_Nullable hosts;
  size_t host_count;
  /// None where everybody may ask.
  const char *_Nonnull const *_Nullable tokens;
  size_t token_count;
  /// A descriptor for lines of the access log, or -1.
  int log;
  void *_Nullable context;
  /// Answers at once and returns 1, or returns 0 for what takes long, which `answer_slowly` is called for, on another thread.
  int (*_Nullable answer)(void *_Nullable context, fuse_exchange *exchange);
  void (*_Nullable answer_slowly)(void *_Nullable context, fuse_exchange *exchange);
  /// Writes the answer that is an error: a JSON problem document.
  void (*_Nullable refuse)(void *_Nullable context, fuse_exchange *exchange, int status, const char *problem);
} fuse_http_options;

typedef struct fuse_http fuse_http;

/// A socket that listens at a numeric address; -1 with errno where that cannot be. `port` becomes the one that it has.
int fuse_listen(const char *host, uint16_t *port, int backlog);
/// A socket that listens at a path, with these rights. A socket that nobody listens at any more is replaced.
int fuse_listen_at_path(const char *path, unsigned mode, int backlog);
/// Opens a file to append to, or makes it, for its owner; -1 with errno where that cannot be.
int fuse_open_log(const char *path);
/// Removes the file of a socket, if it is one.
void fuse_remove_socket(const char *path);
/// The same text, for ever. There are few kinds.
const char *fuse_interned_kind(const char *kind);
/// Takes as many descriptors as the system allows; how many that are.
size_t fuse_descriptor_limit(void);

/// Serves at sockets that listen, which are closed at the end; NULL with errno where that cannot be. The options' texts are copied.
fuse_http *_Nullable fuse_http_start(const int *sockets, size_t count, const fuse_http_options *options);
/// Accepts no more, has requests end for at most so many milliseconds, and ends. Returns how many were cut short.
unsigned fuse_http_end(fuse_http *server, unsigned patience);
/// Waits for SIGTERM or SIGINT, which this process then has blocked in all threads made after `fuse_block_signals`; or for a time in milliseconds.
/// Returns the signal, or 0.
void fuse_block_signals(void);
int fuse_wait_for_signal(unsigned milliseconds);

/// What was counted. The buckets are of the time from a request's first line to the end of its answer.
enum { FUSE_BUCKET_COUNT = 15 };
typedef struct {
  uint64_t connections, open_connections, dropped_connections, refused_requests, slow_requests;
  /// Of bodies of answers, as they were sent.
  uint64_t bytes;
  /// By hundreds of the status.
  uint64_t answers[6];
  uint64_t buckets[FUSE_BUCKET_COUNT + 1];
  uint64_t nanoseconds;
} fuse_http_counts;
fuse_http_counts fuse_http_count(fuse_http *server);
/// The upper bound of a bucket in microseconds.
uint64_t fuse_bucket_bound(size_t number);

#pragma clang assume_nonnull end

#endif
