// What the files of this folder know of each other.
#ifndef CFUSEHTTP_PARTS_H
#define CFUSEHTTP_PARTS_H

#define _GNU_SOURCE
#include "CFuseHTTP.h"

#if !__has_include(<microhttpd.h>)
#error "microhttpd.h not found: apt-get install libmicrohttpd-dev"
#endif
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HEADERS = 8, KEPT_BYTES = 1 << 16, MOST_WORKERS = 1024 };

/// Where a connection is: what is waited for.
enum stage {
  /// The head of a request.
  WAITING,
  BODY,
  /// An answer that another thread makes.
  SLOW,
  /// The answer is there.
  ANSWERED,
  SENDING,
};

/// What one thread counts, on lines of its own.
struct counts {
  _Atomic uint64_t connections, dropped, refused, slow, bytes;
  _Atomic uint64_t answers[6];
  _Atomic uint64_t buckets[FUSE_BUCKET_COUNT + 1];
  _Atomic uint64_t nanoseconds;
  struct counts *next;
  /// Lines of the access log that were not written yet.
  fuse_text log;
  pthread_mutex_t log_lock;
} __attribute__((aligned(128)));

/// A connection and the request on it: one at a time.
struct fuse_exchange {
  fuse_http *server;
  struct MHD_Connection *connection;
  struct fuse_exchange *next, *previous;
  int socket;
  _Atomic int stage;
  /// When it began to wait for what it waits for, in seconds.
  _Atomic uint32_t since;
  _Atomic int is_dropped;

  fuse_request request;
  uint64_t start;
  /// The target as it came, then what was decoded of it.
  fuse_text target;
  const char *target_end;
  fuse_text decoded;
  fuse_text body;
  size_t excess;
  fuse_bytes *keys;
  size_t key_capacity;

  int status;
  const char *kind;
  uint64_t generation;
  int is_tagged;
  int must_close;
  fuse_text text;
  struct { char *name, *value; } headers[MOST_HEADERS];
  size_t header_count;
  void *stream;
  int (*more)(void *, fuse_text *);
  void (*end)(void *);
  size_t text_given;
  /// How many bytes of the body were sent.
  size_t sent;
  int has_more;
  struct fuse_exchange *next_slow;
};

struct fuse_http {
  fuse_http_options options;
  char *cache_control;
  char **hosts;
  char **tokens;
  struct MHD_Daemon *daemons[8];
  size_t daemon_count;

  pthread_mutex_t lock;
  // Under the lock: all connections, the oldest first, the lists of counts, and the queue of slow requests.
  struct fuse_exchange *first, *last;
  size_t open_count;
  struct counts *counts;
  pthread_mutex_t slow_lock;
  pthread_cond_t slow_change;
  struct fuse_exchange *first_slow, *last_slow;
  unsigned slow_count;
  int is_ending;
  pthread_t workers[MOST_WORKERS];
  size_t worker_count;
  pthread_t reaper;
  int has_reaper;
  pthread_cond_t reaper_change;
  _Atomic int is_quiet;
  _Atomic uint64_t request_count;
};

/// Eight bytes of text at once: the high bit is set of those that are not plain in a JSON string, at least of the first of them.
static inline uint64_t fuse_unplain(const uint8_t *bytes, uint64_t *word) {
  const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  uint64_t text;
  memcpy(&text, bytes, 8);
  uint64_t quote = text ^ 0x2222222222222222, backslash = text ^ 0x5C5C5C5C5C5C5C5C;
  *word = text;
  return (text | ((text - 32 * ones) & ~text) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs;
}

/// What a hexadecimal digit is worth; -1 where it is none.
static inline int fuse_digit(uint8_t byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  byte |= 0x20;
  return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

uint64_t fuse_now(void);
uint32_t fuse_seconds(void);
struct counts *fuse_own_counts(fuse_http *server);
static inline void fuse_add(_Atomic uint64_t *sum, uint64_t count) {
  atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + count, memory_order_relaxed);
}

/// Fills the request's path, query, verb, name and parameters of its target; 0 where the target is no target.
int fuse_read_target(fuse_exchange *exchange);
/// Looks at the headers; the status of what is wrong, with a sentence, or 0.
int fuse_read_headers(fuse_exchange *exchange, const char **problem);
void fuse_log(fuse_http *server, const fuse_exchange *exchange, int status, size_t bytes);
void fuse_flush_log(fuse_http *server, struct counts *counts);
enum MHD_Result fuse_handle(
    void *server, struct MHD_Connection *connection, const char *url, const char *method, const char *version, const char *body,
    size_t *body_size, void **state);
void *fuse_take_target(void *server, const char *target, struct MHD_Connection *connection);
void fuse_completed(void *server, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code);

#endif
