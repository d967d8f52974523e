extension Enrich {
  static let name = "enrich"
  static let summary = "add to lines of JSON or CSV what a database knows of a field"
  static let operands = "FILE [INPUT...]"
  static let options: [Option] = [
    .value(
      "--on", "FIELD", "the field of a line, or the column, that holds the key; names with dots between them",
      repeats: true),
    .value(
      "--match", "RULE", choices: ["exact", "network", "domain", "prefix", "email"],
      "which key answers, as in 'fusedb get': exact, network, domain, prefix or email", repeats: true),
    .value(
      "--field", "PATH", "add only the value at PATH, as in 'fusedb get'; may be repeated (default: the whole value)",
      repeats: true),
    .value(
      "--as", "NAME",
      "where the --field before it goes, or the whole value; 'geo.country' is the member country of the object geo (default: PATH, or for a whole value the name of FILE)",
      repeats: true),
    .value("--matched-key", "NAME", "add the key that answers, too, and where", repeats: true),
    .value("--from", "OTHER", "ask another file as well; the options above that follow are about it", repeats: true),
    .value("--default", "JSON", "add this where nothing answers or a field is absent (default: add nothing)"),
    .value(
      "--existing", "error|keep|replace",
      "what to do where a line has such a field already (default: error, the command ends)"),
    .value(
      "--bad-lines", "fail|keep|drop",
      "what to do with a line that is no JSON object, or a row that lacks cells (default: fail, the command ends)"),
    .value(
      "--format", "FORMAT", choices: ["ndjson", "csv", "tsv"],
      "how lines are written: ndjson, csv or tsv (default: by the ending of INPUT's name, else ndjson)"),
    .value("--columns", "A,B,C", "the names of a table's columns, where its first row has none"),
    .flag("--no-quotes", "in a table, take quotes as they are"),
    .value("--skip-comments", "PREFIX", "in a table, pass on lines that begin with PREFIX as they are"),
    .value("--output", short: "-o", "OUTPUT", "the file to write in one step, instead of standard output"),
    .flag("--overwrite", "replace OUTPUT if it is there"),
    Arguments.linkOption,
    .value("--threads", "N", "how many threads to use (default: one for each processor)"),
    .value("--record-limit", "SIZE", "how long a line may be (default: 16M)"),
    .flag("--json", "write the report on standard error as JSON"),
    Arguments.quietOption("write no report"),
  ]
  static let help = """
    Reads lines from each INPUT, or from standard input, and writes them in their
    order with fields added. Of a line nothing else changes, not a byte: members
    of JSON are added at the end of their object, cells at the end of their row.
    Inputs packed with gzip, zstd, xz or bzip2 are unpacked. Lines are written as
    soon as they are read, so that 'tail -f LOG | fusedb enrich ...' shows each
    at once.

    Which key answers is decided as by 'fusedb get': in a file of networks, an
    address is answered by the longest block that holds it. The key in a line of
    JSON is a string, an integer or {"$bin":...}. A line whose key is unknown, or
    that has none, stays as it is, and is counted. In a table, fields are added
    as columns, and a cell is empty where a field is absent.

    Options after '--from OTHER' are about that file; without '--on' it is asked
    about the field of the file before. A report on standard error says how many
    lines were answered. With --bad-lines keep or drop it names the first bad
    lines; what was written before a bad line ends the command stays written,
    unless -o is given.

    Exit status: 65 at a bad line, and at a field that is there already, unless
    --bad-lines or --existing says otherwise.

    Example:
      $ cat events.ndjson
      {"ip":"8.8.8.8","path":"/"}
      {"ip":"10.0.0.1", "path":"/login"}
      $ fusedb enrich networks.fsdb events.ndjson --on ip --field org --as net.org
      {"ip":"8.8.8.8","path":"/","net":{"org":"Google LLC"}}
      {"ip":"10.0.0.1", "path":"/login"}
      2 lines
        networks.fsdb: 1 answered, 1 unknown
      $ fusedb enrich networks.fsdb events.ndjson -q --on ip --field asn --default null
      {"ip":"8.8.8.8","path":"/","asn":15169}
      {"ip":"10.0.0.1", "path":"/login","asn":null}
      $ fusedb enrich networks.fsdb events.csv -q --on ip --field asn --matched-key block
      ip,path,asn,block
      1.1.1.1,/,13335,1.1.1.0/24
    """
}
