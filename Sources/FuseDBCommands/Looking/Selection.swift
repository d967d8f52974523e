internal import FuseDB
internal import FuseDBInput

/// Which keys a command goes through, by the options that `keys`, `prefix` and `dump` share.
struct Selection {
  /// The option of those that don't take the prefix as an operand.
  static let prefixOption = Option.value("--prefix", "PREFIX", "only keys that begin with the bytes of PREFIX")
  static let options: [Option] = [
    .value("--from", "KEY", "only KEY and the keys after it"),
    .value("--to", "KEY", "only the keys before KEY, which is left out itself"),
    .value(
      "--where", "PATH=VALUE",
      "only keys whose value has VALUE at PATH, as 'get --field PATH' prints it; may be repeated: all must hold",
      repeats: true),
    .value("--limit", "N", "stop after N keys"),
    .value("--sample", "N", "N of these keys, drawn at random: each is as likely as any other"),
    .value("--seed", "S", "draw the keys by the number S: from the same file the same ones each time"),
    .flag("--reverse", "from the largest key to the smallest"),
    .flag("--count", "print only how many keys there are"),
  ]

  var prefix: [UInt8]?
  var from: [UInt8]?
  /// The first key that is left out.
  var to: [UInt8]?
  var conditions: [FieldCondition] = []
  var limit: Int
  /// How many keys to draw.
  var sample: Int?
  var seed: UInt64
  var direction: FuseReader.Direction
  var isCount: Bool

  init(parsing arguments: borrowing Arguments) throws(UsageError) {
    prefix = arguments.values(of: "--prefix").first
    from = arguments.values(of: "--from").first
    to = arguments.values(of: "--to").first
    for word in arguments.values(of: "--where") {
      guard let condition = FieldCondition(word) else {
        throw arguments.error("--where takes PATH=VALUE, as in asn=15169, and \(quoted(word.rawSpan)) has no '='")
      }
      conditions.append(condition)
    }
    limit = try arguments.count(of: "--limit") ?? .max
    sample = try arguments.count(of: "--sample")
    guard sample == nil || !arguments.has("--limit") else {
      throw arguments.error("--sample says how many keys there are to be; leave out --limit")
    }
    guard sample != nil || !arguments.has("--seed") else {
      throw arguments.error("--seed is for --sample N, which draws keys")
    }
    seed = try arguments.count(of: "--seed").map { UInt64($0) } ?? .random(in: 0 ... .max)
    direction = arguments.has("--reverse") ? .descending : .ascending
    isCount = arguments.has("--count")
    if let from, let to, to.lexicographicallyPrecedes(from) {
      throw arguments.error(
        "--from \(quoted(from)) comes after --to \(quoted(to)); the smaller key is that of --from, also with --reverse")
    }
  }

  /// Whether all keys are selected, in their order.
  var isEverything: Bool {
    prefix == nil && from == nil && to == nil && conditions.isEmpty && limit == .max && sample == nil && !isCount
      && direction == .ascending
  }

  /// The numbers of the entries between the bounds.
  fileprivate func numbers(in reader: FuseReader) throws(FuseError) -> Range<Int> {
    var lower = 0
    var upper = reader.keyCount
    if let prefix {
      let scan = try reader.prefix(prefix)
      lower = try reader.position(ofFirstKeyNotBefore: prefix.rawSpan).number
      upper = lower + scan.count
    }
    if let from { lower = max(lower, try reader.position(ofFirstKeyNotBefore: from.rawSpan).number) }
    if let to { upper = min(upper, try reader.position(ofFirstKeyNotBefore: to.rawSpan).number) }
    return lower..<max(lower, upper)
  }
}

/// Goes through the keys that a selection has in a file.
struct SelectedKeys {
  private static let keysBetweenReports = 1 << 12

  private let reader: FuseReader
  private let direction: FuseReader.Direction
  /// How many keys lie between the bounds.
  private let total: Int
  private var scan: Scan
  private var filter: FieldFilter?
  /// What the keys were drawn by, if there were conditions.
  private var drawingFilter: FieldFilter?
  private var left: Int
  /// The numbers of keys that were drawn, the next one last; nil where none are drawn.
  private var drawn: [Int]?

  /// - Parameter bar: shows how far the drawing is, where values have to be read for it.
  init(_ selection: Selection, in reader: FuseReader, _ bar: ProgressBar) throws(FuseError) {
    self.reader = reader
    direction = selection.direction
    let numbers = try selection.numbers(in: reader)
    total = numbers.count
    scan = try reader.entries(numbered: numbers, selection.sample == nil ? direction : .ascending)
    left = selection.limit
    if !selection.conditions.isEmpty { filter = FieldFilter(selection.conditions, reader) }
    guard let sample = selection.sample else { return }
    var random = SeededNumbers(seed: selection.seed)
    var found: [Int] = []
    if filter == nil {
      found = try random.draw(sample, below: numbers.count).map { numbers.lowerBound + $0 }
    } else {
      found = try draw(sample, &random, from: numbers.lowerBound, bar)
    }
    if direction == .ascending { found.reverse() }
    left = found.count
    drawn = found
    drawingFilter = filter
    filter = nil
  }

  /// Draws from the keys for which the conditions hold; rising.
  private mutating func draw(
    _ count: Int, _ random: inout SeededNumbers, from start: Int, _ bar: ProgressBar
  ) throws(FuseError) -> [Int] {
    var drawn: [Int] = []
    var number = start
    var before = 0
    while count > 0, let entry = try scan.next() {
      defer { number += 1 }
      guard try holds(for: entry, before, bar) else { continue }
      if let place = random.place(among: count, before: before) {
        if place == drawn.count { try drawn.grow(by: number) } else { drawn[place] = number }
      }
      before += 1
    }
    drawn.sort()
    return drawn
  }

  /// How many keys there are, where that is known without looking at values.
  var count: Int? { drawn?.count ?? (filter == nil ? min(left, total) : nil) }

  /// Says which fields of conditions no value had: then no key could be found.
  func finish(_ console: Console) { (filter ?? drawingFilter)?.finish(console) }

  /// The next key, or nil after the last.
  ///
  /// - Parameter bar: shows how many were found, where they have to be searched for.
  mutating func next(_ found: Int, _ bar: ProgressBar) throws(FuseError) -> Entry? {
    guard left > 0 else { return nil }
    if let number = drawn?.popLast() {
      left -= 1
      var one = try reader.entries(numbered: number..<number + 1)
      return try one.next()
    }
    while let entry = try scan.next() {
      guard try holds(for: entry, found, bar) else { continue }
      left -= 1
      return entry
    }
    return nil
  }

  private mutating func holds(for entry: Entry, _ found: Int, _ bar: ProgressBar) throws(FuseError) -> Bool {
    guard filter != nil else { return true }
    if scan.count % Self.keysBetweenReports == 0 {
      bar.show(1 - Double(scan.count) / Double(total), "\(Humans.count(found, "key")) found")
    }
    return try filter!.holds(for: entry)
  }
}
