internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBValues

/// What the keys and objects of a file are like, by some of its keys: each n-th.
struct Shape: Sendable {
  /// A file with no more keys is known exactly.
  static let mostCounted = 200_000
  /// So many keys of a larger one are looked at.
  static let sampleCount = 20_000
  /// So many values are taken apart for their fields, of at most so many bytes.
  static let valueCount = 5_000
  private static let valueByteCount = 4096
  static let mostFields = 100

  /// A histogram: of few values one each, of others by powers of two.
  struct Histogram: Sendable {
    private static let mostSingle = 33
    /// How many there are of 0, of 1, and so on; and how many have each number of bits.
    private var single = [Int](repeating: 0, count: mostSingle)
    private var doubling: [Int] = []
    private(set) var count = 0

    mutating func add(_ value: Int) {
      count += 1
      if value < Self.mostSingle { single[value] += 1 }
      let place = Int.bitWidth - value.leadingZeroBitCount
      while doubling.count <= place { doubling.append(0) }
      doubling[place] += 1
    }

    /// The bars: which values, and how many there are. Those at both ends are not empty.
    var bars: [(values: ClosedRange<Int>, count: Int)] {
      let isSmall = single.reduce(0, +) == count
      let all =
        isSmall
        ? single.enumerated().map { (values: $0...$0, count: $1) }
        : doubling.enumerated().map {
          (values: ($0 == 0 ? 0 : 1 << ($0 - 1))...($0 == 0 ? 0 : (1 << $0) - 1), count: $1)
        }
      guard let first = all.firstIndex(where: { $0.count > 0 }), let last = all.lastIndex(where: { $0.count > 0 })
      else {
        return []
      }
      return Array(all[first...last])
    }
  }

  /// An object, one of its keys, and how often it was seen.
  struct Seen: Sendable {
    var offset: UInt64
    var key: [UInt8]
    var number: Int
    var count = 0
    var byteCount = 0
  }

  /// A field of values, by its path of names.
  struct Field: Sendable {
    var path: [UInt8]
    var count = 0
    var types: [String: Int] = [:]
  }

  var sampled = 0
  var keyCount: Int
  var valuesRead = 0
  var keyLengths = Histogram()
  var objectSizes = Histogram()
  var keysPerObject = Histogram()
  var objectCount = 0
  var mostShared: [Seen] = []
  var largest: [Seen] = []
  var fields: [Field] = []

  var isExact: Bool { sampled == keyCount }

  init(
    of reader: FuseReader, mostCounted: Int = Self.mostCounted, sampleCount: Int = Self.sampleCount
  ) throws(FuseError) {
    keyCount = reader.keyCount
    let step = keyCount <= mostCounted ? 1 : (keyCount + sampleCount - 1) / sampleCount
    var seen: [UInt64: Seen] = [:]
    var fields: [[UInt8]: Field] = [:]
    if step == 1 {
      var scan = try reader.entries().keysOnly
      var number = 0
      while let entry = try scan.next() {
        try add(entry, number: number, to: &seen)
        number += 1
      }
    } else {
      for number in stride(from: 0, to: keyCount, by: step) {
        try add(try reader.entry(number: number), number: number, to: &seen)
      }
    }
    var objects = Array(seen.values).sorted { $0.offset < $1.offset }
    objectCount = objects.count
    let valueStep = max(1, (objects.count + Self.valueCount - 1) / Self.valueCount)
    var bytes: [UInt8] = []
    for place in objects.indices {
      if reader.isCompact {
        try reader.copyObject(at: objects[place].offset, into: &bytes)
        objects[place].byteCount = bytes.count
      } else {
        objects[place].byteCount = try reader.record(at: objects[place].offset).byteCount
      }
      objectSizes.add(objects[place].byteCount)
      keysPerObject.add(objects[place].count * step)
      guard place % valueStep == 0, objects[place].byteCount <= Self.valueByteCount else { continue }
      if !reader.isCompact { try reader.copyObject(at: objects[place].offset, into: &bytes) }
      guard let value = try? FuseValue(messagePack: bytes) else { continue }
      valuesRead += 1
      Self.count(value, [], &fields)
    }
    mostShared = objects.sorted { ($0.count, $1.offset) > ($1.count, $0.offset) }.prefix(10).map {
      var one = $0
      one.count *= step
      return one
    }
    largest = Array(objects.sorted { ($0.byteCount, $1.offset) > ($1.byteCount, $0.offset) }.prefix(10))
    self.fields = Array(
      fields.values.sorted { $0.count == $1.count ? $0.path.lexicographicallyPrecedes($1.path) : $0.count > $1.count }
        .prefix(Self.mostFields))
  }

  private mutating func add(_ entry: Entry, number: Int, to seen: inout [UInt64: Seen]) throws(FuseError) {
    sampled += 1
    keyLengths.add(try entry.keyBytes.byteCount)
    if seen[entry.objectOffset] == nil {
      seen[entry.objectOffset] = Seen(offset: entry.objectOffset, key: try entry.key, number: number)
    }
    seen[entry.objectOffset]?.count += 1
  }

  /// Counts the fields of a value: the members of maps, three names deep.
  private static func count(_ value: FuseValue, _ path: [[UInt8]], _ fields: inout [[UInt8]: Field]) {
    guard path.count < 3, let pairs = value.pairs else { return }
    // A map may have a name twice.
    var known: Set<[UInt8]> = []
    for pair in pairs.prefix(200) {
      guard let name = pair.key.stringBytes, name.count <= 200, known.insert(name).inserted else { continue }
      let names = path + [name]
      let text = FusePath.spelling(of: names)
      guard fields[text] != nil || fields.count < 2000 else { continue }
      fields[text, default: Field(path: text)].count += 1
      fields[text]?.types[type(of: pair.value), default: 0] += 1
      count(pair.value, names, &fields)
    }
  }

  /// The name of a value's type.
  static func type(of value: FuseValue) -> String {
    switch value {
    case .null: "nil"
    case .bool: "bool"
    case .int, .uint: "integer"
    case .float, .double: "float"
    case .string: "text"
    case .bytes: "bytes"
    case .array: "array"
    case .map: "map"
    case .ext: "ext"
    case .timestamp: "timestamp"
    case .verbatim(let verbatim): verbatim.value.map { type(of: $0) } ?? "text, not UTF-8"
    }
  }
}
