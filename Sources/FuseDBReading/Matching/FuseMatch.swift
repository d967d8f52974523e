public import FuseDBFormat
public import FuseDBValues

/// The key that answers a question, and its object, in place.
///
///     if let match = try reader.longestSuffix(ofDomain: "mail.google.com") {
///       String(keyBytes: match.key)          // "google.com"
///       try match.view["org"]?.string        // "Google LLC"
///     }
///
/// The compiler keeps a match inside the scope of its reader. What is read from it is the file's if
/// ``FuseReader/checkNotShrunk()`` returns afterwards.
public struct FuseMatch: ~Escapable {
  /// The key's bytes, as they were inserted.
  public let key: RawSpan
  /// The object's bytes. They are one MessagePack value, and their checksum was compared.
  public let bytes: RawSpan
  /// Where the object's record begins in the file: equal for keys that share an object.
  public let objectOffset: UInt64
  // SAFETY: a match lives no longer than the borrow of its reader.
  private let reader: Unmanaged<FuseReader>

  @_lifetime(borrow reader)
  init(of entry: IndexEntry, _ record: ObjectRecord, in reader: FuseReader) {
    let mapping = reader.mapping
    // SAFETY: entry and record lie inside the file; the mapping lives as long as the reader.
    unsafe key = _overrideLifetime(
      mapping.bytes(from: entry.keyRange.lowerBound, count: entry.keyByteCount), borrowing: reader)
    unsafe bytes = _overrideLifetime(mapping.bytes(from: record.start, count: record.byteCount), borrowing: reader)
    objectOffset = entry.objectOffset
    unsafe self.reader = .passUnretained(reader)
  }

  /// The object as a value, in place.
  ///
  /// - Throws: ``FuseError`` with code `invalidValue` as ``FuseReader/view(forKey:)-(RawSpan)``.
  /// - Complexity: O(heads of the value).
  public var view: FuseView {
    @_lifetime(copy self)
    get throws(FuseError) {
      if let view = FuseView(plain: bytes) { return view }
      do throws(FuseError) {
        return try FuseView(validating: bytes)
      } catch {
        // SAFETY: a match lives no longer than the borrow of its reader.
        throw unsafe reader.takeUnretainedValue().noValue(error)
      }
    }
  }
}
