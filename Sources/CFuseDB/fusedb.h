/* FuseDB for C: look-ups in one immutable file, and all that makes, checks, merges and replaces such files.
 *
 *     fuse_error *error = NULL;
 *     fuse_reader *reader = NULL;
 *     fuse_span value;
 *     if (fuse_reader_open(FUSE_TEXT("geo.fsdb"), NULL, NULL, &reader, &error) != FUSE_OK) …
 *     fuse_status status = fuse_get(reader, FUSE_TEXT("8.8.8.8"), &value, &error);
 *     if (status == FUSE_OK) use(value.data, value.size);       // one MessagePack value, in place
 *     if (status == FUSE_NONE) …                                // no such key
 *     fuse_reader_close(reader);
 *
 * Statuses. A function returns FUSE_OK, FUSE_NONE (no such key, nothing more to come), or a negative FUSE_ERROR_….
 * Nothing is printed, and nothing ends the process.
 *
 * Errors. The last argument of a function that can fail is a `fuse_error **`. NULL asks for the status alone.
 * Otherwise, and only where the status is negative, it is set to a new error, which the caller frees; it is NULL where
 * memory is short. Results are written where the status is FUSE_OK, unless a function says otherwise.
 *
 * Texts and keys are a pointer and a length, in bytes, and need no zero byte at the end: FUSE_TEXT("…") writes both
 * for a literal. NULL with length 0 is the empty one. Paths are not empty, and hold no zero byte. Names that
 * this library gives back are texts that end in a zero byte; in the text of a path that is not UTF-8, U+FFFD and two
 * hexadecimal digits stand for each byte that is none.
 *
 * Handles (fuse_reader *, fuse_writer *, …) are opaque, and closed by the function that says so. NULL, a handle that
 * is closed and one of another kind give FUSE_ERROR_INVALID_ARGUMENT: the memory of a handle is never given back to
 * the system, and the handle of something closed is used again only after some thousands of others were closed.
 * Closing NULL does nothing. Other pointers must be what they say.
 *
 * Memory. A `fuse_span` points into the file, in place: it is good until the handle that the function names is closed.
 * A `fuse_buffer` is memory of the caller's that this library enlarges as needed; the caller frees it with
 * fuse_buffer_free. If the file is cut off while it is mapped, spans read as zeros from there on, and
 * fuse_reader_check says so: what was read before it returned FUSE_OK was the file's.
 *
 * Threads. "Any thread" means: also several at the same time, with the same handle. "One thread" means: one at a time
 * for each handle. No handle may be closed while another thread is in a call with it. Callbacks are called on the
 * calling thread unless the function says otherwise, must return (no longjmp, no exception), and may make any call,
 * but not close a handle that the call they are in was given.
 *
 * Processes. A child made by fork may use the readers of its parent, open others, reloadable ones, too, and ask them,
 * whatever other threads of the parent did at the time. Not so for other calls, such as scans, builds and patches:
 * Swift's runtime, which is part of the library, takes locks when each is called for the first time. Make such a call
 * before there are threads beside the one that forks, or the child may wait for ever for a thread that it does not
 * have. Watchers and other threads of the library go on in the parent alone.
 *
 * Options stand in structs that begin with their own size. All zero beside that is the default, and NULL for the
 * struct, too:
 *
 *     fuse_open_options options = fuse_open_options_default();
 *     options.memory = FUSE_MEMORY_COPIED;
 *
 * Reports begin with their size as well, which the caller sets: fuse_build_report report = fuse_build_report_empty().
 * Later versions append fields; a program and a library of different versions understand each other, and a field that
 * the library does not know is an error if it is not zero. Constants are added, never changed.
 *
 * The file format is specified in spec/ of the project; sections are quoted as there.
 */
#ifndef FUSEDB_H
#define FUSEDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It grows when something is added; what was there stays. */
#define FUSE_ABI_VERSION 1
/* The version of the library that the header belongs to. */
#define FUSE_VERSION "0.1.0"

/* A literal, as the two arguments of a text. */
#define FUSE_TEXT(literal) ("" literal), (sizeof(literal) - 1)

/* ---- Statuses and errors ---- */

typedef int32_t fuse_status;

enum {
  FUSE_OK = 0,
  /* There is no such key, no more entries, nothing that changed. It is no error. */
  FUSE_NONE = 1,

  /* The file does not begin as an FSDB file does. */
  FUSE_ERROR_NOT_A_DATABASE = -1,
  /* The file is of a format version that this library does not read. */
  FUSE_ERROR_UNSUPPORTED_VERSION = -2,
  /* The bytes at the offset break the format or differ from their checksum. */
  FUSE_ERROR_CORRUPTED = -3,
  /* The file ends before its content does, or became shorter or was overwritten while it was open. */
  FUSE_ERROR_TRUNCATED = -4,
  /* A key, an object or a count is larger than the format can hold, or a file longer than is allowed. */
  FUSE_ERROR_LIMIT_EXCEEDED = -5,
  /* A key was added twice and the writer was told to refuse that; the offset counts added keys, from 0. */
  FUSE_ERROR_DUPLICATE_KEY = -6,
  /* A value is not what it should be: MessagePack or JSON; the offset counts within the value. */
  FUSE_ERROR_INVALID_VALUE = -7,
  /* A patch was made from another file than the one it is to be applied to. */
  FUSE_ERROR_PATCH_MISMATCH = -8,
  /* A file is sound, and a rule does not let it take the place of another. */
  FUSE_ERROR_REFUSED = -9,
  /* The file that was read to make a new one was replaced or written to meanwhile. */
  FUSE_ERROR_OUTPUT_CHANGED = -10,
  /* There is no such file, or it may not be read. */
  FUSE_ERROR_NOT_FOUND = -11,
  /* A system call failed; fuse_error_errno says how. Also where memory is short. */
  FUSE_ERROR_INPUT_OUTPUT = -12,
  /* fuse_cancel_request was called, or a callback ended the call. */
  FUSE_ERROR_CANCELLED = -13,
  /* A slip of the caller's: a NULL, a closed handle or one of another kind, a number out of range, an unknown
   * object. */
  FUSE_ERROR_INVALID_ARGUMENT = -14,
  /* A remote gives no answer, or none that is of use; it may later. */
  FUSE_ERROR_UNAVAILABLE = -15
};

/* What went wrong. It may be read by any thread, and is freed once. */
typedef struct fuse_error fuse_error;

/* The status that came with it; FUSE_OK for NULL and for one that was freed. Any thread. */
fuse_status fuse_error_code(const fuse_error *error);
/* What failed and what to do, a sentence in UTF-8 without the path and the offset. Good until the error is freed, as
 * are the texts below; "" for NULL. Any thread. */
const char *fuse_error_message(const fuse_error *error);
/* All of it on one line: `path: offset 32: sentence`. Any thread. */
const char *fuse_error_description(const fuse_error *error);
/* Where, in bytes from the start of the file or the value. Returns false where that is unknown. Any thread. */
bool fuse_error_offset(const fuse_error *error, uint64_t *offset);
/* The file concerned; NULL where there is none. Any thread. */
const char *fuse_error_path(const fuse_error *error);
/* Which part of a value, as `geo.city.0`; NULL where there is none. Any thread. */
const char *fuse_error_coding_path(const fuse_error *error);
/* The system's error number; 0 where there is none. Any thread. */
int fuse_error_errno(const fuse_error *error);
/* Frees an error. NULL and one that was freed do nothing. One thread. */
void fuse_error_free(fuse_error *error);

/* The name of a status, such as "corrupted"; "unknown" for a number that is none. It stays good. Any thread. */
const char *fuse_status_name(fuse_status status);
/* The version of the library, such as "0.1.0". It stays good. Any thread. */
const char *fuse_library_version(void);
/* The FUSE_ABI_VERSION that the library was built with. Any thread. */
uint32_t fuse_abi_version(void);

/* ---- Signals ---- */

/* What the library does about SIGBUS, which a mapped file raises that is cut while it is read. Its handler makes that
 * FUSE_ERROR_TRUNCATED, and passes on what is not about its files to the handler that was there before. */
enum {
  /* Each time a file is mapped, the handler is put before the one in force, once for each other handler. */
  FUSE_SIGNALS_IN_FRONT = 0,
  /* The handler is installed when the first file is mapped, and never again. */
  FUSE_SIGNALS_ONCE = 1,
  /* It is not installed: a mapped file that is cut ends the process. Files in FUSE_MEMORY_COPIED are not concerned. */
  FUSE_SIGNALS_NONE = 2
};

/* Chooses, for files that are opened from now on, in all of the process. FUSE_SIGNALS_IN_FRONT is the default. Any
 * thread. */
fuse_status fuse_set_signals(int32_t signals, fuse_error **error);

/* ---- Bytes ---- */

/* Bytes in place. `data` is NULL where there is nothing. */
typedef struct fuse_span {
  const void *data;
  size_t size;
} fuse_span;

/* Bytes that this library copies, in memory that it enlarges. Begin with FUSE_BUFFER_EMPTY; use it again for the
 * next call; free it at last. */
typedef struct fuse_buffer {
  uint8_t *data;
  size_t size;
  size_t capacity;
} fuse_buffer;

#define FUSE_BUFFER_EMPTY {NULL, 0, 0}

/* Frees the bytes of a buffer, which is empty then. NULL and an empty one do nothing. One thread. */
void fuse_buffer_free(fuse_buffer *buffer);

/* ---- Long calls ---- */

/* Ends long calls from elsewhere. One token may be given to any number of calls. */
typedef struct fuse_cancel fuse_cancel;

/* Makes a token. Any thread. */
fuse_status fuse_cancel_make(fuse_cancel **cancel, fuse_error **error);
/* Has the calls that were given the token, and those that will be, end with FUSE_ERROR_CANCELLED, mostly within some
 * milliseconds. Nothing is left behind, and no file is replaced. Any thread; also from a signal handler. */
fuse_status fuse_cancel_request(fuse_cancel *cancel);
/* Lets calls run again. Any thread. */
fuse_status fuse_cancel_reset(fuse_cancel *cancel);
/* FUSE_OK where calls are to end, FUSE_NONE where not. Any thread. */
fuse_status fuse_cancel_is_requested(const fuse_cancel *cancel);
/* Frees a token that no call uses. One thread. */
fuse_status fuse_cancel_free(fuse_cancel *cancel);

/* How a long call is watched and ended. NULL instead of it: not at all. */
typedef struct fuse_call {
  size_t size;
  /* Ends the call; NULL for none. */
  fuse_cancel *cancel;
  /* Called now and then with the share that is done, from 0 to 1; some calls don't call it. Other than 0 ends the
   * call, with FUSE_ERROR_CANCELLED. */
  int (*progress)(void *context, double share);
  /* Given to both functions. */
  void *context;
  /* Called now and then by each long call, on the thread that made it; it should return at once. Other than 0 ends the
   * call, with FUSE_ERROR_CANCELLED. For interpreters, which look for signals there. NULL for none. */
  int (*poll)(void *context);
} fuse_call;

static inline fuse_call fuse_call_default(void) {
  fuse_call call;
  memset(&call, 0, sizeof call);
  call.size = sizeof call;
  return call;
}

/* ---- Opening ---- */

/* A file that is open for look-ups: immutable, without locks. A snapshot of a fuse_reloadable is one, too. */
typedef struct fuse_reader fuse_reader;

enum {
  /* In the system's page cache, read when it is needed. */
  FUSE_MEMORY_MAPPED = 0,
  /* In memory of its own: what happens to the file afterwards, the reader does not see. */
  FUSE_MEMORY_COPIED = 1
};
enum {
  FUSE_ADVICE_NORMAL = 0,
  /* The next access may be anywhere: only pages that are asked for are read. */
  FUSE_ADVICE_RANDOM = 1
};
enum {
  FUSE_PREFAULT_NONE = 0,
  /* By a thread of its own; opening does not wait for it. */
  FUSE_PREFAULT_BACKGROUND = 1,
  /* Before opening returns. */
  FUSE_PREFAULT_AT_OPEN = 2
};
enum {
  /* What is read is compared with its checksum when it is read; of a plain file, the whole when it is opened. */
  FUSE_CHECKSUMS_VERIFIED = 0,
  /* Nothing is: damage may go unseen. */
  FUSE_CHECKSUMS_SKIPPED = 1
};

typedef struct fuse_open_options {
  size_t size;
  int32_t memory;
  int32_t advice;
  int32_t prefault;
  int32_t checksums;
  /* Whether the bytes stay in memory: brought in at once, never swapped. Needs a limit for locked memory. */
  bool locked;
} fuse_open_options;

static inline fuse_open_options fuse_open_options_default(void) {
  fuse_open_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

/* Opens the file at a path, in constant time; a plain file, without an extension block, is read once.
 *
 * Errors: not_found, not_a_database, unsupported_version, corrupted, truncated, input_output. Any thread. */
fuse_status fuse_reader_open(
    const char *path, size_t path_size, const fuse_open_options *options, const fuse_call *call, fuse_reader **reader,
    fuse_error **error);
/* Opens the regular file of a descriptor, which stays the caller's and may be closed afterwards. Any thread. */
fuse_status fuse_reader_open_descriptor(
    int descriptor, const fuse_open_options *options, const fuse_call *call, fuse_reader **reader, fuse_error **error);
/* Opens a copy of the bytes of a file. Of the options, `checksums` and `locked` count. Any thread. */
fuse_status fuse_reader_open_bytes(
    const void *data, size_t size, const fuse_open_options *options, const fuse_call *call, fuse_reader **reader,
    fuse_error **error);
/* Closes a reader: its spans are good no more. Scans, differences and reloadable readers that have the file open
 * keep it. One thread. */
fuse_status fuse_reader_close(fuse_reader *reader);

typedef struct fuse_reader_info {
  size_t size;
  uint64_t key_count;
  uint64_t byte_count;
  /* Which of the files of a reloadable reader it is, from 1; 0 for a reader without one. */
  uint64_t generation;
  /* Blocks of addresses that are found in constant time. */
  uint64_t network_count;
  bool has_networks;
  /* Whether it has no extension block; then all of it was compared when it was opened, if `checksums` says so. */
  bool is_plain;
  int32_t checksums;
  /* As the header says: objects, where the index begins, the file's checksum, the version of the format. */
  uint64_t object_count;
  uint64_t index_offset;
  uint32_t checksum;
  uint32_t version;
  /* Of a set: how many shards it has, and how often it was published; 0 for a file. */
  uint64_t shard_count;
  uint64_t set_generation;
} fuse_reader_info;

static inline fuse_reader_info fuse_reader_info_empty(void) {
  fuse_reader_info info;
  memset(&info, 0, sizeof info);
  info.size = sizeof info;
  return info;
}

/* What a reader knows of its file. Any thread. */
fuse_status fuse_reader_get_info(const fuse_reader *reader, fuse_reader_info *info, fuse_error **error);
/* The path that the file was opened under. Any thread. */
fuse_status fuse_reader_path(const fuse_reader *reader, fuse_buffer *path, fuse_error **error);
/* FUSE_ERROR_TRUNCATED once the file was found to have been cut or overwritten since it was opened; otherwise what
 * was read in place before this call was the file's. Any thread. */
fuse_status fuse_reader_check(const fuse_reader *reader, fuse_error **error);

/* ---- Look-ups ---- */

/* The object under a key, in place: one MessagePack value, its checksum compared. FUSE_NONE without such a key. The
 * value is good until the reader is closed. Nothing is allocated. Any thread.
 *
 * A compact file holds no object in one piece: there it is put together in memory, which the reader keeps until it is
 * closed. */
fuse_status fuse_get(
    const fuse_reader *reader, const void *key, size_t key_size, fuse_span *value, fuse_error **error);
/* The same, copied, and the file not cut until then. FUSE_NONE leaves the buffer empty. Any thread, a buffer for
 * each. */
fuse_status fuse_get_copy(
    const fuse_reader *reader, const void *key, size_t key_size, fuse_buffer *value, fuse_error **error);
/* FUSE_OK where the file has the key, FUSE_NONE where not. No object is read. Any thread. */
fuse_status fuse_contains(const fuse_reader *reader, const void *key, size_t key_size, fuse_error **error);
/* Looks many keys up, which wait for memory together: of a large file, in less than half the time. `values` has
 * `count` elements; those of absent keys get NULL. On an error, those from the damaged answer on are not written.
 * Any thread. */
fuse_status fuse_get_many(
    const fuse_reader *reader, const fuse_span *keys, size_t count, fuse_span *values, fuse_error **error);
/* Whether the file has each of many keys; `found` has `count` elements. Any thread. */
fuse_status fuse_contains_many(
    const fuse_reader *reader, const fuse_span *keys, size_t count, bool *found, fuse_error **error);

/* ---- Values ---- */

enum {
  FUSE_KIND_NULL = 0,
  FUSE_KIND_BOOL = 1,
  /* An integer that an int64_t holds. */
  FUSE_KIND_INT64 = 2,
  /* A larger one. */
  FUSE_KIND_UINT64 = 3,
  FUSE_KIND_FLOAT32 = 4,
  FUSE_KIND_FLOAT64 = 5,
  /* Text, whose bytes may be no UTF-8. */
  FUSE_KIND_STRING = 6,
  FUSE_KIND_BYTES = 7,
  FUSE_KIND_ARRAY = 8,
  FUSE_KIND_MAP = 9,
  /* Extension type -1 that says a moment. */
  FUSE_KIND_TIMESTAMP = 10,
  FUSE_KIND_EXTENSION = 11
};

/* A value or a part of one, in place. What its kind does not name is 0. */
typedef struct fuse_value {
  int32_t kind;
  /* The type of a timestamp or another extension. */
  int32_t extension_type;
  bool boolean;
  /* Of a timestamp: below 1,000,000,000. */
  uint32_t nanoseconds;
  /* INT64, the seconds of a timestamp since 1970; and of UINT64 the same bits. */
  int64_t int64;
  /* UINT64, and INT64 that is not negative. */
  uint64_t uint64;
  /* FLOAT32 and FLOAT64; of integers the nearest number. */
  double float64;
  /* Elements of an array, pairs of a map. */
  uint64_t count;
  /* The payload of STRING, BYTES, TIMESTAMP and EXTENSION. */
  fuse_span bytes;
  /* The MessagePack bytes of the whole. */
  fuse_span message_pack;
} fuse_value;

/* A way into a value: names of map entries and numbers of array elements with dots between them, as `geo.city.0`;
 * after a backslash any character is part of a name. */
typedef struct fuse_path fuse_path;

/* Makes a path of its text. Any text is one. Any thread. */
fuse_status fuse_path_make(const char *text, size_t text_size, fuse_path **path, fuse_error **error);
/* Frees a path. One thread. */
fuse_status fuse_path_free(fuse_path *path);

/* The part of a value that a path leads to; FUSE_NONE where it leads nowhere. NULL for the path: the whole. The
 * bytes are checked to be one MessagePack value, and nothing is decoded or allocated. Spans are good as long as
 * `data` is.
 *
 * Errors: invalid_value. Any thread. */
fuse_status fuse_value_find(
    const void *data, size_t size, const fuse_path *path, fuse_value *value, fuse_error **error);
/* The same of the object under a key; FUSE_NONE also where there is no such key. Spans are good until the reader is
 * closed. Any thread. */
fuse_status fuse_get_field(
    const fuse_reader *reader, const void *key, size_t key_size, const fuse_path *path, fuse_value *value,
    fuse_error **error);
/* A MessagePack value as JSON on one line, in the reversible spelling of spec/json.md. Errors: invalid_value. Any
 * thread. */
fuse_status fuse_value_to_json(const void *data, size_t size, fuse_buffer *json, fuse_error **error);
/* The MessagePack bytes of the value that JSON text spells. Errors: invalid_value. Any thread. */
fuse_status fuse_value_from_json(const char *text, size_t text_size, fuse_buffer *value, fuse_error **error);

/* ---- Scans ---- */

/* A walk through entries. It keeps the file open, also when its reader is closed: what it gives is good until the
 * scan is closed. Of a compact file, that is put together in memory, which the scan keeps; `until_next` spares that. */
typedef struct fuse_scan fuse_scan;

typedef struct fuse_entry {
  /* NULL in a walk through objects. */
  fuse_span key;
  /* The object, its checksum compared; NULL where keys alone are asked for. */
  fuse_span value;
  /* Where the object's record begins in the file: equal for keys that share an object. */
  uint64_t object;
} fuse_entry;

enum { FUSE_ASCENDING = 0, FUSE_DESCENDING = 1 };

typedef struct fuse_scan_options {
  size_t size;
  /* The first key; NULL for the first of the file. */
  const void *from;
  size_t from_size;
  /* The key before which the scan ends; NULL for the end of the file. */
  const void *up_to;
  size_t up_to_size;
  /* What the keys begin with; NULL for anything. Not together with bounds. */
  const void *prefix;
  size_t prefix_size;
  int32_t direction;
  /* Whether no object is read. */
  bool keys_only;
  /* Whether what it gives need only be good until the next call with the scan. */
  bool until_next;
} fuse_scan_options;

static inline fuse_scan_options fuse_scan_options_default(void) {
  fuse_scan_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

/* Begins a walk through keys in the order of their bytes. Any thread. */
fuse_status fuse_scan_open(
    const fuse_reader *reader, const fuse_scan_options *options, fuse_scan **scan, fuse_error **error);
/* Begins a walk through all objects in the order of the file, also those that no key reaches. Any thread. */
fuse_status fuse_scan_open_objects(const fuse_reader *reader, fuse_scan **scan, fuse_error **error);
/* Begins a walk through the keys that share the object of `key`, itself among them; FUSE_NONE without such a key. Of
 * the options, `direction` and `keys_only` count. Without a reverse index, the steps look at all keys. Any thread. */
fuse_status fuse_scan_open_sharing(
    const fuse_reader *reader, const void *key, size_t key_size, const fuse_scan_options *options, fuse_scan **scan,
    fuse_error **error);
/* The same for the object whose record begins at `object`. Any thread. */
fuse_status fuse_scan_open_object(
    const fuse_reader *reader, uint64_t object, const fuse_scan_options *options, fuse_scan **scan, fuse_error **error);
/* Begins a walk through the blocks of addresses inside of one, such as 8.0.0.0/8: by first address, a block before
 * those in it. Keys are as they were added, and good until the next call with the scan. Of the options, `keys_only`
 * counts.
 *
 * Errors: invalid_value where the text is no block, not_found where the file has no section of networks. Any thread. */
fuse_status fuse_scan_open_networks(
    const fuse_reader *reader, const char *network, size_t network_size, const fuse_scan_options *options,
    fuse_scan **scan, fuse_error **error);
/* The next entry; FUSE_NONE after the last. An error ends a scan: each further call gives an error. One thread. */
fuse_status fuse_scan_next(fuse_scan *scan, fuse_entry *entry, fuse_error **error);
/* The next entries, at most `capacity`; how many, in `count`. FUSE_NONE and 0 after the last. On an error, `count`
 * tells how many came before it, and they are good. One thread. */
fuse_status fuse_scan_next_many(
    fuse_scan *scan, fuse_entry *entries, size_t capacity, size_t *count, fuse_error **error);
/* How many entries are still to come; FUSE_NONE where the scan does not know: all but fuse_scan_open. One thread. */
fuse_status fuse_scan_remaining(fuse_scan *scan, uint64_t *count, fuse_error **error);
/* Passes over entries, or as many as there are; no object is read. One thread. */
fuse_status fuse_scan_skip(fuse_scan *scan, uint64_t count, fuse_error **error);
/* Closes a scan. One thread. */
fuse_status fuse_scan_close(fuse_scan *scan);

/* ---- Matches ---- */

/* A block of addresses; with the longest prefix, an address. */
typedef struct fuse_network {
  /* In network order; of IPv4 the first 4. */
  uint8_t address[16];
  /* 4 or 6. */
  uint8_t family;
  uint8_t prefix_length;
} fuse_network;

/* Room for the text of any block, and a zero byte. */
#define FUSE_NETWORK_TEXT_SIZE 48

/* The block or address that a text spells; an address inside of ::ffff:0:0/96 is the IPv4 one. FUSE_NONE where the
 * text spells none. Any thread. */
fuse_status fuse_network_parse(const char *text, size_t text_size, fuse_network *network, fuse_error **error);
/* The canonical text, as `8.8.8.0/24`, ending in a zero byte; an address as `8.8.8.8/32`. `text` has room for
 * FUSE_NETWORK_TEXT_SIZE bytes. Any thread. */
fuse_status fuse_network_text(const fuse_network *network, char *text, fuse_error **error);

/* The longest block that holds an address. */
typedef struct fuse_network_match {
  /* The block, as it was added. */
  fuse_network key;
  /* The largest block around the address of which all addresses have this answer. */
  fuse_network scope;
  /* The object, its checksum compared. */
  fuse_span value;
  /* Where its record begins in the file. */
  uint64_t object;
} fuse_network_match;

/* The longest block that holds an address, given as its text; FUSE_NONE where none does or the text is no address.
 * The value is good until the reader is closed. Any thread. */
fuse_status fuse_longest_match(
    const fuse_reader *reader, const char *address, size_t address_size, fuse_network_match *match, fuse_error **error);
/* The same for an address of 4 or 16 bytes in network order. Any thread. */
fuse_status fuse_longest_match_bytes(
    const fuse_reader *reader, const uint8_t *address, size_t address_size, fuse_network_match *match,
    fuse_error **error);
/* All blocks that hold an address, the longest first: at most `capacity`, and in `count` how many there are. 129 are
 * the most. Their scope is the block. FUSE_NONE, and 0, where none does. Any thread. */
fuse_status fuse_containing(
    const fuse_reader *reader, const char *address, size_t address_size, fuse_network_match *matches, size_t capacity,
    size_t *count, fuse_error **error);

/* The key that covers a question best. */
typedef struct fuse_match {
  fuse_span key;
  /* The object, its checksum compared. */
  fuse_span value;
  /* Where its record begins in the file. */
  uint64_t object;
} fuse_match;

/* The key that covers a domain name best: x, *.x or .x, see spec/matches.md; FUSE_NONE where none does. Spans are
 * good until the reader is closed, here and below. Any thread. */
fuse_status fuse_longest_suffix(
    const fuse_reader *reader, const char *domain, size_t domain_size, fuse_match *match, fuse_error **error);
/* The key that covers an e-mail address best: itself, or what covers its domain. Any thread. */
fuse_status fuse_longest_email(
    const fuse_reader *reader, const char *address, size_t address_size, fuse_match *match, fuse_error **error);
/* The longest key with which a text begins. Any thread. */
fuse_status fuse_longest_prefix(
    const fuse_reader *reader, const void *text, size_t text_size, fuse_match *match, fuse_error **error);

enum {
  FUSE_NORMALISE_NONE = 0,
  FUSE_NORMALISE_NETWORK = 1,
  FUSE_NORMALISE_DOMAIN = 2,
  FUSE_NORMALISE_LOWER = 3,
  FUSE_NORMALISE_MAC = 4
};

/* The rule by which the keys of the file were written; ask once for each file. FUSE_NONE, and FUSE_NORMALISE_NONE,
 * where there is none. Any thread. */
fuse_status fuse_reader_normalisation(const fuse_reader *reader, int32_t *rule, fuse_error **error);
/* A key as a rule writes it, to be asked for; FUSE_NONE where the rule has no place for it. Any thread. */
fuse_status fuse_normalise(
    int32_t rule, const void *key, size_t key_size, fuse_buffer *normalised, fuse_error **error);

/* ---- By the column ---- */

/* Arrow's C data interface, as https://arrow.apache.org/docs/format/CDataInterface.html specifies it. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif

enum {
  /* What the first values are: bool, int64, uint64, float64 (also of integers among floats), string, bytes, timestamp;
   * JSON for anything else, and for values of several kinds; string where there are none. */
  FUSE_COLUMN_AUTOMATIC = 0,
  FUSE_COLUMN_BOOL = 1,
  FUSE_COLUMN_INT64 = 2,
  FUSE_COLUMN_UINT64 = 3,
  /* Of integers, those that a double holds exactly. */
  FUSE_COLUMN_FLOAT64 = 4,
  /* Strings that are UTF-8, as Arrow's large_utf8. */
  FUSE_COLUMN_STRING = 5,
  /* As large_binary. */
  FUSE_COLUMN_BYTES = 6,
  /* In nanoseconds, UTC. */
  FUSE_COLUMN_TIMESTAMP = 7,
  /* Any value, as its JSON, large_utf8. */
  FUSE_COLUMN_JSON = 8,
  /* Any value, as its MessagePack bytes, large_binary. */
  FUSE_COLUMN_MESSAGE_PACK = 9
};

/* Which key answers each of many questions. */
enum {
  /* The key itself. */
  FUSE_COLUMN_MATCH_KEY = 0,
  /* The longest block around an address, as fuse_longest_match; what spells no address has no answer. */
  FUSE_COLUMN_MATCH_NETWORK = 1,
  /* As fuse_longest_suffix, fuse_longest_email, fuse_longest_prefix. */
  FUSE_COLUMN_MATCH_DOMAIN = 2,
  FUSE_COLUMN_MATCH_EMAIL = 3,
  FUSE_COLUMN_MATCH_PREFIX = 4
};

/* A column to be made. */
typedef struct fuse_column {
  /* Its name: a text without a zero byte. */
  fuse_span name;
  /* The way to the part, as the text of a fuse_path; NULL for the whole value. */
  fuse_span path;
  int32_t type;
} fuse_column;

typedef struct fuse_columns_options {
  size_t size;
  const fuse_column *columns;
  size_t column_count;
  /* Of how many objects automatic types are found; 0 for 1,000. */
  uint64_t sample_size;
  /* Whether there is no column `found`. */
  bool omits_found;
  /* Whether a value of another type than its column ends the call, with FUSE_ERROR_INVALID_VALUE; otherwise it becomes
   * null, and is counted. */
  bool refuses_others;
  /* Whether strings and bytes have offsets of 32 bits, as Arrow's utf8 and binary, which hold 2 GiB a column; more is
   * limit_exceeded. */
  bool has_small_offsets;
  /* Which key answers: one of FUSE_COLUMN_MATCH_…. */
  int32_t match;
} fuse_columns_options;

static inline fuse_columns_options fuse_columns_options_default(void) {
  fuse_columns_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

typedef struct fuse_columns_report {
  size_t size;
  uint64_t row_count;
  /* Rows whose key the file has. */
  uint64_t found_count;
  /* Values that became null because they are of another type than their column. */
  uint64_t other_count;
} fuse_columns_report;

static inline fuse_columns_report fuse_columns_report_empty(void) {
  fuse_columns_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Looks up an Arrow array of keys and makes Arrow columns of what is under them, without an object for each row.
 *
 * Keys are utf8, binary, large_utf8, large_binary, utf8_view or binary_view, and stay the caller's; a null key has no
 * object. Their offsets are checked before they are used; that the buffers are as long as they say is up to the caller.
 * The result is a struct array of a row for each key: first `found`, bool, then the columns, each with a name of its
 * own, which is not `found` either unless that is left out. A part is null where the
 * key is absent, the path leads nowhere, the value is nil, or of another type. Both results are the caller's, to be
 * released as Arrow says; they need the reader no more.
 *
 * A long call, which tells its progress. `report` may be NULL. Errors: corrupted and truncated as fuse_get_many;
 * invalid_argument for an array that breaks Arrow's rules, and for two columns of one name. Any thread. */
fuse_status fuse_lookup_columns(
    const fuse_reader *reader, const struct ArrowSchema *keys_schema, const struct ArrowArray *keys,
    const fuse_columns_options *options, const fuse_call *call, struct ArrowSchema *schema, struct ArrowArray *array,
    fuse_columns_report *report, fuse_error **error);

/* ---- What a file says and is ---- */

/* What the file says about itself under a name, such as `source`; FUSE_NONE where it says nothing. Any thread. */
fuse_status fuse_reader_metadata(
    const fuse_reader *reader, const char *name, size_t name_size, fuse_buffer *text, fuse_error **error);
/* All of it, as a JSON object of texts, ordered by name; {} where it says nothing. Any thread. */
fuse_status fuse_reader_metadata_json(const fuse_reader *reader, fuse_buffer *json, fuse_error **error);

typedef struct fuse_statistics {
  size_t size;
  uint64_t key_count;
  uint64_t object_count;
  uint64_t byte_count;
  uint64_t header_byte_count;
  uint64_t data_byte_count;
  uint64_t index_byte_count;
  uint64_t extension_byte_count;
  uint64_t key_byte_count;
  uint64_t object_byte_count;
  uint64_t fewest_keys_per_object;
  uint64_t most_keys_per_object;
  uint64_t unreached_object_count;
  uint64_t bytes_saved_by_sharing;
  uint32_t checksum;
  uint32_t version;
} fuse_statistics;

static inline fuse_statistics fuse_statistics_empty(void) {
  fuse_statistics statistics;
  memset(&statistics, 0, sizeof statistics);
  statistics.size = sizeof statistics;
  return statistics;
}

/* Counts what the file holds, reading all of it. A long call. Any thread. */
fuse_status fuse_reader_statistics(
    const fuse_reader *reader, const fuse_call *call, fuse_statistics *statistics, fuse_error **error);

enum {
  /* Everything. */
  FUSE_LEVEL_FULL = 0,
  /* Checksums and bounds: the file is as it was written. */
  FUSE_LEVEL_CHECKSUMS = 1
};

/* One thing that is wrong with a file. */
typedef struct fuse_damage {
  size_t size;
  /* Which rule is broken, such as "objectChecksum"; see spec/format.md §10. */
  const char *kind;
  uint64_t offset;
  /* What is wrong, a sentence. */
  const char *message;
} fuse_damage;

typedef struct fuse_verify_options {
  size_t size;
  int32_t level;
  /* Called with each damage, which is good until it returns. Other than 0 ends the call, with FUSE_ERROR_CANCELLED. */
  int (*on_damage)(void *context, const fuse_damage *damage);
  void *context;
} fuse_verify_options;

static inline fuse_verify_options fuse_verify_options_default(void) {
  fuse_verify_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

typedef struct fuse_verification {
  size_t size;
  uint64_t byte_count;
  uint64_t key_count;
  uint64_t object_count;
  /* 0 for a sound file. */
  uint64_t damage_count;
} fuse_verification;

static inline fuse_verification fuse_verification_empty(void) {
  fuse_verification verification;
  memset(&verification, 0, sizeof verification);
  verification.size = sizeof verification;
  return verification;
}

/* Checks every byte of a file, also of one that cannot be opened, with all processors. FUSE_OK says that it was
 * done; `damage_count`, what was found. `summary` may be NULL. A long call. Errors: not_found, input_output,
 * truncated where the file shrank meanwhile. Any thread. */
fuse_status fuse_verify(
    const char *path, size_t path_size, const fuse_verify_options *options, const fuse_call *call,
    fuse_verification *summary, fuse_error **error);
/* The same of the file that a reader has open. Any thread. */
fuse_status fuse_reader_verify(
    const fuse_reader *reader, const fuse_verify_options *options, const fuse_call *call, fuse_verification *summary,
    fuse_error **error);

/* ---- Files that are replaced ---- */

/* A reader whose file may be replaced while any number of threads read it: each call reads the newest file. */
typedef struct fuse_reloadable fuse_reloadable;

enum {
  FUSE_CHECK_CHECKSUMS = 0,
  FUSE_CHECK_FULL = 1,
  /* No more than opening reads. */
  FUSE_CHECK_NONE = 2
};

typedef struct fuse_serving_options {
  size_t size;
  /* How files are opened; NULL for the default. */
  const fuse_open_options *open;
  /* How much of a new file is verified before it serves, the first one too. */
  int32_t check;
  /* How many threads verify it; 0 for one. */
  uint32_t thread_count;
  /* The fewest keys that a file may have. */
  uint64_t least_key_count;
  /* Whether a file without keys may replace one that has some. */
  bool allows_empty;
  /* Whether `greatest_shrink` counts. */
  bool has_greatest_shrink;
  /* Whether look-ups are counted. */
  bool counts_lookups;
  /* The greatest share of the keys that may be missing in comparison with the file that serves, from 0 to 1. */
  double greatest_shrink;
  /* Keys that a file must have. */
  const fuse_span *required_keys;
  size_t required_key_count;
  /* A rule of the caller's own, asked last, on the thread that loads the file. Readers are good until it returns;
   * `serving` is NULL for the first file. Other than 0 refuses the file. It must not reload, swap or roll back what
   * asks it: that gives FUSE_ERROR_INVALID_ARGUMENT. */
  int (*accept)(void *context, const fuse_reader *candidate, const fuse_reader *serving);
  void *context;
  /* How many of the files before this one stay open, for fuse_reloadable_rollback. */
  uint64_t kept_file_count;
} fuse_serving_options;

static inline fuse_serving_options fuse_serving_options_default(void) {
  fuse_serving_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

/* Opens the file at a path, if it passes the rules. A long call. Any thread. */
fuse_status fuse_reloadable_open(
    const char *path, size_t path_size, const fuse_serving_options *options, const fuse_call *call,
    fuse_reloadable **reloadable, fuse_error **error);
/* Closes it. Snapshots and watchers stay. One thread. */
fuse_status fuse_reloadable_close(fuse_reloadable *reloadable);
/* A reader of the newest file, which stays as it is and keeps the file until it is closed: for calls that belong
 * together, for batches, scans, matches. Any thread. */
fuse_status fuse_reloadable_snapshot(const fuse_reloadable *reloadable, fuse_reader **snapshot, fuse_error **error);
/* The object under a key of the newest file, copied; FUSE_NONE, and an empty buffer, without such a key. Any thread,
 * a buffer for each. */
fuse_status fuse_reloadable_get(
    const fuse_reloadable *reloadable, const void *key, size_t key_size, fuse_buffer *value, fuse_error **error);
/* Calls `visit` with the object under a key of the newest file, in place, which is good until it returns; FUSE_NONE
 * without such a key. Other than 0 gives FUSE_ERROR_CANCELLED. Any thread. */
fuse_status fuse_reloadable_visit(
    const fuse_reloadable *reloadable, const void *key, size_t key_size,
    int (*visit)(void *context, const void *data, size_t size), void *context, fuse_error **error);
/* FUSE_OK where the newest file has the key, FUSE_NONE where not. Any thread. */
fuse_status fuse_reloadable_contains(
    const fuse_reloadable *reloadable, const void *key, size_t key_size, fuse_error **error);
/* Takes the file that is under the path now. On an error the old one serves on. A long call. Any thread. */
fuse_status fuse_reloadable_reload(fuse_reloadable *reloadable, const fuse_call *call, fuse_error **error);
/* The same unless it is the file that was looked at last, taken or refused: FUSE_NONE then. A long call. Any thread. */
fuse_status fuse_reloadable_reload_if_changed(fuse_reloadable *reloadable, const fuse_call *call, fuse_error **error);
/* Takes the file at another path, and files from there from now on. A long call. Any thread. */
fuse_status fuse_reloadable_swap(
    fuse_reloadable *reloadable, const char *path, size_t path_size, const fuse_call *call, fuse_error **error);
/* Goes back to the file before this one. Errors: not_found where none was kept. Any thread. */
fuse_status fuse_reloadable_rollback(fuse_reloadable *reloadable, fuse_error **error);
/* Where files are taken from, as it was given. Any thread. */
fuse_status fuse_reloadable_path(const fuse_reloadable *reloadable, fuse_buffer *path, fuse_error **error);

typedef struct fuse_counters {
  size_t size;
  /* The generation that serves, from 1. */
  uint64_t generation;
  uint64_t key_count;
  /* How often a file replaced another, and how often one was refused. */
  uint64_t reload_count;
  uint64_t refusal_count;
  /* Look-ups; 0 unless they are counted. */
  uint64_t hit_count;
  uint64_t miss_count;
  uint64_t failure_count;
  /* In seconds since 1970: when the file was taken, when its data were built (where `has_built_at`), and when this
   * was gathered. */
  double loaded_at;
  double built_at;
  double gathered_at;
  bool has_built_at;
} fuse_counters;

static inline fuse_counters fuse_counters_empty(void) {
  fuse_counters counters;
  memset(&counters, 0, sizeof counters);
  counters.size = sizeof counters;
  return counters;
}

/* What happened so far. Any thread. */
fuse_status fuse_reloadable_counters(
    const fuse_reloadable *reloadable, fuse_counters *counters, fuse_error **error);
/* Why the last refused file was refused: FUSE_OK, and an error to be freed in `reason`; FUSE_NONE where none was.
 * Any thread. */
fuse_status fuse_reloadable_last_refusal(
    const fuse_reloadable *reloadable, fuse_error **reason, fuse_error **error);

/* Reloads when the file changes, on a thread of its own. */
typedef struct fuse_watcher fuse_watcher;

typedef struct fuse_watcher_options {
  size_t size;
  /* How often the file is looked at where the system tells of no change, in seconds; 0 for 2. */
  double poll_interval;
  /* For how long a file has to stay the same first, in seconds; 0 for 0.02, negative for not at all. */
  double debounce;
  /* Whether the system's file events are not used. */
  bool polls_only;
  /* Called on the watcher's thread after each file that it took; the reader is good until it returns. */
  void (*on_reload)(void *context, const fuse_reader *reader);
  /* Called on the watcher's thread once for each file that was refused; the error is good until it returns. */
  void (*on_failure)(void *context, const fuse_error *reason);
  void *context;
} fuse_watcher_options;

static inline fuse_watcher_options fuse_watcher_options_default(void) {
  fuse_watcher_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

/* Begins to watch. The watcher keeps what it reloads. Its callbacks may reload, roll back, and stop the watcher. Any
 * thread. */
fuse_status fuse_watcher_start(
    fuse_reloadable *reloadable, const fuse_watcher_options *options, fuse_watcher **watcher, fuse_error **error);
/* Ends the watching: afterwards no callback runs, and no file is taken. It waits for a callback that is running,
 * unless it is called from that. Again, it does nothing. Any thread. */
fuse_status fuse_watcher_stop(fuse_watcher *watcher, fuse_error **error);
/* Stops and closes. Not from a callback of the watcher. One thread. */
fuse_status fuse_watcher_close(fuse_watcher *watcher);

/* ---- Writing ---- */

/* Collects objects and keys, and writes them as one file. One thread at a time for all of its functions. */
typedef struct fuse_writer fuse_writer;

/* A name and a text of the metadata. */
typedef struct fuse_metadata {
  fuse_span name;
  fuse_span text;
} fuse_metadata;

enum {
  /* By their smallest key: the same mapping gives the same bytes. Objects without a key are left out. */
  FUSE_ORDER_KEY = 0,
  /* As they were added: what `fusedb` 0.3.0 writes. */
  FUSE_ORDER_INSERTION = 1
};
enum {
  /* Objects of the same bytes are stored once. */
  FUSE_SHARING_IDENTICAL = 0,
  FUSE_SHARING_NONE = 1
};
enum {
  /* A key that is added again points at its last object, */
  FUSE_DUPLICATE_LAST = 0,
  /* or at its first; */
  FUSE_DUPLICATE_FIRST = 1,
  /* or the build fails, with FUSE_ERROR_DUPLICATE_KEY. */
  FUSE_DUPLICATE_ERROR = 2,
  /* Of a merge alone: `combine` decides. */
  FUSE_DUPLICATE_COMBINE = 3
};
enum {
  /* With an extension block: it opens in constant time, and every part has a checksum. */
  FUSE_LAYOUT_INDEXED = 0,
  /* As `fusedb` 0.3.0 writes it. It has no metadata, networks, lengths or reverse index. */
  FUSE_LAYOUT_PLAIN = 1
};
enum {
  /* Version 2 of the format, which `fusedb` 0.3.0 reads too, and the quickest look-ups. */
  FUSE_FORM_FAMILY = 0,
  /* Version 3, of half the bytes, with the same answers. It is never plain, has no reverse index, and orders and shares
   * its objects by rules of its own. */
  FUSE_FORM_COMPACT = 1,
  /* The same with keys that are not coded: somewhat larger and quicker. */
  FUSE_FORM_COMPACT_FAST = 2
};
enum { FUSE_NETWORKS_AUTOMATIC = 0, FUSE_NETWORKS_ALWAYS = 1, FUSE_NETWORKS_NEVER = 2 };
enum {
  /* What happens to a symbolic link where the new file is to appear: an error, */
  FUSE_LINK_REFUSED = 0,
  /* the file that it leads to is replaced, */
  FUSE_LINK_FOLLOWED = 1,
  /* or the link itself. */
  FUSE_LINK_REPLACED = 2
};

/* How a file is written. Spans and arrays are read before the function returns. */
typedef struct fuse_writer_options {
  size_t size;
  int32_t order;
  int32_t sharing;
  int32_t on_duplicate;
  int32_t layout;
  int32_t networks;
  int32_t normalisation;
  int32_t output_link;
  /* How many threads work; 0 for one for each processor. */
  uint32_t thread_count;
  bool key_lengths;
  bool reverse_index;
  bool masks_host_bits;
  /* Whether `greatest_shrink` counts. */
  bool has_greatest_shrink;
  /* The greatest share of its keys that the file that is replaced may lose, from 0 to 1. */
  double greatest_shrink;
  /* The fewest keys that the file may have. */
  uint64_t least_key_count;
  /* How many bytes of memory the process may use, at least 16 MiB; 0 for a quarter of what is available. What does
   * not fit goes to a temporary file. */
  uint64_t memory;
  /* The folder of that; empty for /var/tmp. */
  fuse_span temporary_folder;
  const fuse_metadata *metadata;
  size_t metadata_count;
  /* FUSE_FORM_…. */
  int32_t form;
} fuse_writer_options;

static inline fuse_writer_options fuse_writer_options_default(void) {
  fuse_writer_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

/* What `fusedb` 0.3.0 does: for the same calls the same bytes. */
static inline fuse_writer_options fuse_writer_options_compatible(void) {
  fuse_writer_options options = fuse_writer_options_default();
  options.order = FUSE_ORDER_INSERTION;
  options.sharing = FUSE_SHARING_NONE;
  options.layout = FUSE_LAYOUT_PLAIN;
  return options;
}

/* Makes a writer that holds nothing yet. Any thread. */
fuse_status fuse_writer_make(const fuse_writer_options *options, fuse_writer **writer, fuse_error **error);
/* Closes a writer; what was not built is gone. */
fuse_status fuse_writer_close(fuse_writer *writer);
/* Adds an object, the bytes of exactly one MessagePack value, and says its number, for keys. Numbers without
 * sharing: 0, 1, 2, …; with it, the same bytes may get the same. Errors: invalid_value, limit_exceeded,
 * input_output. */
fuse_status fuse_writer_add_object(
    fuse_writer *writer, const void *data, size_t size, uint64_t *object, fuse_error **error);
/* The same of the value that JSON text spells, each part in its shortest encoding. */
fuse_status fuse_writer_add_json(
    fuse_writer *writer, const char *text, size_t text_size, uint64_t *object, fuse_error **error);
/* Points a key, of at most 65,535 bytes, at an object of this writer. Errors: invalid_argument for a number that it
 * did not give, limit_exceeded, invalid_value where the options have no place for the key, input_output. */
fuse_status fuse_writer_add_key(
    fuse_writer *writer, const void *key, size_t key_size, uint64_t object, fuse_error **error);
/* Points many keys at one object. On an error, keys before the one that was refused stay added. */
fuse_status fuse_writer_add_keys(
    fuse_writer *writer, const fuse_span *keys, size_t count, uint64_t object, fuse_error **error);
/* Adds many objects, each with a key of its own. In `added`, which may be NULL, how many were. */
fuse_status fuse_writer_add_many(
    fuse_writer *writer, const fuse_span *keys, const fuse_span *values, size_t count, size_t *added,
    fuse_error **error);
/* How many keys and objects were added; equal objects that were found in memory are counted once. Either may be
 * NULL. */
fuse_status fuse_writer_counts(const fuse_writer *writer, uint64_t *keys, uint64_t *objects, fuse_error **error);

typedef struct fuse_build_report {
  size_t size;
  uint64_t key_count;
  uint64_t object_count;
  uint64_t shared_object_count;
  uint64_t unreached_object_count;
  uint64_t duplicate_key_count;
  uint64_t byte_count;
  uint64_t bytes_saved_by_sharing;
  /* Keys of the database that was replaced, where `replaced`. */
  uint64_t replaced_key_count;
  /* Blocks of addresses, where `has_networks`, and keys that stand for none. */
  uint64_t network_count;
  uint64_t literal_key_count;
  bool replaced;
  bool has_networks;
} fuse_build_report;

static inline fuse_build_report fuse_build_report_empty(void) {
  fuse_build_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Writes all that was added as the file at a path, which appears complete or not at all. The writer may go on and
 * build again; after an error of code input_output or cancelled it may not: each further call gives an error.
 * `report` may be NULL. A long call. */
fuse_status fuse_writer_build(
    fuse_writer *writer, const char *path, size_t path_size, const fuse_call *call, fuse_build_report *report,
    fuse_error **error);

/* ---- Sets of shards ----
 *
 * A set is a folder of files, of which each has the keys that a rule gives it: see spec/sharding.md. fuse_reader_open and
 * fuse_reloadable_open take such a folder wherever they take a file, and all questions are answered for the whole set.
 *
 * To build one, ask for its generation, build each shard, wherever that is, and publish all of them in one step. */

/* Which of `count` shards, 1 to 65,536, holds a key: XXH64 with seed 42 as a signed number, modulo `count`, as Spark's
 * pmod(xxhash64(key), count). Any thread. */
fuse_status fuse_shard_of(const void *key, size_t key_size, uint64_t count, uint64_t *shard, fuse_error **error);

/* Writes all that was added as one shard of a set, into a folder that is made where it is missing. It belongs to no set until
 * it is published. In `shard` what fuse_set_publish needs to know of it: a line of JSON. Keys of another shard are an
 * error, invalid_value. A long call; otherwise as fuse_writer_build. */
fuse_status fuse_writer_build_shard(
    fuse_writer *writer, uint64_t number, uint64_t count, const char *folder, size_t folder_size, const fuse_call *call,
    fuse_buffer *shard, fuse_error **error);

/* How often the set in a folder was published; 0 where there is none. A job asks before it builds its first shard. Any
 * thread. */
fuse_status fuse_set_generation(const char *folder, size_t folder_size, uint64_t *generation, fuse_error **error);

typedef struct fuse_set_options {
  size_t size;
  /* What fuse_set_generation said before the shards were built. Another generation by then is an error, output_changed. */
  uint64_t after;
  /* The fewest keys that the set may have. */
  uint64_t least_key_count;
  /* The greatest share of its keys that the set may lose, from 0 to 1, where `has_greatest_shrink`. */
  double greatest_shrink;
  bool has_greatest_shrink;
} fuse_set_options;

static inline fuse_set_options fuse_set_options_default(void) {
  fuse_set_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

typedef struct fuse_set_report {
  size_t size;
  uint64_t generation;
  uint64_t shard_count;
  /* How many of them the generation before had already. */
  uint64_t kept_shard_count;
  uint64_t key_count;
  uint64_t byte_count;
  /* Keys of the generation before, where `replaced`. */
  uint64_t replaced_key_count;
  /* How many files were swept away. */
  uint64_t swept_count;
  bool replaced;
} fuse_set_report;

static inline fuse_set_report fuse_set_report_empty(void) {
  fuse_set_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Publishes all shards of a set, which are in the folder, and sweeps away what is left of earlier ones. Until it returns
 * the set is what it was. `shards` are the lines that fuse_writer_build_shard gave, in any order. `report` may be NULL.
 * Errors: output_changed, not_found, truncated or corrupted when a shard is not there as it was built, refused,
 * invalid_value, input_output. Any thread. */
fuse_status fuse_set_publish(
    const char *folder, size_t folder_size, const fuse_span *shards, size_t count, const fuse_set_options *options,
    fuse_set_report *report, fuse_error **error);

/* Removes what no manifest names: shards and unfinished files of jobs that died, were aborted, or wrote after that, if they
 * were written at least `age` seconds ago. fuse_set_publish does that, too. In `removed`, which may be NULL, how many they
 * were. Any thread. */
fuse_status fuse_set_sweep(
    const char *folder, size_t folder_size, double age, uint64_t *removed, fuse_error **error);

/* Makes a set of a file, or of another set, and publishes it. `shard_count` is how many shards it has; with 0, the fewest, a
 * power of two, that have no more than `shard_bytes` on average. Of `options`, form, networks, memory, threads, temporary
 * folder, metadata, least keys and greatest shrink count; NULL for the default. `report` may be NULL. A long call. Any thread. */
fuse_status fuse_set_split(
    const char *source, size_t source_size, const char *folder, size_t folder_size, uint64_t shard_count,
    uint64_t shard_bytes, const fuse_writer_options *options, const fuse_call *call, fuse_set_report *report,
    fuse_error **error);

/* ---- Merging, comparing, patching, reindexing ---- */

enum { FUSE_COMBINE_FIRST = 0, FUSE_COMBINE_SECOND = 1, FUSE_COMBINE_VALUE = 2 };

/* How files are merged. Of the writer's options all count but `sharing`, `normalisation` and `masks_host_bits`. */
typedef struct fuse_merge_options {
  size_t size;
  /* NULL for the default. `on_duplicate` says which object a key gets for which files have different ones. */
  const fuse_writer_options *writer;
  /* Files whose keys are left out. */
  const fuse_span *subtracting;
  size_t subtracting_count;
  /* Keys that begin with none of these are left out, where there are some. */
  const fuse_span *prefixes;
  size_t prefix_count;
  /* With FUSE_DUPLICATE_COMBINE: decides between two objects, in the order of their files. It returns
   * FUSE_COMBINE_FIRST or _SECOND, or puts one MessagePack value into `value` with fuse_buffer_set and returns
   * FUSE_COMBINE_VALUE; a negative number ends the merge with FUSE_ERROR_CANCELLED. It is called on a thread of the
   * library, by one thread at a time, and spans are good until it returns. */
  int (*combine)(void *context, fuse_span key, fuse_span first, fuse_span second, fuse_buffer *value);
  /* Called on the calling thread, after the merge, with the first few keys under which files have different objects:
   * `kept` is the number of the file whose object the key has, `dropped` that of one with another; both are SIZE_MAX
   * where the objects were combined. */
  void (*on_conflict)(void *context, fuse_span key, size_t kept, size_t dropped);
  void *context;
} fuse_merge_options;

static inline fuse_merge_options fuse_merge_options_default(void) {
  fuse_merge_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

/* Puts a copy of bytes into a buffer. Any thread, a buffer for each. */
fuse_status fuse_buffer_set(fuse_buffer *buffer, const void *data, size_t size, fuse_error **error);

typedef struct fuse_merge_report {
  size_t size;
  uint64_t input_key_count;
  uint64_t subtracted_key_count;
  uint64_t conflict_count;
  uint64_t combined_count;
  uint64_t key_count;
  uint64_t object_count;
  uint64_t byte_count;
  uint64_t bytes_saved_by_sharing;
  uint64_t replaced_key_count;
  uint64_t network_count;
  uint64_t literal_key_count;
  uint64_t spilled_byte_count;
  bool replaced;
  bool has_networks;
} fuse_merge_report;

static inline fuse_merge_report fuse_merge_report_empty(void) {
  fuse_merge_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Writes one file with the keys of many, of which each is checked. The output may be one of them. `report` may be
 * NULL. A long call.
 *
 * Errors: as fuse_reader_open and fuse_writer_build; output_changed, duplicate_key, invalid_value. Any thread. */
fuse_status fuse_merge(
    const fuse_span *inputs, size_t input_count, const char *output, size_t output_size,
    const fuse_merge_options *options, const fuse_call *call, fuse_merge_report *report, fuse_error **error);

/* A walk through the keys that two files answer differently, in order. It keeps both open: what it gives is good
 * until it is closed. */
typedef struct fuse_differences fuse_differences;

enum { FUSE_ADDED = 0, FUSE_REMOVED = 1, FUSE_CHANGED = 2 };

typedef struct fuse_difference {
  int32_t kind;
  fuse_span key;
  /* NULL where the file does not have the key. */
  fuse_span old_value;
  fuse_span new_value;
  uint64_t old_object;
  uint64_t new_object;
} fuse_difference;

/* Begins a comparison. Any thread. */
fuse_status fuse_differences_open(
    const fuse_reader *old_reader, const fuse_reader *new_reader, fuse_differences **differences, fuse_error **error);
/* The next difference; FUSE_NONE after the last. An error ends the walk. Of the call, NULL or not, the token counts.
 * One thread. */
fuse_status fuse_differences_next(
    fuse_differences *differences, const fuse_call *call, fuse_difference *difference, fuse_error **error);
/* How many keys were passed over because both files have the same object. One thread. */
fuse_status fuse_differences_equal_count(fuse_differences *differences, uint64_t *count, fuse_error **error);
/* Closes it. One thread. */
fuse_status fuse_differences_close(fuse_differences *differences);

typedef struct fuse_patch_report {
  size_t size;
  uint64_t byte_count;
  uint64_t copied_object_count;
  uint64_t edited_object_count;
  uint64_t new_object_count;
  uint64_t added_key_count;
  uint64_t redirected_key_count;
  bool has_block_bytes;
} fuse_patch_report;

static inline fuse_patch_report fuse_patch_report_empty(void) {
  fuse_patch_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Writes the patch that makes the new file of the old one. `output_link` is FUSE_LINK_…; `report` may be NULL. A
 * long call. Any thread. */
fuse_status fuse_patch_make(
    const fuse_reader *old_reader, const fuse_reader *new_reader, const char *path, size_t path_size, int32_t output_link,
    const fuse_call *call, fuse_patch_report *report, fuse_error **error);

typedef struct fuse_patch_options {
  size_t size;
  int32_t output_link;
  /* Whether `greatest_shrink` counts. */
  bool has_greatest_shrink;
  double greatest_shrink;
  uint64_t least_key_count;
  /* How long the file may be; 0 for four times the old file and 64 times the patch, plus 256 MiB. */
  uint64_t greatest_byte_count;
} fuse_patch_options;

static inline fuse_patch_options fuse_patch_options_default(void) {
  fuse_patch_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

typedef struct fuse_patched_file {
  size_t size;
  uint64_t key_count;
  uint64_t object_count;
  uint64_t byte_count;
  uint64_t replaced_key_count;
  bool replaced;
} fuse_patched_file;

static inline fuse_patched_file fuse_patched_file_empty(void) {
  fuse_patched_file file;
  memset(&file, 0, sizeof file);
  file.size = sizeof file;
  return file;
}

/* Makes the new file of the old one and the patch at `path`; both are verified. `patched` may be NULL. A long call.
 *
 * Errors: patch_mismatch, corrupted, truncated, limit_exceeded, refused, not_found, output_changed, input_output.
 * Any thread. */
fuse_status fuse_patch_apply(
    const char *path, size_t path_size, const fuse_reader *old_reader, const char *output, size_t output_size,
    const fuse_patch_options *options, const fuse_call *call, fuse_patched_file *patched, fuse_error **error);

/* The same with several patches in one pass, each of which was made from what the one before it makes; the files in
 * between are not made. There must be one at least.
 *
 * Errors: as fuse_patch_apply. Any thread. */
fuse_status fuse_patch_apply_many(
    const fuse_span *paths, size_t path_count, const fuse_reader *old_reader, const char *output, size_t output_size,
    const fuse_patch_options *options, const fuse_call *call, fuse_patched_file *patched, fuse_error **error);

typedef struct fuse_reindex_options {
  size_t size;
  /* Where the new file is to appear; empty for the file itself. */
  fuse_span output;
  int32_t output_link;
  int32_t networks;
  bool key_lengths;
  bool reverse_index;
  /* Whether the metadata here replace those of the file. */
  bool replaces_metadata;
  /* Whether `greatest_shrink` counts. */
  bool has_greatest_shrink;
  double greatest_shrink;
  uint64_t least_key_count;
  const fuse_metadata *metadata;
  size_t metadata_count;
  /* FUSE_FORM_…, where `has_form`; otherwise the file keeps its form. */
  int32_t form;
  bool has_form;
} fuse_reindex_options;

static inline fuse_reindex_options fuse_reindex_options_default(void) {
  fuse_reindex_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

typedef struct fuse_reindex_report {
  size_t size;
  uint64_t key_count;
  uint64_t object_count;
  uint64_t byte_count_before;
  uint64_t byte_count;
  uint64_t extension_byte_count;
  uint64_t network_count;
  uint64_t literal_key_count;
  uint64_t replaced_key_count;
  bool was_plain;
  bool replaced;
  bool has_networks;
} fuse_reindex_report;

static inline fuse_reindex_report fuse_reindex_report_empty(void) {
  fuse_reindex_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Gives the file at a path a new extension block. It is verified first. `report` may be NULL. A long call. Any
 * thread. */
fuse_status fuse_reindex(
    const char *path, size_t path_size, const fuse_reindex_options *options, const fuse_call *call,
    fuse_reindex_report *report, fuse_error **error);

/* ---- Delivery ---- */

/* Versions of a database go from the machine that builds it to those that serve it through a remote, see
 * spec/delivery.md of the project: the path of a folder, or an http:// or https:// URL under which a web server hands out
 * the files of one. There, a ref is a name (`geo`) or a name and a channel (`geo@canary`).
 *
 * These functions need libcurl.so.4 and libcrypto.so.3, which are opened by the first of them that is called, and not
 * before: FUSE_ERROR_NOT_FOUND where the system has none. They take the proxies and certificates of the system. */

struct fuse_fetch_report;

/* How a version is fetched, and how it is followed. */
typedef struct fuse_delivery_options {
  size_t size;
  /* What a new file has to pass, and how a subscription serves it; NULL for the default. `accept` is asked of a file
   * before it gets its name, and again when a subscription takes it. Without trusted keys `check` is
   * FUSE_CHECK_FULL when a file is fetched. */
  const fuse_serving_options *serving;
  /* The keys of which one has to have signed: texts as `fusedb keygen` prints them, or paths of files with such a
   * text. None for any version. */
  const fuse_span *trusted_keys;
  size_t trusted_key_count;
  /* How many earlier files stay beside the new one, as `geo.fsdb.before-41`. */
  uint64_t kept_file_count;
  /* In seconds; 0 for the default, negative for no end: how long a connection may take to be made (10), no byte may
   * come (30), and a transfer may take in all (3600). */
  double connect_timeout;
  double stall_timeout;
  double deadline;
  /* How many bytes a second may come at most; 0 for any number. */
  uint64_t greatest_rate;
  /* How often a transfer that failed is tried again; 0 for 4, negative for never. */
  int32_t retry_count;
  /* Whether patches that fail are an error, instead of a reason to fetch the whole file. */
  bool patches_only;
  /* Of subscriptions. In seconds: how often the remote is asked, give or take a fifth (0 for 30), and how long that
   * becomes while attempts fail (0 for 600). */
  double interval;
  double longest_interval;
  /* Called on the thread of the subscription after each version that it took, one call at a time. */
  void (*on_update)(void *context, const struct fuse_fetch_report *report);
  /* Called there when an attempt fails, once for each reason; the error is good until it returns. */
  void (*on_failure)(void *context, const fuse_error *reason);
  void *context;
} fuse_delivery_options;

static inline fuse_delivery_options fuse_delivery_options_default(void) {
  fuse_delivery_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

enum {
  /* The file is that of the ref already. */
  FUSE_WAY_NONE = 0,
  /* By patches. */
  FUSE_WAY_PATCHES = 1,
  /* As a whole. */
  FUSE_WAY_WHOLE = 2
};

/* A SHA-256 in hexadecimal, and a zero byte. */
#define FUSE_DIGEST_TEXT_SIZE 65

typedef struct fuse_fetch_report {
  size_t size;
  /* FUSE_WAY_…. */
  int32_t way;
  uint32_t patch_count;
  /* Of the version that is here now; 0 while it is not known. */
  uint64_t generation;
  /* How many bytes the file has. */
  uint64_t file_byte_count;
  /* How many bytes the way was to take, and how many went over the wire in how many requests, both directions and
   * heads included. */
  uint64_t planned_byte_count;
  uint64_t byte_count;
  uint64_t request_count;
  double seconds_asking;
  double seconds_transferring;
  double seconds_making;
  /* Whether patches were of no use, so that the whole file came. */
  bool fell_back;
  /* By which the version is named; empty while none is known. */
  char manifest[FUSE_DIGEST_TEXT_SIZE];
} fuse_fetch_report;

static inline fuse_fetch_report fuse_fetch_report_empty(void) {
  fuse_fetch_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Makes the file at a path the version that a ref leads to: FUSE_NONE where it is that already. What comes is proved
 * before it takes the place of the old file, in one step; what a transfer that was ended has brought stays, and the next
 * goes on. With `is_trial` nothing but documents comes, and the report says what would. `report` may be NULL. A long
 * call.
 *
 * Errors: unavailable, not_found, refused, corrupted, output_changed, input_output. Any thread. */
fuse_status fuse_fetch(
    const char *remote, size_t remote_size, const char *name, size_t name_size, const char *path, size_t path_size,
    const fuse_delivery_options *options, bool is_trial, const fuse_call *call, fuse_fetch_report *report,
    fuse_error **error);

typedef struct fuse_publish_options {
  size_t size;
  /* Paths of the files with the keys that sign; none for no signature. */
  const fuse_span *key_paths;
  size_t key_path_count;
  /* What is said of the version. */
  const fuse_metadata *metadata;
  size_t metadata_count;
  /* For how many seconds clients may trust the ref; 0 for any time. */
  double validity;
  /* From which earlier versions patches are made, counted back; NULL for 1, 2, 4, 8, 16, 24. */
  const uint32_t *patch_distances;
  size_t patch_distance_count;
  /* Whether no patches are made. */
  bool makes_no_patches;
  /* Whether `greatest_shrink` counts. */
  bool has_greatest_shrink;
  /* The greatest share of the keys that may be missing in comparison with the version before, from 0 to 1. */
  double greatest_shrink;
  /* The fewest keys that the file may have. */
  uint64_t least_key_count;
} fuse_publish_options;

static inline fuse_publish_options fuse_publish_options_default(void) {
  fuse_publish_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  return options;
}

typedef struct fuse_publish_report {
  size_t size;
  uint64_t generation;
  uint64_t key_count;
  /* How many bytes the file has, and how many as it is transferred. */
  uint64_t byte_count;
  uint64_t packed_byte_count;
  /* How many patches were made, and how many bytes they have together. */
  uint64_t patch_count;
  uint64_t patch_byte_count;
  char manifest[FUSE_DIGEST_TEXT_SIZE];
} fuse_publish_report;

static inline fuse_publish_report fuse_publish_report_empty(void) {
  fuse_publish_report report;
  memset(&report, 0, sizeof report);
  report.size = sizeof report;
  return report;
}

/* Adds the file at a path to a remote, a folder, as the newest version, and has a ref lead to it: FUSE_NONE where it is
 * the newest already. Each patch is applied, and what it makes compared, before the ref moves. `report` may be NULL. A
 * long call.
 *
 * Errors: refused, output_changed where somebody else moved the ref meanwhile, input_output, and those of opening and
 * verifying the file. Any thread. */
fuse_status fuse_publish(
    const char *remote, size_t remote_size, const char *name, size_t name_size, const char *path, size_t path_size,
    const fuse_publish_options *options, const fuse_call *call, fuse_publish_report *report, fuse_error **error);

/* Follows a ref on a thread of its own, and serves what it leads to. */
typedef struct fuse_subscription fuse_subscription;

/* Opens the file at a path, or fetches it where there is none, and begins to follow. A long call. Any thread. */
fuse_status fuse_subscription_open(
    const char *remote, size_t remote_size, const char *name, size_t name_size, const char *path, size_t path_size,
    const fuse_delivery_options *options, const fuse_call *call, fuse_subscription **subscription, fuse_error **error);
/* What serves: a handle of its own, to be closed by fuse_reloadable_close, which the subscription goes on to swap. Any
 * thread. */
fuse_status fuse_subscription_reloadable(
    const fuse_subscription *subscription, fuse_reloadable **reloadable, fuse_error **error);
/* Asks the remote now, on this thread: FUSE_NONE without another version. `report` may be NULL. A long call. Any
 * thread. */
fuse_status fuse_subscription_update(
    fuse_subscription *subscription, const fuse_call *call, fuse_fetch_report *report, fuse_error **error);

typedef struct fuse_delivery_counters {
  size_t size;
  /* Of the version that serves; 0 while it is not known. */
  uint64_t generation;
  /* How often the remote was asked, how often another version came, and how often that failed. */
  uint64_t attempt_count;
  uint64_t update_count;
  uint64_t failure_count;
  /* How many failures were because what came was not trusted, was damaged or broke a rule. */
  uint64_t refusal_count;
  /* Over the wire, in all. */
  uint64_t byte_count;
  uint64_t request_count;
  /* When the remote last said what clients are to have, in seconds since 1970; 0 for never. */
  double succeeded_at;
} fuse_delivery_counters;

static inline fuse_delivery_counters fuse_delivery_counters_empty(void) {
  fuse_delivery_counters counters;
  memset(&counters, 0, sizeof counters);
  counters.size = sizeof counters;
  return counters;
}

/* What came of the attempts so far. Any thread. */
fuse_status fuse_subscription_counters(
    const fuse_subscription *subscription, fuse_delivery_counters *counters, fuse_error **error);
/* Why the last attempt failed: FUSE_OK, and an error to be freed in `reason`; FUSE_NONE where it did not. Any thread. */
fuse_status fuse_subscription_last_failure(
    const fuse_subscription *subscription, fuse_error **reason, fuse_error **error);
/* Ends the following: afterwards no callback runs, and no file is taken. It waits for a callback that is running,
 * unless it is called from that. Again, it does nothing. Any thread. */
fuse_status fuse_subscription_stop(fuse_subscription *subscription, fuse_error **error);
/* Stops and closes. Handles of what serves stay. Not from a callback of the subscription. One thread. */
fuse_status fuse_subscription_close(fuse_subscription *subscription);

#ifdef __cplusplus
}
#endif

#endif
