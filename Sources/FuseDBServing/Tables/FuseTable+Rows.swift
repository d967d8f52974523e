internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

extension FuseTable {
  /// Goes through keys and values in order, one row a step.
  ///
  /// It is no `Sequence`, because a step can fail, as in a ``Scan``.
  public struct Rows: Sendable {
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
      guard let key = Key(keyBytes: bytes) else {
        try reader.checkNotShrunk()
        throw FuseError(
          .invalidValue, "the key \(quoted(bytes)) is no \(Key.self); a table with [UInt8] for keys takes all",
          path: reader.path)
      }
      return (key, try reader.value(Value.self, of: reader.view(of: try entry.bytes), key: bytes, decoder))
    }
  }
}
