import Glibc
import Synchronization
import Testing

import FuseDB

struct `What must not take a file's place` {
  @Test(arguments: UnfitFile.all, ServingBench.Kind.allCases)
  func `is refused once, with its reason, and the next good file is taken`(
    unfit: UnfitFile, kind: ServingBench.Kind
  ) throws {
    let bench = try ServingBench(kind) { $0.rules.check = unfit.check }
    let store = bench.store
    try bench.clear()
    try unfit.put(bench)
    let error = try #require(failure { try store.reloadIfChanged() })
    #expect(unfit.codes.contains(error.code), "\(error)")
    #expect(error.description.contains(unfit.says), "\(error)")
    #expect(error.path == bench.path)
    // The same file is no news, however often one looks.
    for _ in 0..<3 { #expect(try !store.reloadIfChanged()) }
    #expect(store.counters.refusalCount == 1)
    #expect(store.counters.lastError == error)
    // Who insists is told again.
    #expect(failure { try store.reload() } == error)
    #expect(store.counters.refusalCount == 2)
    #expect(try !store.reloadIfChanged())
    #expect(try bench.said == [1])
    #expect((store.generation, store.counters.generation, store.counters.reloadCount) == (1, 1, 0))

    unsafe rmdir(bench.path)
    unsafe unlink(bench.path)
    unsafe unlink(bench.folder.path("served"))
    unsafe mkdir(bench.folder.path("served"), 0o755)
    try bench.put(ServingBench.file(3))
    #expect(try store.reloadIfChanged())
    #expect(try bench.said == [3])
    #expect((store.generation, store.counters.reloadCount) == (2, 1))
    #expect((store.counters.refusalCount, store.counters.lastError) == (2, error))
  }

  @Test(arguments: UnfitFile.all.filter { $0.check != nil })
  func `is not found by less of a check, and then it is an error of look-ups or an answer lost`(unfit: UnfitFile) throws
  {
    let bench = try ServingBench { $0.rules.check = unfit.check == .full ? .checksums : nil }
    try unfit.put(bench)
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.store.verify().damage.isEmpty == false)
  }

  @Test(arguments: Fixtures.badNames, [nil, .checksums, .full] as [VerificationLevel?])
  func `is any damaged file, as far as its check looks`(name: String, check: VerificationLevel?) throws {
    let expected = try #require(try Fixtures.bad()[name])
    let bench = try ServingBench {
      $0.rules.check = check
      $0.rules.allowsEmpty = true
    }
    let path = Fixtures.path(bad: name)
    let isRefused =
      switch check {
      case nil: expected.open == "refused"
      case .checksums: try expected.open == "refused" || !FuseReader.verify(path: path, level: .checksums).isSound
      case .full: true
      }
    let error = failure { try bench.store.swap(to: path) }
    #expect((error != nil) == isRefused, "\(expected.wrong)")
    if let error, expected.open == "refused" { #expect(error.code.rawValue == expected.code) }
    #expect(error == nil || error?.path == path)
    if isRefused { #expect(try bench.said == [1]) }
  }

  @Test func `is reported again once something else was there between`() throws {
    let bench = try ServingBench()
    for _ in 0..<3 {
      try bench.put([7])
      #expect(failure { try bench.store.reloadIfChanged() }?.code == .truncated)
      try bench.clear()
      #expect(failure { try bench.store.reloadIfChanged() }?.code == .notFound)
      #expect(try !bench.store.reloadIfChanged())
    }
    #expect(bench.store.counters.refusalCount == 6)
  }

  @Test func `is not what the system failed to look at, which is tried again without a word`() throws {
    let failures = Mutex(0)
    let bench = try ServingBench { options in
      options.rules.accept = { new, _ in
        guard new.generation > 1,
          failures.withLock({
            $0 += 1; return $0
          }) <= 3
        else { return }
        throw FuseError(.inputOutput, "no memory", errno: ENOMEM)
      }
    }
    try bench.put(ServingBench.file(2))
    // So long that nobody doubts the file itself.
    usleep(150_000)
    #expect(failure { try bench.store.reloadIfChanged() }?.errno == ENOMEM)
    for _ in 0..<2 { #expect(try !bench.store.reloadIfChanged()) }
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.said == [2])
    #expect(bench.store.counters.refusalCount == 1)
  }

  @Test func `makes no first file either`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(ServingBench.file(1).flipping(bit: 8 * 48))
    #expect(failure { _ = try ReloadableReader(path: path) }?.code == .corrupted)
    #expect(failure { _ = try FusePool(path: path, size: 2) }?.path == path)
    #expect(failure { _ = try ReloadableReader(path: folder.path("none")) }?.code == .notFound)
    var options = ServingOptions()
    options.rules.leastKeyCount = 41
    try folder.write(ServingBench.file(1))
    #expect(failure { _ = try ReloadableReader(path: path, options: options) }?.code == .refused)
  }
}

struct `A file that somebody writes to` {
  enum Act: Sendable, CaseIterable { case overwrite, append, cut }

  @Test(arguments: Act.allCases, [FuseAccess.Memory.mapped, .copied])
  func `while it is checked is refused, and looked at again`(act: Act, memory: FuseAccess.Memory) throws {
    let actions = Mutex(0)
    let file = ServingBench.file(2)
    let bench = try ServingBench { options in
      options.access = FuseAccess(memory: memory)
      options.rules.accept = { new, _ in
        guard new.generation > 1,
          actions.withLock({
            $0 += 1; return $0
          }) == 1
        else { return }
        switch act {
        case .overwrite: overwrite(new.path, [file[50]], at: 50)
        case .append: overwrite(new.path, [0], at: file.count)
        case .cut: `A file that is truncated while it is open`.cut(new.path, to: file.count - 1)
        }
      }
    }
    try bench.put(file)
    makeOld(bench.path)
    let error = failure { try bench.store.reloadIfChanged() }
    #expect(error?.code == .refused)
    #expect(error?.message.contains("changed while it was checked") == true, "\(error?.message ?? "")")
    #expect(try bench.said == [1])
    if act == .overwrite {
      #expect(try bench.store.reloadIfChanged())
      #expect(try bench.said == [2])
    } else {
      #expect(failure { try bench.store.reloadIfChanged() } != nil)
      #expect(try !bench.store.reloadIfChanged())
    }
  }

  @Test func `may get other names and rights while it is checked, or lose its own`() throws {
    let bench = try ServingBench { options in
      options.rules.accept = { new, _ in
        guard new.generation > 1 else { return }
        unsafe chmod(new.path, 0o600)
        unsafe link(new.path, new.path + ".other")
        unsafe unlink(new.path)
      }
    }
    try bench.put(ServingBench.file(2))
    #expect(try bench.store.reloadIfChanged())
    #expect(try bench.said == [2])
    #expect(failure { try bench.store.reloadIfChanged() }?.code == .notFound)
  }

  @Test func `until just after it was refused is taken, even when it looks the same`() throws {
    let bench = try ServingBench()
    var takenCount = 0
    // The library doubts a look for a tenth of a second; a busy machine may take longer, and then the test tries again.
    for number in UInt8(2)..<60 where takenCount == 0 {
      let file = ServingBench.file(number, layout: .plain)
      let half = file.count / 2
      try bench.put(file.prefix(half) + [UInt8](repeating: 0, count: file.count - half))
      // Of all stores into a page, the system marks the time of the first. Others like it are those within one tick of
      // its clock, where that is coarse.
      let page = try SharedPage(of: bench.path)
      page.store(file[0], at: 0)
      let before = FileIdentity(path: bench.path)
      #expect(failure { try bench.store.reloadIfChanged() } != nil)
      for offset in half..<file.count { page.store(file[offset], at: offset) }
      #expect(FileIdentity(path: bench.path) == before)
      guard try bench.store.reloadIfChanged() else { continue }
      takenCount += 1
      #expect(try bench.said == [Int(number)])
    }
    #expect(takenCount == 1)
  }
}

/// The first page of a file, mapped for writing.
@safe
private final class SharedPage {
  // SAFETY: mapped in init, unmapped in deinit.
  private let start: UnsafeMutableRawPointer

  init(of path: String) throws {
    let descriptor = unsafe open(path, O_RDWR)
    let mapped = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    close(descriptor)
    unsafe start = try #require(mapped == MAP_FAILED ? nil : mapped)
  }

  deinit { unsafe munmap(start, 4096) }

  func store(_ byte: UInt8, at offset: Int) {
    precondition((0..<4096).contains(offset))
    unsafe start.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
  }
}
