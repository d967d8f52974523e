import FuseDB
import FuseDBSystem
import Glibc
import ProgramSupport
import Testing

@testable import FuseDBStore

@Suite struct RestoringTests {
  /// A store with a folder of many files, in folders of many and of few.
  private struct Sample {
    let scratch: ScratchStore
    let id: FuseStore.ObjectID
    var contents: [String: [UInt8]] = [:]
    /// In the order in which the list has them.
    var paths: [String] { contents.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    init(_ compression: FuseStore.Compression = .automatic) throws {
      let scratch = try ScratchStore(.init(compression: compression))
      let root = scratch.folder + "/in"
      var made: [String: [UInt8]] = [:]
      unsafe mkdir(root, 0o755)
      func add(_ folder: String, _ count: Int, _ bytes: (Int) -> [UInt8]) {
        for (place, byte) in folder.utf8.enumerated() where byte == 47 {
          unsafe mkdir(root + "/" + String(folder.utf8.prefix(place))!, 0o755)
        }
        for number in 0..<count {
          made["\(folder)\(number)"] = bytes(number)
          scratch.write(made["\(folder)\(number)"]!, to: "\(root)/\(folder)\(number)")
        }
      }
      add("", 3) { noise(500 + $0, seed: UInt64($0)) }
      add("a/", 300) { prose(900 + $0, seed: UInt64($0)) }
      add("b/c/d/", 2500) { Array("\($0)".utf8) }
      for folder in 0..<200 { add("few/\(folder)/", 2) { prose(600, seed: UInt64(1000 + 2 * folder + $0)) } }
      add("large/", 4) { noise(1_500_000, seed: UInt64(50 + $0)) }
      add("none/", 2) { _ in [] }
      unsafe chmod(root + "/a/7", 0o750)
      let writer = try StoreWriter(scratch.store)
      id = try writer.putFolder(path: root, named: "f").id
      try writer.commit()
      (self.scratch, contents) = (scratch, made)
    }

    /// The files that are in a folder, all of them whole.
    func written(_ folder: String) -> [String] {
      paths.filter { path in
        guard let bytes = Scratch.bytes(of: "\(folder)/\(path)") else { return false }
        #expect(bytes == contents[path], "\(path)")
        return true
      }
    }

    /// Flips a byte of a file's only copy, or of its first chunk's.
    func damage(_ path: String) throws {
      var id = try FuseStore.id(of: contents[path]!)
      if let first = try scratch.store.chunks(of: id)?.first { id = first.id }
      let pack = try #require(scratch.store.view.packs.first)
      let entry = try #require(try pack.entry(of: id))
      var bytes = scratch.files[PackView.packName(pack.name)]!
      bytes[entry.payload.lowerBound + 10] ^= 1
      scratch.overwrite(PackView.packName(pack.name), with: bytes)
    }
  }

  @Test func `a folder comes back the same by one thread and by several, and its permissions, too`() throws {
    let sample = try Sample()
    for threadCount in [1, 2, 7] {
      let place = sample.scratch.folder + "/out\(threadCount)"
      let count = try sample.scratch.again().writeFolder(sample.id, to: place, threadCount: threadCount)
      #expect(count == sample.contents.count)
      #expect(sample.written(place) == sample.paths)
      #expect(FileStatus(at: "\(place)/a/7")?.mode == 0o750)
      #expect(FileStatus(at: "\(place)/a/8")?.mode == FileStatus(at: "\(place)/a/9")?.mode)
    }
    let below = sample.scratch.folder + "/below"
    #expect(try sample.scratch.store.writeFolder(sample.id, to: below, below: "b/c", threadCount: 2) == 2500)
    #expect(Scratch.bytes(of: below + "/d/2499") == sample.contents["b/c/d/2499"])
  }

  @Test(arguments: [1, 2, 5])
  func `of several files that are damaged the first is named; those before it are there, and none in part`(
    threadCount: Int
  ) throws {
    let sample = try Sample(.none)
    let damaged = ["a/150", "few/117/1", "large/2"]
    for path in damaged { try sample.damage(path) }
    let id = try FuseStore.id(of: sample.contents["a/150"]!)
    let place = sample.scratch.folder + "/out"
    let store = try sample.scratch.again()
    do throws(FuseError) {
      try store.writeFolder(sample.id, to: place, threadCount: threadCount)
      Issue.record("nothing was found")
    } catch {
      #expect(error.code == .corrupted && error.message.contains(id.description), "\(error)")
    }
    let written = sample.written(place)
    #expect(damaged.allSatisfy { !written.contains($0) && FileStatus(at: "\(place)/\($0)") == nil })
    let before = sample.paths.prefix { $0 != "a/150" }
    #expect(Array(written.prefix(before.count)) == Array(before))
  }

  @Test(arguments: [1, 2])
  func `what is there already stays as it is, and is named`(threadCount: Int) throws {
    let sample = try Sample()
    let place = sample.scratch.folder + "/out"
    for folder in ["", "/b", "/b/c", "/b/c/d"] { unsafe mkdir(place + folder, 0o755) }
    sample.scratch.write([1, 2, 3], to: place + "/b/c/d/77")
    do throws(FuseError) {
      try sample.scratch.store.writeFolder(sample.id, to: place, threadCount: threadCount)
      Issue.record("it was replaced")
    } catch {
      #expect(error.code == .inputOutput && error.path == place + "/b/c/d/77" && error.errno == EEXIST, "\(error)")
    }
    #expect(Scratch.bytes(of: place + "/b/c/d/77") == [1, 2, 3])
  }

  @Test func `a place where nothing can be made is an error that names it`() throws {
    let sample = try Sample()
    sample.scratch.write([1], to: sample.scratch.folder + "/file")
    unsafe mkdir(sample.scratch.folder + "/half", 0o755)
    sample.scratch.write([1], to: sample.scratch.folder + "/half/few")
    // Nobody makes files in /sys, root included.
    for (place, named) in [
      ("/sys/kernel", "/sys/kernel/0"), (sample.scratch.folder + "/file", sample.scratch.folder + "/file"),
      (sample.scratch.folder + "/half", sample.scratch.folder + "/half/few"),
    ] {
      do throws(FuseError) {
        try sample.scratch.store.writeFolder(sample.id, to: place, threadCount: 2)
        Issue.record("\(place) was written")
      } catch { #expect(error.code == .inputOutput && error.path?.hasPrefix(named) == true, "\(error)") }
    }
    #expect(Scratch.bytes(of: sample.scratch.folder + "/file") == [1])
  }

  @Test(arguments: [1, 2, 4])
  func `progress comes by the thread that called, never goes back, and ends with all of them`(threadCount: Int) throws {
    let sample = try Sample()
    let own = ThreadIdentity()
    var last = 0
    try sample.scratch.store.writeFolder(
      sample.id, to: sample.scratch.folder + "/out", threadCount: threadCount,
      progress: { done, whole in
        #expect(own.isOwn && done >= last && done <= whole && whole == sample.contents.count)
        last = done
      })
    #expect(last == sample.contents.count)
  }

  @Test(arguments: [1, 3])
  func `a call that is ended leaves whole files alone, and not all of them`(threadCount: Int) throws {
    let sample = try Sample()
    let call = EndableCall()
    let place = sample.scratch.folder + "/out"
    // With several threads, the others may be done when this one says how far it is.
    if threadCount > 1 { call.end() }
    do throws(FuseError) {
      _ = try call.run { () throws(FuseError) in
        try sample.scratch.store.writeFolder(
          sample.id, to: place, threadCount: threadCount, progress: { _, _ in call.end() })
      }
      Issue.record("it went on")
    } catch { #expect(error.code == .cancelled) }
    let count = sample.written(place).count
    #expect(threadCount > 1 ? count == 0 : count > 0 && count < sample.contents.count)
  }

  @Test func `a prefix that ends inside of a name never leads out of the folder`() throws {
    let scratch = try ScratchStore()
    let writer = try StoreWriter(scratch.store)
    let file = try writer.put(Array("x".utf8))
    let tree = StoreTree([.init(id: file.id, byteCount: 1, mode: 0o644, path: Array("a../b".utf8))])
    let list = try writer.put(tree.bytes)
    try writer.commit()
    #expect(throws: FuseError.self) {
      try scratch.store.writeFolder(list.id, to: scratch.folder + "/out", below: "a")
    }
    #expect(Scratch.bytes(of: scratch.folder + "/b") == nil)
    #expect(try scratch.store.writeFolder(list.id, to: scratch.folder + "/out", below: "a..") == 1)
    #expect(Scratch.bytes(of: scratch.folder + "/out/b") == Array("x".utf8))
  }
}
