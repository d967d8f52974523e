internal import FuseDB
internal import FuseDBInput

/// `fusedb diff`: says what changed from one database to another.
struct Diff: Command {
  static let name = "diff"
  static let summary = "list the keys that changed between two files, or write a patch"
  static let operands = "OLD NEW"
  static let options: [Option] = [
    .value(
      "--field", "PATH", "compare only what is at PATH, as 'fusedb get --field' finds it; may be repeated",
      repeats: true),
    .value("--ignore", "PATH", "compare all but what is at PATH; may be repeated", repeats: true),
    .flag("--json", "print one JSON object for each key, with its values, or for the summary"),
    .flag("--summary", "print how many keys changed, not which"),
    .value("--patch", "PATCH", "write a patch for 'fusedb patch', which makes NEW of OLD, and print only the summary"),
    .value("--output", short: "-o", "PATCH", "the same as --patch"),
    Arguments.linkOption,
  ]
  static let help = """
    Prints a line for each key with different answers in OLD and NEW, in key
    order: '+' for an added key, '-' for a removed one, '~' for one whose object
    changed. Keys are escaped as by 'fusedb keys'.

    With --field and --ignore, a key whose value is the same but for what is not
    compared counts as unchanged; keys that one file lacks are listed all the
    same. What is compared has the same bytes, or else it has changed. With
    --json, --field prints a map of the fields for each value.

    A patch between similar files is small: it holds the objects that changed,
    not the bytes that moved. It applies to OLD only, and makes NEW byte for
    byte. The patch appears under its name complete or not at all.

    Exit status: 1 when the files give different answers; 0 when they give the
    same, and when --patch wrote the patch.

    Example:
      $ echo '{"keys":["1.1.1.0/24","9.9.9.0/24"],"value":{"asn":13335}}' | fusedb build -o today.fsdb -q
      $ fusedb diff networks.fsdb today.fsdb
      ~ 1.1.1.0/24
      - 8.8.4.0/24
      - 8.8.8.0/24
      + 9.9.9.0/24
      $ fusedb diff networks.fsdb today.fsdb --summary
      1 key added, 2 keys removed, 1 key changed, 0 keys unchanged
      $ fusedb diff networks.fsdb today.fsdb --field asn
      - 8.8.4.0/24
      - 8.8.8.0/24
      + 9.9.9.0/24
      $ fusedb diff networks.fsdb today.fsdb -o today.patch
      1 key added, 2 keys removed, 1 key changed, 0 keys unchanged
      today.patch: 155 bytes make today.fsdb of networks.fsdb
    """

  var oldPath: String
  var newPath: String
  var printsJSON: Bool
  var isSummary: Bool
  var patchPath: String?
  var fields: [ValueField]
  var ignored: [ValueField]
  var outputLink: OutputLink

  init(parsing arguments: inout Arguments) throws(UsageError) {
    oldPath = try arguments.path("OLD")
    newPath = try arguments.path("NEW")
    printsJSON = arguments.has("--json")
    let output = try arguments.path(of: "--output", "PATCH")
    patchPath = try arguments.path(of: "--patch", "PATCH") ?? output
    try arguments.requireFile(patchPath, "PATCH")
    guard patchPath == output || output == nil else {
      throw arguments.error("-o is the same as --patch; give one of them")
    }
    outputLink = try arguments.outputLink()
    isSummary = arguments.has("--summary") || patchPath != nil
    fields = try ValueField.all(parsing: arguments)
    ignored = arguments.values(of: "--ignore").map {
      ValueField(text: String(decoding: $0, as: UTF8.self), path: FusePath($0))
    }
    for option in ["--field", "--ignore"] where arguments.has(option) && patchPath != nil {
      throw arguments.error("a patch makes the whole of NEW; leave out \(option)")
    }
  }

  func run(_ console: Console) throws(FuseError) -> ExitStatus {
    let refusal = patchPath.flatMap { path in
      Overwriting.refusal(
        of: path, unless: Overwriting.patch, links: outputLink, advice: "give PATCH another name, or remove that file")
    }
    if let refusal { return console.explain(UsageError(refusal, in: Self.name)) }
    let old = try FuseReader.forCommand(oldPath)
    let new = try FuseReader.forCommand(newPath)
    var counts = DifferenceCounts()
    var differences = try new.differences(from: old)
    var comparison = FieldComparison(fields, ignored, old, new)
    var passedOver = 0
    while let difference = try differences.next() {
      if case .changed(let from, let to) = difference, try comparison.areEqual(from, to) {
        passedOver += 1
        continue
      }
      counts.add(difference)
      if !isSummary { try tell(difference, old, new, console) }
    }
    counts.unchanged = differences.equalCount + passedOver
    comparison.witness.finish(newPath, console)
    comparison.ignoredWitness.finish(newPath, option: "--ignore", mayBeAbsent: true, console)
    let patch = try patchPath.map { path throws(FuseError) in
      console.willReplace(path)
      return try FusePatch.make(from: old, to: new, at: path, outputLink: outputLink)
    }
    if isSummary { try tell(counts, patch, console) }
    if counts.areEqual, passedOver == 0, !new.isSameFile(as: old) {
      console.note("the files give the same answers, and their bytes differ: in order, extension block or header")
    }
    // A patch that was asked for and written is done, whatever it changes.
    return counts.areEqual || patch != nil ? .done : .no
  }

  private func tell(
    _ difference: Difference, _ old: FuseReader, _ new: FuseReader, _ console: Console
  ) throws(FuseError) {
    try console.out.line { writer throws(FuseError) in
      let key = try difference.entry.keyBytes
      if printsJSON {
        writer.append("{\"change\":\"\(difference.word)\",\"key\":")
        writer.append(key: key)
        try append("old", difference.old, of: old, to: &writer)
        try append("new", difference.new, of: new, to: &writer)
        writer.append("}")
      } else {
        writer.append(console.out.styled(difference.sign, difference.style) + " ")
        EscapedText.append(key, to: &writer.out)
      }
      try old.checkNotShrunk()
      try new.checkNotShrunk()
    }
  }

  private func append(
    _ name: String, _ entry: Entry?, of reader: FuseReader, to writer: inout JSONWriter
  ) throws(FuseError) {
    guard let entry else { return }
    writer.append(",\"\(name)\":")
    try reader.decoding(at: entry.objectOffset) { () throws(FuseError) in
      let object = try entry.bytes
      guard !fields.isEmpty else { return try writer.append(messagePack: object) }
      try FieldWitness(fields).append(FuseView(validating: object), to: &writer)
    }
  }

  private func tell(_ counts: DifferenceCounts, _ patch: PatchReport?, _ console: Console) throws(FuseError) {
    if printsJSON {
      var members = counts.members
      if let patch, let patchPath {
        members += [
          ("patch", .text(patchPath)), ("patchBytes", .count(patch.byteCount)),
          ("copiedObjects", .count(patch.copiedObjectCount)), ("editedObjects", .count(patch.editedObjectCount)),
          ("newObjects", .count(patch.newObjectCount)),
          ("replaced", patch.replacedByteCount.map { .members([("bytes", .count($0))]) } ?? .null),
        ]
      }
      try console.out.line { writer throws(FuseError) in writer.append(members: members) }
    } else {
      try console.out.line(counts.sentence)
    }
    if let patch, let patchPath, !printsJSON {
      let before = patch.replacedByteCount.map { " (before: \(Humans.size($0)))" } ?? ""
      try? console.err.sentence("\(patchPath): \(Humans.size(patch.byteCount))\(before) make \(newPath) of \(oldPath)")
    }
  }
}

extension Difference {
  /// What it is called in JSON.
  fileprivate var word: String {
    switch self {
    case .added: "added"
    case .removed: "removed"
    case .changed: "changed"
    }
  }

  /// What stands before the key in a line of text.
  fileprivate var sign: String {
    switch self {
    case .added: "+"
    case .removed: "-"
    case .changed: "~"
    }
  }

  /// How that looks where there are colours.
  fileprivate var style: TextStyle {
    switch self {
    case .added: .added
    case .removed: .removed
    case .changed: .changed
    }
  }

  fileprivate var old: Entry? {
    switch self {
    case .added: nil
    case .removed(let entry), .changed(let entry, _): entry
    }
  }

  fileprivate var new: Entry? {
    switch self {
    case .removed: nil
    case .added(let entry), .changed(_, let entry): entry
    }
  }
}

/// How many keys two files answer differently.
struct DifferenceCounts {
  var added = 0
  var removed = 0
  var changed = 0
  var unchanged = 0

  var areEqual: Bool { added + removed + changed == 0 }

  mutating func add(_ difference: Difference) {
    switch difference {
    case .added: added += 1
    case .removed: removed += 1
    case .changed: changed += 1
    }
  }

  var sentence: String {
    let counts = [(added, "added"), (removed, "removed"), (changed, "changed"), (unchanged, "unchanged")]
    return counts.map { Humans.count($0, "key") + " " + $1 }.joined(separator: ", ")
  }

  var members: [(name: String, value: ReportValue)] {
    [
      ("added", .count(added)), ("removed", .count(removed)), ("changed", .count(changed)),
      ("unchanged", .count(unchanged)),
    ]
  }
}
