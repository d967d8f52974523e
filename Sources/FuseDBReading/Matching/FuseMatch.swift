internal import FuseDBFormat
internal import FuseDBSystem
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
@safe
public struct FuseMatch: ~Escapable {
  /// The key's bytes, as they were inserted.
  public let key: RawSpan
  /// The object's bytes. They are one MessagePack value, and their checksum was compared.
  public let bytes: RawSpan
  /// Where the object's record begins in the file: equal for keys that share an object.
  public let objectOffset: UInt64
  // SAFETY: a match lives no longer than the borrow of its reader.
  private let reader: Unmanaged<FuseReader>

  @_lifetime(copy key)
  fileprivate init(key: RawSpan, bytes: RawSpan, objectOffset: UInt64, reader: FuseReader) {
    self.key = key
    // SAFETY: both are of one mapping.
    unsafe self.bytes = _overrideLifetime(bytes, copying: key)
    self.objectOffset = objectOffset
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

extension FuseReader {
  /// The key of an entry and its object, whose checksum is compared.
  @_lifetime(borrow self)
  func match(of entry: IndexEntry) throws(FuseError) -> FuseMatch {
    let record = try record(at: entry.objectOffset)
    let mapping = mapping
    // SAFETY: entry and record lie inside the file; the mapping lives as long as this reader.
    let key = unsafe mapping.bytes(from: entry.keyRange.lowerBound, count: entry.keyByteCount)
    let bytes = unsafe mapping.bytes(from: record.start, count: record.byteCount)
    let match = FuseMatch(key: key, bytes: bytes, objectOffset: entry.objectOffset, reader: self)
    return unsafe _overrideLifetime(match, borrowing: self)
  }
}
