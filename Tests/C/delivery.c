/* Publishing, fetching, following. */
#define _GNU_SOURCE
#include "check.h"

#include <sys/stat.h>

/* The organisation of a file's first object, as the texts of make_file begin in MessagePack. */
static int file_is(const char *name, const char *org) {
  fuse_reader *reader = open_file(name);
  fuse_span value = {NULL, 0};
  int is_so = fuse_get(reader, FUSE_TEXT("8.8.8.8"), &value, NULL) == FUSE_OK && value.size > strlen(org) &&
      memmem(value.data, value.size, org, strlen(org)) != NULL;
  fuse_reader_close(reader);
  return is_so;
}

static int serves(fuse_reloadable *store, const char *org) {
  fuse_buffer value = FUSE_BUFFER_EMPTY;
  int is_so = fuse_reloadable_get(store, FUSE_TEXT("8.8.8.8"), &value, NULL) == FUSE_OK &&
      memmem(value.data, value.size, org, strlen(org)) != NULL;
  fuse_buffer_free(&value);
  return is_so;
}

static int is_digest(const char *text) { return strspn(text, "0123456789abcdef") == 64 && text[64] == 0; }

static void test_publish(void) {
  fuse_error *error = NULL;
  fuse_publish_report report = fuse_publish_report_empty();
  make_file("delivery/version.fsdb", "Google LLC");
  EXPECT(FUSE_OK, fuse_publish(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/version.fsdb"), NULL, NULL, &report, &error));
  CHECK(report.generation == 1 && report.key_count == 3 && report.byte_count == (uint64_t)size_of("delivery/version.fsdb"));
  CHECK(report.patch_count == 0 && is_digest(report.manifest));
  char first[FUSE_DIGEST_TEXT_SIZE];
  memcpy(first, report.manifest, sizeof first);
  EXPECT(FUSE_NONE, fuse_publish(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/version.fsdb"), NULL, NULL, &report, &error));
  CHECK(report.generation == 1 && strcmp(first, report.manifest) == 0);

  fuse_publish_options options = fuse_publish_options_default();
  options.least_key_count = 4;
  make_file("delivery/version.fsdb", "Alphabet Inc.");
  EXPECT(FUSE_ERROR_REFUSED, fuse_publish(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/version.fsdb"), &options, NULL, NULL, &error));
  options.least_key_count = 3;
  options.validity = -1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_publish(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/version.fsdb"), &options, NULL, NULL, &error));
  options.validity = 0;
  fuse_span no_key = SPAN("there is no key here");
  options.key_paths = &no_key;
  options.key_path_count = 1;
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_publish(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/version.fsdb"), &options, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_publish(PATH("delivery/remote"), FUSE_TEXT("no name"), PATH("delivery/version.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_publish(FUSE_TEXT("http://127.0.0.1"), FUSE_TEXT("geo"), PATH("delivery/version.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_publish(NULL, 0, FUSE_TEXT("geo"), PATH("delivery/version.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_publish(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/nothing.fsdb"), NULL, NULL, NULL, &error));
}

static int never(void *context, double share) {
  *(double *)context = share;
  return 1;
}

static int refuse(void *context, const fuse_reader *candidate, const fuse_reader *serving) {
  (void)serving;
  fuse_subscription *subscription = *(fuse_subscription **)context;
  fuse_error *error = NULL;
  if (subscription != NULL) EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_subscription_update(subscription, NULL, NULL, &error));
  return fuse_contains(candidate, FUSE_TEXT("gmail.com"), NULL) == FUSE_OK ? 7 : 0;
}

static void test_fetch(void) {
  fuse_error *error = NULL;
  fuse_fetch_report report = fuse_fetch_report_empty();
  EXPECT(FUSE_OK, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/got.fsdb"), NULL, true, NULL, &report, &error));
  CHECK(report.way == FUSE_WAY_WHOLE && report.planned_byte_count > 0 && size_of("delivery/got.fsdb") < 0);
  EXPECT(FUSE_OK, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/got.fsdb"), NULL, false, NULL, &report, &error));
  CHECK(report.way == FUSE_WAY_WHOLE && report.generation == 1 && is_digest(report.manifest) && file_is("delivery/got.fsdb", "Google LLC"));
  CHECK(report.byte_count > 0 && report.request_count > 0 && report.file_byte_count == (uint64_t)size_of("delivery/got.fsdb"));
  EXPECT(FUSE_NONE, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/got.fsdb"), NULL, false, NULL, &report, &error));
  CHECK(report.way == FUSE_WAY_NONE && report.generation == 1);

  fuse_delivery_options options = fuse_delivery_options_default();
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("other"), PATH("delivery/got.fsdb"), NULL, false, NULL, NULL, &error));
  fuse_span key = SPAN("RWT no key");
  options.trusted_keys = &key;
  options.trusted_key_count = 1;
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/got.fsdb"), &options, false, NULL, NULL, &error));
  /* RFC 8032, 7.1, the public key of test 1, with an id of zeros. */
  key = SPAN("RWQAAAAAAAAAANdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
  EXPECT(FUSE_ERROR_REFUSED, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/other.fsdb"), &options, false, NULL, NULL, &error));
  CHECK(size_of("delivery/other.fsdb") < 0);
  options.trusted_key_count = 0;
  fuse_serving_options serving = fuse_serving_options_default();
  options.serving = &serving;
  serving.least_key_count = 4;
  EXPECT(FUSE_ERROR_REFUSED, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/other.fsdb"), &options, false, NULL, NULL, &error));
  serving.least_key_count = 0;
  serving.accept = refuse;
  fuse_subscription *none = NULL;
  serving.context = &none;
  EXPECT(FUSE_ERROR_REFUSED, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/other.fsdb"), &options, false, NULL, NULL, &error));
  double share = -1;
  fuse_call call = fuse_call_default();
  call.progress = never;
  call.context = &share;
  EXPECT(FUSE_ERROR_CANCELLED, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/other.fsdb"), NULL, false, &call, NULL, &error));
  CHECK(share >= 0 && share <= 1 && size_of("delivery/other.fsdb") < 0);
  options.serving = NULL;
  options.deadline = 1e300;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/other.fsdb"), &options, false, NULL, NULL, &error));
  /* Nobody listens there. */
  options = fuse_delivery_options_default();
  options.retry_count = -1;
  EXPECT(FUSE_ERROR_UNAVAILABLE, fuse_fetch(FUSE_TEXT("http://127.0.0.1:1"), FUSE_TEXT("geo"), PATH("delivery/other.fsdb"), &options, false, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_fetch(FUSE_TEXT("ftp://127.0.0.1"), FUSE_TEXT("geo"), PATH("delivery/other.fsdb"), NULL, false, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_fetch(PATH("delivery/remote"), FUSE_TEXT("geo"), NULL, 0, NULL, false, NULL, NULL, &error));
}

static void on_update(void *context, const fuse_fetch_report *report) {
  pthread_mutex_lock(&told.lock);
  told.changes += context == &told && report->size == sizeof *report;
  told.generation = report->generation;
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

static void test_subscription(void) {
  told.changes = told.failures = 0;
  fuse_error *error = NULL, *reason = NULL;
  fuse_delivery_options options = fuse_delivery_options_default();
  options.interval = 0.01;
  options.longest_interval = 0.02;
  options.on_update = on_update;
  options.on_failure = on_failure;
  options.context = &told;
  fuse_subscription *subscription = NULL;
  fuse_reloadable *store = NULL, *other = NULL;
  EXPECT(FUSE_OK, fuse_subscription_open(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/served.fsdb"), &options, NULL, &subscription, &error));
  EXPECT(FUSE_OK, fuse_subscription_reloadable(subscription, &store, &error));
  EXPECT(FUSE_OK, fuse_subscription_reloadable(subscription, &other, &error));
  CHECK(serves(store, "Google LLC") && fuse_reloadable_close(other) == FUSE_OK);

  make_file("delivery/version.fsdb", "Alphabet Inc.");
  fuse_publish_report published = fuse_publish_report_empty();
  EXPECT(FUSE_OK, fuse_publish(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/version.fsdb"), NULL, NULL, &published, &error));
  CHECK(published.generation == 2 && comes_to(1, 0) && told.generation == 2 && serves(store, "Alphabet Inc."));
  fuse_delivery_counters counters = fuse_delivery_counters_empty();
  EXPECT(FUSE_OK, fuse_subscription_counters(subscription, &counters, &error));
  CHECK(counters.generation == 2 && counters.update_count == 2 && counters.attempt_count >= 2 && counters.failure_count == 0);
  CHECK(counters.succeeded_at > 1.7e9 && counters.request_count > 0 && counters.byte_count > 0);
  EXPECT(FUSE_NONE, fuse_subscription_last_failure(subscription, &reason, &error));

  CHECK(rename(path_of("delivery/remote"), path_of("delivery/away")) == 0 && comes_to(1, 1));
  CHECK(told.failure == FUSE_ERROR_NOT_FOUND || told.failure == FUSE_ERROR_UNAVAILABLE);
  EXPECT(FUSE_OK, fuse_subscription_last_failure(subscription, &reason, &error));
  CHECK(fuse_error_code(reason) == told.failure && fuse_error_message(reason)[0] != 0 && serves(store, "Alphabet Inc."));
  fuse_error_free(reason);
  CHECK(rename(path_of("delivery/away"), path_of("delivery/remote")) == 0);

  EXPECT(FUSE_OK, fuse_subscription_stop(subscription, &error));
  EXPECT(FUSE_OK, fuse_subscription_stop(subscription, &error));
  fuse_fetch_report report = fuse_fetch_report_empty();
  EXPECT(FUSE_NONE, fuse_subscription_update(subscription, NULL, &report, &error));
  CHECK(report.way == FUSE_WAY_NONE && report.generation == 2);
  CHECK(fuse_subscription_close(subscription) == FUSE_OK && fuse_subscription_close(subscription) == FUSE_ERROR_INVALID_ARGUMENT);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_subscription_update(subscription, NULL, NULL, &error));
  CHECK(serves(store, "Alphabet Inc.") && fuse_reloadable_close(store) == FUSE_OK && fuse_subscription_close(NULL) == FUSE_OK);

  /* A rule of the program's own refuses, and may not ask what asks it. */
  fuse_serving_options serving = fuse_serving_options_default();
  fuse_subscription *asked = NULL;
  serving.context = &asked;
  options = fuse_delivery_options_default();
  options.serving = &serving;
  options.interval = 1000;
  EXPECT(FUSE_OK, fuse_subscription_open(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/ruled.fsdb"), &options, NULL, &asked, &error));
  CHECK(fuse_subscription_close(asked) == FUSE_OK);
  serving.accept = refuse;
  asked = NULL;
  EXPECT(FUSE_ERROR_REFUSED, fuse_subscription_open(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/ruled.fsdb"), &options, NULL, &asked, &error));
  options.interval = -1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_subscription_open(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/served.fsdb"), &options, NULL, &asked, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_subscription_open(PATH("delivery/remote"), FUSE_TEXT("other"), PATH("delivery/none.fsdb"), NULL, NULL, &asked, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_subscription_open(PATH("delivery/remote"), FUSE_TEXT("geo"), PATH("delivery/served.fsdb"), NULL, NULL, NULL, &error));
}

void test_delivery(void) {
  CHECK(mkdir(path_of("delivery"), 0777) == 0);
  test_publish();
  test_fetch();
  test_subscription();
}
