import FuseDB
import Glibc

/// All that a reader says about its file, copied out.
struct Answers: Equatable {
  var keys: [Key] = []
  var objects: [[UInt8]] = []
  var found: [[UInt8]?] = []
  var contained: [Bool] = []
  var descending: [Key] = []
  var stored: [[UInt8]] = []
  var statistics: Statistics?

  /// Asks for everything; `present` and `absent` are the keys to look up.
  static func of(_ reader: FuseReader, asking keys: [Key]) throws(FuseError) -> Answers {
    var answers = Answers()
    for key in keys {
      answers.found.append(try reader.copy(of: key.bytes))
      answers.contained.append(try reader.contains(key.bytes))
    }
    var scan = try reader.entries()
    while let entry = try scan.next() {
      answers.keys.append(Key(try entry.key))
      answers.objects.append(try entry.bytes.array())
    }
    var back = try reader.entries(.descending)
    while let entry = try back.next() { answers.descending.append(Key(try entry.key)) }
    var objects = reader.objects()
    while let object = try objects.next() { answers.stored.append(try object.bytes.array()) }
    answers.statistics = try reader.statistics()
    return answers
  }
}

extension FuseReader {
  /// A copy of the object under `key`, or nil.
  func copy(of key: [UInt8]) throws(FuseError) -> [UInt8]? {
    guard let bytes = try bytes(forKey: key) else { return nil }
    let copy = (0..<bytes.byteCount).map { bytes.byte(at: $0) }
    try checkNotShrunk()
    return copy
  }

  /// The object under `key`, as `withBytes` gives it.
  func object(of key: [UInt8]) throws -> [UInt8]? {
    try withBytes(forKey: key) { bytes in (0..<bytes.byteCount).map { bytes.byte(at: $0) } }
  }
}

extension RawSpan {
  func byte(at offset: Int) -> UInt8 {
    // SAFETY: this load checks its bounds, and any byte is a UInt8.
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }
}

extension Scan {
  /// All that is left.
  mutating func rest() throws(FuseError) -> [(key: Key, object: [UInt8])] {
    var rest: [(key: Key, object: [UInt8])] = []
    while let entry = try next() { rest.append((Key(try entry.key), try entry.bytes.array())) }
    return rest
  }

  /// The keys that are left.
  mutating func restOfKeys() throws(FuseError) -> [Key] { try rest().map(\.key) }
}

/// The error that `body` throws, or nil.
func failure(_ body: () throws -> Void) -> FuseError? {
  do { try body() } catch { return error as? FuseError }
  return nil
}

extension VerificationReport {
  /// Kind and offset of all damage, sorted.
  var findings: [ReferenceFile.Finding] { damage.map { ReferenceFile.Finding($0.kind.rawValue, $0.offset) }.sorted() }
}

/// Ends a process that a test has started: with 44 when all is well.
func exit44(if isWell: Bool) -> Never { exit(isWell ? 44 : 1) }
