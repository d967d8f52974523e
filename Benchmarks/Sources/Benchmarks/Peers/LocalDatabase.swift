/// The look-up of one thread in a database of this process. A struct, so that the loop around it is compiled for it.
protocol LookUp {
  /// The first word of the value under `key`, or nil.
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64?
}

extension LookUp {
  /// Looks up the keys one by one: the loop that is timed.
  @inline(__always)
  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally {
    var tally = Tally()
    for i in range {
      if let word = try touch(keys[i]) { tally.add(word) }
    }
    return tally
  }
}

/// One thread's way into an open database.
protocol Session: AnyObject {
  func tally(_ keys: ByteList, _ range: Range<Int>) throws -> Tally
}

/// An open database of this process: its loops are timed here.
protocol LocalDatabase: Database, Session {
  /// A copy of the value under `key`, or nil.
  func value(forKey key: UnsafeRawBufferPointer) throws -> [UInt8]?
  /// Makes a way in for another thread.
  func anotherSession() throws -> any Session
  /// The way in for the other thread, once the answers were compared.
  var other: (any Session)? { get set }
  func batchTally(_ keys: ByteList, _ range: Range<Int>, size: Int) throws -> Tally?
  func scanTally() throws -> Tally?
  /// Walks over the keys that begin with each prefix, touching their values.
  func prefixTally(_ prefixes: ByteList, _ range: Range<Int>) throws -> Tally?
  /// Does `body` while the file is swapped all the time; nil where there is no such thing.
  func swapping(_ body: () throws -> Outcome?) throws -> Outcome?
}

extension LocalDatabase {
  func batchTally(_ keys: ByteList, _ range: Range<Int>, size: Int) throws -> Tally? { nil }
  func scanTally() throws -> Tally? { nil }
  func prefixTally(_ prefixes: ByteList, _ range: Range<Int>) throws -> Tally? { nil }

  func check(_ workload: Workload) throws {
    for i in 0..<workload.hits.count {
      let expected = workload.object(ofKey: Int(workload.keyOfHit[i]))
      guard let value = try value(forKey: workload.hits[i]), value.elementsEqual(expected) else {
        throw WrongAnswer("\(type(of: self)) has not the right object under \(text(workload.hits[i]))")
      }
    }
    for i in 0..<workload.misses.count where try value(forKey: workload.misses[i]) != nil {
      throw WrongAnswer("\(type(of: self)) has an object under \(text(workload.misses[i])), which was not added")
    }
    // Whoever maps the file anew for another thread must not be timed while pages are mapped.
    other = try anotherSession()
    _ = try other?.tally(workload.hits, 0..<workload.hits.count)
  }

  func run(_ job: Job, _ range: Range<Int>, _ workload: Workload) throws -> Outcome? {
    switch job {
    case .hit: return try outcome { try tally(workload.hits, range) }
    case .miss: return try outcome { try tally(workload.misses, range) }
    case .batch(let size): return try outcome { try batchTally(workload.hits, range, size: size) }
    case .scan: return try outcome { try scanTally() }
    case .prefix: return try outcome { try prefixTally(workload.prefixes, range) }
    case .twoThreads: return try onTwoThreads(range, workload)
    case .swaps(let threads):
      return try swapping {
        try threads == 1 ? outcome { try tally(workload.hits, range) } : onTwoThreads(range, workload)
      }
    }
  }

  func swapping(_ body: () throws -> Outcome?) throws -> Outcome? { nil }

  private func onTwoThreads(_ range: Range<Int>, _ workload: Workload) throws -> Outcome? {
    guard let other else { return nil }
    let middle = range.lowerBound + range.count / 2
    return try Benchmarks.onTwoThreads(
      { try self.tally(workload.hits, range.lowerBound..<middle) },
      { try other.tally(workload.hits, middle..<range.upperBound) })
  }

  private func outcome(of loop: () throws -> Tally?) throws -> Outcome? {
    var tally: Tally?
    let nanoseconds = try timed { tally = try loop() }
    return tally.map { Outcome(nanoseconds: nanoseconds, found: $0.found, sum: $0.sum) }
  }
}

/// Bytes as text, for messages.
func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }
