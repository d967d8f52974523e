import ProgramSupport
import Testing

import FuseDB

@testable import FuseDBPatching
@testable import FuseDBSystem

/// Versions of a file, each with the patch to the next one.
struct PatchChainBench {
  let bench: PatchBench
  let files: [[UInt8]]
  /// One fewer than the files.
  let patches: [[UInt8]]

  init(_ files: [[UInt8]]) throws {
    bench = try PatchBench()
    self.files = files
    var patches: [[UInt8]] = []
    for (old, new) in zip(files, files.dropFirst()) { patches.append(try bench.patch(from: old, to: new)) }
    self.patches = patches
  }

  /// What all patches from one file to another make of that, or others in their place.
  func apply(
    _ steps: Range<Int>, _ others: [Int: [UInt8]] = [:], options: FusePatch.Options = .init()
  ) throws -> [UInt8] {
    let paths = try steps.map { try bench.folder.write(others[$0] ?? patches[$0], as: "\($0).patch") }
    let old = try FuseReader(bytes: files[steps.lowerBound])
    try FusePatch.apply(paths, to: old, output: bench.folder.path("new.fsdb"), options: options)
    return try bench.folder.read("new.fsdb")
  }

  /// The head of a patch.
  func head(_ step: Int) throws -> PatchHead {
    let patch = patches[step]
    return try PatchHead(parsing: patch.rawSpan)
  }
}

struct `Patches in a chain` {
  @Test func `make what they make one by one, after random changes [U20] [U22]`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<150 {
      var subject = PatchSubject(&random)
      var files = [subject.bytes]
      for _ in 0...random.below(6) {
        subject = subject.changed(&random)
        files.append(subject.bytes)
      }
      let chain = try PatchChainBench(files)
      let all = 0..<files.count - 1
      try #require(try chain.apply(all) == files[files.count - 1], "\(files.map(\.hex))")
      let some = random.below(all.count)..<all.count
      try #require(try chain.apply(some) == files[files.count - 1], "\(files.map(\.hex))")
    }
  }

  @Test func `go through sound files of all kinds, whole blocks and sections that nobody knows among them [U22]`()
    throws
  {
    var random = SeededRandom.announced()
    for _ in 0..<3 {
      let names = Fixtures.goodNames.shuffled(using: &random)
      let chain = try PatchChainBench(try names.map { try contents(Fixtures.path(good: $0)) })
      let last = names.count - 1
      try #require(try chain.apply(0..<last) == chain.files[last], "\(names)")
      for step in stride(from: 2, to: last, by: 7) {
        try #require(try chain.apply(step - 2..<step) == chain.files[step], "\(names[step - 2...step])")
      }
    }
  }

  @Test func `go through files with other sections and other metadata`() throws {
    let folder = try TemporaryFolder()
    var all: [FuseWriter.Options] = [
      .init(networks: .always), .init(keyLengths: true), .init(reverseIndex: true), .init(layout: .plain),
      .init(networks: .always, keyLengths: true, reverseIndex: true), .init(), .init(order: .insertion),
      .init(networks: .never),
    ]
    all += all.reversed()
    for number in all.indices where number % 3 == 0 && all[number].layout != .plain {
      all[number].metadata = ["hour": "\(number)"]
    }
    var files: [[UInt8]] = []
    for (number, options) in all.enumerated() {
      let writer = FuseWriter(options)
      for key in 0..<100 where key % 17 != number {
        try writer.add(
          ["10.0.\(key).0/24", "name \(key)"], messagePack: [0x92, UInt8(key), UInt8(key / (number + 1))])
      }
      try writer.build(to: folder.path("\(number)"))
      files.append(try folder.read("\(number)"))
    }
    let chain = try PatchChainBench(files)
    for last in 1..<files.count { #expect(try chain.apply(0..<last) == files[last]) }
    for first in 0..<files.count - 1 { #expect(try chain.apply(first..<files.count - 1) == files[files.count - 1]) }
  }

  /// More than a store keeps in memory, edited and copied again and again; most of it goes in the end.
  @Test func `may bring more than is kept in memory [U23]`() throws {
    var random = SeededRandom.announced()
    var subject = PatchSubject(&random)
    subject.objects = (0..<30).map { _ in random.bytes(1 + random.below(300_000)) }
    subject.keys = [Key([]): 0]
    var files: [[UInt8]] = []
    for step in 0..<6 {
      subject.form = step % 2
      files.append(subject.bytes)
      for number in subject.objects.indices where random.below(2) == 0 {
        if random.below(3) == 0 {
          subject.objects[number] = random.bytes(1 + random.below(400_000))
        } else {
          subject.objects[number].insert(7, at: random.below(subject.objects[number].count))
        }
      }
      subject.objects.append(subject.objects[random.below(subject.objects.count)])
      subject.objects.swapAt(random.below(20), random.below(20))
      for _ in 0..<200 { subject.keys[Key(random.bytes(3 + random.below(4000)))] = random.below(30) }
      for key in subject.keys.keys.sorted().shuffled(using: &random).prefix(60) { subject.keys[key] = nil }
    }
    let chain = try PatchChainBench(files)
    #expect(try chain.apply(0..<5) == files[5])
    #expect(try chain.apply(2..<5) == files[5])
    #expect(try chain.bench.folder.names.filter { $0.hasPrefix(".") } == [])
  }

  @Test func `of which there is none are a slip of the caller`() async {
    await #expect(processExitsWith: .failure) {
      let old = try FuseReader(bytes: Samples.small.bytes)
      _ = try FusePatch.apply([], to: old, output: "/nowhere/new.fsdb")
    }
  }

  @Test func `may make the old file anew, whose readers keep it`() throws {
    let files = [Samples.small.bytes, Samples.twoSamples.bytes, Samples.small.bytes(.indexed)]
    let chain = try PatchChainBench(files)
    let folder = chain.bench.folder
    let path = try folder.write(files[0], as: "x.fsdb")
    let paths = try (0..<2).map { try folder.write(chain.patches[$0], as: "\($0).patch") }
    let reader = try FuseReader(path: path)
    let made = try FusePatch.apply(paths, to: reader, output: path)
    #expect((made.keyCount, made.byteCount, made.replacedKeyCount) == (5, files[2].count, 5))
    #expect(try folder.read("x.fsdb") == files[2])
  }
}

struct `What a chain keeps` {
  /// Thirty versions, each of which replaces the same objects and keys: 600 of 1000 bytes, and 200 keys, in all.
  @Test func `does not grow with the number of patches [U23]`() throws {
    var random = SeededRandom.announced()
    var subject = PatchSubject(&random)
    subject.objects = (0..<1000).map { _ in random.bytes(1000) }
    subject.keys = [:]
    for number in 0..<1000 { subject.keys[Key(random.bytes(8))] = number }
    subject.form = 0
    let first = subject.bytes
    let bench = try PatchBench()
    let old = try FuseReader(bytes: first)
    let material = PatchMaterial(try PatchEnd(old), in: bench.folder.path)
    var level = PatchLevel(material.old)
    var before = first
    for _ in 0..<30 {
      for number in 0..<600 { subject.objects[number] = random.bytes(1000) }
      let gone = subject.keys.keys.sorted().shuffled(using: &random).prefix(200)
      for key in gone { subject.keys[Key(random.bytes(4000))] = subject.keys.removeValue(forKey: key) }
      let after = subject.bytes
      let path = try bench.folder.write(try bench.patch(from: before, to: after), as: "p")
      let patch = try FileMapping(path: path)
      var patcher = try Patcher(
        PatchHead(parsing: patch.bytes), from: level, of: material, to: nil,
        body: PatchBodyReader(of: patch, at: PatchPlace(path: path)))
      try patcher.apply()
      level = try patcher.level()
      before = after
      #expect((level.records.count, level.keys.count, level.targets?.count) == (1000, 1000, 1000))
      // Twice what a file needs, and 1 MiB.
      #expect(material.objects.byteCount <= 2 * 600 * 1003 + (1 << 20))
      #expect(material.keys.byteCount <= 2 * 1000 * 4000 + (1 << 20))
    }
    #expect(level.indexByteCount == before.count - Int(try FuseReader(bytes: before).header.indexOffset))
  }

  @Test func `is found by its number, in memory or beside it`() throws {
    var random = SeededRandom.announced()
    let folder = try TemporaryFolder()
    var store = PatchStore(in: folder.path)
    var pieces: [[UInt8]] = []
    for number in 0..<60 {
      // Some are longer than what waits in memory.
      pieces.append(random.bytes(number % 25 == 24 ? 5 << 20 : random.below(300_000)))
      if number % 9 == 0 { pieces[number] = [] }
      let next = pieces[number]
      try store.append(next.rawSpan)
    }
    var piece: [UInt8] = [1]
    for number in pieces.indices.shuffled(using: &random) {
      try store.read(number, into: &piece)
      #expect(piece == pieces[number])
      #expect(store.byteCount(of: number) == pieces[number].count)
    }
    // Of the old file are 5; of the store every eighth, some of them twice.
    let kept = stride(from: 0, to: 60, by: 8).shuffled(using: &random)
    var origins: [UInt32] = [0, 4]
    for number in kept { origins += [UInt32(number + 5), 3, UInt32(number + 5)] }
    let before = store
    store = try store.compacted(for: &origins, oldCount: 5)
    #expect(store !== before && store.count == kept.count)
    #expect(origins[0] == 0 && origins[1] == 4)
    for (place, number) in kept.enumerated() {
      let named = Array(origins[3 * place + 2..<3 * place + 5])
      #expect(named[0] == named[2] && named[1] == 3)
      try store.read(Int(named[0]) - 5, into: &piece)
      #expect(piece == pieces[number])
    }
    let compacted = try store.compacted(for: &origins, oldCount: 5)
    #expect(compacted === store)
    #expect(try folder.names == [])
  }
}

/// Four versions, of small files: three patches.
struct `A chain that is not right makes no file` {
  private static let objects: [[UInt8]] = [[1], [0x92, 3, 4]]
  /// The keys a, c and d -> record 0, e -> record 1.
  private static let middle = ReferenceFile(objects: objects, keys: [([0x61], 0), ([0x63], 0), ([0x65], 1)]).bytes
  private static let files = [
    Samples.small.bytes(.indexed), middle,
    ReferenceFile(objects: objects, keys: [([0x61], 0), ([0x63], 0), ([0x64], 1), ([0x65], 1)]).bytes,
    Samples.twoSamples.bytes(.indexed),
  ]

  /// Expects an error of one of the patches, named by its path and its place, the old output as it was, and nothing else.
  private func expectRefused(
    _ chain: PatchChainBench, _ steps: [Int], _ others: [Int: [UInt8]] = [:], at place: Int, _ code: FuseError.Code,
    _ message: String = "", options: FusePatch.Options = .init(), location: SourceLocation = #_sourceLocation
  ) throws {
    let folder = chain.bench.folder
    try folder.write([1, 2, 3], as: "new.fsdb")
    let paths = try steps.enumerated().map { number, step in
      try folder.write(others[number] ?? chain.patches[step], as: "\(number).patch")
    }
    let names = try folder.names
    let old = try FuseReader(bytes: chain.files[0])
    let error = failure {
      _ = try FusePatch.apply(paths, to: old, output: folder.path("new.fsdb"), options: options)
    }
    #expect(error?.code == code, "\(error?.description ?? "none")", sourceLocation: location)
    #expect(error?.path == paths[place], sourceLocation: location)
    let note = "(patch \(place + 1) of \(steps.count))"
    #expect(error?.message.contains(note) == true, "\(error?.message ?? "")", sourceLocation: location)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")", sourceLocation: location)
    #expect(try folder.read("new.fsdb") == [1, 2, 3], sourceLocation: location)
    #expect(try folder.names == names, sourceLocation: location)
  }

  @Test func `each patch begins where the one before it ends [U7] [U20]`() throws {
    let chain = try PatchChainBench(Self.files)
    #expect(try chain.apply(0..<3) == Self.files[3])
    try expectRefused(chain, [0, 2], at: 1, .patchMismatch, "the patch before it makes one of 93 bytes")
    try expectRefused(chain, [1, 0, 2], at: 0, .patchMismatch, "the patch belongs to a file of")
    try expectRefused(chain, [0, 0, 1, 2], at: 1, .patchMismatch, "in the order in which they were made")
    try expectRefused(chain, [0, 2, 1], at: 1, .patchMismatch)
    try expectRefused(chain, [0, 1, 2, 2], at: 3, .patchMismatch)
    // The same bytes under another reserved field, and another length.
    var head = try chain.head(1)
    head.oldHeader.reserved = 1
    let rest = chain.patches[1][120...]
    try expectRefused(chain, [0, 1, 2], [1: Self.sealed(head, rest)], at: 1, .patchMismatch)
    head = try chain.head(1)
    head.oldByteCount += 1
    try expectRefused(chain, [0, 1, 2], [1: Self.sealed(head, rest)], at: 1, .patchMismatch)
  }

  private static func sealed(_ head: PatchHead, _ rest: ArraySlice<UInt8>) -> [UInt8] {
    let rest = head.oldHeader.bytes + head.newHeader.bytes + rest
    let byteCount = UInt64(PatchHead.prologueByteCount + rest.count)
    return head.prologue(byteCount: byteCount, restChecksum: Checksum.of(rest.rawSpan)) + rest
  }

  @Test func `a damaged patch in the middle is found before anything is made [U1] [U2]`() throws {
    let chain = try PatchChainBench(Self.files)
    for place in chain.patches[1].indices where place != 6 && place != 7 {
      var damaged = chain.patches[1]
      damaged[place] ^= 0x10
      try expectRefused(chain, [0, 1, 2], [1: damaged], at: 1, .corrupted)
    }
    for count in chain.patches[1].indices where count >= 120 {
      try expectRefused(chain, [0, 1, 2], [1: Array(chain.patches[1].prefix(count))], at: 1, .truncated)
    }
    try expectRefused(chain, [0, 1, 2], [1: Self.files[1]], at: 1, .corrupted, "it is a database")
  }

  @Test func `a file in the middle that is too long ends the whole before anything is made [U21]`() throws {
    let large = ReferenceFile(canonical: [Key("a"): [UInt8](repeating: 0, count: 5000).asBin]).bytes
    let chain = try PatchChainBench([Self.files[0], large, Self.files[2]])
    var options = FusePatch.Options()
    options.greatestByteCount = large.count - 1
    try expectRefused(
      chain, [0, 1], at: 0, .limitExceeded, "makes a file of \(large.count) bytes, and \(large.count - 1) are allowed",
      options: options)
    options.greatestByteCount = large.count
    #expect(try chain.apply(0..<2, options: options) == Self.files[2])
    // The usual limit is that of the old file and of all patches, however long the files in the middle are said to be.
    var head = try chain.head(0)
    let most = FusePatch.usualGreatestByteCount(
      oldByteCount: Self.files[0].count, patchByteCount: chain.patches[0].count)
    head.newByteCount = most
    var second = try chain.head(1)
    second.oldByteCount = most
    second.newByteCount = most + 64 * chain.patches[1].count + 1
    try expectRefused(
      chain, [0, 1],
      [0: Self.sealed(head, chain.patches[0][120...]), 1: Self.sealed(second, chain.patches[1][120...])],
      at: 1, .limitExceeded)
  }

  /// Of the patch from the second file to the third, which is right so: two records are copied, two keys stay, one is added,
  /// one stays, no block.
  @Test(arguments: [
    ("08 08 03 01 64 00 04 00", nil),
    ("", "the patch ends in its middle"),
    ("08 08 03 01 64 00 04 00 00", "the patch goes on after its end"),
    ("0c", "there are 3 records to copy, and 2 at most are possible"),
    ("04 07 04 07 04", "the new file has 2 records up to 60, and more follow"),
    ("13", "the cursor is to move to record 2"),
    ("05 02", "there are 2 bytes to keep, and 1 at most are possible"),
    ("05 01 00 00", "an edit changes nothing"),
    ("06 01 06 01 06 01", "there are 1 bytes of an object, and 0 at most are possible"),
    ("4a", "there are 18 bytes of an object, and 12 at most are possible"),
    ("32 00 00 00 00 00 00 00 00 00 00 00 00", "it makes 1 record, and the new file has 2"),
    ("08 10", "there are 4 keys to keep, and 3 at most are possible"),
    ("08 0d 02", "the old file has no more keys"),
    ("04 0e 02 03 04 08 03 01 64 00 04", "a key is to be kept whose object has gone"),
    ("08 06", "a key is to point at record -1, and the new file has 2"),
    ("08 12", "a key is to point at record 2, and the new file has 2"),
    ("08 08 03 01 63 00", "an added key is out of order"),
    ("08 08 03 01 66 00 04", "an added key is out of order"),
    ("08 08 03 01 66 00 06", "an added key is out of order"),
    ("08 08 03 01 64 00 03 01 64 01", "an added key is out of order"),
    ("08 03 40 " + String(repeating: "61 ", count: 64) + "00", "the keys do not fit into"),
    ("08 08 03 02 64 64 00 04 00", "the keys do not fit into"),
    ("08 08 03 00 00 04", "an added key is out of order"),
    ("08 08 03 01 64 00 04 05", "there is no such block"),
    ("08 08 03 01 64 00 04 03 40", "sections that this library does not know"),
    ("08 08 03 01 64 00 04 01 01 ff ff ff 01", "bytes of metadata, and 1048576 at most are possible"),
    ("08 04 03 01 62 00 06 03 01 62 01", "an added key is out of order"),
  ])
  func `a body in the middle that makes no sense is refused as one alone is [U9] [U10] [U12] [U13] [U14] [U22]`(
    hex: String, message: String?
  ) throws {
    let chain = try PatchChainBench(Self.files)
    let forged = try chain.bench.forged(from: Self.files[1], to: Self.files[2], body: [UInt8](hex: hex))
    guard let message else { return #expect(try chain.apply(0..<3, [1: forged]) == Self.files[3]) }
    try expectRefused(chain, [0, 1, 2], [1: forged], at: 1, .corrupted, message)
  }

  @Test func `nor does one whose file in the middle is said to be longer and has no block [U22]`() throws {
    let chain = try PatchChainBench(Self.files)
    var head = try chain.head(1)
    head.newByteCount += 1
    var next = try chain.head(2)
    next.oldByteCount += 1
    try expectRefused(
      chain, [0, 1, 2],
      [1: Self.sealed(head, chain.patches[1][120...]), 2: Self.sealed(next, chain.patches[2][120...])],
      at: 1, .corrupted, "and must have \(Self.files[2].count + 1)")
  }

  @Test func `the result is compared and verified, and the last patch is named [U16] [U18]`() throws {
    let chain = try PatchChainBench(Array(Self.files.prefix(3)))
    // Another object for record 0, in the file between: the last checksum shows it.
    let first = try chain.bench.body(of: chain.patches[0])
    let place = try #require(first.indices.last { first[$0] == 0x92 })
    var wrong = first
    wrong[place + 1] ^= 1
    let forged = try chain.bench.forged(from: Self.files[0], to: Self.files[1], body: wrong)
    try expectRefused(chain, [0, 1], [0: forged], at: 1, .corrupted, "and must have")
  }

  @Test func `and random bodies anywhere make the right file or none [U17]`() throws {
    var random = SeededRandom.announced()
    for _ in 0..<30 {
      var subject = PatchSubject(&random)
      var files = [subject.bytes]
      for _ in 0..<3 {
        subject = subject.changed(&random)
        files.append(subject.bytes)
      }
      let chain = try PatchChainBench(files)
      for _ in 0..<30 {
        let step = random.below(3)
        var body = try chain.bench.body(of: chain.patches[step])
        let place = random.below(body.count)
        switch random.below(4) {
        case 0: body[place] = random.element([0, 1, 2, 3, 4, 7, 0x7F, 0x80, 0xFF])
        case 1: body[place] ^= 1 << UInt8(random.below(8))
        case 2: body.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        default: if body.count > 1 { body.remove(at: place) }
        }
        let forged = try chain.bench.forged(from: files[step], to: files[step + 1], body: body)
        do {
          try #require(try chain.apply(0..<3, [step: forged]) == files[3], "\(body.hex)")
        } catch let error as FuseError {
          #expect(error.code == .corrupted, "\(body.hex): \(error)")
        }
      }
    }
  }
}
