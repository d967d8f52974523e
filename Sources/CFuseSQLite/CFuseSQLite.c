#include "CFuseSQLite.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

// What is called of the library, as its documentation declares it; so no header of it is needed for building.
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
enum { ok = 0, row = 100, done = 101, integer = 1, text = 3, read_only = 0x1, uri_name = 0x40, no_checkpoint = 1006 };

#define FUNCTIONS(DO) \
  DO(int, open_v2, (const char *, sqlite3 **, int, const char *)) \
  DO(int, close_v2, (sqlite3 *)) \
  DO(int, db_config, (sqlite3 *, int, ...)) \
  DO(int, exec, (sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **)) \
  DO(int, prepare_v2, (sqlite3 *, const char *, int, sqlite3_stmt **, const char **)) \
  DO(int, step, (sqlite3_stmt *)) \
  DO(int, finalize, (sqlite3_stmt *)) \
  DO(int, busy_timeout, (sqlite3 *, int)) \
  DO(int, column_type, (sqlite3_stmt *, int)) \
  DO(int64_t, column_int64, (sqlite3_stmt *, int)) \
  DO(const unsigned char *, column_text, (sqlite3_stmt *, int)) \
  DO(int, column_bytes, (sqlite3_stmt *, int)) \
  DO(const char *, errmsg, (sqlite3 *))
#define POINTER(result, name, parameters) result(*name) parameters;
static struct {
  FUNCTIONS(POINTER)
} sqlite;
#define FIND(result, name, parameters) && (*(void **)&sqlite.name = dlsym(library, "sqlite3_" #name)) != NULL

static pthread_once_t is_begun = PTHREAD_ONCE_INIT;
static int is_open;
static void open_library(void) {
  void *library = dlopen(fuse_sqlite_library, RTLD_NOW | RTLD_LOCAL);
  is_open = library != NULL FUNCTIONS(FIND);
}

int fuse_sqlite_is_there(void) {
  pthread_once(&is_begun, open_library);
  return is_open;
}

struct fuse_sqlite {
  sqlite3 *database;
  sqlite3_stmt *rows;
  int failed;
};

// The schema is the source's, whoever made it: nothing in it may call functions, and pages are looked at before they are used.
static const char careful[] = "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA query_only=ON; PRAGMA mmap_size=0;";

fuse_sqlite *fuse_sqlite_open(const char *uri, const char *question) {
  fuse_sqlite *made = fuse_sqlite_is_there() ? calloc(1, sizeof *made) : NULL;
  if (made == NULL) return NULL;
  made->failed = sqlite.open_v2(uri, &made->database, read_only | uri_name, NULL) != ok;
  if (made->failed) return made;
  // The last who closes a database puts its log into it, and removes the log. This is no one to do that.
  sqlite.db_config(made->database, no_checkpoint, 1, (int *)NULL);
  sqlite.busy_timeout(made->database, 10000);
  made->failed = sqlite.exec(made->database, careful, NULL, NULL, NULL) != ok ||
                 sqlite.prepare_v2(made->database, question, -1, &made->rows, NULL) != ok;
  return made;
}

const char *fuse_sqlite_message(const fuse_sqlite *database) {
  if (!database->failed) return NULL;
  return database->database == NULL ? "out of memory" : sqlite.errmsg(database->database);
}

int fuse_sqlite_step(fuse_sqlite *database) {
  if (database->failed) return -1;
  int result = sqlite.step(database->rows);
  if (result == row || result == done) return result == row;
  database->failed = 1;
  return -1;
}

int fuse_sqlite_integer(fuse_sqlite *database, int column, int64_t *value) {
  if (sqlite.column_type(database->rows, column) != integer) return 0;
  *value = sqlite.column_int64(database->rows, column);
  return 1;
}

const void *fuse_sqlite_text(fuse_sqlite *database, int column, size_t *count) {
  if (sqlite.column_type(database->rows, column) != text) return NULL;
  const unsigned char *found = sqlite.column_text(database->rows, column);
  *count = found == NULL ? 0 : (size_t)sqlite.column_bytes(database->rows, column);
  return found;
}

void fuse_sqlite_close(fuse_sqlite *database) {
  if (database == NULL) return;
  sqlite.finalize(database->rows);
  sqlite.close_v2(database->database);
  free(database);
}
