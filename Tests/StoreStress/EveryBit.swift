import FuseDB
import FuseDBStore
import Glibc
import ProgramSupport

/// Every bit of every file of small stores is flipped, and every file cut at every byte: whoever reads gets the right bytes or an error, what can't be
/// read is found by a check, and putting the objects again heals it.
struct EveryBit {
  /// Bytes of a file that one thread takes at a time.
  private static let partByteCount = 256
  /// After each so many flips, all is put again and repaired.
  private static let healingStep = 61
  /// What a store has to have, so that all of it is tried.
  private static let wanted: Set = [
    "config", "loose object", "name", "list of condemned packs", "marks taken back", "index", "head of a pack",
    "data raw", "data zlib", "data zstd", "recipe raw", "frame zstd", "frame dictionary", "mark raw", "patched raw",
    "deep zstd",
  ]

  func run() throws -> String {
    var total = Tally()
    for store in try SmallStore.all() {
      let tally = try Self.run(store)
      print("  \(store.title): \(tally)")
      fflush(nil)
      total.add(tally)
    }
    for (place, count) in total.harmless.sorted(by: { $0.key < $1.key }) {
      print("  changes nothing: \(count) of \(total.flips[place] ?? 0) bits of \(place)")
    }
    let odd = total.harmless.keys.filter { !Self.mayBeHarmless($0) }.sorted()
    guard odd.isEmpty else { throw Violation("bits of \(odd) change nothing, and no rule says so") }
    let kinds = Set(total.flips.keys.map { place in String(place.prefix { $0 != "," }) })
    let missing = Self.wanted.subtracting(kinds).sorted()
    guard missing.isEmpty else { throw Violation("no store has \(missing)") }
    return "\(total); 0 wrong bytes, 0 lost after they were put again"
  }

  /// Bits that nothing depends on, as the specification says. [SS5]
  private static func mayBeHarmless(_ place: String) -> Bool {
    place == "config" || place == "list of condemned packs" || place == "data zstd, payload"
      || place == "data zlib, payload"
      || place == "loose object, payload"
  }

  private static func run(_ store: SmallStore) throws -> Tally {
    let backend = MemoryBackend()
    for (name, bytes) in store.files { _ = try backend.write(bytes, to: name, replacing: true) }
    guard try SmallStoreCheck(store, backend).failedCount() == 0, try FuseStore(backend).verify().isSound else {
      throw Violation("the store '\(store.title)' is damaged before anything was done")
    }
    var parts: [(file: Int, start: Int)] = []
    for (number, file) in store.files.enumerated() {
      parts += stride(from: 0, to: file.bytes.count, by: partByteCount).map { (number, $0) }
    }
    let work = parts
    let tallies = Parallel.map(work.count, threadCount: Parallel.processorCount) { number -> Tally in
      var tally = Tally()
      do { try tally.run(store, work[number].file, work[number].start) } catch { tally.violation = "\(error)" }
      return tally
    }
    var total = Tally()
    for tally in tallies {
      if let violation = tally.violation { throw Violation("\(store.title): \(violation)") }
      total.add(tally)
    }
    return total
  }

  /// In the place of the file, as a new one: whoever has the old one mapped keeps it.
  static func write(_ bytes: [UInt8], to place: String) {
    unsafe unlink(place)
    // SAFETY: the call reads the bytes of the array; the file is open.
    guard let file = unsafe fopen(place, "wb"), unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count,
      unsafe fclose(file) == 0
    else { preconditionFailure("no file for the test") }
  }

  /// What was tried, and what came of it.
  struct Tally: Sendable, CustomStringConvertible {
    /// By what the bits belong to.
    var flips: [String: Int] = [:]
    var harmless: [String: Int] = [:]
    var cutCount = 0
    var healedCount = 0
    var violation: String?

    mutating func add(_ other: Tally) {
      flips.merge(other.flips) { $0 + $1 }
      harmless.merge(other.harmless) { $0 + $1 }
      cutCount += other.cutCount
      healedCount += other.healedCount
    }

    var description: String {
      let (all, none) = (flips.values.reduce(0, +), harmless.values.reduce(0, +))
      return
        "\(all) bits flipped, \(all - none) found, \(none) change nothing; \(cutCount) cuts; put again \(healedCount) times"
    }

    mutating func run(_ store: SmallStore, _ number: Int, _ start: Int) throws {
      let (name, bytes) = store.files[number]
      let backend = MemoryBackend()
      for (name, bytes) in store.files { _ = try backend.write(bytes, to: name, replacing: true) }
      let places = FilePlaces(name, bytes)
      for place in start..<min(bytes.count, start + EveryBit.partByteCount) {
        let kind = places.kind(of: place)
        for bit in 0..<8 {
          var damaged = bytes
          damaged[place] ^= 1 << UInt8(bit)
          flips[kind, default: 0] += 1
          do {
            if try !look(store, backend, name, damaged, isFlipped: true) { harmless[kind, default: 0] += 1 }
            if (8 * place + bit) % EveryBit.healingStep == 0 { try heal(store, name, damaged) }
          } catch { throw Violation("\(name), byte \(place), bit \(bit), \(kind): \(error)") }
        }
        do { _ = try look(store, backend, name, Array(bytes.prefix(place)), isFlipped: false) } catch {
          throw Violation("\(name) cut to \(place) bytes: \(error)")
        }
        cutCount += 1
      }
    }

    /// Whether it is found.
    private func look(
      _ store: SmallStore, _ backend: MemoryBackend, _ name: String, _ bytes: [UInt8], isFlipped: Bool
    ) throws -> Bool {
      _ = try backend.write(bytes, to: name, replacing: true)
      let failed = try SmallStoreCheck(store, backend).failedCount()
      // It is no surprise that a store without a configuration is none.
      guard let open = try? FuseStore(backend) else { return true }
      guard let report = try? open.verify() else { return true }
      if failed > 0, isFlipped, report.isSound, name != "config" {
        throw Violation("\(failed) can't be read, and a check finds nothing")
      }
      return !report.isSound
    }

    /// Puts all again; then everything is there, and a repair leaves nothing to find.
    private mutating func heal(_ store: SmallStore, _ name: String, _ bytes: [UInt8]) throws {
      let backend = MemoryBackend()
      for file in store.files {
        _ = try backend.write(file.name == name ? bytes : file.bytes, to: file.name, replacing: true)
      }
      let check = SmallStoreCheck(store, backend)
      guard (try? FuseStore(backend)) != nil else { return }
      if (try? check.putAgain()) == nil {
        // What names packs that are on their way out is damaged, or what takes marks back: that can't be put.
        _ = try FuseStore(backend).repair()
        try check.putAgain()
      }
      guard try check.failedCount() == 0 else { throw Violation("not healed by putting all again") }
      let repair = try FuseStore(backend).repair()
      guard repair.lost.isEmpty, try check.failedCount() == 0 else {
        throw Violation("lost by a repair: \(repair.lost)")
      }
      let report = try FuseStore(backend).verify()
      guard report.isSound else { throw Violation("damaged after a repair: \(report.flaws) \(report.lost)") }
      healedCount += 1
    }
  }
}

/// What reading all of a small store gives.
struct SmallStoreCheck {
  private let small: SmallStore
  private let backend: MemoryBackend

  init(_ small: SmallStore, _ backend: MemoryBackend) {
    self.small = small
    self.backend = backend
  }

  /// How many can't be read; throws where one gives other bytes.
  func failedCount() throws -> Int {
    guard let store = try? FuseStore(backend) else { return small.pieces.count }
    var failed = 0
    for piece in small.pieces {
      guard let read = try? store.bytes(of: piece.id) else {
        failed += 1
        continue
      }
      guard read == piece.bytes else { throw Violation("\(piece.id) gives other bytes") }
      guard let name = piece.options.name else { continue }
      guard let found = try? store.id(named: name) else {
        failed += 1
        continue
      }
      // A name may lead to another object by a flipped bit of its digest only where that is there, which nobody can make.
      guard found == piece.id || (try? store.bytes(of: found)) == nil else {
        throw Violation("the name \(name) leads elsewhere")
      }
      if found != piece.id { failed += 1 }
    }
    return failed
  }

  func putAgain() throws {
    let store = try FuseStore(backend)
    let writer = try StoreWriter(store)
    for piece in small.pieces {
      if piece.isLoose { try store.put(piece.bytes, to: .loose) } else { try writer.put(piece.bytes, piece.options) }
    }
    try writer.commit()
  }
}

/// What the bytes of a file are part of.
struct FilePlaces {
  private var fixed: String?
  private var records: [(range: Range<Int>, kind: String)] = []

  init(_ name: String, _ bytes: [UInt8]) {
    let kinds = [
      ("config", "config"), ("refs/", "name"), ("condemned/", "list of condemned packs"), (".gone", "marks taken back"),
      (".fsdb", "index"),
    ]
    if let known = kinds.first(where: { name.hasPrefix($0.0) || name.hasSuffix($0.0) }) {
      fixed = known.1
      return
    }
    let isLoose = name.hasPrefix("loose/")
    var place = isLoose ? 0 : 32
    while place + 52 <= bytes.count {
      let length = (0..<4).reduce(0) { $0 << 8 | Int(bytes[place + 8 + $1]) }
      let kinds = ["", "data", "recipe", "frame", "mark", "patched", "deep"]
      let codecs = ["raw", "zlib", "zstd", "dictionary"]
      let kind = isLoose ? "loose object" : "\(kinds[Int(bytes[place + 4])]) \(codecs[Int(bytes[place + 5])])"
      records.append((place..<place + 52, "\(kind), head"))
      records.append((place + 52..<place + 52 + length, "\(kind), payload"))
      place += 52 + length
    }
  }

  func kind(of place: Int) -> String {
    fixed ?? records.first { $0.range.contains(place) }?.kind ?? "head of a pack"
  }
}
