internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

/// A cache of UniCache: `blocks.bin`, blocks one after the other, and `index.json`, a list of two objects: where each block is by its BLAKE3,
/// and of which blocks each file is.
///
/// Nothing here makes BLAKE3, so what blocks hold is not compared; that they are where the index says, and that files have the lengths that
/// it says, is.
struct UniCacheSource {
  static let indexName = "index.json"
  static let blocksName = "blocks.bin"
  private let path: String
  private let blocks: InputDescriptor
  private let byteCount: Int

  init(_ path: String) throws(FuseError) {
    self.path = path
    do throws(FuseError) { blocks = try FilePieces.open("\(path)/\(Self.blocksName)") } catch {
      throw FuseError(error.code, "this is no cache of UniCache: it has no file 'blocks.bin'", path: path)
    }
    byteCount = Int(try blocks.stamp().byteCount)
  }

  private var index: String { "\(path)/\(Self.indexName)" }

  func read(_ job: ImportJob) throws(FuseError) {
    job.report.unchecked =
      "UniCache calls blocks by their BLAKE3, which was not compared: lengths were, and where blocks are"
    var table: BlockTable?
    try job.attempt("the list of blocks") { () throws(FuseError) in
      let json = try JSONPull(path: index)
      try json.enterList()
      guard try json.hasNext() else { throw json.fault("the list of blocks is missing") }
      table = try blockTable(json)
    }
    guard let table else { return }
    // The file is read again: its second half names blocks of the first, and either may be larger than memory.
    let json = try JSONPull(path: index)
    try json.enterList()
    guard try json.hasNext() else { return }
    try json.skip()
    do throws(FuseError) {
      guard try json.hasNext() else { throw json.fault("the list of files is missing") }
      try json.enterObject()
    } catch { return try job.tell("the list of files", error) }
    while true {
      let id: String
      do throws(FuseError) {
        guard let key = try json.nextKey() else { break }
        id = key
        try json.enterObject()
      } catch { return try job.tell("the list of files", error) }
      job.progress(nil, id)
      guard try read(id, json, table, job) else { return }
    }
    try job.attempt("the list of files") { () throws(FuseError) in
      guard try !json.hasNext() else { throw json.fault("something follows the list of files") }
      try json.end()
    }
  }

  private func blockTable(_ json: JSONPull) throws(FuseError) -> BlockTable {
    let maker = BlockTable.Maker()
    try json.enterObject()
    while let digits = try json.nextKey() {
      guard let hash = FuseStore.ObjectID(digits) else {
        throw json.fault("'\(EscapedText.harmless(digits))' is no BLAKE3")
      }
      var (offset, size): (Int?, Int?) = (nil, nil)
      try json.enterObject()
      while let key = try json.nextKey() {
        switch key {
        case "offset": offset = try json.count()
        case "size": size = try json.count()
        default: try json.skip()
        }
      }
      guard let offset, let size else { throw json.fault("a block lacks its offset or its size") }
      try maker.add(BlockTable.Block(hash: hash, offset: offset, byteCount: size))
    }
    return try maker.finish()
  }

  /// Reads one file. Returns false where the index can't be read on.
  private func read(_ id: String, _ json: JSONPull, _ table: BlockTable, _ job: ImportJob) throws(FuseError) -> Bool {
    let takesName = try job.takes(id)
    let file = UniCacheFile(json, table, blocks, byteCount, "\(path)/\(Self.blocksName)")
    let stored = try job.put(id, isKept: !takesName) { () throws(FuseError) in try file.next() }
    guard let stored else {
      // To the end of what the file is, so that the next one can be read.
      do throws(FuseError) { try file.skipRest() } catch {
        try job.tell("the list of files", error)
        return false
      }
      return true
    }
    guard takesName else { return true }
    try job.name(id, stored)
    // The file's own name too, unless it is that of something else.
    if let name = file.name, name != id, !name.isEmpty, try job.takes(name) {
      if try job.id(named: name) == nil { try job.name(name, stored) }
    }
    return true
  }
}

/// One file of the index, whose blocks come as they are read.
private final class UniCacheFile {
  private enum State {
    case start
    case blocks
    case done
  }

  private let json: JSONPull
  private let table: BlockTable
  private let blocks: InputDescriptor
  private let byteCount: Int
  private let path: String
  private var state = State.start
  private var pieces: FilePieces?
  private var done = 0
  private var size: Int?
  private(set) var name: String?

  init(_ json: JSONPull, _ table: BlockTable, _ blocks: InputDescriptor, _ byteCount: Int, _ path: String) {
    (self.json, self.table, self.blocks, self.byteCount, self.path) = (json, table, blocks, byteCount, path)
  }

  func next() throws(FuseError) -> [UInt8]? {
    while true {
      if let piece = try pieces?.next() {
        done += piece.count
        return piece
      }
      pieces = nil
      switch state {
      case .start: try readMembers()
      case .blocks:
        guard try json.hasNext() else {
          try readMembers()
          continue
        }
        let hash = try hash()
        guard let block = try table.block(hash) else {
          throw FuseError(.corrupted, "the index does not say where its block \(hash) is", path: path)
        }
        let (end, overflows) = block.offset.addingReportingOverflow(block.byteCount)
        guard !overflows, end <= byteCount else {
          throw FuseError(
            .corrupted, "the index has a block of \(counted(block.byteCount, "byte")) there; the file has \(byteCount)",
            offset: UInt64(block.offset), path: path)
        }
        pieces = FilePieces(blocks, block.offset..<end)
      case .done:
        guard size == done else {
          throw FuseError(
            .corrupted,
            "its blocks have \(counted(done, "byte")), and the index says \(size.map { "\($0)" } ?? "nothing")",
            path: path)
        }
        return nil
      }
    }
  }

  /// Members up to the blocks, or to the end.
  private func readMembers() throws(FuseError) {
    while let key = try json.nextKey() {
      switch key {
      case "blocks" where state == .start:
        try json.enterList()
        return state = .blocks
      case "size": size = try json.count()
      case "name": name = try json.string()
      default: try json.skip()
      }
    }
    state = .done
  }

  /// A digest as 32 numbers. The list is read to its end also where it is none.
  private func hash() throws(FuseError) -> FuseStore.ObjectID {
    var bytes: [UInt8] = []
    var count = 0
    try json.enterList()
    while try json.hasNext() {
      let number = try json.count()
      count += 1
      if let byte = UInt8(exactly: number), count <= FuseStore.ObjectID.byteCount { bytes.append(byte) }
    }
    guard let id = FuseStore.ObjectID(bytes.rawSpan), count == FuseStore.ObjectID.byteCount else {
      throw json.fault("a block is called by 32 numbers from 0 to 255")
    }
    return id
  }

  /// Reads to the end of the file's entry.
  func skipRest() throws(FuseError) {
    pieces = nil
    if state == .blocks {
      while try json.hasNext() { try json.skip() }
      state = .start
      while try json.nextKey() != nil { try json.skip() }
    } else if state == .start {
      while try json.nextKey() != nil { try json.skip() }
    }
    state = .done
  }
}
