extension Build {
  static let name = "build"
  static let summary = "make a database from records"
  static let operands = "-o OUTPUT [INPUT...]"
  static let options: [Option] =
    [
      Arguments.outputOption,
      .value(
        "--format", "FORMAT", choices: ["ndjson", "json", "csv", "tsv", "msgpack", "mmdb"],
        "ndjson, json, csv, tsv, msgpack or mmdb (default: by the ending of each input's name, else ndjson)"),
      .value("--records", "PATH", "where the array of the records is inside of a JSON document, as in data.items"),
      .value(
        "--key", "FIELD", "the field that holds a record's key, or a list of keys; may be repeated", repeats: true),
      .value(
        "--range", "FIRST,LAST",
        "the fields with the first and the last address of a range, whose CIDR blocks are the keys"),
      .value(
        "--overlap", "first|last|smallest",
        "which of two ranges has the addresses of both (default: the inner one; ranges that overlap in part are refused)"
      ),
      .flag(
        "--network",
        "let an address find the longest block around it, and refuse blocks that are not in their one spelling (default: if all keys are blocks or addresses)"
      ),
      .flag("--mask-host-bits", "accept blocks with bits set after the prefix: 8.8.8.8/16 becomes 8.8.0.0/16"),
      .value(
        "--normalise", "network|domain|lower|mac",
        "write keys in one way, here and in every question: blocks, domain names, lower case, MAC addresses"),
      .value("--keep", "FIELD", "store only this field of each record; may be repeated", repeats: true),
      .value("--drop", "FIELD", "store all but this field; may be repeated", repeats: true),
      .value("--languages", "A,B", "of a MaxMind DB, store the names in these languages alone, as en,de"),
      .flag(
        "--allow-missing", "let a field of --key, --keep or --drop be absent from every record of NDJSON or MessagePack"
      ),
      .value("--type", "FIELD=TYPE", "the type of a column: string, int, float, bool or json", repeats: true),
      .value("--columns", "A,B,C", "the names of the columns, if the first row does not hold them"),
      .value(
        "--delimiter", "CHARACTER",
        "what stands between the cells of tables: one character, tab, or whitespace for any spaces and tabs"),
      .flag("--pad-rows", "let rows lack cells at their end, which are null then"),
      .flag("--list-rest", "let the last column hold a list, of all cells from there on"),
      .value("--null", "WORD", "cells that are this word are null, and give no key; may be repeated", repeats: true),
      .flag("--skip-headers", "skip rows that repeat the row of names, as where files were joined"),
      .flag("--no-quotes", "take quotes in cells as they are"),
      .value("--skip-comments", "PREFIX", "skip lines of a table that begin with this, such as '#'"),
      .value(
        "--record-limit", "SIZE",
        "the longest record to accept, such as 64M or 1G (default: a 32nd of --memory)"),
      .value("--max-errors", "N", "how many bad records to name before the build fails (default: 1)"),
      .flag("--skip-bad-rows", "leave out bad records, and say how many and which were the first"),
      .value(
        "--on-duplicate", "last|first|error|collect",
        "which object a repeated key gets (default: last); collect gives every key the list of its objects"),
      .value(
        "--order", "key|insertion",
        "the order of objects: by smallest key, or as they come, with none left out (default: key)"),
      .value(
        "--objects", "shared|every",
        "store identical objects once, or each as often as it comes (default: shared, but every with --order insertion)"
      ),
      Arguments.shardsOption,
      Arguments.shardBytesOption,
      Arguments.metadataOption,
      Arguments.compactOption,
      .flag("--family", "write version 2 of the format where the compact form is the default: for MaxMind DB inputs"),
      .flag("--plain", "leave the index out; 'fusedb reindex' can add it"),
      .flag("--key-lengths", "also store which lengths keys have, for 'get --match prefix' and 'domain'"),
      .flag("--reverse-index", "also store which keys share a value, for 'keys --like'"),
    ] + Arguments.replacementOptions + [Arguments.linkOption] + Arguments.resourceOptions + [
      .flag("--json", "print the report as JSON on standard output"),
      Arguments.quietOption(),
    ]
  static let help = """
    Reads every INPUT, or standard input if there is none or it is '-', and
    writes OUTPUT in one step. An existing database is replaced only when the
    new one is complete, and keeps its mode, owner and group; any other kind of
    file is left alone. Inputs packed with gzip, zstd, xz or bzip2 are unpacked.
    'fusedb build OUTPUT INPUT...' does the same.

    An OUTPUT without keys is not written, since that usually means that an
    input was missing; --allow-empty permits it. With '--greatest-shrink 20' the
    new database may have at most 20 % fewer keys than the one it replaces. A
    damaged one cannot tell how many it has, so it stays.

    FORMAT:INPUT, as in csv:list.txt or msgpack:-, sets the format of one input.
    (A file whose name really begins like that is ./csv:list.txt.)

    Without --key, a line has keys and a value, as 'fusedb dump' writes it:

      {"keys": ["8.8.8.8", "gmail.com"], "value": {"org": "Google LLC"}}

    JSON may also be one array of such objects over any number of lines, which
    begins with '[' and is read so whatever its name, or lie in a document under
    a path (--records), as the array in {"data": [...]}. A file that ends in
    .json is read by lines otherwise: objects over several lines, or several in
    one, need --format json.

    With --key, a line or row is any record: the named fields hold the keys, and
    the rest is the object. Lines of the first form, such as those of a dump,
    may be mixed with records. A record of MessagePack is an array of keys and a
    value, which is stored as it is, or with --key a map.

    Of a MaxMind DB (.mmdb), the networks are the keys; what IPv4 addresses
    answer for in IPv6 stays so, and its metadata become those of OUTPUT. Its
    values share parts, so OUTPUT is compact unless --family, --plain or
    --reverse-index asks for the form that repeats them. 'fusedb export' writes
    one.

    A FIELD that a record does not have itself may be a path into it, except in
    tables: 'geo.country', 'tags.0'. What is kept stays in its place. Without
    --key, --keep and --drop are fields of the values.

    With '--on-duplicate collect' every key has a list: of the objects of all
    records that give it, in their order.

    A bad record ends the build. --max-errors names several; --skip-bad-rows
    leaves them out, with a warning that has their number and the first ten.

    With --range, alone or together with --key, the keys are the fewest CIDR
    blocks that cover a range of addresses, such as 8.8.8.0/24 or 2001:db8::/32.
    Addresses are text or integers; integers below 2^32 are IPv4. Ranges may lie
    in each other: the innermost has the address. Ranges that overlap in part
    are refused, since the longest block need not be the smaller range's, unless
    --overlap says whose the addresses of both are. The same range twice needs
    the same object, unless --overlap or --on-duplicate decides.

    A file whose keys are all blocks or addresses, at least one a block, answers
    an address by the longest block that holds it. --network (which --range
    implies) asks for that beside other keys, and refuses a block with bits after
    its prefix or in another spelling, such as 010.0.0.0/8 or 2001:DB8::/32;
    --mask-host-bits and '--normalise network' accept these.

    With --normalise, keys that say the same become one: 'domain' writes
    Example.COM. as example.com, 'mac' writes 00-1B-63-84-45-E6 as 001b638445e6.
    The file says which rule it has, and its look-ups keep it.

    With --shards or --shard-bytes, OUTPUT is a folder, a set of shards, which
    every command takes like a file: each key is in one of its files, as
    'fusedb shard' says. A set that is there is replaced in one step; files that
    come out as they were are left alone.

    The same records give the same bytes, in whatever order they come.

    Example:
      $ cat networks.csv
      network,asn,org
      8.8.8.0/24,15169,Google LLC
      8.8.4.0/24,15169,Google LLC
      1.1.1.0/24,13335,"Cloudflare, Inc."
      $ fusedb build -o networks.fsdb networks.csv --key network --type asn=int
      networks.fsdb: 3 keys -> 2 objects, 2.1 kB; sharing saved 31 bytes
        3 blocks of addresses: an address is answered by its block
    """
}
