// A reader of FuseDB's files in C, as small as their layout and a reader's duties allow: what could be reached, as a measure of what is.
//
// The duties are those of the library: what a look-up is led by lies inside the file, slot and entry name the same object, the mark of a
// file that shrank is read, and with checks each object's CRC-32, a miss's two lines and a scan's strides are compared. It takes files with
// an extension block alone, opens them without doubt, and says "damaged" and nothing more. See spec/extension.md, spec/format.md.
#ifndef CREADER_H
#define CREADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct c_reader c_reader;

/// NULL where the file cannot be opened, or has no block.
c_reader *c_reader_open(const char *path, bool checks);
void c_reader_close(c_reader *reader);

/// The object of a key, NULL where there is none. False where the file is damaged.
bool c_reader_get(const c_reader *reader, const void *key, size_t size, const uint8_t **object, size_t *object_size);

typedef struct c_tally {
  uint64_t found, sum;
} c_tally;

/// Looks up the keys from `first` to before `last`, one by one or sixteen at a time, counts those that are there and sums the first words
/// of their objects. Key i has the bytes from offsets[i] to offsets[i + 1]. The loops are here: a call a key would cost as much as a
/// third of it. False where the file is damaged.
bool c_reader_hits(
    const c_reader *reader, const uint8_t *keys, const uint32_t *offsets, size_t first, size_t last, c_tally *tally);
bool c_reader_batches(
    const c_reader *reader, const uint8_t *keys, const uint32_t *offsets, size_t first, size_t last, c_tally *tally);
/// Counts the keys and sums the first words of their objects, in the order of the keys; found is 0 where the file is damaged.
c_tally c_reader_scan(const c_reader *reader);
/// The same of the keys that begin with a prefix. Adds to the tally; false where the file is damaged.
bool c_reader_prefix(const c_reader *reader, const void *prefix, size_t size, c_tally *tally);

#endif
