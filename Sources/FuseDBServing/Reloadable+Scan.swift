// What goes on after the call keeps its file: scans, statistics, metadata are those of one snapshot.
public import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

extension Reloadable {
  /// How many keys the newest file holds.
  public var keyCount: Int { withReader { $0.keyCount } }

  /// The newest file's length in bytes.
  public var byteCount: Int { withReader { $0.byteCount } }

  /// The keys of the newest file from `lowerBound` (included) to `upperBound` (excluded), in order; without bounds, all.
  /// The scan stays with that file; see ``FuseReader/entries(from:upTo:_:)``.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  public func entries(
    from lowerBound: (some FuseKey)? = [UInt8]?.none, upTo upperBound: (some FuseKey)? = [UInt8]?.none,
    _ direction: FuseReader.Direction = .ascending
  ) throws(FuseError) -> Scan {
    try snapshot().entries(from: lowerBound, upTo: upperBound, direction)
  }

  /// The keys of the newest file that begin with the bytes of `prefix`, in order. The scan stays with that file; see
  /// ``FuseReader/prefix(_:_:)``.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` or `truncated` when the index is no longer what was opened.
  public func prefix(
    _ prefix: some FuseKey, _ direction: FuseReader.Direction = .ascending
  ) throws(FuseError) -> Scan {
    try snapshot().prefix(prefix, direction)
  }

  /// All objects of the newest file in the order of the file. The scan stays with that file.
  public func objects() -> ObjectScan { snapshot().objects() }

  /// What the newest file holds, in numbers; see ``FuseReader/statistics()``.
  public func statistics() throws(FuseError) -> Statistics { try snapshot().statistics() }

  /// What the newest file says about itself; see ``FuseReader/metadata``.
  public var metadata: [String: String] {
    get throws(FuseError) { try snapshot().metadata }
  }

  /// Checks every byte of the newest file and lists all damage; see ``FuseReader/verify(level:progress:)``.
  public func verify(
    level: VerificationLevel = .full, progress: ((Double) -> Void)? = nil
  ) throws(FuseError) -> VerificationReport {
    try snapshot().verify(level: level, progress: progress)
  }
}
