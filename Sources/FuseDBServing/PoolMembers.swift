internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// The readers of a pool: one file, each thread has its own way to it.
final class PoolMembers: Served {
  private let readers: [FuseReader]

  /// - Precondition: there is at least one reader.
  init(_ readers: [FuseReader]) { self.readers = readers }

  var reader: FuseReader { readers[0] }

  /// All memory that goes away with the members.
  var byteCount: Int { readers.reduce(0) { $0 + $1.byteCount } }

  func again(generation: Int) -> PoolMembers { PoolMembers(readers.map { $0.again(generation: generation) }) }

  /// The reader of the thread that asks.
  @inline(__always)
  var own: FuseReader {
    let number = ThreadNumber.own
    return readers[number < readers.count ? number : number % readers.count]
  }

  @inline(__always)
  @unsafe
  static func ownReader(of object: Unmanaged<PoolMembers>) -> Unmanaged<FuseReader> {
    // SAFETY: the caller has entered `object`, so it lives until it is left, and so do the readers that it keeps.
    unsafe object._withUnsafeGuaranteedRef { unsafe .passUnretained($0.own) }
  }
}
