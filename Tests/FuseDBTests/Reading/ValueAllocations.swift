import CMalloc

import FuseDB

extension `A look-up of a value` {
  /// Reaches fields in many ways, and ends the process with 44 if none of them allocates.
  static func countAllocations() throws -> Never {
    var mapping: [Key: [UInt8]] = [:]
    for number in 0..<1000 {
      mapping[Key("key \(number)")] = try FuseJSON.messagePack(
        from: #"{"org":"An organisation of some length","asn":\#(15 * number),"lat":37.4,"tags":["cdn",{"n":1}]}"#)
    }
    let folder = try TemporaryFolder()
    let path = try folder.write(ReferenceBlock(after: ReferenceFile(canonical: mapping)).bytes)
    let reader = try FuseReader(path: path)
    let store = try ReloadableReader(path: path)
    let keys = mapping.keys.map(\.bytes)
    let path1 = FusePath("tags.1.n")
    var sum = 0
    // The first round pays for what is set up once.
    for round in 0..<2 {
      let before = mallinfo2()
      for key in keys {
        sum += try reader.withValue(forKey: key) { read($0, path1) } ?? 0
        sum += try store.withValue(forKey: key) { read($0, path1) } ?? 0
      }
      try reader.withValues(forKeys: keys) { _, value in sum += value?["asn"]?.int ?? 0 }
      let after = mallinfo2()
      if round == 1, before.uordblks != after.uordblks || before.arena != after.arena || before.ordblks != after.ordblks
      {
        exit44(if: false)
      }
    }
    exit44(if: sum > 1000 * 2 * 2 * 40)
  }

  private static func read(_ value: FuseView, _ path: FusePath) -> Int {
    var sum = value["asn"]?.int ?? 0
    sum += Int(value["lat"]?.double ?? 0)
    sum += value["org"]?.stringBytes?.byteCount ?? 0
    sum += value["tags"]?[1]?["n"]?.integer(Int.self) ?? 0
    sum += value[path: path]?.int ?? 0
    if var pairs = value.pairs { while let pair = pairs.next() { sum += pair.value.count ?? 0 } }
    if var tags = value["tags"]?.elements { while tags.next() != nil { sum += 1 } }
    return sum
  }
}
