// Rows of an SQLite database, read and never written. The library is opened with the first call, so that nothing needs it that imports
// nothing.
#ifndef CFUSESQLITE_H
#define CFUSESQLITE_H

#include <stddef.h>
#include <stdint.h>

/// A database whose rows are asked for.
typedef struct fuse_sqlite fuse_sqlite;

#define fuse_sqlite_library "libsqlite3.so.0"

/// Whether the library is there.
int fuse_sqlite_is_there(void);

/// Opens what a URI names, for reading alone, and begins a question; NULL where memory is short. Ask fuse_sqlite_message whether it worked.
fuse_sqlite *_Nullable fuse_sqlite_open(const char *_Nonnull uri, const char *_Nonnull question);
/// What is wrong; NULL where nothing is. It stays until the next call.
const char *_Nullable fuse_sqlite_message(const fuse_sqlite *_Nonnull database);
/// 1 where there is a row, 0 at the end, -1 where something is wrong.
int fuse_sqlite_step(fuse_sqlite *_Nonnull database);
/// A column of the row as a whole number; whether it is one.
int fuse_sqlite_integer(fuse_sqlite *_Nonnull database, int column, int64_t *_Nonnull value);
/// The bytes of a column that is a text, good until the next step; NULL where it is none.
const void *_Nullable fuse_sqlite_text(fuse_sqlite *_Nonnull database, int column, size_t *_Nonnull count);
void fuse_sqlite_close(fuse_sqlite *_Nullable database);

#endif
