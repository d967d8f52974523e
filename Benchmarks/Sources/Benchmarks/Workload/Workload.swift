/// Keys, objects and questions: what every peer gets, made from one seed.
final class Workload: Sendable {
  static let seed: UInt64 = 20_260_101
  static let keysPerObject = 10

  let keys: ByteList
  let objects: ByteList
  /// The objects as the cells of a table's row.
  let cells: ByteList
  /// The object under each key. Popularity is skewed: floor(objects * u^2).
  let objectOfKey: [UInt32]

  /// Keys that are there, drawn uniformly, and which.
  let hits: ByteList
  let keyOfHit: [UInt32]
  /// Keys of the same shapes that are not there.
  let misses: ByteList
  /// The first two numbers of addresses that are there, such as "17.204.".
  let prefixes: ByteList

  var keyCount: Int { keys.count }

  init(keyCount: Int, questionCount: Int) {
    var random = SplitMix64(seed: Self.seed)
    let shapes = KeyShapes(seed: random.next())
    var objectShapes = ObjectShapes(seed: random.next())
    let objectCount = max(1, keyCount / Self.keysPerObject)

    keys = ByteList(count: keyCount) { shapes.append($0, to: &$1) }
    var sameShapes = objectShapes
    objects = ByteList(count: objectCount) { objectShapes.next($0).appendMessagePack(to: &$1) }
    cells = ByteList(count: objectCount) { sameShapes.next($0).appendCells(to: &$1) }
    objectOfKey = (0..<keyCount).map { _ in
      let u = random.nextUnit()
      return UInt32(Double(objectCount) * u * u)
    }

    let chosen = (0..<questionCount).map { _ in UInt32(random.next(below: keyCount)) }
    keyOfHit = chosen
    hits = ByteList(count: questionCount) { shapes.append(Int(chosen[$0]), to: &$1) }
    misses = ByteList(count: questionCount) { shapes.append(keyCount + $0, to: &$1) }
    prefixes = ByteList(count: min(questionCount, 100_000)) { _, bytes in
      var address: [UInt8] = []
      shapes.append(random.next(below: keyCount) / 3 * 3, to: &address)
      let dots = address.indices.filter { address[$0] == UInt8(ascii: ".") }
      bytes += address[...dots[1]]
    }
  }

  func object(ofKey number: Int) -> UnsafeRawBufferPointer { objects[Int(objectOfKey[number])] }

  /// How many questions of a job there are.
  func questionCount(_ job: Job) -> Int {
    switch job {
    case .scan: keyCount
    case .prefix: prefixes.count
    default: hits.count
    }
  }

  /// What a look-up of these questions finds.
  func expectedHits(_ range: Range<Int>) -> Tally {
    var tally = Tally()
    for i in range { tally.add(object(ofKey: Int(keyOfHit[i])).firstWord) }
    return tally
  }

  /// What a walk over all keys finds.
  func expectedScan() -> Tally {
    var tally = Tally()
    for i in 0..<keyCount { tally.add(object(ofKey: i).firstWord &+ UInt64(keys[i].count)) }
    return tally
  }

  /// How many keys begin with these prefixes, counted in a sorted list.
  func expectedPrefixCount(_ range: Range<Int>, sorted: [UInt32]) -> Int {
    range.reduce(0) { sum, i in
      let prefix = prefixes[i]
      let start = sorted.partition { !keys[Int($0)].precedes(prefix) }
      return sum + sorted[start...].prefix(while: { keys[Int($0)].starts(with: prefix) }).count
    }
  }
}

/// What a timed loop found: how many, and the sum of what was touched, so that nothing is optimised away and a wrong
/// answer shows.
struct Tally: Equatable {
  var found = 0
  var sum: UInt64 = 0

  @inline(__always)
  mutating func add(_ word: UInt64) {
    found &+= 1
    sum &+= word
  }
}

extension [UInt32] {
  /// The first place where `isAfter` holds; it holds from there on.
  fileprivate func partition(_ isAfter: (UInt32) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
