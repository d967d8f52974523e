public import FuseDBFormat
public import FuseDBReading
package import FuseDBSystem
public import FuseDBWriting
internal import Synchronization

/// Where the files of a store are.
///
/// Names are paths inside of the store, such as `packs/5c….pack`. What is written once is whole or not there; what is removed is gone for
/// those who look, while who has it open keeps it.
public protocol StoreBackend: Sendable {
  /// What errors call the store.
  var path: String { get }

  /// Makes what a new store needs. Throws where there is something already.
  func make(_ folders: [String]) throws(FuseError)

  /// The names in a folder, sorted by their bytes; none where there is no folder.
  func names(in folder: String) throws(FuseError) -> [String]

  /// A file, to be read; nil where there is none.
  func file(_ name: String) throws(FuseError) -> StoreFile?

  /// A look-up file, opened; nil where there is none.
  func reader(_ name: String) throws(FuseError) -> FuseReader?

  /// Writes a file in one step, durably. Returns false, and leaves what is there, where that may not be replaced.
  func write(_ bytes: [UInt8], to name: String, replacing: Bool) throws(FuseError) -> Bool

  /// Makes a file that grows. It has a lock for as long as the object lives.
  func begin(_ name: String) throws(FuseError) -> any StoreGrowingFile

  /// Gives a file another name, in place of what has it, durably.
  func rename(_ name: String, to other: String) throws(FuseError)

  /// Builds a look-up file, in one step and durably.
  func build(_ writer: FuseWriter, as name: String) throws(FuseError)

  /// Removes a file; one that is gone is no error.
  func remove(_ name: String) throws(FuseError)

  /// Whether somebody who lives has the lock of a file that grows.
  func isLocked(_ name: String) throws(FuseError) -> Bool

  /// Removes a file that grows, unless somebody who lives has its lock. Returns whether it is gone.
  func sweep(_ name: String) throws(FuseError) -> Bool

  /// Takes a lock that nobody else has then; nil where somebody has it and it is not waited for. That of a file that grows is the same that who
  /// writes it has.
  func lock(_ name: String, waiting: Bool) throws(FuseError) -> AnyObject?
}

/// A file that is being written.
public protocol StoreGrowingFile: AnyObject {
  /// Writes bytes at an offset.
  func write(_ bytes: RawSpan, at offset: Int) throws(FuseError)
  /// Writes bytes that nobody reads soon: where there is a cache, they need not be in it.
  func stream(_ bytes: RawSpan, at offset: Int) throws(FuseError)
  /// The bytes from an offset on; fewer where the file ends.
  func bytes(at offset: Int, count: Int) throws(FuseError) -> [UInt8]
  /// Has what was written last.
  func makeDurable() throws(FuseError)
}

/// A file of a store that is read: mapped, or in memory. It stays as long as this object, also where it is removed.
public final class StoreFile: Sendable {
  private let mapping: FileMapping?
  private let memory: [UInt8]

  package init(_ mapping: FileMapping) {
    self.mapping = mapping
    memory = []
  }

  /// A file that is in memory.
  public init(bytes: [UInt8]) {
    mapping = nil
    memory = bytes
  }

  /// Its length.
  public var byteCount: Int { mapping?.byteCount ?? memory.count }

  /// Its bytes.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: mapping and array are constants of this object, which outlives the borrow of self.
      if let mapping { return unsafe _overrideLifetime(mapping.bytes, borrowing: self) }
      let memory = memory
      return unsafe _overrideLifetime(memory.span.bytes, borrowing: self)
    }
  }

  /// Throws once a byte was found missing.
  package func check() throws(FuseError) { try mapping?.checkNotShrunk() }

  /// How the file is read.
  private struct Reading {
    /// How many bytes were read since pages were let go of.
    var touched = 0
    /// Where the last read ended, and how many bytes were read in order before it.
    var last = 0
    var run = 0
    /// Up to where the kernel was told to read ahead.
    var advised = 0
  }

  private let reading = Mutex(Reading())
  private static let mostTouched = 4 << 20
  private static let readAhead = 8 << 20

  /// Takes note of bytes that were read. Where they come in order, those after them are asked for: the disk works meanwhile. Now and then the
  /// pages are let go of, so that they do not count as this process's memory.
  func noteRead(_ range: Range<Int>) {
    guard let mapping else { return }
    let (drops, ahead): (Bool, Range<Int>?) = reading.withLock { reading in
      reading.touched += range.count
      let drops = reading.touched >= Self.mostTouched
      if drops { reading.touched = 0 }
      let isInOrder = (0...Self.mostTouched).contains(range.lowerBound - reading.last)
      reading.run = isInOrder ? reading.run + range.count : 0
      reading.last = range.upperBound
      guard reading.run >= 256 << 10 else {
        reading.advised = 0
        return (drops, nil)
      }
      let start = max(reading.advised, reading.last)
      guard start < mapping.byteCount, start - reading.last <= Self.readAhead else { return (drops, nil) }
      reading.advised = min(mapping.byteCount, start + Self.readAhead)
      return (drops, start..<reading.advised)
    }
    if drops { mapping.dropPages(in: 0..<mapping.byteCount) }
    if let ahead { mapping.willRead(ahead) }
  }
}
