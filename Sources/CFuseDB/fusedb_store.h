/* The store of FuseDB for C: objects kept by their contents, each once, in packs, found by their SHA-256 or by a name.
 *
 *     fuse_store_error *error = NULL;
 *     fuse_store *store = NULL;
 *     fuse_store_id id;
 *     fuse_buffer bytes = FUSE_BUFFER_EMPTY;
 *     if (fuse_store_open(FUSE_TEXT("store"), &store, &error) != FUSE_OK) …
 *     if (fuse_store_name_get(store, FUSE_TEXT("geo"), &id, NULL, &error) == FUSE_OK &&
 *         fuse_store_get(store, &id, 0, UINT64_MAX, &bytes, &error) == FUSE_OK) use(bytes.data, bytes.size);
 *     fuse_store_buffer_free(&bytes);
 *     fuse_store_close(store);
 *
 * These functions are those of libfusedb-store.so, a library beside libfusedb.so: programs that look up link and load
 * none of it. A program may link both. Statuses, texts, handles, options and reports are as fusedb.h says, which this
 * header includes for its types; but errors and buffers of this library are read and freed by the functions below.
 *
 * Any number of threads and processes may use a store at the same time. Every read compares a digest: what is damaged
 * is FUSE_ERROR_CORRUPTED, with the object and the pack, and putting the object again heals it. FUSE_NONE says that the
 * store has no such object or name.
 *
 * Processes. A child made by fork opens stores of its own, after the fork; at that moment no other thread of the parent
 * may be in a call of this library, for the child would wait for it.
 *
 * The library needs libcrypto.so.3, which it opens with the first store: FUSE_ERROR_NOT_FOUND where it is missing.
 * What a store is, is specified in spec/store.md of the project.
 */
#ifndef FUSEDB_STORE_H
#define FUSEDB_STORE_H

#include "fusedb.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Errors, buffers, long calls ---- */

/* What went wrong; as fuse_error of fusedb.h. */
typedef struct fuse_store_error fuse_store_error;

/* The status that came with it; FUSE_OK for NULL and for one that was freed. Any thread. */
fuse_status fuse_store_error_code(const fuse_store_error *error);
/* What failed and what to do, without the path and the offset. Good until the error is freed, as are the texts below. Any
 * thread. */
const char *fuse_store_error_message(const fuse_store_error *error);
/* All of it on one line. Any thread. */
const char *fuse_store_error_description(const fuse_store_error *error);
/* Where in the file. Returns false where that is unknown. Any thread. */
bool fuse_store_error_offset(const fuse_store_error *error, uint64_t *offset);
/* The file concerned; NULL where there is none. Any thread. */
const char *fuse_store_error_path(const fuse_store_error *error);
/* The system's error number; 0 where there is none. Any thread. */
int fuse_store_error_errno(const fuse_store_error *error);
/* Frees an error. NULL and one that was freed do nothing. One thread. */
void fuse_store_error_free(fuse_store_error *error);
/* Frees the bytes of a buffer that a function of this header filled. One thread. */
void fuse_store_buffer_free(fuse_buffer *buffer);
/* The version of the library, such as "0.1.0". It stays good. Any thread. */
const char *fuse_store_library_version(void);

/* How a long call is watched and ended. NULL instead of it: not at all. */
typedef struct fuse_store_call {
  size_t size;
  /* Called now and then with the share that is done, from 0 to 1, or -1 where that is unknown. Other than 0 ends the
   * call, with FUSE_ERROR_CANCELLED. NULL for none. */
  int (*progress)(void *context, double share);
  /* Given to both functions. */
  void *context;
  /* Called now and then, on the thread that made the call; it should return at once. Other than 0 ends the call. NULL for
   * none. */
  int (*poll)(void *context);
} fuse_store_call;

static inline fuse_store_call fuse_store_call_default(void) {
  fuse_store_call call;
  memset(&call, 0, sizeof call);
  call.size = sizeof call;
  return call;
}

/* ---- Ids ---- */

enum { FUSE_STORE_ID_SIZE = 32, FUSE_STORE_ID_TEXT_SIZE = 65 };

/* The SHA-256 of an object's bytes: what it is called. */
typedef struct fuse_store_id {
  uint8_t bytes[FUSE_STORE_ID_SIZE];
} fuse_store_id;

/* 64 hexadecimal digits and a zero byte. Any thread. */
fuse_status fuse_store_id_text(const fuse_store_id *id, char text[FUSE_STORE_ID_TEXT_SIZE]);
/* The id that 64 hexadecimal digits spell; FUSE_ERROR_INVALID_ARGUMENT for anything else. Any thread. */
fuse_status fuse_store_id_parse(const char *text, size_t text_size, fuse_store_id *id);

/* ---- A store ---- */

/* A store that is open. */
typedef struct fuse_store fuse_store;

/* What a new store is like. */
typedef struct fuse_store_options {
  size_t size;
  /* How contents are cut: "MIN,AVG,MAX", "fixed,N" or "fsdb"; empty for 4096,16384,65536. */
  fuse_span chunking;
  /* How chunks are packed: "none", "auto", "zlib:L" or "zstd:L"; empty for auto. */
  fuse_span compression;
  /* How many bytes a pack has when the next one begins; 0 for 64 MiB. */
  uint64_t pack_byte_count;
} fuse_store_options;

static inline fuse_store_options fuse_store_options_default(void) {
  fuse_store_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

/* Makes a store in a folder that is empty or not there. Errors: refused, invalid_argument, not_found, input_output. Any
 * thread. */
fuse_status fuse_store_create(
    const char *path, size_t path_size, const fuse_store_options *options, fuse_store **store, fuse_store_error **error);
/* Makes a store in memory, which is gone when it is closed. Any thread. */
fuse_status fuse_store_create_in_memory(
    const fuse_store_options *options, fuse_store **store, fuse_store_error **error);
/* Opens the store in a folder. Errors: not_found, corrupted, unsupported_version. Any thread. */
fuse_status fuse_store_open(const char *path, size_t path_size, fuse_store **store, fuse_store_error **error);
/* Closes a store. Writers that it has keep it. One thread. */
fuse_status fuse_store_close(fuse_store *store);

/* ---- Putting ---- */

enum {
  /* Kept unless there is a name. */
  FUSE_STORE_KEEP_AUTOMATIC = 0,
  /* It stays until fuse_store_remove. */
  FUSE_STORE_KEEP = 1,
  /* It stays while a name leads to it. */
  FUSE_STORE_KEEP_NOT = 2
};
enum {
  /* In packs. Of fuse_store_put, what is one chunk in a file of its own. */
  FUSE_STORE_TO_AUTOMATIC = 0,
  FUSE_STORE_TO_LOOSE = 1,
  FUSE_STORE_TO_PACKS = 2
};

/* How an object is put. */
typedef struct fuse_store_put_options {
  size_t size;
  /* A name for it; empty for none. */
  fuse_span name;
  /* As those of fuse_store_options; empty as the store says. */
  fuse_span chunking;
  fuse_span compression;
  int32_t keep;
  /* Of fuse_store_put alone. */
  int32_t to;
} fuse_store_put_options;

static inline fuse_store_put_options fuse_store_put_options_default(void) {
  fuse_store_put_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

typedef struct fuse_store_put_report {
  size_t size;
  fuse_store_id id;
  /* Whether the store did not have it before. */
  bool is_new;
  uint64_t byte_count;
  /* How many of its bytes were not there. */
  uint64_t new_byte_count;
} fuse_store_put_report;

static inline fuse_store_put_report fuse_store_put_report_empty(void) {
  fuse_store_put_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Gives the next bytes of a stream: writes up to `size` bytes to `data`, and returns how many; 0 at the end; below 0 ends
 * the call, with FUSE_ERROR_CANCELLED. */
typedef int64_t (*fuse_store_reading)(void *context, void *data, size_t size);

/* Puts bytes, durably. Errors: input_output, invalid_argument. Any thread. */
fuse_status fuse_store_put(
    fuse_store *store, const void *data, size_t size, const fuse_store_put_options *options,
    fuse_store_put_report *report, fuse_store_error **error);
/* Puts the regular file at a path, durably. Errors: not_found, too. Any thread. */
fuse_status fuse_store_put_file(
    fuse_store *store, const char *path, size_t path_size, const fuse_store_put_options *options,
    const fuse_store_call *call, fuse_store_put_report *report, fuse_store_error **error);
/* Puts a stream of any length, durably, in bounded memory. Any thread. */
fuse_status fuse_store_put_stream(
    fuse_store *store, fuse_store_reading reading, void *context, const fuse_store_put_options *options,
    const fuse_store_call *call, fuse_store_put_report *report, fuse_store_error **error);

/* Puts many objects with one commit. */
typedef struct fuse_store_writer fuse_store_writer;

/* Begins to write. The functions of a writer are for one thread at a time; of different writers, for any. Any thread. */
fuse_status fuse_store_writer_open(fuse_store *store, fuse_store_writer **writer, fuse_store_error **error);
/* As the functions of the store, but nothing is acknowledged before the commit. One thread. */
fuse_status fuse_store_writer_put(
    fuse_store_writer *writer, const void *data, size_t size, const fuse_store_put_options *options,
    fuse_store_put_report *report, fuse_store_error **error);
fuse_status fuse_store_writer_put_file(
    fuse_store_writer *writer, const char *path, size_t path_size, const fuse_store_put_options *options,
    const fuse_store_call *call, fuse_store_put_report *report, fuse_store_error **error);
fuse_status fuse_store_writer_put_stream(
    fuse_store_writer *writer, fuse_store_reading reading, void *context, const fuse_store_put_options *options,
    const fuse_store_call *call, fuse_store_put_report *report, fuse_store_error **error);
/* Puts all regular files of a folder; the name in the options, which has to be there, leads to them. One thread. */
fuse_status fuse_store_writer_put_folder(
    fuse_store_writer *writer, const char *path, size_t path_size, const fuse_store_put_options *options,
    const fuse_store_call *call, fuse_store_put_report *report, fuse_store_error **error);
/* Has a name lead to an object, or takes it away, with the commit. One thread. */
fuse_status fuse_store_writer_set_name(
    fuse_store_writer *writer, const char *name, size_t name_size, const fuse_store_id *id, fuse_store_error **error);
fuse_status fuse_store_writer_remove_name(
    fuse_store_writer *writer, const char *name, size_t name_size, fuse_store_error **error);
/* Makes all that was put durable, and then the names. The writer can go on. One thread. */
fuse_status fuse_store_writer_commit(fuse_store_writer *writer, fuse_store_error **error);
/* Ends a writer. What was put since the last commit is given up. One thread. */
fuse_status fuse_store_writer_close(fuse_store_writer *writer);

/* ---- Getting ---- */

/* Copies a part of an object, as much of it as there is; UINT64_MAX bytes for all. FUSE_NONE where the object is not there.
 * Errors: corrupted, input_output. Any thread. */
fuse_status fuse_store_get(
    const fuse_store *store, const fuse_store_id *id, uint64_t offset, uint64_t count, fuse_buffer *bytes,
    fuse_store_error **error);
/* The same into memory of the caller's, which has room for `size` bytes; `count` is how many there were. Any thread. */
fuse_status fuse_store_read(
    const fuse_store *store, const fuse_store_id *id, uint64_t offset, void *data, size_t size, size_t *count,
    fuse_store_error **error);
/* Hands an object to a function, in order and piece by piece; other than 0 ends the call, with FUSE_ERROR_CANCELLED. Where
 * a later piece is damaged, the function had those before it. Any thread. */
fuse_status fuse_store_write(
    const fuse_store *store, const fuse_store_id *id, int (*writing)(void *context, const void *data, size_t size),
    void *context, const fuse_store_call *call, fuse_store_error **error);
/* Writes an object to a file, which appears whole or not at all. Any thread. */
fuse_status fuse_store_write_file(
    const fuse_store *store, const fuse_store_id *id, const char *path, size_t path_size, const fuse_store_call *call,
    fuse_store_error **error);
/* FUSE_OK where the object is there. Its bytes are not read. Any thread. */
fuse_status fuse_store_contains(const fuse_store *store, const fuse_store_id *id, fuse_store_error **error);
/* How many bytes an object has. Any thread. */
fuse_status fuse_store_size(
    const fuse_store *store, const fuse_store_id *id, uint64_t *byte_count, fuse_store_error **error);

/* ---- Names, and what there is ---- */

/* What a name leads to, and whether that is a folder; each may be NULL. Any thread. */
fuse_status fuse_store_name_get(
    const fuse_store *store, const char *name, size_t name_size, fuse_store_id *id, bool *is_folder,
    fuse_store_error **error);
/* Has a name lead to an object, durably. Errors: not_found, invalid_argument. Any thread. */
fuse_status fuse_store_name_set(
    fuse_store *store, const char *name, size_t name_size, const fuse_store_id *id, fuse_store_error **error);
/* Takes a name away; FUSE_NONE where there is none. What it led to goes with the next collection. Any thread. */
fuse_status fuse_store_name_remove(
    fuse_store *store, const char *name, size_t name_size, fuse_store_error **error);
/* Has an object no longer stay for its own sake; FUSE_NONE where it did not. Any thread. */
fuse_status fuse_store_remove(fuse_store *store, const fuse_store_id *id, fuse_store_error **error);

/* What lists give; the texts end in a zero byte, and are good until the function returns. Names and paths are bytes, as
 * they were given: not always UTF-8. */
typedef struct fuse_store_entry {
  /* A name, or a path in a folder; "" for objects without one. */
  const char *name;
  size_t name_size;
  fuse_store_id id;
  bool is_folder;
  /* Of files of a folder. */
  uint64_t byte_count;
  uint32_t mode;
} fuse_store_entry;
/* Is told of an entry; other than 0 ends the list, which is FUSE_OK then. */
typedef int (*fuse_store_listing)(void *context, const fuse_store_entry *entry);

/* All names, sorted. Any thread. */
fuse_status fuse_store_list_names(
    const fuse_store *store, fuse_store_listing listing, void *context, fuse_store_error **error);
/* All objects that are kept for their own sake, sorted by their ids. Any thread. */
fuse_status fuse_store_list_objects(
    const fuse_store *store, fuse_store_listing listing, void *context, fuse_store_error **error);
/* The files of a folder that a name leads to. Any thread. */
fuse_status fuse_store_list_files(
    const fuse_store *store, const fuse_store_id *folder, fuse_store_listing listing, void *context,
    fuse_store_error **error);

/* A chunk of an object, and where it is; the texts are as those of an entry. */
typedef struct fuse_store_chunk {
  fuse_store_id id;
  uint64_t byte_count;
  uint64_t stored_byte_count;
  const char *codec;
  const char *pack;
  uint64_t offset;
} fuse_store_chunk;

/* The chunks of an object, in order; other than 0 ends the list. FUSE_NONE where the object is not there. Any thread. */
fuse_status fuse_store_list_chunks(
    const fuse_store *store, const fuse_store_id *id, int (*listing)(void *context, const fuse_store_chunk *chunk),
    void *context, fuse_store_error **error);

/* ---- Keeping house ---- */

typedef struct fuse_store_gc_options {
  size_t size;
  /* Packs of which less is needed are written anew: a share from 0 to 1. */
  double least_live;
  bool has_least_live;
  /* Puts small packs together as soon as there are two. */
  bool packs_all;
} fuse_store_gc_options;

static inline fuse_store_gc_options fuse_store_gc_options_default(void) {
  fuse_store_gc_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

typedef struct fuse_store_gc_report {
  size_t size;
  uint64_t packed_loose_count;
  uint64_t live_count;
  uint64_t live_byte_count;
  uint64_t condemned_count;
  uint64_t condemned_byte_count;
  uint64_t removed_count;
  uint64_t removed_byte_count;
  /* Packs that wait for writers. */
  uint64_t waiting_count;
  uint64_t swept_count;
} fuse_store_gc_report;

static inline fuse_store_gc_report fuse_store_gc_report_empty(void) {
  fuse_store_gc_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Removes what nothing needs; NULL for the default options. Errors: refused where another collection runs, corrupted. Any
 * thread. */
fuse_status fuse_store_gc(
    fuse_store *store, const fuse_store_gc_options *options, const fuse_store_call *call, fuse_store_gc_report *report,
    fuse_store_error **error);
/* Packs loose objects. Any thread. */
fuse_status fuse_store_pack_loose(
    fuse_store *store, const fuse_store_call *call, uint64_t *packed_count, fuse_store_error **error);

enum {
  FUSE_STORE_VERIFY_EVERYTHING = 0,
  /* Indexes, heads of records, names: not the bytes of objects. */
  FUSE_STORE_VERIFY_STRUCTURE = 1
};

/* Something that is damaged, or lost; the texts are as those of an entry. */
typedef struct fuse_store_flaw {
  const char *file;
  /* Where in the file; UINT64_MAX where that is unknown. */
  uint64_t offset;
  const char *message;
  /* Whether no sound copy is left: then `id` is lost, and the message says what needs it. */
  bool is_lost;
  fuse_store_id id;
} fuse_store_flaw;

typedef struct fuse_store_verify_report {
  size_t size;
  uint64_t pack_count;
  uint64_t record_count;
  uint64_t name_count;
  uint64_t byte_count;
  uint64_t flaw_count;
  uint64_t lost_count;
  /* Spoilt records that are no flaws: what stood there has a sound copy, as after it was put again. `flaw` is not told of
   * them. */
  uint64_t superseded_count;
} fuse_store_verify_report;

static inline fuse_store_verify_report fuse_store_verify_report_empty(void) {
  fuse_store_verify_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Reads all, and tells of what is damaged, after it was read; `flaw` may be NULL. FUSE_ERROR_CORRUPTED where something is,
 * with the report filled in. Any thread. */
fuse_status fuse_store_verify(
    const fuse_store *store, int32_t level, void (*flaw)(void *context, const fuse_store_flaw *flaw), void *context,
    const fuse_store_call *call, fuse_store_verify_report *report, fuse_store_error **error);
/* Makes indexes anew and keeps what is sound; tells of what is lost. FUSE_ERROR_CORRUPTED where something is. Any
 * thread. */
fuse_status fuse_store_repair(
    fuse_store *store, void (*flaw)(void *context, const fuse_store_flaw *flaw), void *context,
    const fuse_store_call *call, fuse_store_error **error);

typedef struct fuse_store_stats_report {
  size_t size;
  uint64_t name_count;
  uint64_t kept_count;
  uint64_t chunk_count;
  uint64_t recipe_count;
  uint64_t loose_count;
  uint64_t pack_count;
  uint64_t condemned_pack_count;
  uint64_t file_count;
  /* The bytes of all objects with a name or kept, each as often as it is. */
  uint64_t logical_byte_count;
  uint64_t chunk_byte_count;
  uint64_t pack_byte_count;
  uint64_t index_byte_count;
  uint64_t loose_byte_count;
  /* All that the store takes. */
  uint64_t physical_byte_count;
  /* The share of the logical bytes that it does not take. */
  double savings;
} fuse_store_stats_report;

static inline fuse_store_stats_report fuse_store_stats_report_empty(void) {
  fuse_store_stats_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Counts what the store has, from its indexes and names. Any thread. */
fuse_status fuse_store_stats(
    const fuse_store *store, const fuse_store_call *call, fuse_store_stats_report *report, fuse_store_error **error);

/* Copies what another store lacks, with all names. `object_count` and `new_byte_count` may be NULL. Any thread. */
fuse_status fuse_store_copy(
    const fuse_store *store, fuse_store *other, const fuse_store_call *call, uint64_t *object_count,
    uint64_t *new_byte_count, fuse_store_error **error);

#ifdef __cplusplus
}
#endif

#endif
