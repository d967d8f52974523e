import Glibc

extension Runner {
  /// Look-ups after an eviction: so few that what they bring in is not most of the file.
  private static let coldLookUps = 200

  /// From the path to the first answer, and look-ups, when nothing of the file is in memory.
  func measureCold(_ workload: Workload) throws {
    note("\(workload.keyCount) keys: asking cold files")
    let cold = peers.filter { [.fuseDB, .fuseDBSkipped, .tinyCDB, .lmdb].contains($0.subject) }
    guard try cold.allSatisfy({ try evict(path($0.subject)) }) else {
      return note("the system keeps these files in memory, so nothing is said of cold ones")
    }
    var opens: [Subject: [Double]] = [:]
    var halves: [Subject: [Double]] = [:]
    var hundredths: [Subject: [Double]] = [:]
    for round in 0..<plan.rounds(keyCount: workload.keyCount, plan.rounds) {
      for peer in turns(cold, round) {
        let first = round * (Self.coldLookUps + 1)
        opens[peer.subject, default: []].append(try coldOpen(peer, workload, asking: first))
        let times = try coldLookUps(peer, workload, first: first + 1)
        halves[peer.subject, default: []].append(times[times.count / 2])
        hundredths[peer.subject, default: []].append(times[times.count * 99 / 100])
      }
    }
    for peer in cold {
      let who = peer.subject
      add(workload, "open-cold", who, .milliseconds, (opens[who] ?? []).map { $0 / 1e6 }, operations: 1)
      add(workload, "get-cold-p50", who, .nanoseconds, halves[who] ?? [], operations: Self.coldLookUps)
      add(workload, "get-cold-p99", who, .nanoseconds, hundredths[who] ?? [], operations: Self.coldLookUps)
    }
  }

  /// Nanoseconds from the path to the first answer.
  private func coldOpen(_ peer: any Peer, _ workload: Workload, asking question: Int) throws -> Double {
    _ = try evict(path(peer.subject))
    var database: (any Database)?
    let time = try timed {
      database = try peer.open(path(peer.subject), workload)
      try ask(database, workload, question)
    }
    return withExtendedLifetime(database) { time }
  }

  /// Nanoseconds of look-ups, each timed alone, in ascending order. Opening is not counted.
  private func coldLookUps(_ peer: any Peer, _ workload: Workload, first: Int) throws -> [Double] {
    _ = try evict(path(peer.subject))
    let database = try peer.open(path(peer.subject), workload)
    return try (0..<Self.coldLookUps).map { number in try timed { try ask(database, workload, first + number) } }
      .sorted()
  }

  private func ask(_ database: (any Database)?, _ workload: Workload, _ question: Int) throws {
    guard let database = database as? any LocalDatabase else {
      throw PeerFailure("a cold database is one of this process")
    }
    let question = question % workload.hits.count
    let tally = try database.tally(workload.hits, question..<question + 1)
    guard tally.found == 1 else { throw WrongAnswer("a cold file has not the key that it must have") }
  }

  /// Has the system forget what it has of a file in memory, which nobody has mapped. Returns whether it did.
  private func evict(_ path: String) throws -> Bool {
    let file = open(path, O_RDWR)
    guard file >= 0 else { throw PeerFailure("\(path) cannot be opened: errno \(errno)") }
    defer { close(file) }
    // What is not yet written stays.
    guard fsync(file) == 0, posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 else {
      throw PeerFailure("\(path) cannot be evicted: errno \(errno)")
    }
    let byteCount = Int(lseek(file, 0, SEEK_END))
    let pageCount = (byteCount + Int(getpagesize()) - 1) / Int(getpagesize())
    guard pageCount > 0, let mapping = mmap(nil, byteCount, PROT_READ, MAP_SHARED, file, 0), mapping != MAP_FAILED
    else {
      throw PeerFailure("\(path) cannot be mapped: errno \(errno)")
    }
    defer { munmap(mapping, byteCount) }
    var pages = [UInt8](repeating: 0, count: pageCount)
    guard mincore(mapping, byteCount, &pages) == 0 else { throw PeerFailure("mincore failed: errno \(errno)") }
    return pages.count { $0 & 1 == 1 } * 100 <= pageCount
  }
}
