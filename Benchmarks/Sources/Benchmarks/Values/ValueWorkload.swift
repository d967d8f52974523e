import Glibc

/// Addresses, objects and questions: what everybody gets whose values are measured, made from one seed.
///
/// A key is the first address of a network of 256 addresses: as text for FuseDB, as a network for libmaxminddb.
final class ValueWorkload {
  /// Keys as text, such as "17.204.3.0".
  let keys: ByteList
  let records: [NetworkRecord]
  /// The objects as MessagePack, and in their flat form.
  let objects: ByteList
  let flatObjects: ByteList
  /// The object under each key, skewed as in ``Workload``.
  let objectOfKey: [UInt32]

  /// Keys that are there, drawn uniformly, as text and as `sockaddr_in`, and the object under each.
  let hits: ByteList
  let addresses: ByteList
  let objectOfHit: [UInt32]
  /// Where the object of each question lies, as a pointer and a length: for whoever starts from a value.
  let places: ByteList
  /// What a loop sums of each object.
  private let words: [Wanted: [UInt64]]

  var keyCount: Int { keys.count }

  init(keyCount: Int, questionCount: Int) {
    var random = SplitMix64(seed: Workload.seed)
    var shapes = NetworkShapes(seed: random.next())
    let salt = UInt32(truncatingIfNeeded: random.next())
    let objectCount = max(1, keyCount / Workload.keysPerObject)
    let records = (0..<objectCount).map { _ in shapes.next() }
    let objects = ByteList(count: objectCount) { records[$0].appendMessagePack(to: &$1) }
    self.records = records
    self.objects = objects
    flatObjects = ByteList(count: objectCount) { records[$0].appendFlatMessagePack(to: &$1) }

    keys = ByteList(count: keyCount) { Self.appendText(Self.network($0, salt), to: &$1) }
    let objectOfKey = (0..<keyCount).map { _ in
      let u = random.nextUnit()
      return UInt32(Double(objectCount) * u * u)
    }
    self.objectOfKey = objectOfKey

    let chosen = (0..<questionCount).map { _ in random.next(below: keyCount) }
    hits = ByteList(count: questionCount) { Self.appendText(Self.network(chosen[$0], salt), to: &$1) }
    addresses = ByteList(count: questionCount) { number, bytes in
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = Self.network(chosen[number], salt).bigEndian
      withUnsafeBytes(of: address) { bytes += $0 }
    }
    let objectOfHit = chosen.map { objectOfKey[$0] }
    self.objectOfHit = objectOfHit
    places = ByteList(count: questionCount) { number, bytes in
      withUnsafeBytes(of: objects[Int(objectOfHit[number])]) { bytes += $0 }
    }
    words = Dictionary(
      uniqueKeysWithValues: Wanted.allCases.map { wanted in (wanted, records.map { $0.word(wanted) }) })
  }

  /// What a loop over these questions finds.
  func expected(_ wanted: Wanted, _ range: Range<Int>) -> Tally {
    var tally = Tally()
    let words = words[wanted] ?? []
    for i in range { tally.add(words[Int(objectOfHit[i])]) }
    return tally
  }

  /// The first address of the network with this number; no two numbers below 2^24 have the same.
  private static func network(_ number: Int, _ salt: UInt32) -> UInt32 {
    // Each step can be undone, in 24 bits.
    let mask: UInt32 = 0xFF_FFFF
    var word = (UInt32(number) ^ salt) & mask
    word = word &* 0x9E_3779 & mask
    word ^= word >> 13
    word = word &* 0xC2_B2AF & mask
    word ^= word >> 11
    return word << 8
  }

  private static func appendText(_ address: UInt32, to bytes: inout [UInt8]) {
    for shift in stride(from: 24, through: 0, by: -8) {
      if shift < 24 { bytes.append(UInt8(ascii: ".")) }
      bytes += String(address >> shift & 0xFF).utf8
    }
  }
}
