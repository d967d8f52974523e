// Keeping files by their content.
let place = folder + "/storing-"
let hello = Array("hello".utf8)
// What `printf hello | sha256sum` prints.
let id = FuseStore.ObjectID("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")!
let absent = FuseStore.ObjectID(String(repeating: "f", count: 64))!
expect(id.bytes.count == FuseStore.ObjectID.byteCount && id.description.hasPrefix("2cf24dba") && id < absent)
expect(id != absent && Set([id, id]).count == 1 && FuseStore.ObjectID("2cf2") == nil)

var configuration = FuseStore.Configuration(compression: .zlib(level: 6))
configuration.packByteCount = 1 << 20
let store = try FuseStore.create(path: place + "store", configuration: configuration)
expect(try FuseStore(path: place + "store").configuration == configuration && store.path == place + "store")
let stored = try store.put(hello)
expect(stored.id == id && stored.isNew && stored.byteCount == 5)
expect(try !store.put(hello, to: .loose).isNew)
write("hello", to: place + "hello.txt")
var sum = 0
let fixed = StoreWriter.PutOptions(chunking: .fixed(4096), compression: FuseStore.Compression.none)
expect(try store.put(path: place + "hello.txt", fixed, progress: { sum += $0 }).id == id && sum == 5)

// Many with one commit.
let large: [UInt8] = (0..<200_000).map { UInt8(truncatingIfNeeded: ($0 &* $0) >> 7) }
let writer = try StoreWriter(store)
expect(writer.store === store && writer.threadCount >= 1)
writer.threadCount = 2
let first = try writer.put(large, StoreWriter.PutOptions(name: "large"))
expect(first.isNew && first.byteCount == large.count)
expect(try writer.put(large.span.bytes).newByteCount == 0)
expect(try writer.put(path: place + "hello.txt") { expect($0 == 5) }.id == id)
var pieces = [hello, large, hello]
let piecemeal = try writer.put(progress: { expect($0 > 0) }, from: { pieces.popLast() })
expect(piecemeal.isNew && piecemeal.byteCount == large.count + 10)
makeFolder(place + "site")
makeFolder(place + "site/css")
write("index", to: place + "site/index.html")
write("style", to: place + "site/css/main.css")
var paths: [String] = []
let site = try writer.putFolder(path: place + "site", named: "site", progress: { paths.append($0) })
expect(paths == [place + "site/css/main.css", place + "site/index.html"] && site.byteCount == 10)
try writer.setName("greeting", to: id)
try writer.removeName("none")
try writer.commit()

// All of it, as another process would find it.
let reader = try FuseStore(path: place + "store")
expect(try reader.names() == ["greeting", "large", "site"] && reader.id(named: "greeting") == id)
expect(try reader.id(named: "none") == nil && reader.entry(named: "site")!.isFolder)
expect(try reader.contains(id) && reader.contains([first.id, absent]) == [true, false])
expect(try reader.byteCount(of: first.id) == large.count && reader.byteCount(of: absent) == nil)
expect(try reader.bytes(of: id) == hello && reader.bytes(of: first.id) == large && reader.bytes(of: absent) == nil)
expect(try reader.withBytes(of: id) { $0.withUnsafeBytes { $0.elementsEqual(hello) } } == true)
do {
  _ = try reader.withBytes(of: first.id) { _ in throw Own(text: "seen") }
  expect(false)
} catch { expect(error as? Own == Own(text: "seen")) }
expect(try reader.read(of: first.id, range: 70_000..<70_010) == Array(large[70_000..<70_010]))
sum = 0
let isThere = try reader.read(of: piecemeal.id, progress: { expect($0 <= $1) }) { piece in sum += piece.byteCount }
expect(isThere && sum == piecemeal.byteCount)
do throws(FuseError) {
  try reader.read(of: id) { (_: RawSpan) throws(FuseError) in throw FuseError(.refused, "no") }
  expect(false)
} catch { expect(error.message == "no") }
expect(try reader.write(of: first.id, to: place + "large", progress: { expect($0 <= $1) }))
expect(try !reader.write(of: absent, to: place + "absent"))
expect(try reader.files(of: site.id).map(\.path) == ["css/main.css", "index.html"])
expect(
  try reader.writeFolder(site.id, to: place + "css", below: "css/", threadCount: 2, progress: { expect($0 <= $1) }) == 1
)
expect(try reader.put(path: place + "css/main.css").newByteCount == 0)
let chunks = try reader.chunks(of: first.id)!
expect(chunks.count > 2 && chunks.reduce(0) { $0 + $1.byteCount } == large.count)
var kept: [FuseStore.ObjectID] = []
try reader.forEachKept { kept.append($0) }
expect(kept.contains(id) && kept.contains(piecemeal.id) && !kept.contains(site.id))
let counts = try reader.statistics()
expect(counts.nameCount == 3 && counts.keptCount == kept.count && counts.savings < 1 && counts.physicalByteCount > 0)

// What nothing needs goes.
expect(try store.put(Array("loose".utf8), to: .loose).isNew)
expect(try store.packLoose { expect($0 <= 1) } > 0)
try store.setName("copy", to: piecemeal.id)
expect(try store.removeName("large") && !store.removeName("large"))
expect(try store.remove(piecemeal.id) && store.remove([first.id, absent]) == [true, false])
expect(try store.removeName("copy"))
let collection = try store.collect(FuseStore.CollectOptions(mostSmallPacks: 2)) { expect($0 <= 1) }
expect(collection.liveCount > 0 && collection.removedCount > 0)
expect(try !store.contains(piecemeal.id) && !store.contains(first.id) && store.contains(id))
expect(try store.verify(.structure).isSound && store.verify { expect($0 <= 1) }.flaws.isEmpty)
expect(try store.repair { expect($0 <= 1) }.rebuiltCount == 0)

// Versions of a name, and what needs what.
write("one", to: place + "version.txt")
expect(try store.put(path: place + "version.txt", StoreWriter.PutOptions(name: "v", keepsVersions: true)).isNew)
write("two", to: place + "version.txt")
expect(try store.put(path: place + "version.txt", StoreWriter.PutOptions(name: "v")).isNew)
let versions = try store.versions(named: "v")!
expect(versions.map(\.number) == [1, 2] && versions[0].byteCount == 3)
expect(try store.id(named: "v") == versions[1].id)
expect(try !store.removeVersion(7, of: "v"))
expect(try store.versions(named: "greeting") == nil && FuseStore.id(of: hello) == id)
expect(try store.bytes(of: [id, absent, versions[0].id]) == [hello, nil, Array("one".utf8)])
var references: [FuseStore.Reference] = []
try store.forEachReference { references.append($0) }
expect(references.contains { $0.id == id && $0.byteCount == 5 && $0.count >= 1 })
expect(try store.deepen { expect($0 <= 1) }.chunkCount == 0)

// A store in memory.
let memory = MemoryBackend()
let other = try FuseStore.create(memory, configuration: FuseStore.Configuration(chunking: .lookupFile))
let copied = try store.copy(to: other) { expect($0 > 0) }
expect(try copied.count > 0 && FuseStore(memory).bytes(of: id) == hello && other.names() == ["greeting", "site", "v"])
do throws(FuseError) {
  _ = try FuseStore.create(memory)
  expect(false)
} catch { expect(error.code == .refused) }

// In tasks.
let path = place + "hello.txt"
runToEnd {
  expect(try await !store.putInBackground(hello).isNew)
  expect(try await store.putInBackground(path: path).id == id)
  expect(try await store.bytesInBackground(of: id) == hello)
  expect(try await store.writeInBackground(of: id, to: path))
  expect(try await store.collectInBackground().liveCount > 0)
  expect(try await store.verifyInBackground().isSound)
  expect(try await store.readInBackground(of: id, range: 1..<3) == Array("el".utf8))
  expect(try await store.bytesInBackground(of: [id, absent]) == [hello, nil])
  expect(try await store.containsInBackground([absent]) == [false])
  expect(try await store.removeInBackground([absent]) == [false])
  expect(try await store.putInBackground([hello]).map(\.id) == [id])
  expect(try await store.putFolderInBackground(path: place + "site", named: "site").byteCount > 0)
  expect(try await store.writeFolderInBackground(store.id(named: "site")!, to: place + "again") > 0)
  expect(try await store.packLooseInBackground() >= 0)
  expect(try await store.deepenInBackground().chunkCount == 0)
  expect(try await store.repairInBackground().lost.isEmpty)
  expect(try await store.copyInBackground(to: other).count > 0)
  expect(try await store.statisticsInBackground().nameCount > 0)
}

// What a store asks of the place where its files are.
let index = FuseWriter()
try index.add(["8.8.8.8"], Org(name: "Google LLC", asn: 15169))
let files = FolderBackend(path: place + "files")
try files.make(["packs", "tmp"])
expect(try files.write(hello, to: "packs/a", replacing: false) && !files.write([], to: "packs/a", replacing: false))
expect(try files.file("packs/a")?.byteCount == 5 && files.file("packs/none") == nil && files.names(in: "none") == [])
let growing = try files.begin("tmp/b")
try growing.stream(hello.span.bytes, at: 0)
try growing.write(hello.span.bytes, at: 2)
expect(try growing.bytes(at: 3, count: 9) == Array("ello".utf8) && files.isLocked("tmp/b") && !files.sweep("tmp/b"))
try growing.makeDurable()
try files.rename("tmp/b", to: "packs/b")
try files.build(index, as: "packs/c")
expect(try files.reader("packs/c")?.keyCount == 1 && files.names(in: "packs") == ["a", "b", "c"])
try files.remove("packs/a")
let lock = try files.lock("tmp/lock", waiting: true)
let second = try files.lock("tmp/lock", waiting: false)
expect(lock != nil && second == nil && files.path == place + "files")
withExtendedLifetime((growing, lock)) {}

let inMemory = MemoryBackend()
try inMemory.make(["packs", "tmp"])
expect(try inMemory.write(hello, to: "packs/a", replacing: false))
expect(try !inMemory.write([], to: "packs/a", replacing: false))
expect(try inMemory.file("packs/a")?.byteCount == 5 && inMemory.file("packs/none") == nil)
let growingInMemory = try inMemory.begin("tmp/b")
try growingInMemory.stream(hello.span.bytes, at: 0)
try growingInMemory.write(hello.span.bytes, at: 2)
expect(try growingInMemory.bytes(at: 3, count: 9) == Array("ello".utf8))
expect(try inMemory.isLocked("tmp/b") && !inMemory.sweep("tmp/b"))
try inMemory.rename("tmp/b", to: "packs/b")
try inMemory.build(index, as: "packs/c")
expect(try inMemory.reader("packs/c")?.keyCount == 1 && inMemory.names(in: "packs") == ["a", "b", "c"])
try inMemory.remove("packs/a")
let lockInMemory = try inMemory.lock("tmp/lock", waiting: true)
let secondInMemory = try inMemory.lock("tmp/lock", waiting: false)
expect(lockInMemory != nil && secondInMemory == nil && StoreFile(bytes: hello).bytes.byteCount == 5)
withExtendedLifetime((growingInMemory, lockInMemory)) {}
