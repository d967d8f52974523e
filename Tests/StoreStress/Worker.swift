import FuseDB
import FuseDBStore
import Glibc
import ProgramSupport

/// One process of many, until it is killed or asked to stop.
struct Worker {
  private let folder: StressFolder
  private let number: Int
  private let store: FuseStore
  private var random: SeededRandom

  static func run(kind: String, folder: String, number: String, seed: String) -> Int32 {
    do {
      guard let number = Int(number), let seed = UInt64(seed) else {
        throw Violation("a worker is told less than it needs")
      }
      var worker = try Worker(StressFolder(folder), number, seed)
      // Where the program was killed nobody asks to stop.
      let parent = getppid()
      while !worker.folder.isOver, getppid() == parent, parent != 1 {
        switch kind {
        case "write": try worker.write()
        case "read": try worker.read()
        default: try worker.collect()
        }
      }
      return 0
    } catch {
      print("\(kind) \(number): \(error)")
      fflush(nil)
      return 1
    }
  }

  private init(_ folder: StressFolder, _ number: Int, _ seed: UInt64) throws {
    self.folder = folder
    self.number = number
    store = try FuseStore(path: folder.store)
    random = SeededRandom(seed: seed)
  }

  // MARK: Writing

  /// Names are of one writer each, so that what they lead to is known.
  static func name(_ writer: Int, _ number: Int) -> String { "writer \(writer)/\(number)" }
  static func versionsName(_ writer: Int) -> String { "versions/\(writer)" }

  private mutating func write() throws {
    let ledger = try Ledger(folder.ledger(number))
    let state = Ledger.state(folder.ledger(number))
    switch random.below(12) {
    case 0...4:
      // Each number is put by one writer, and once.
      let numbers = (0...random.below(6)).map { _ in UInt64(number) << 48 | random.next() >> 24 }
      try ledger.write(.putting(numbers))
      if numbers.count == 1, random.bool() {
        try store.put(Material.bytes(numbers[0]))
      } else {
        let writer = try StoreWriter(store)
        for number in numbers { try writer.put(Material.bytes(number)) }
        try writer.commit()
      }
      try ledger.write(.put(numbers))
    case 5, 6:
      guard let one = state.kept.randomElement(using: &random) else { return }
      try ledger.write(.removing(one))
      guard try store.remove(Material.id(one)) else {
        throw Violation("the object \(one) that was to be removed was not kept")
      }
      try ledger.write(.removed(one))
    case 7, 8:
      let (name, one) = (random.below(4), random.next() >> 24)
      try ledger.write(.naming(name, one))
      let writer = try StoreWriter(store)
      try writer.put(Material.bytes(one), .init(name: Self.name(number, name)))
      try writer.commit()
      try ledger.write(.named(name, one))
    case 9:
      let name = random.below(4)
      try ledger.write(.naming(name, nil))
      _ = try store.removeName(Self.name(number, name))
      try ledger.write(.named(name, nil))
    default:
      let one = UInt64(random.below(Int(Material.lookupFileCount)))
      guard state.versions.last?.number != one else { return }
      let path = try Material.lookupFile(one, in: folder)
      try ledger.write(.adding(one))
      try store.put(path: path, .init(name: Self.versionsName(number), keepsVersions: true))
      try ledger.write(.added(one))
    }
  }

  // MARK: Reading

  private mutating func read() throws {
    let other = random.below(16)
    let state = Ledger.state(folder.ledger(other))
    if let one = state.kept.randomElement(using: &random) {
      let bytes = Material.bytes(one)
      let (read, failure) = attempt(one)
      if read != bytes {
        // Its writer says so before it removes it.
        let now = Ledger.state(folder.ledger(other))
        guard read == nil, !now.kept.contains(one) else {
          let isThereNow = attempt(one).read == bytes
          throw Violation(
            """
            the object \(one) of writer \(other), \(try Material.id(one)), is \(read == nil ? "lost" : "another")\
            \(isThereNow ? " for a moment" : ""): \(failure.map { "\($0)" } ?? "it is not there")
            """)
        }
      }
    }
    let name = Self.name(other, random.below(4))
    if let id = try store.id(named: name), let bytes = try? store.bytes(of: id) {
      let all = Ledger.state(folder.ledger(other)).everNamed
      guard all.contains(where: { Material.bytes($0) == bytes }) else {
        throw Violation("the name \(name) leads to what it never was to lead to")
      }
    }
    guard random.below(6) == 0,
      let version = (try? store.versions(named: Self.versionsName(other)))??.randomElement(using: &random)
    else { return }
    // A version that is there once stays.
    guard try store.bytes(of: version.id)?.count == version.byteCount else {
      throw Violation("version \(version.number) of writer \(other) is lost")
    }
  }

  private func attempt(_ one: UInt64) -> (read: [UInt8]?, failure: (any Error)?) {
    do { return (try store.bytes(of: Material.id(one)), nil) } catch { return (nil, error) }
  }

  // MARK: Collecting

  private mutating func collect() throws {
    do {
      switch random.below(8) {
      case 0: try store.packLoose()
      case 1: try store.deepen()
      // While others remove names, what it finds may be gone by then: whether all is well is looked at in the end.
      case 2: _ = try store.verify(.structure)
      default:
        try store.collect(.init(leastLiveShare: random.element([0.5, 0.9, 1]), mostSmallPacks: 2 + random.below(8)))
      }
    } catch let error where error.code == .refused {
      usleep(2000)
    }
  }
}
