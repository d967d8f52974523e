public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
public import FuseDBValues

/// A typed view of a database: a dictionary that is a file.
///
///     struct Org: Codable { var name: String; var asn: UInt32? }
///     let orgs = try FuseTable<String, Org>(path: "orgs.fsdb")
///     try orgs["8.8.8.8"]?.name                     // "Google LLC"
///     var rows = try orgs.prefix("8.8.")
///     while let (key, org) = try rows.next() { print(key, org.name) }
///
/// Nothing is kept: each value is decoded when it is asked for. So asking can fail, and has a `try`: where the file is
/// damaged, and where an object is no `Value`.
///
/// A table of a ``ReloadableReader`` or ``FusePool`` answers from the newest file; ``snapshot()`` is one that stays.
public struct FuseTable<Key: FuseTableKey, Value: Decodable>: Sendable {
  @usableFromInline
  enum Source: Sendable {
    case file(FuseReader)
    case newestFile(any Reloadable)
  }

  @usableFromInline let source: Source
  /// How objects are decoded.
  public let decoder: FuseDecoder

  /// A table of the file at `path`.
  ///
  /// - Throws: ``FuseError`` as ``FuseReader/init(path:checksums:access:)``.
  public init(path: String, decoder: FuseDecoder = FuseDecoder()) throws(FuseError) {
    self.init(try FuseReader(path: path), decoder: decoder)
  }

  /// A table of an open file.
  public init(_ reader: FuseReader, decoder: FuseDecoder = FuseDecoder()) {
    source = .file(reader)
    self.decoder = decoder
  }

  /// A table of the newest file.
  public init(_ store: any Reloadable, decoder: FuseDecoder = FuseDecoder()) {
    source = .newestFile(store)
    self.decoder = decoder
  }

  /// The value under `key`, or nil where the file has no such key.
  ///
  /// - Throws: as ``FuseReader/value(_:forKey:decoder:)-(_,RawSpan,_)``.
  /// - Complexity: O(bytes of the object).
  @inlinable
  public subscript(key: Key) -> Value? {
    get throws {
      switch source {
      case .file(let reader): try reader.value(forKey: key, decoder: decoder)
      case .newestFile(let store): try store.value(forKey: key, decoder: decoder)
      }
    }
  }

  /// The values under `keys`, in their order, of one file; nil where that has no such key. The look-ups wait for memory
  /// together; see ``FuseReader/values(_:forKeys:decoder:)``.
  ///
  /// - Throws: as ``FuseReader/values(_:forKeys:decoder:)``.
  /// - Complexity: O(keys and bytes of their objects).
  @inlinable
  public func values(forKeys keys: some RandomAccessCollection<Key>) throws -> [Value?] {
    switch source {
    case .file(let reader): try reader.values(forKeys: keys, decoder: decoder)
    case .newestFile(let store): try store.values(forKeys: keys, decoder: decoder)
    }
  }

  /// Whether the file holds `key`. Its object is not looked at.
  ///
  /// - Throws: ``FuseError`` as ``FuseReader/contains(_:)-(RawSpan)``.
  /// - Complexity: O(1).
  @inlinable
  public func contains(_ key: Key) throws(FuseError) -> Bool {
    switch source {
    case .file(let reader): try reader.contains(key)
    case .newestFile(let store): try store.contains(key)
    }
  }

  /// How many keys the file holds.
  public var count: Int {
    switch source {
    case .file(let reader): reader.keyCount
    case .newestFile(let store): store.keyCount
    }
  }

  /// A table of the file that is the newest one now, and stays with it.
  public func snapshot() -> FuseTable { FuseTable(reader, decoder: decoder) }

  /// The keys from `lowerBound` (included) to `upperBound` (excluded) with their values, in the order of the keys' bytes;
  /// without bounds, all. What is returned stays with the file that is the newest one now.
  ///
  /// - Throws: ``FuseError`` as ``FuseReader/entries(from:upTo:_:)``.
  /// - Complexity: O(log keys); each step O(bytes of the object).
  public func rows(
    from lowerBound: Key? = nil, upTo upperBound: Key? = nil, _ direction: FuseReader.Direction = .ascending
  ) throws(FuseError) -> Rows {
    let reader = reader
    return Rows(try reader.entries(from: lowerBound, upTo: upperBound, direction), of: reader, decoder)
  }

  /// The keys that begin with the bytes of `prefix` with their values, in order. What is returned stays with the file
  /// that is the newest one now.
  ///
  /// - Throws: ``FuseError`` as ``FuseReader/prefix(_:_:)``.
  /// - Complexity: O(log keys); each step O(bytes of the object).
  public func prefix(
    _ prefix: some FuseKey, _ direction: FuseReader.Direction = .ascending
  ) throws(FuseError) -> Rows {
    let reader = reader
    return Rows(try reader.prefix(prefix, direction), of: reader, decoder)
  }

  /// A reader of the newest file.
  var reader: FuseReader {
    switch source {
    case .file(let reader): reader
    case .newestFile(let store): store.snapshot()
    }
  }
}

extension FuseTable {
  /// Goes through keys and values in order, one row a step.
  ///
  /// It is no `Sequence`, because a step can fail, as in a ``Scan``.
  public struct Rows: FuseIterator, Sendable {
    private let reader: FuseReader
    private let decoder: FuseDecoder
    private var scan: Scan

    init(_ scan: Scan, of reader: FuseReader, _ decoder: FuseDecoder) {
      self.scan = scan
      self.reader = reader
      self.decoder = decoder
    }

    /// How many rows are still to come.
    /// - Complexity: O(1).
    public var count: Int { scan.count }

    /// The next row, or nil at the end.
    ///
    /// - Throws: ``FuseError`` as ``Scan/next()`` and ``FuseReader/value(_:forKey:decoder:)-(_,RawSpan,_)``; with code
    ///   `invalidValue` when a key is none of the table's type. A step after that goes on with the row after it.
    /// - Complexity: O(bytes of the object).
    public mutating func next() throws -> (key: Key, value: Value)? {
      guard let entry = try scan.next() else { return nil }
      let bytes = try entry.keyBytes
      let key: Key = try reader.tableKey(bytes)
      return (key, try reader.value(Value.self, of: reader.view(of: try entry.bytes), key: bytes, decoder))
    }
  }
}

extension FuseTable {
  /// Calls `body` with a reader of the newest file, and counts one look-up.
  func withReader<Result>(_ body: (FuseReader) throws -> Result?) throws -> Result? {
    switch source {
    case .file(let reader): try body(reader)
    case .newestFile(let store):
      try store.counted { reader, isFound in
        let result = try body(reader)
        isFound = result != nil
        return result
      }
    }
  }

  /// A key and its value.
  func row(of match: FuseMatch, in reader: FuseReader) throws -> (key: Key, value: Value) {
    let key: Key = try reader.tableKey(match.key)
    return (key, try reader.value(Value.self, of: match.view, key: match.key, decoder))
  }
}

extension FuseReader {
  /// The key of a table that `bytes` are.
  fileprivate func tableKey<Key: FuseTableKey>(_ bytes: RawSpan) throws -> Key {
    guard let key = Key(keyBytes: bytes) else {
      try checkNotShrunk()
      throw FuseError(
        .invalidValue, "the key \(quoted(bytes)) is no \(Key.self); a table with [UInt8] for keys takes all", path: path
      )
    }
    return key
  }
}

/// What the keys of a ``FuseTable`` are: what can be asked for, and what the bytes of a key can be made into.
public protocol FuseTableKey: FuseKey {
  /// The key that `keyBytes` are; nil where they are none of this type.
  init?(keyBytes: RawSpan)
}

extension String: FuseTableKey {
  /// The text of a key; nil where it is not UTF-8.
  public init?(keyBytes: RawSpan) {
    self.init(payload: keyBytes)
  }
}

extension [UInt8]: FuseTableKey {
  /// A copy of the key's bytes.
  public init?(keyBytes: RawSpan) { self = keyBytes.array() }
}

/// The integer of which `keyBytes` are the decimal digits.
extension Int: FuseTableKey {}
/// The integer of which `keyBytes` are the decimal digits.
extension Int16: FuseTableKey {}
/// The integer of which `keyBytes` are the decimal digits.
extension Int32: FuseTableKey {}
/// The integer of which `keyBytes` are the decimal digits.
extension Int64: FuseTableKey {}
/// The integer of which `keyBytes` are the decimal digits.
extension UInt: FuseTableKey {}
/// The integer of which `keyBytes` are the decimal digits.
extension UInt16: FuseTableKey {}
/// The integer of which `keyBytes` are the decimal digits.
extension UInt32: FuseTableKey {}
/// The integer of which `keyBytes` are the decimal digits.
extension UInt64: FuseTableKey {}
/// The UUID whose text in lower case `keyBytes` are.
extension FuseUUID: FuseTableKey {}
