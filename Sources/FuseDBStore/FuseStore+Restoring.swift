public import FuseDBFormat
internal import FuseDBSystem
internal import Synchronization

extension FuseStore {
  /// Writes the files of a folder that was put under a name, into a folder that has none of them. They are whole when this returns, and last as
  /// what is copied does: the disk has them when the system writes them.
  ///
  /// Where it throws, the files before the one that failed are there, and some after it may be, each of them whole. A process that is killed may
  /// leave the beginning of a file for each thread.
  ///
  /// - Parameters:
  ///   - prefix: only files whose paths begin so, without it.
  ///   - threadCount: how many threads write at most, one or more; nil for as many as there are processors.
  ///   - progress: called now and then, by the thread that calls, with how many files there are by now, and how many there will be.
  /// - Throws: ``FuseError`` with code `inputOutput` where a file is there already, `corrupted` where one can't be read; that one is not there. Where
  ///   several fail, it is the error of the first, in the order of their paths.
  @discardableResult
  public func writeFolder(
    _ folder: ObjectID, to path: String, below prefix: String = "", threadCount: Int? = nil,
    progress: ((Int, Int) -> Void)? = nil
  ) throws(FuseError) -> Int {
    let restoring = try Restoring(self, try tree(folder).files, below: prefix, to: path)
    try FolderFiles.make(path)
    let (parts, count) = (restoring.parts, restoring.files.count)
    let failures = Parallel.map(
      parts.count, threadCount: threadCount ?? Parallel.processorCount,
      onProgress: { _ in progress?(restoring.doneCount, count) }
    ) { number -> FuseError? in
      do throws(FuseError) { try restoring.write(parts[number], number) } catch { return error }
      return nil
    }
    for case let failure? in failures { throw failure }
    if count > 0 { progress?(count, count) }
    return count
  }
}

/// The files of a folder that are being written, by several threads: each takes the next part of them.
private final class Restoring: Sendable {
  private let store: FuseStore
  let files: [StoreTree.File]
  private let path: String
  private let prefixCount: Int
  private let done = Atomic(0)
  /// The first part in which a file could not be written. Those before it are written to their end, so that it is the first indeed.
  private let failed = Atomic(Int.max)

  init(_ store: FuseStore, _ files: [StoreTree.File], below prefix: String, to path: String) throws(FuseError) {
    let prefix = prefix.pathBytes
    (self.store, self.path, prefixCount) = (store, path, prefix.count)
    self.files = prefix.isEmpty ? files : files.filter { $0.path.starts(with: prefix) }
    // A prefix that ends inside of a name leaves a part of that.
    guard !prefix.isEmpty, prefix.last != Self.slash else { return }
    for file in self.files {
      let rest = file.path[prefix.count...]
      guard StoreTree.staysInside(rest.first == Self.slash ? rest.dropFirst() : rest) else {
        throw FuseError(
          .refused, "the file '\(String(path: file.path))' can't be written without the beginning of its path",
          path: store.path)
      }
    }
  }

  var doneCount: Int { done.load(ordering: .relaxed) }

  /// A part ends with a folder where it has so many files: two threads that make files in one folder wait for each other.
  private static let leastFiles = 128
  private static let mostFiles = 2048
  private static let mostByteCount = 4 << 20

  /// Files that follow each other, for those share frames.
  var parts: [Range<Int>] {
    var parts: [Range<Int>] = []
    var (start, byteCount) = (0, 0)
    for place in files.indices {
      let count = place - start
      if count == Self.mostFiles || byteCount >= Self.mostByteCount
        || count >= Self.leastFiles && folder(of: files[place]) != folder(of: files[place - 1])
      {
        parts.append(start..<place)
        (start, byteCount) = (place, 0)
      }
      // What a list says that was damaged before it was put, too.
      byteCount += min(files[place].byteCount, Self.mostByteCount)
    }
    return start < files.count ? parts + [start..<files.count] : parts
  }

  private static let slash = UInt8(ascii: "/")

  /// The path of a file's folder below the one that is written; empty for this one.
  private func folder(of file: StoreTree.File) -> ArraySlice<UInt8> {
    let path = file.path[prefixCount...]
    return path[..<(path.lastIndex(of: Self.slash) ?? prefixCount)]
  }

  func write(_ part: Range<Int>, _ number: Int) throws(FuseError) {
    do throws(FuseError) { try writeFiles(part, number) } catch {
      failed.min(number, ordering: .relaxed)
      throw error
    }
  }

  private func writeFiles(_ part: Range<Int>, _ number: Int) throws(FuseError) {
    let tools = try StoreTools.take()
    defer { tools.giveBack() }
    var open: (folder: OutputFolder, below: ArraySlice<UInt8>)?
    for place in part {
      guard failed.load(ordering: .relaxed) >= number else { return }
      try Cancellation.check()
      let file = files[place]
      let below = folder(of: file)
      if open?.below != below {
        open = nil
        open = (try OutputFolder(below.isEmpty ? path : path + "/" + String(path: Array(below))), below)
      }
      var name = file.path[below.endIndex...]
      if name.first == Self.slash { name.removeFirst() }
      try write(file, Array(name), open!.folder, tools)
      done.add(1, ordering: .relaxed)
    }
  }

  private func write(
    _ file: StoreTree.File, _ name: [UInt8], _ folder: OutputFolder, _ tools: StoreTools
  ) throws(FuseError) {
    let output = try folder.create(name)
    do throws(FuseError) {
      guard let found = try store.find(file.id, tools) else {
        throw FuseError(
          .corrupted, "the object \(file.id) of '\(String(path: file.path))' is missing", path: store.path)
      }
      var offset = 0
      try store.hand(found, file.id, tools, nil) { piece throws(FuseError) in
        try output.write(piece, at: offset)
        offset += piece.byteCount
      }
      if file.mode & 0o111 != 0 { try output.setMode(file.mode & 0o777) }
    } catch {
      output.remove()
      throw error
    }
  }
}
