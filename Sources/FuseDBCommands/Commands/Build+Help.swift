extension Build {
  static let name = "build"
  static let summary = "make a database of records"
  static let operands = "-o OUTPUT [INPUT...]"
  static let options: [Option] =
    [
      Arguments.outputOption,
      .value(
        "--format", "FORMAT",
        "ndjson, csv, tsv or msgpack; by itself, what each input's name ends in, or ndjson"),
      .value(
        "--key", "FIELD", "the field that holds a record's key, or a list of keys; may be repeated", repeats: true),
      .value("--range", "FIRST,LAST", "the fields with a range's first and last address; its CIDR blocks are keys"),
      .value("--keep", "FIELD", "keep only this field of a record in its object; may be repeated", repeats: true),
      .flag(
        "--allow-missing", "a field that --key or --keep names may be in no record of NDJSON or MessagePack"),
      .value("--type", "FIELD=TYPE", "what the cells of a column are: string, int, float, bool or json", repeats: true),
      .value("--columns", "A,B,C", "the names of the columns, when the first row does not have them"),
      .flag("--no-quotes", "take quotes in cells as they are"),
      .value("--skip-comments", "PREFIX", "pass over the lines of a table that begin with this, such as '#'"),
      .value(
        "--record-limit", "SIZE",
        "how long a record may be: 64M, 1G; the default is a 32nd of --memory"),
      .value("--on-duplicate", "last|first|error", "which object a key gets that comes twice; by itself, the last"),
      .value("--order", "key|insertion", "objects by their smallest key, or as they come with every one kept"),
      .value("--objects", "shared|every", "identical objects stored once, or each as often as it comes"),
      Arguments.metadataOption,
      .flag("--plain", "leave the index out; 'fusedb reindex' can add it"),
    ] + Arguments.replacementOptions + [Arguments.linkOption] + Arguments.resourceOptions + [
      .flag("--json", "print the report as JSON on standard output"),
      Arguments.quietOption(),
    ]
  static let help = """
    Reads all INPUTs, or standard input when there is none or it is '-', and writes OUTPUT in one step: a database
    that is there is replaced only when the new one is complete, and any other file is left alone. The new one has the
    mode, owner and group of the old. Inputs packed by gzip or zstd are unpacked. 'fusedb build OUTPUT INPUT...' is
    the same.

    No OUTPUT is written that has no keys, since that is mostly an input that was missing; --allow-empty lets it pass.
    '--greatest-shrink 20' takes at most 20 % fewer keys than the database has that would be replaced; one that is damaged
    does not tell its keys, and stays.

    FORMAT:INPUT, as in csv:list.txt or msgpack:-, gives one input another format than the others. (A file whose name
    begins so is ./csv:list.txt.)

    Without --key, a line is {"keys": ["8.8.8.8", "gmail.com"], "value": {"org": "Google LLC"}}, as 'fusedb dump'
    writes it. With --key, a line or row is any record: the named fields hold the keys, and the rest is the object.
    Lines of the first form, such as a dump, may stand beside records. MessagePack is the same without JSON: arrays of
    keys and a value, which is stored as it is, or maps with --key.

    With --range, alone or beside --key, the keys are the fewest CIDR blocks that cover a range of addresses, such as
    8.8.8.0/24 or 2001:db8::/32. Addresses are text or integers; integers below 2^32 are IPv4. Ranges that overlap
    give blocks inside each other, which are different keys, or equal ones, for which --on-duplicate decides.

    The same records give the same bytes, in whatever order they come.

    Example:
      $ cat networks.csv
      network,asn,org
      8.8.8.0/24,15169,Google LLC
      8.8.4.0/24,15169,Google LLC
      1.1.1.0/24,13335,"Cloudflare, Inc."
      $ fusedb build -o networks.fsdb networks.csv --key network --type asn=int
      networks.fsdb: 3 keys -> 2 objects, 512 bytes; sharing saved 31 bytes
    """
}
