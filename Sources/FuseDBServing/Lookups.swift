internal import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Look-ups in what is published, by threads that retain nothing.
struct Lookups<Object: Served>: Sendable {
  let published: Published<Object>
  let counters: LookupCounters?

  /// Looks `key` up. What is found has to be finished.
  @inline(__always)
  @unsafe
  func look(_ key: RawSpan) throws(FuseError) -> Found? {
    let use = unsafe enter()
    do throws(FuseError) {
      if let found = try unsafe use.reader.borrowed({ reader throws(FuseError) in
        try unsafe Self.find(key, in: reader, use)
      }) {
        return unsafe found
      }
      unsafe leaveUnescaped(use)
      counters?.count(hits: 0, misses: 1, failures: 0)
      return nil
    } catch {
      unsafe abandon(use)
      throw error
    }
  }

  /// Ends a look-up whose bytes were used; throws when they may not have been the file's.
  ///
  /// The usual case needs no register that it would have to save; all others are a call.
  @inline(__always)
  @unsafe
  func finish(_ use: Use) throws(FuseError) {
    let isWhole = unsafe use.reader._withUnsafeGuaranteedRef { $0.mapping.isPlainlyWhole }
    guard isWhole, counters == nil, unsafe published.leaveQuickly(.fromOpaque(use.object)) else {
      return try unsafe finishCarefully(use)
    }
  }

  @inline(never)
  @unsafe
  private func finishCarefully(_ use: Use) throws(FuseError) {
    defer { unsafe leaveUnescaped(use) }
    do throws(FuseError) {
      try unsafe use.reader.borrowed { reader throws(FuseError) in try reader.checkNotShrunk() }
    } catch {
      counters?.count(hits: 0, misses: 0, failures: 1)
      throw error
    }
    counters?.count(hits: 1, misses: 0, failures: 0)
  }

  /// Ends a look-up whose bytes were of no use.
  @inline(never)
  @unsafe
  func abandon(_ use: Use) {
    unsafe leave(use)
    counters?.count(hits: 0, misses: 0, failures: 1)
  }

  @inline(__always)
  func contains(_ key: RawSpan) throws(FuseError) -> Bool {
    let use = unsafe enter()
    do throws(FuseError) {
      let isThere = try unsafe use.reader.borrowed { reader throws(FuseError) in try reader.contains(key) }
      unsafe leaveUnescaped(use)
      counters?.count(hits: isThere ? 1 : 0, misses: isThere ? 0 : 1, failures: 0)
      return isThere
    } catch {
      unsafe abandon(use)
      throw error
    }
  }

  @inline(__always)
  @unsafe
  func enter() -> Use {
    let object = unsafe published.enter()
    return unsafe Use(object: UnsafeRawPointer(object.toOpaque()), reader: Object.ownReader(of: object))
  }

  @unsafe
  func leave(_ use: Use) { unsafe published.leave(.fromOpaque(use.object)) }

  /// Where nothing was retained.
  @inline(__always)
  @unsafe
  private func leaveUnescaped(_ use: Use) {
    if unsafe !published.leaveQuickly(.fromOpaque(use.object)) { unsafe leave(use) }
  }

  @inline(__always)
  @unsafe
  private static func find(_ key: RawSpan, in reader: FuseReader, _ use: Use) throws(FuseError) -> Found? {
    guard let offset = try reader.objectOffset(forKey: key) else { return nil }
    let record = try reader.record(at: offset)
    let start = unsafe reader.mapping.address(of: record.start)
    return unsafe Found(start: start, byteCount: record.byteCount, use: use)
  }
}

/// What a thread uses, until it leaves it.
@usableFromInline
@unsafe
struct Use {
  /// What was entered: the reader, or the pool's members.
  let object: UnsafeRawPointer
  @usableFromInline let reader: Unmanaged<FuseReader>
}

/// An object of a file that is in use.
@usableFromInline
@unsafe
struct Found {
  @usableFromInline let start: UnsafeRawPointer
  @usableFromInline let byteCount: Int
  @usableFromInline let use: Use
}

extension Unmanaged {
  /// Calls `body` with the object, without retaining it.
  @inlinable
  @inline(__always)
  @unsafe
  func borrowed<Result, Failure: Error>(_ body: (Instance) throws(Failure) -> Result) throws(Failure) -> Result {
    do {
      return try unsafe _withUnsafeGuaranteedRef(body)
    } catch {
      // That function forgets which errors `body` throws.
      throw error as! Failure
    }
  }
}
