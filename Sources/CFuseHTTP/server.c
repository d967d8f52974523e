#include "parts.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t fuse_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint32_t fuse_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return (uint32_t)time.tv_sec;
}

// MARK: Counting

static _Thread_local struct counts *own;

struct counts *fuse_own_counts(fuse_http *server) {
  if (own != NULL) return own;
  static struct counts spare;
  struct counts *counts = aligned_alloc(_Alignof(struct counts), sizeof *counts);
  // Where memory is that short, the counts of several threads meet, and some are lost.
  if (counts == NULL) return &spare;
  memset(counts, 0, sizeof *counts);
  pthread_mutex_init(&counts->log_lock, NULL);
  pthread_mutex_lock(&server->lock);
  counts->next = server->counts;
  server->counts = counts;
  pthread_mutex_unlock(&server->lock);
  return own = counts;
}

uint64_t fuse_bucket_bound(size_t number) {
  static const uint64_t bounds[FUSE_BUCKET_COUNT] = {25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 10000000};
  return bounds[number];
}

fuse_http_counts fuse_http_count(fuse_http *server) {
  fuse_http_counts sum = {0};
  pthread_mutex_lock(&server->lock);
  for (struct counts *counts = server->counts; counts != NULL; counts = counts->next) {
    sum.connections += atomic_load_explicit(&counts->connections, memory_order_relaxed);
    sum.dropped_connections += atomic_load_explicit(&counts->dropped, memory_order_relaxed);
    sum.refused_requests += atomic_load_explicit(&counts->refused, memory_order_relaxed);
    sum.slow_requests += atomic_load_explicit(&counts->slow, memory_order_relaxed);
    sum.bytes += atomic_load_explicit(&counts->bytes, memory_order_relaxed);
    sum.nanoseconds += atomic_load_explicit(&counts->nanoseconds, memory_order_relaxed);
    for (size_t i = 0; i < 6; i++) sum.answers[i] += atomic_load_explicit(&counts->answers[i], memory_order_relaxed);
    for (size_t i = 0; i <= FUSE_BUCKET_COUNT; i++) sum.buckets[i] += atomic_load_explicit(&counts->buckets[i], memory_order_relaxed);
  }
  sum.open_connections = server->open_count;
  pthread_mutex_unlock(&server->lock);
  return sum;
}

// MARK: The access log

void fuse_flush_log(fuse_http *server, struct counts *counts) {
  pthread_mutex_lock(&counts->log_lock);
  size_t given = 0;
  while (given < counts->log.count) {
    ssize_t written = write(server->options.log, counts->log.start + given, counts->log.count - given);
    if (written < 0 && errno == EINTR) continue;
    // There is nobody to tell.
    if (written <= 0) break;
    given += (size_t)written;
  }
  counts->log.count = 0;
  counts->log.failed = 0;
  pthread_mutex_unlock(&counts->log_lock);
}

void fuse_log(fuse_http *server, const fuse_exchange *exchange, int status, size_t bytes) {
  static const char *const methods[] = {"GET", "HEAD", "POST", "other"};
  struct counts *counts = fuse_own_counts(server);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct tm parts;
  gmtime_r(&now.tv_sec, &parts);
  char head[128], tail[128];
  int head_size = snprintf(
      head, sizeof head, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"method\":\"%s\",\"target\":", parts.tm_year + 1900, parts.tm_mon + 1,
      parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1000000, methods[exchange->request.method]);
  int tail_size = snprintf(
      tail, sizeof tail, ",\"status\":%d,\"bytes\":%zu,\"microseconds\":%llu}\n", status, bytes,
      (unsigned long long)((fuse_now() - exchange->start) / 1000));
  pthread_mutex_lock(&counts->log_lock);
  fuse_text_append(&counts->log, head, (size_t)head_size);
  fuse_json_key(&counts->log, exchange->target.start, exchange->target.count);
  fuse_text_append(&counts->log, tail, (size_t)tail_size);
  int is_long = counts->log.count >= KEPT_BYTES;
  pthread_mutex_unlock(&counts->log_lock);
  if (is_long) fuse_flush_log(server, counts);
}

/// Writes what all threads have of the log.
static void flush_logs(fuse_http *server) {
  if (server->options.log < 0) return;
  pthread_mutex_lock(&server->lock);
  struct counts *all = server->counts;
  pthread_mutex_unlock(&server->lock);
  // Entries are only added, at the front.
  for (struct counts *counts = all; counts != NULL; counts = counts->next) fuse_flush_log(server, counts);
}

// MARK: Connections

/// Ends a connection: its thread notices. Under the lock, so that its descriptor is still its own.
static void drop(fuse_http *server, struct fuse_exchange *exchange) {
  (void)server;
  if (atomic_exchange_explicit(&exchange->is_dropped, 1, memory_order_relaxed)) return;
  shutdown(exchange->socket, SHUT_RDWR);
}

/// Makes room where there are too many connections: one goes that has waited for long, of the older ones.
static void drop_idle(fuse_http *server) {
  struct fuse_exchange *longest = NULL;
  size_t looked = 0;
  for (struct fuse_exchange *exchange = server->first; exchange != NULL && looked < 256; exchange = exchange->next, looked++) {
    if (atomic_load_explicit(&exchange->stage, memory_order_relaxed) != WAITING || atomic_load_explicit(&exchange->is_dropped, memory_order_relaxed))
      continue;
    if (longest == NULL || exchange->since < longest->since) longest = exchange;
  }
  if (longest != NULL) drop(server, longest);
}

static void take_out(fuse_http *server, struct fuse_exchange *exchange) {
  *(exchange->previous == NULL ? &server->first : &exchange->previous->next) = exchange->next;
  *(exchange->next == NULL ? &server->last : &exchange->next->previous) = exchange->previous;
}

static void notice(void *context, struct MHD_Connection *connection, void **state, enum MHD_ConnectionNotificationCode code) {
  fuse_http *server = context;
  struct counts *counts = fuse_own_counts(server);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    struct fuse_exchange *exchange = calloc(1, sizeof *exchange);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (exchange == NULL || info == NULL) return free(exchange);
    *state = exchange;
    exchange->server = server;
    exchange->socket = info->connect_fd;
    exchange->since = fuse_seconds();
    fuse_add(&counts->connections, 1);
    pthread_mutex_lock(&server->lock);
    exchange->previous = server->last;
    *(server->last == NULL ? &server->first : &server->last->next) = exchange;
    server->last = exchange;
    server->open_count++;
    if (server->open_count > server->options.connection_limit) drop_idle(server);
    pthread_mutex_unlock(&server->lock);
    return;
  }
  struct fuse_exchange *exchange = *state;
  if (exchange == NULL) return;
  *state = NULL;
  pthread_mutex_lock(&server->lock);
  take_out(server, exchange);
  server->open_count--;
  pthread_mutex_unlock(&server->lock);
  if (exchange->is_dropped) fuse_add(&counts->dropped, 1);
  fuse_text_free(&exchange->text);
  fuse_text_free(&exchange->body);
  fuse_text_free(&exchange->target);
  fuse_text_free(&exchange->decoded);
  free(exchange->keys);
  free(exchange);
}

/// Once a second: ends what takes too long, and writes the log.
static void *reap(void *context) {
  fuse_http *server = context;
  pthread_mutex_lock(&server->lock);
  while (!server->is_ending) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec++;
    pthread_cond_timedwait(&server->reaper_change, &server->lock, &time);
    uint32_t now = fuse_seconds(), patience = server->options.timeout;
    for (struct fuse_exchange *exchange = server->first; exchange != NULL; exchange = exchange->next) {
      int stage = atomic_load_explicit(&exchange->stage, memory_order_relaxed);
      uint32_t waited = now - atomic_load_explicit(&exchange->since, memory_order_relaxed);
      if (stage == SLOW || stage == ANSWERED || waited > 1u << 31) continue;
      // An answer may be long, but not for ever.
      if (waited > (stage == SENDING ? 10 * patience : patience)) drop(server, exchange);
    }
    pthread_mutex_unlock(&server->lock);
    flush_logs(server);
    pthread_mutex_lock(&server->lock);
  }
  pthread_mutex_unlock(&server->lock);
  return NULL;
}

/// Answers what takes long, one after the other.
static void *work(void *context) {
  fuse_http *server = context;
  pthread_mutex_lock(&server->slow_lock);
  for (;;) {
    while (server->first_slow == NULL && !server->is_ending) pthread_cond_wait(&server->slow_change, &server->slow_lock);
    struct fuse_exchange *exchange = server->first_slow;
    if (exchange == NULL) break;
    server->first_slow = exchange->next_slow;
    if (server->first_slow == NULL) server->last_slow = NULL;
    pthread_mutex_unlock(&server->slow_lock);
    server->options.answer_slowly(server->options.context, exchange);
    fuse_add(&fuse_own_counts(server)->slow, 1);
    struct MHD_Connection *connection = exchange->connection;
    atomic_store_explicit(&exchange->stage, ANSWERED, memory_order_release);
    MHD_resume_connection(connection);
    pthread_mutex_lock(&server->slow_lock);
    server->slow_count--;
  }
  pthread_mutex_unlock(&server->slow_lock);
  return NULL;
}

// MARK: From the beginning to the end

/// Nothing is decoded: targets are read as they came.
static size_t leave(void *context, struct MHD_Connection *connection, char *text) {
  (void)context;
  (void)connection;
  return strlen(text);
}

static void free_texts(char **texts, size_t count) {
  for (size_t i = 0; texts != NULL && i < count; i++) free(texts[i]);
  free(texts);
}

/// Copies of texts; NULL where memory is too short.
static char **copies(const char *const *texts, size_t count) {
  char **all = calloc(count + 1, sizeof *all);
  for (size_t i = 0; all != NULL && i < count; i++) {
    if ((all[i] = strdup(texts[i])) != NULL) continue;
    free_texts(all, i);
    return NULL;
  }
  return all;
}

static void release(fuse_http *server) {
  free(server->cache_control);
  free_texts(server->hosts, server->options.host_count);
  free_texts(server->tokens, server->options.token_count);
  while (server->counts != NULL) {
    struct counts *counts = server->counts;
    server->counts = counts->next;
    fuse_text_free(&counts->log);
    free(counts);
  }
  own = NULL;
  free(server);
}

/// Ends all threads; none of them is at a request.
static void end_threads(fuse_http *server) {
  pthread_mutex_lock(&server->slow_lock);
  pthread_mutex_lock(&server->lock);
  server->is_ending = 1;
  pthread_cond_broadcast(&server->slow_change);
  pthread_cond_broadcast(&server->reaper_change);
  pthread_mutex_unlock(&server->lock);
  pthread_mutex_unlock(&server->slow_lock);
  for (size_t i = 0; i < server->worker_count; i++) pthread_join(server->workers[i], NULL);
  if (server->has_reaper) pthread_join(server->reaper, NULL);
  for (size_t i = 0; i < server->daemon_count; i++) MHD_stop_daemon(server->daemons[i]);
}

/// Gives up what was begun; NULL, with the reason as errno.
static fuse_http *give_up(fuse_http *server, int reason) {
  end_threads(server);
  release(server);
  errno = reason;
  return NULL;
}

fuse_http *fuse_http_start(const int *sockets, size_t count, const fuse_http_options *options) {
  fuse_http *server = calloc(1, sizeof *server);
  if (server == NULL) return NULL;
  server->options = *options;
  server->cache_control = strdup(options->cache_control);
  server->hosts = copies(options->hosts, options->host_count);
  server->tokens = copies(options->tokens, options->token_count);
  pthread_mutex_init(&server->lock, NULL);
  pthread_mutex_init(&server->slow_lock, NULL);
  pthread_cond_init(&server->slow_change, NULL);
  pthread_cond_init(&server->reaper_change, NULL);
  if (server->cache_control == NULL || server->hosts == NULL || server->tokens == NULL) return give_up(server, ENOMEM);
  // Before anybody can ask.
  for (unsigned i = 0; i < options->slow_thread_count && i < MOST_WORKERS; i++)
    if (pthread_create(&server->workers[server->worker_count], NULL, work, server) == 0) server->worker_count++;
  server->has_reaper = server->worker_count > 0 && pthread_create(&server->reaper, NULL, reap, server) == 0;
  if (!server->has_reaper) return give_up(server, EAGAIN);
  // Twice as much as is allowed, so that what is too long is mostly ours to refuse; and answers have heads, too.
  size_t memory = 2 * options->head_limit;
  // A thread of the pool takes its share of the limit, whoever comes to it; ours counts them all.
  unsigned share = options->connection_limit + 64;
  for (size_t i = 0; i < count && i < sizeof server->daemons / sizeof *server->daemons; i++) {
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, sockets[i], NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(share * options->thread_count), NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)options->timeout, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)memory, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)fuse_take_target, server},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notice, server},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)fuse_completed, server},
        {options->thread_count > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)options->thread_count, NULL},
        {MHD_OPTION_END, 0, NULL}};
    errno = 0;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, fuse_handle, server, MHD_OPTION_ARRAY, items,
        MHD_OPTION_END);
    if (daemon == NULL) return give_up(server, errno == 0 ? ENOMEM : errno);
    server->daemons[server->daemon_count++] = daemon;
  }
  return server;
}

/// How many requests are not answered yet.
static unsigned unanswered(fuse_http *server) {
  unsigned count = 0;
  pthread_mutex_lock(&server->lock);
  for (struct fuse_exchange *exchange = server->first; exchange != NULL; exchange = exchange->next)
    count += atomic_load_explicit(&exchange->stage, memory_order_relaxed) != WAITING;
  pthread_mutex_unlock(&server->lock);
  return count;
}

unsigned fuse_http_end(fuse_http *server, unsigned patience) {
  atomic_store(&server->is_quiet, 1);
  for (size_t i = 0; i < server->daemon_count; i++) {
    int descriptor = MHD_quiesce_daemon(server->daemons[i]);
    if (descriptor >= 0) close(descriptor);
  }
  // What is on its way is answered, too: until nothing came for a moment.
  uint64_t end = fuse_now() + (uint64_t)patience * 1000000;
  uint64_t seen = atomic_load(&server->request_count);
  unsigned quiet = 0;
  while (fuse_now() < end && quiet < 10) {
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    uint64_t now = atomic_load(&server->request_count);
    quiet = now == seen && unanswered(server) == 0 ? quiet + 1 : 0;
    seen = now;
  }
  unsigned left = unanswered(server);
  if (left == 0) end_threads(server);
  flush_logs(server);
  // Otherwise threads may still be at them: the process ends without waiting.
  if (left == 0) release(server);
  return left;
}
