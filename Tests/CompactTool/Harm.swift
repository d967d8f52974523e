import FuseDB
import FuseDBCompact
import FuseDBFormat
import FuseDBReading
import FuseDBSystem
import FuseDBWriting
import Glibc
import ProgramSupport

/// `flip FILE`, `cut FILE` and `mutate FILE COUNT SEED`: what a reader makes of files that are not what was written, all in one process.
struct Harm {
  let file: [UInt8]
  /// What the file holds.
  let keys: [[UInt8]]
  let objects: [[UInt8]]

  static func run(_ words: [String]) {
    do {
      let harm = try Harm(path: words[1])
      switch words[0] {
      case "flip": try harm.flip()
      case "cut": try harm.cut()
      default: try harm.mutate(count: Int(words[2])!, seed: UInt64(words[3])!)
      }
    } catch {
      print(sentence(error))
      exit(1)
    }
  }

  init(path: String) throws(FuseError) {
    let reader = try CompactReader(path: path)
    let mapping = reader.mapping
    file = mapping.bytes.array()
    var (keys, objects): ([[UInt8]], [[UInt8]]) = ([], [])
    var walk = CompactWalk(reader)
    var out: [UInt8] = []
    var isThere = try walk.seekFirst()
    while isThere {
      try reader.expand(walk.reference, into: &out)
      keys.append(walk.key)
      objects.append(out)
      isThere = try walk.next()
    }
    self.keys = keys
    self.objects = objects
  }

  /// What came of one file.
  private struct Outcome {
    var isNoticed = false
    var wrongCount = 0
    var longest = 0
  }

  /// Asks for all keys, for some that are not there, and for all in order. Any other answer than the right one is wrong.
  private func ask(_ bytes: [UInt8], isObjectRight: Bool = true) -> Outcome {
    var outcome = Outcome()
    let reader: CompactReader
    do { reader = try CompactReader(bytes: bytes.rawSpan) } catch { return Outcome(isNoticed: true) }
    if reader.keyCount != keys.count { outcome.wrongCount += 1 }
    var out: [UInt8] = []
    let path = FusePath("name")
    for (number, key) in keys.enumerated() {
      do {
        guard let reference = try reader.reference(forKey: key.rawSpan) else {
          outcome.wrongCount += 1
          continue
        }
        try reader.expand(reference, into: &out)
        outcome.longest = max(outcome.longest, out.count)
        if isObjectRight, out != objects[number] { outcome.wrongCount += 1 }
        // The quick way and the other one.
        var other: [UInt8] = []
        try reader.expand(reference, inSteps: true, into: &other)
        precondition(other == out, "an object is made in two ways, and they differ")
        out.removeAll(keepingCapacity: true)
        other.removeAll(keepingCapacity: true)
        let isFound = try reader.field(path, ofReference: reference, into: &out)
        let isFoundInSteps = try reader.field(path, ofReference: reference, inSteps: true, into: &other)
        precondition(isFound == isFoundInSteps && other == out, "a field is found in two ways, and they differ")
      } catch { outcome.isNoticed = true }
      do {
        if try reader.reference(forKey: (key + [0]).rawSpan) != nil { outcome.wrongCount += 1 }
      } catch { outcome.isNoticed = true }
    }
    do {
      var walk = CompactWalk(reader)
      var number = 0
      var isThere = try walk.seekFirst()
      while isThere {
        if number >= keys.count || walk.key != keys[number] { outcome.wrongCount += 1 }
        number += 1
        isThere = try walk.next()
      }
      if number != keys.count { outcome.wrongCount += 1 }
    } catch { outcome.isNoticed = true }
    walk(reader, &outcome)
    look(bytes, isObjectRight, &outcome)
    return outcome
  }

  /// All keys backwards, and some places by number and by text.
  private func walk(_ reader: CompactReader, _ outcome: inout Outcome) {
    do {
      var walk = CompactWalk(reader)
      var number = keys.count
      var isThere = try walk.seekLast()
      while isThere {
        number -= 1
        if number < 0 || walk.key != keys[number] { outcome.wrongCount += 1 }
        isThere = try walk.previous()
      }
      if number != 0 { outcome.wrongCount += 1 }
    } catch { outcome.isNoticed = true }
    for number in stride(from: 0, to: keys.count, by: 1 + keys.count / 16) {
      do {
        var walk = CompactWalk(reader)
        if try !walk.seek(ordinal: number) || walk.key != keys[number] { outcome.wrongCount += 1 }
        let isThere = try walk.next()
        if isThere != (number + 1 < keys.count) || isThere && walk.key != keys[number + 1] { outcome.wrongCount += 1 }
        let key = keys[number]
        if try !walk.seek(notBelow: key.rawSpan) || walk.ordinal != number { outcome.wrongCount += 1 }
        if try walk.previous() != (number > 0) { outcome.wrongCount += 1 }
        let prefix = Array(keys[number].prefix(2))
        if try !walk.seek(lastBeginningWith: prefix) || !walk.key.starts(with: prefix) { outcome.wrongCount += 1 }
      } catch { outcome.isNoticed = true }
    }
  }

  /// Paths that lead somewhere in some objects, and nowhere in others.
  private static let paths = [
    "name", "0", "location.latitude", "country.names.en", "subdivisions.0.names.de", "a.1.b.c",
  ]
  .map { FusePath($0) }

  /// The same by the reader that programs have: views in place, and objects for a call.
  private func look(_ bytes: [UInt8], _ isObjectRight: Bool, _ outcome: inout Outcome) {
    guard let reader = try? FuseReader(bytes: bytes.rawSpan) else {
      outcome.isNoticed = true
      return
    }
    for (number, key) in keys.enumerated() {
      do {
        var isRight = false
        _ = try reader.withValue(forKey: key.rawSpan) { view in
          for path in Self.paths {
            guard let value = view[path: path] else { continue }
            outcome.longest = max(outcome.longest, value.json.utf8.count)
            if let text = value.stringBytes {
              precondition(
                value.messagePack.array().suffix(text.byteCount) == text.array()[...],
                "a text is read in two ways, and they differ")
            }
          }
          isRight = view.messagePack.array() == objects[number]
          return view.count
        }
        if isObjectRight, !isRight { outcome.wrongCount += 1 }
        isRight = try reader.withBytes(forKey: key.rawSpan) { $0.array() == objects[number] } ?? false
        if isObjectRight, !isRight { outcome.wrongCount += 1 }
      } catch { outcome.isNoticed = true }
    }
    guard reader.hasNetworks else { return }
    for key in keys {
      guard let network = FuseNetwork(String(decoding: key, as: UTF8.self)) else { continue }
      do {
        let match = try reader.longestMatch(of: network.address)
        // It begins where the block does, or before.
        if isObjectRight, match == nil || match!.key.prefixLength < network.prefixLength { outcome.wrongCount += 1 }
      } catch { outcome.isNoticed = true }
    }
  }

  private func damageCount(_ bytes: [UInt8]) throws(FuseError) -> Int {
    var count = 0
    _ = try CompactVerifier.run(try FileMapping(bytes: bytes.rawSpan, isLocked: false)) { _ in count += 1 }
    return count
  }

  /// Each bit once: `flips COUNT noticed COUNT wrong COUNT unnamed COUNT`, the last being what verification does not see.
  private func flip() throws(FuseError) {
    var bytes = file
    var (noticed, wrong, unnamed) = (0, 0, 0)
    for bit in 0..<8 * bytes.count {
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let outcome = ask(bytes)
      if outcome.isNoticed { noticed += 1 }
      if outcome.wrongCount > 0 {
        wrong += 1
        print("wrong answers with bit \(bit % 8) of byte \(bit / 8)")
      }
      if try damageCount(bytes) == 0 {
        unnamed += 1
        print("nothing is said of bit \(bit % 8) of byte \(bit / 8)")
      }
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    print("flips \(8 * bytes.count) noticed \(noticed) wrong \(wrong) unnamed \(unnamed)")
  }

  /// Each shorter file: `cuts COUNT refused COUNT`.
  private func cut() throws(FuseError) {
    var refused = 0
    for count in 1..<file.count {
      let bytes = Array(file[..<count])
      if (try? CompactReader(bytes: bytes.rawSpan)) == nil, try damageCount(bytes) > 0 { refused += 1 }
    }
    print("cuts \(file.count - 1) refused \(refused)")
  }

  /// Rows, parts and shapes changed at random under right checksums: `mutations COUNT noticed COUNT longest BYTES`.
  private func mutate(count: Int, seed: UInt64) throws(FuseError) {
    let (noticed, longest) = try mutated(count: count, seed: seed)
    print("mutations \(count) noticed \(noticed) longest \(longest)")
  }

  private func mutated(count: Int, seed: UInt64) throws(FuseError) -> (noticed: Int, longest: Int) {
    var random = Random(state: seed)
    var (noticed, longest) = (0, 0)
    let items = places()
    let networks = KeyItem.places(of: file)
    for round in 0..<count {
      var bytes = file
      for _ in 0...random.below(3) {
        let item = items[random.below(items.count)]
        item.change(&bytes, &random)
      }
      if !networks.isEmpty, random.below(4) > 0 {
        bytes = random.below(8) == 0 ? bytes : file
        for _ in 0...random.below(3) { networks[random.below(networks.count)].change(&bytes, &random) }
      }
      let outcome = ask(bytes, isObjectRight: false)
      if outcome.isNoticed { noticed += 1 }
      longest = max(longest, outcome.longest)
      // Slower, and mostly the same.
      if round % 16 == 0 { _ = try damageCount(bytes) }
    }
    return (noticed, longest)
  }

  /// `hostile [--count COUNT] [--seed NUMBER]`: the same for small files of each kind, a million times, with what an answer may take at most.
  static func runHostile(_ arguments: [String]) -> Int32 {
    HostileProgram.run("HostileCompact", arguments, changing: "compact files") { count, seed in
      var noticed = 0
      let kinds: [(form: FuseWriter.Form, isNetworks: Bool)] = [
        (.compact, false), (.compactFast, false), (.compact, true),
      ]
      for (number, kind) in kinds.enumerated() {
        let path = "/tmp/hostile-\(getpid())-\(number).fsdb"
        // SAFETY: the call reads the path alone.
        defer { unsafe unlink(path) }
        try write(to: path, kind.form, areNetworks: kind.isNetworks)
        let outcome = try Harm(path: path).mutated(count: count / kinds.count + 1, seed: seed &+ UInt64(number))
        // An object has 16 MB at most, and its JSON is no longer than six times that.
        guard outcome.longest <= 6 << 24 else {
          throw FuseError(.invalidArgument, "an answer has \(outcome.longest) bytes")
        }
        noticed += outcome.noticed
      }
      return noticed
    }
  }

  /// A file with what each kind has: keys that share their beginnings, a long one, shapes, parts, arrays, maps with other names than texts.
  private static func write(to path: String, _ form: FuseWriter.Form, areNetworks: Bool) throws {
    var options = FuseWriter.Options()
    options.form = form
    let writer = FuseWriter(options)
    for number in 0..<8 {
      let key =
        areNetworks
        ? number % 5 == 4 ? "2001:db8:\(number)::/48" : "10.\(number / 3).\(number % 3 * 16).0/\(20 + number % 3 * 2)"
        : number == 7 ? String(repeating: "long", count: 70) : "host-\(number).example.com"
      let json =
        number % 4 == 3
        ? "[\(number), null, true, 1.5, \"a text that many have, more than 31 bytes of it\", {\"name\": [\(number)]}]"
        : """
        {"name": "a text that many have", "country": {"names": {"en": "Germany", "de": "Deutschland"}, "iso": "DE"},
         "location": {"latitude": 51.\(number), "longitude": -9.25, "radius": \(number * 100)}, "a": [0, {"b": {"c": "\(number % 2)"}}]}
        """
      try writer.add(key, FuseValue(json: json))
    }
    try writer.build(to: path)
  }

  /// Where each row, part and shape stands.
  private func places() -> [Item] {
    var items: [Item] = []
    let span = file.rawSpan
    let footer = file.count - 48
    for entry in stride(from: Int(span.loadInside(at: footer + 8, as: UInt64.self)), to: footer, by: 32) {
      let kind = Array(file[entry..<entry + 4])
      let start = Int(span.loadInside(at: entry + 8, as: UInt64.self))
      if kind == CompactForm.Section.keys {
        let shift = Int(file[start + 9])
        let end = Int(span.loadInside(at: 16, as: UInt64.self))
        var at = 40
        while at < end {
          let (count, head) = Item.varint(file, at + 4)
          let rowEnd = head + count
          items.append(Item(start: at, end: rowEnd, number: nil))
          at = 40 + ((rowEnd - 40 + (1 << shift) - 1) >> shift) << shift
        }
      }
      guard kind == CompactForm.Section.shapes || kind == CompactForm.Section.parts else { continue }
      let count = Int(span.loadInside(at: start, as: UInt32.self))
      let first = start + 5 + 4 * (count + 1)
      for number in 0..<count {
        let at = start + 5 + 4 * number
        items.append(
          Item(
            start: first + Int(span.loadInside(at: at, as: UInt32.self)),
            end: first + Int(span.loadInside(at: at + 4, as: UInt32.self)), number: UInt32(number)))
      }
    }
    return items
  }

  /// A row, or an item of a table, which has a number.
  private struct Item {
    let start: Int
    let end: Int
    let number: UInt32?

    /// First bytes of values, and lengths that are too long.
    private static let heads: [UInt8] = [
      0x80, 0x8F, 0x90, 0xAF, 0xB0, 0xB1, 0xC0, 0xDF, 0xE0, 0xE8, 0xEC, 0xED, 0xEE, 0xEF, 0xF2, 0xF6, 0xF7, 0xF8, 0xF9,
      0xFF,
    ]

    func change(_ bytes: inout [UInt8], _ random: inout Random) {
      for _ in 0...random.below(3) where end > start + 4 {
        let at = start + 4 + random.below(end - start - 4)
        bytes[at] =
          random.below(2) == 0
          ? UInt8(random.below(256)) : Self.heads[random.below(Self.heads.count)]
      }
      // A row's length may be another now.
      var end = end
      if number == nil {
        let (count, head) = Self.varint(bytes, start + 4)
        if count <= bytes.count - head { end = head + count }
      }
      var checksum = Checksum()
      if let number {
        var four: [UInt8] = []
        four.append(bigEndian: number)
        checksum.update(four.rawSpan)
      }
      checksum.update(bytes.rawSpan.extracting(start + 4..<end))
      for i in 0..<4 { bytes[start + i] = UInt8(truncatingIfNeeded: checksum.value >> UInt32(24 - 8 * i)) }
    }

    static func varint(_ bytes: [UInt8], _ at: Int) -> (Int, Int) {
      var (number, shift, at) = (0, 0, at)
      while shift < 56 {
        number |= Int(bytes[at] & 127) << shift
        at += 1
        if bytes[at - 1] < 128 { break }
        shift += 7
      }
      return (number, at)
    }
  }

  /// A generator that gives the same numbers for the same seed.
  struct Random {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      return Int((mixed ^ mixed >> 31).multipliedFullWidth(by: UInt64(limit)).high)
    }
  }
}
