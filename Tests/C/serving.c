/* Files that are replaced while they are read. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

typedef struct accepted {
  int count, refuses, had_serving;
  uint64_t keys;
  fuse_reloadable *store;
} accepted;

static int accept(void *context, const fuse_reader *candidate, const fuse_reader *serving) {
  accepted *asked = context;
  fuse_error *error = NULL;
  fuse_reader_info info = fuse_reader_info_empty();
  EXPECT(FUSE_OK, fuse_reader_get_info(candidate, &info, &error));
  asked->keys = info.key_count;
  asked->count += 1;
  asked->had_serving += serving != NULL && fuse_contains(serving, FUSE_TEXT("8.8.8.8"), NULL) == FUSE_OK;
  if (asked->store != NULL) {
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_reload(asked->store, NULL, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_reload_if_changed(asked->store, NULL, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_swap(asked->store, FUSE_TEXT("x"), NULL, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_rollback(asked->store, &error));
    EXPECT(FUSE_OK, fuse_reloadable_contains(asked->store, FUSE_TEXT("8.8.8.8"), &error));
  }
  return asked->refuses;
}

static char visited[64];
static int visit(void *context, const void *data, size_t size) {
  snprintf(visited, sizeof visited, "%.*s", (int)size - 6, (const char *)data + 6);
  return *(int *)context;
}

static int org_is(fuse_reloadable *store, const char *org) {
  fuse_error *error = NULL;
  fuse_buffer value = FUSE_BUFFER_EMPTY;
  EXPECT(FUSE_OK, fuse_reloadable_get(store, FUSE_TEXT("8.8.8.8"), &value, &error));
  int is = value.size > 6 + strlen(org) && memcmp(value.data + 6, org, strlen(org)) == 0;
  fuse_buffer_free(&value);
  return is;
}

void test_reloadable(void) {
  fuse_error *error = NULL;
  fuse_reloadable *store = NULL;
  fuse_buffer value = FUSE_BUFFER_EMPTY;
  accepted asked = {0};
  make_file("served.fsdb", "Google LLC");
  fuse_open_options open = fuse_open_options_default();
  open.memory = FUSE_MEMORY_COPIED;
  fuse_span required = SPAN("8.8.8.8");
  fuse_serving_options options = fuse_serving_options_default();
  options.open = &open;
  options.check = FUSE_CHECK_FULL;
  options.thread_count = 2;
  options.least_key_count = 2;
  options.has_greatest_shrink = true;
  options.greatest_shrink = 0.1;
  options.required_keys = &required;
  options.required_key_count = 1;
  options.accept = accept;
  options.context = &asked;
  options.kept_file_count = 1;
  options.counts_lookups = true;
  EXPECT(FUSE_OK, fuse_reloadable_open(PATH("served.fsdb"), &options, NULL, &store, &error));
  asked.store = store;
  CHECK(asked.count == 1 && asked.keys == 3 && asked.had_serving == 0);
  EXPECT(FUSE_OK, fuse_reloadable_path(store, &value, &error));
  CHECK(buffer_is(&value, path_of("served.fsdb")));
  CHECK(org_is(store, "Google LLC"));
  EXPECT(FUSE_NONE, fuse_reloadable_get(store, FUSE_TEXT("nowhere"), &value, &error));
  CHECK(value.size == 0);
  EXPECT(FUSE_OK, fuse_reloadable_contains(store, FUSE_TEXT("8.8.8.8"), &error));
  EXPECT(FUSE_NONE, fuse_reloadable_contains(store, FUSE_TEXT("nowhere"), &error));
  int answer = 0;
  EXPECT(FUSE_OK, fuse_reloadable_visit(store, FUSE_TEXT("1.1.1.1"), visit, &answer, &error));
  CHECK(strcmp(visited, "Cloudflare") == 0);
  EXPECT(FUSE_NONE, fuse_reloadable_visit(store, FUSE_TEXT("nowhere"), visit, &answer, &error));
  answer = 1;
  EXPECT(FUSE_ERROR_CANCELLED, fuse_reloadable_visit(store, FUSE_TEXT("1.1.1.1"), visit, &answer, &error));

  /* A snapshot stays as it is, and goes on when the store is closed. */
  fuse_reader *snapshot = NULL;
  EXPECT(FUSE_OK, fuse_reloadable_snapshot(store, &snapshot, &error));
  EXPECT(FUSE_NONE, fuse_reloadable_reload_if_changed(store, NULL, &error));
  make_file("served.fsdb", "Alphabet Inc.");
  EXPECT(FUSE_OK, fuse_reloadable_reload_if_changed(store, NULL, &error));
  CHECK(asked.had_serving == 1 && org_is(store, "Alphabet Inc."));
  EXPECT(FUSE_OK, fuse_get_copy(snapshot, FUSE_TEXT("8.8.8.8"), &value, &error));
  CHECK(memcmp(value.data + 6, "Google LLC", 10) == 0);
  fuse_reader_info info = fuse_reader_info_empty();
  EXPECT(FUSE_OK, fuse_reader_get_info(snapshot, &info, &error));
  CHECK(info.generation == 1);
  EXPECT(FUSE_OK, fuse_reloadable_rollback(store, &error));
  CHECK(org_is(store, "Google LLC"));
  /* Options are called as they are here. */
  CHECK(fuse_reloadable_rollback(store, &error) == FUSE_ERROR_NOT_FOUND);
  CHECK(strstr(fuse_error_message(error), "'kept_file_count'") != NULL && strstr(fuse_error_description(error), "keptFileCount") == NULL);
  fuse_error_free(error);
  error = NULL;
  EXPECT(FUSE_OK, fuse_reloadable_reload(store, NULL, &error));
  make_file("other.fsdb", "Other");
  EXPECT(FUSE_OK, fuse_reloadable_swap(store, PATH("other.fsdb"), NULL, &error));
  CHECK(org_is(store, "Other"));

  /* Files that are refused. */
  fuse_error *reason = NULL;
  EXPECT(FUSE_NONE, fuse_reloadable_last_refusal(store, &reason, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_reloadable_swap(store, PATH("missing.fsdb"), NULL, &error));
  asked.refuses = 3;
  EXPECT(FUSE_ERROR_REFUSED, fuse_reloadable_reload(store, NULL, &error));
  asked.refuses = 0;
  change_byte("other.fsdb", 60);
  EXPECT(FUSE_ERROR_CORRUPTED, fuse_reloadable_reload(store, NULL, &error));
  EXPECT(FUSE_NONE, fuse_reloadable_reload_if_changed(store, NULL, &error));
  EXPECT(FUSE_OK, fuse_reloadable_last_refusal(store, &reason, &error));
  CHECK(fuse_error_code(reason) == FUSE_ERROR_CORRUPTED);
  fuse_error_free(reason);
  CHECK(org_is(store, "Other"));
  fuse_counters counters = fuse_counters_empty();
  EXPECT(FUSE_OK, fuse_reloadable_counters(store, &counters, &error));
  CHECK(counters.generation == 5 && counters.reload_count == 4 && counters.refusal_count == 3 && counters.key_count == 3);
  CHECK(counters.hit_count > 5 && counters.miss_count == 3 && counters.failure_count == 1);
  CHECK(counters.has_built_at && counters.built_at == 1795277472 && counters.loaded_at <= counters.gathered_at);

  /* What cannot be. */
  fuse_reloadable *bad[] = {NULL, (fuse_reloadable *)snapshot};
  for (int i = 0; i < 2; i++) {
    fuse_reader *other;
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_snapshot(bad[i], &other, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_get(bad[i], "x", 1, &value, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_visit(bad[i], "x", 1, visit, &answer, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_contains(bad[i], "x", 1, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_reload(bad[i], NULL, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_reload_if_changed(bad[i], NULL, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_swap(bad[i], PATH("other.fsdb"), NULL, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_rollback(bad[i], &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_path(bad[i], &value, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_counters(bad[i], &counters, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_last_refusal(bad[i], &reason, &error));
    fuse_watcher *watcher;
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_watcher_start(bad[i], NULL, &watcher, &error));
  }
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_visit(store, "x", 1, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_get(store, NULL, 1, &value, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_get(store, "x", 1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_contains(store, NULL, 1, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_swap(store, "", 0, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_snapshot(store, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_counters(store, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_last_refusal(store, NULL, &error));
  CHECK(fuse_reloadable_close(store) == FUSE_OK && fuse_reloadable_close(store) == FUSE_ERROR_INVALID_ARGUMENT);
  CHECK(fuse_reloadable_close(NULL) == FUSE_OK);
  EXPECT(FUSE_OK, fuse_get_copy(snapshot, FUSE_TEXT("8.8.8.8"), &value, &error));
  CHECK(fuse_reader_close(snapshot) == FUSE_OK);
  make_file("served.fsdb", "Google LLC");
  options = fuse_serving_options_default();
  options.check = 3;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_open(PATH("served.fsdb"), &options, NULL, &store, &error));
  options = fuse_serving_options_default();
  options.thread_count = 100000;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_open(PATH("served.fsdb"), &options, NULL, &store, &error));
  options = fuse_serving_options_default();
  options.has_greatest_shrink = true;
  options.greatest_shrink = 1.5;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_open(PATH("served.fsdb"), &options, NULL, &store, &error));
  options = fuse_serving_options_default();
  options.kept_file_count = UINT64_MAX;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_open(PATH("served.fsdb"), &options, NULL, &store, &error));
  options = fuse_serving_options_default();
  options.required_key_count = 1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_open(PATH("served.fsdb"), &options, NULL, &store, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reloadable_open(PATH("served.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_reloadable_open(PATH("missing.fsdb"), NULL, NULL, &store, &error));
  fuse_buffer_free(&value);
}

/* Looks up on threads of its own while files are swapped; counts answers that are none. */
static int stopped, wrong;
static void *look_up(void *context) {
  fuse_reloadable *store = context;
  fuse_buffer value = FUSE_BUFFER_EMPTY;
  for (int i = 0; !__atomic_load_n(&stopped, __ATOMIC_RELAXED) || i < 100; i++) {
    fuse_reader *snapshot = NULL;
    fuse_span span, same;
    int is_right = fuse_reloadable_get(store, FUSE_TEXT("8.8.8.8"), &value, NULL) == FUSE_OK && value.size >= 56;
    if (i % 16 == 0) {
      is_right = is_right && fuse_reloadable_snapshot(store, &snapshot, NULL) == FUSE_OK;
      is_right = is_right && fuse_get(snapshot, FUSE_TEXT("gmail.com"), &span, NULL) == FUSE_OK;
      is_right = is_right && fuse_get(snapshot, FUSE_TEXT("8.8.8.8"), &same, NULL) == FUSE_OK && same.data == span.data;
      is_right = is_right && fuse_reader_check(snapshot, NULL) == FUSE_OK;
      fuse_reader_close(snapshot);
      /* Where threads take turns, as under valgrind, whoever swaps has one, too. */
      nanosleep(&(struct timespec){0, 1000}, NULL);
    }
    if (!is_right) __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
  }
  fuse_buffer_free(&value);
  return NULL;
}

static void test_threads(void) {
  fuse_error *error = NULL;
  fuse_reloadable *store = NULL;
  pthread_t threads[8];
  make_file("threads-0.fsdb", "Google LLC");
  make_file("threads-1.fsdb", "Alphabet Inc.");
  EXPECT(FUSE_OK, fuse_reloadable_open(PATH("threads-0.fsdb"), NULL, NULL, &store, &error));
  for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, look_up, store) == 0);
  for (int i = 0; i < 200; i++) {
    EXPECT(FUSE_OK, fuse_reloadable_swap(store, PATH(i % 2 ? "threads-0.fsdb" : "threads-1.fsdb"), NULL, &error));
  }
  __atomic_store_n(&stopped, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(wrong == 0 && fuse_reloadable_close(store) == FUSE_OK);
}

/* Stopped by its own callback, under the lock of what is told. */
static fuse_watcher *to_stop;

static void on_reload(void *context, const fuse_reader *reader) {
  fuse_reader_info info = fuse_reader_info_empty();
  fuse_status status = fuse_reader_get_info(reader, &info, NULL);
  pthread_mutex_lock(&told.lock);
  told.changes += context == &told && status == FUSE_OK;
  told.generation = info.generation;
  if (to_stop != NULL) fuse_watcher_stop(to_stop, NULL);
  pthread_cond_broadcast(&told.changed);
  pthread_mutex_unlock(&told.lock);
}

static void on_failure(void *context, const fuse_error *reason) {
  pthread_mutex_lock(&told.lock);
  told.failures += context == &told;
  told.failure = fuse_error_code(reason);
  pthread_cond_broadcast(&told.changed);
  pthread_mutex_unlock(&told.lock);
}

void test_watcher(void) {
  told.changes = told.failures = 0;
  fuse_error *error = NULL;
  test_threads();
  fuse_reloadable *store = NULL;
  fuse_watcher *watcher = NULL;
  make_file("watched.fsdb", "Google LLC");
  EXPECT(FUSE_OK, fuse_reloadable_open(PATH("watched.fsdb"), NULL, NULL, &store, &error));
  fuse_watcher_options options = fuse_watcher_options_default();
  options.poll_interval = 0.02;
  options.debounce = -1;
  options.on_reload = on_reload;
  options.on_failure = on_failure;
  options.context = &told;
  for (int polls = 0; polls < 2; polls++) {
    options.polls_only = polls;
    EXPECT(FUSE_OK, fuse_watcher_start(store, &options, &watcher, &error));
    make_file("watched.fsdb", "Alphabet Inc.");
    CHECK(comes_to(1 + 2 * polls, polls) && told.changes == 1 + 2 * polls && told.failures == polls);
    CHECK(told.generation == 2u + 2 * polls && org_is(store, "Alphabet Inc."));
    make_file("watched-new.fsdb", "Damaged");
    change_byte("watched-new.fsdb", 60);
    CHECK(rename(path_of("watched-new.fsdb"), path_of("watched.fsdb")) == 0);
    CHECK(comes_to(1 + 2 * polls, 1 + polls) && told.changes == 1 + 2 * polls && told.failures == 1 + polls && told.failure == FUSE_ERROR_CORRUPTED);
    /* A watcher may be stopped from its own callback. */
    pthread_mutex_lock(&told.lock);
    to_stop = watcher;
    pthread_mutex_unlock(&told.lock);
    make_file("watched.fsdb", "Google LLC");
    CHECK(comes_to(2 + 2 * polls, 1 + polls) && told.changes == 2 + 2 * polls && told.failures == 1 + polls);
    pthread_mutex_lock(&told.lock);
    to_stop = NULL;
    pthread_mutex_unlock(&told.lock);
    EXPECT(FUSE_OK, fuse_watcher_stop(watcher, &error));
    EXPECT(FUSE_OK, fuse_watcher_stop(watcher, &error));
    CHECK(fuse_watcher_close(watcher) == FUSE_OK && fuse_watcher_close(watcher) == FUSE_ERROR_INVALID_ARGUMENT);
  }
  EXPECT(FUSE_OK, fuse_watcher_start(store, NULL, &watcher, &error));
  CHECK(fuse_watcher_close(watcher) == FUSE_OK && fuse_watcher_close(NULL) == FUSE_OK);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_watcher_stop(watcher, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_watcher_start(store, NULL, NULL, &error));
  options.poll_interval = -1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_watcher_start(store, &options, &watcher, &error));
  options.poll_interval = 1e300;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_watcher_start(store, &options, &watcher, &error));
  options.poll_interval = 1;
  options.debounce = 0.0 / (options.poll_interval - 1);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_watcher_start(store, &options, &watcher, &error));
  CHECK(fuse_reloadable_close(store) == FUSE_OK);
}
