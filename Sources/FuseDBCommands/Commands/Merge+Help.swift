extension Merge {
  static let name = "merge"
  static let summary = "make one file of many"
  static let operands = "-o OUTPUT INPUT..."
  static let options: [Option] =
    [
      Arguments.outputOption,
      .value(
        "--on-conflict", "last|first|error",
        "what a key gets that has different objects; by itself, that of the INPUT named last"),
      .value("--subtract", "FILE", "leave out the keys that this database has; may be repeated", repeats: true),
      .value("--only-prefix", "PREFIX", "take only keys that begin with this, or with another one", repeats: true),
      .value("--order", "key|insertion", "objects by their smallest key, or as they come, file by file"),
      Arguments.metadataOption,
      .flag("--plain", "leave the index out; 'fusedb reindex' can add it"),
    ] + Arguments.replacementOptions + [Arguments.linkOption] + Arguments.resourceOptions + [
      .flag("--json", "print the report as JSON on standard output"),
      Arguments.quietOption(),
    ]
  static let help = """
    Writes the keys of all INPUTs into OUTPUT, with their objects: the file that 'fusedb build' would make of the same
    keys and values. Equal objects are stored once, whichever files they come from, and a key that has equal objects in
    several files is no conflict.

    INPUTs are databases with or without an index, such as those of fusedb 0.3.0. OUTPUT may be one of them; it appears
    in one step, only when all is well, and not over an INPUT that somebody else replaced meanwhile. What is taken over is
    checked first. What INPUTs say about themselves is not carried over: --meta says what OUTPUT is to say.

    'fusedb merge OUTPUT INPUT...' is the same. With one INPUT it asks for -o where OUTPUT is there already. No OUTPUT is
    written that has no keys, unless --allow-empty is given.

    However large the INPUTs are, the memory is what --memory says, the pages of INPUTs included. What does not fit goes
    to a temporary file.

    With --plain --order insertion the file is, byte for byte, what the merge of fusedb 0.3.0 writes.

    Exit status: 65 when an INPUT is damaged or --on-conflict error finds a conflict or OUTPUT would have too
    few keys, 66 when one cannot be read, 74 when OUTPUT cannot be written or was replaced meanwhile.

    Example:
      $ echo '{"keys":["1.1.1.0/24"],"value":{"org":"APNIC"}}' | fusedb build -o more.fsdb -q
      $ fusedb merge -o all.fsdb networks.fsdb more.fsdb
      all.fsdb: 4 keys of 2 files -> 3 keys, 2 objects, 512 bytes; sharing saved 31 bytes
        1 key with different objects; the last file counts
          "1.1.1.0/24": more.fsdb, not networks.fsdb
    """
}
