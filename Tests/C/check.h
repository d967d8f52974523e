/* What the tests of fusedb.h share. */
#ifndef CHECK_H
#define CHECK_H

#include <fusedb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Counts what was checked, and says where something is not so. */
extern int checks, failures;
/* How often that is tried which goes wrong by chance. */
extern int rounds;
void check(int is_true, const char *text, const char *file, int line);
#define CHECK(condition) check(!!(condition), #condition, __FILE__, __LINE__)

/* Checks a status, and that there is an error exactly where it is negative, whose code it is. Frees the error. */
void check_status(fuse_status found, fuse_status expected, fuse_error **error, const char *text, const char *file, int line);
#define EXPECT(status, call) check_status((call), (status), &error, #call, __FILE__, __LINE__)

/* A path in the folder of the test, as the two arguments of a text. */
const char *path_of(const char *name);
#define PATH(name) path_of(name), strlen(path_of(name))

/* The span of a literal. */
#define SPAN(literal) ((fuse_span){literal, sizeof(literal) - 1})
int is_text(fuse_span span, const char *text);
int buffer_is(const fuse_buffer *buffer, const char *text);

/* Makes the file that most tests read: three keys, two objects, metadata. */
void make_file(const char *name, const char *org);
fuse_reader *open_file(const char *name);
/* Changes a byte of a file, or cuts it. */
void change_byte(const char *name, long offset);
void cut_file(const char *name, long size);
long size_of(const char *name);

/* What a thread of the library tells the one that waits. */
extern struct told {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int changes, failures;
  uint64_t generation;
  fuse_status failure;
} told;
/* Waits until there are so many changes and failures, or more, a minute at most. */
int comes_to(int changes, int failures);

void test_errors(void);
void test_options(void);
void test_reader(void);
void test_handles(void);
void test_values(void);
void test_scans(void);
void test_matches(void);
void test_contents(void);
void test_reloadable(void);
void test_watcher(void);
void test_sets(void);
void test_writer(void);
void test_merge(void);
void test_patch(void);
void test_columns(void);
void test_cancel(void);
void test_delivery(void);

#endif
