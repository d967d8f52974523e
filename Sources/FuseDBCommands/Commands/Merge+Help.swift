extension Merge {
  static let name = "merge"
  static let summary = "merge several files into one"
  static let operands = "-o OUTPUT INPUT..."
  static let options: [Option] =
    [
      Arguments.outputOption,
      .value(
        "--on-conflict", "last|first|error",
        "which object a key gets that has several (default: that of the INPUT named last)"),
      .value("--subtract", "FILE", "leave out the keys that this database has; may be repeated", repeats: true),
      .value("--only-prefix", "PREFIX", "take only keys that begin with this; may be repeated", repeats: true),
      .value(
        "--order", "key|insertion",
        "the order of objects: by smallest key, or as they come, file by file (default: key)"),
      Arguments.metadataOption,
      Arguments.compactOption,
      .flag("--plain", "leave the index out; 'fusedb reindex' can add it"),
    ] + Arguments.replacementOptions + [Arguments.linkOption] + Arguments.resourceOptions + [
      .flag("--json", "print the report as JSON on standard output"),
      Arguments.quietOption(),
    ]
  static let help = """
    Writes the keys of all INPUTs and their objects to OUTPUT: the same file
    that 'fusedb build' would make of these keys and values. Equal objects are
    stored once, whichever files they come from. A key with equal objects in
    several files is no conflict.

    INPUTs are databases with or without an index, such as those of fusedb 0.3.0,
    or sets of shards, whose files are merged into one. OUTPUT may be one of
    them. It appears in one step, when everything has succeeded, and never over
    an INPUT that was replaced in the meantime. Everything that goes into OUTPUT
    is checked first: keys, their offsets and their objects, but not objects
    without a key. The metadata of INPUTs is not carried over, but for the rule
    of --normalise that all of them have; --meta sets that of OUTPUT.

    'fusedb merge OUTPUT INPUT...' does the same; with a single INPUT, an
    existing OUTPUT needs -o. An OUTPUT without keys is not written unless
    --allow-empty is given.

    However large the INPUTs are, memory stays within --memory, pages of INPUTs
    included. What does not fit goes to a temporary file.

    With --plain --order insertion, the file is byte for byte what the merge of
    fusedb 0.3.0 writes.

    Exit status: also 65 when --on-conflict error finds a conflict.

    Example:
      $ echo '{"keys":["1.1.1.0/24"],"value":{"org":"APNIC"}}' | fusedb build -o more.fsdb -q
      $ fusedb merge -o all.fsdb networks.fsdb more.fsdb
      all.fsdb: 4 keys of 2 files -> 3 keys, 2 objects, 2.1 kB; sharing saved 31 bytes
        1 key with different objects; the last file counts
          "1.1.1.0/24": more.fsdb, not networks.fsdb
        3 blocks of addresses: an address is answered by its block
    """
}
