internal import FuseDBFormat
public import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// SAFETY: between `enter` and `leave` the cell keeps the object and with it the reader and its mapping. Each pin is
// left once, on every path, by the thread that entered, and what was read through it is not used afterwards.
/// Look-ups in the reader of a cell, by threads that retain nothing.
struct GuardedLookups<Object: Served>: Sendable {
  let cell: HazardCell<Object>
  let counters: LookupCounters?

  /// Looks `key` up. What is found has to be finished. In a compact file nothing is looked up; see ``PinnedBytes/isExpanded``.
  @inline(__always)
  @unsafe
  func look(_ key: RawSpan) throws(FuseError) -> PinnedBytes? {
    let pin = unsafe enter()
    if unsafe pin.reader._withUnsafeGuaranteedRef({ $0.isCompact }) { return unsafe PinnedBytes(ofCompact: pin) }
    do throws(FuseError) {
      if let found = try unsafe pin.reader.borrowed({ reader throws(FuseError) in
        try unsafe Self.find(key, in: reader, pin)
      }) {
        return unsafe found
      }
      unsafe leaveUnescaped(pin)
      counters?.count(hits: 0, misses: 1, failures: 0)
      return nil
    } catch {
      unsafe abandon(pin)
      throw error
    }
  }

  /// Ends a look-up whose bytes were used; throws when they may not have been the file's.
  ///
  /// The usual case needs no register that it would have to save; all others are a call.
  @inline(__always)
  @unsafe
  func finish(_ pin: Pin) throws(FuseError) {
    let isWhole = unsafe pin.reader._withUnsafeGuaranteedRef { $0.mapping.isPlainlyWhole }
    guard isWhole, counters == nil, unsafe cell.leaveQuickly(.fromOpaque(pin.object)) else {
      return try unsafe finishCarefully(pin)
    }
  }

  @inline(never)
  @unsafe
  private func finishCarefully(_ pin: Pin) throws(FuseError) {
    defer { unsafe leaveUnescaped(pin) }
    do throws(FuseError) {
      try unsafe pin.reader.borrowed { reader throws(FuseError) in try reader.checkNotShrunk() }
    } catch {
      counters?.count(hits: 0, misses: 0, failures: 1)
      throw error
    }
    counters?.count(hits: 1, misses: 0, failures: 0)
  }

  /// The look-up of a compact file, whose object is there for as long as `body` runs; it ends the look-up.
  @inline(never)
  @unsafe
  func withExpandedBytes<Result>(
    forKey key: RawSpan, _ pin: Pin, _ body: (RawSpan) throws -> Result
  ) throws -> Result? {
    let result: Result?
    do {
      result = try unsafe pin.reader._withUnsafeGuaranteedRef { try $0.withBytes(forKey: key, body) }
    } catch {
      unsafe abandon(pin)
      throw error
    }
    unsafe leaveUnescaped(pin)
    counters?.count(hits: result == nil ? 0 : 1, misses: result == nil ? 1 : 0, failures: 0)
    return result
  }

  /// Ends a look-up whose bytes were of no use.
  @inline(never)
  @unsafe
  func abandon(_ pin: Pin) {
    unsafe leave(pin)
    counters?.count(hits: 0, misses: 0, failures: 1)
  }

  @inline(__always)
  func contains(_ key: RawSpan) throws(FuseError) -> Bool {
    let pin = unsafe enter()
    do throws(FuseError) {
      let isThere = try unsafe pin.reader.borrowed { reader throws(FuseError) in try reader.contains(key) }
      unsafe leaveUnescaped(pin)
      counters?.count(hits: isThere ? 1 : 0, misses: isThere ? 0 : 1, failures: 0)
      return isThere
    } catch {
      unsafe abandon(pin)
      throw error
    }
  }

  @inline(__always)
  @unsafe
  func enter() -> Pin {
    let object = unsafe cell.enter()
    return unsafe Pin(object: UnsafeRawPointer(object.toOpaque()), reader: Object.ownReader(of: object))
  }

  @unsafe
  func leave(_ pin: Pin) { unsafe cell.leave(.fromOpaque(pin.object)) }

  /// Where nothing was retained.
  @inline(__always)
  @unsafe
  private func leaveUnescaped(_ pin: Pin) {
    if unsafe !cell.leaveQuickly(.fromOpaque(pin.object)) { unsafe leave(pin) }
  }

  @inline(__always)
  @unsafe
  private static func find(_ key: RawSpan, in reader: FuseReader, _ pin: Pin) throws(FuseError) -> PinnedBytes? {
    guard let offset = try reader.objectOffset(forKey: key) else { return nil }
    let record = try reader.record(at: offset)
    let start = unsafe reader.mapping.address(of: record.start)
    return unsafe PinnedBytes(start: start, byteCount: record.byteCount, pin: pin)
  }
}

/// What keeps a reader from going away while a thread uses it, until the thread leaves it: nothing is retained.
@usableFromInline
@unsafe
struct Pin {
  /// What was entered: the reader, or the pool's members.
  let object: UnsafeRawPointer
  @usableFromInline let reader: Unmanaged<FuseReader>
}

/// The bytes of an object, in place, and the pin that keeps them there.
@usableFromInline
@unsafe
struct PinnedBytes {
  @usableFromInline let start: UnsafeRawPointer
  @usableFromInline let byteCount: Int
  @usableFromInline let pin: Pin

  init(start: UnsafeRawPointer, byteCount: Int, pin: Pin) {
    unsafe self.start = start
    unsafe self.byteCount = byteCount
    unsafe self.pin = pin
  }

  /// Of a compact file, whose objects are expanded for a call: no bytes yet.
  init(ofCompact pin: Pin) { unsafe self.init(start: pin.object, byteCount: -1, pin: pin) }

  /// Whether the object is to be expanded, by `withExpandedBytes`.
  @inlinable var isExpanded: Bool { unsafe byteCount < 0 }
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
