internal import FuseDBFormat

/// A list of files and the objects that they are, which is an object itself. [ST1]
///
///     fusedb-tree 1
///     2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 5 644 notes/hello.txt
struct StoreTree: Equatable {
  struct File: Equatable {
    var id: FuseStore.ObjectID
    var byteCount: Int
    /// The permissions of the file.
    var mode: UInt32
    /// In bytes, with slashes; below the folder that the tree stands for.
    var path: [UInt8]
  }

  fileprivate static let first = "fusedb-tree 1"
  /// In the order of their paths.
  var files: [File]

  init(_ files: [File]) { self.files = files.sorted { $0.path.lexicographicallyPrecedes($1.path) } }

  var bytes: [UInt8] {
    var text = StoreTreeText()
    for file in files { text.add(file) }
    return text.take()
  }

  /// nil where the bytes are no tree. A path never leads out of the folder. [ST2]
  init?(_ bytes: [UInt8]) {
    let first = Array(Self.first.utf8) + [10]
    guard bytes.starts(with: first), bytes.last == 10 else { return nil }
    var files: [File] = []
    // Line by line: an array of all lines would take more memory than the tree.
    var rest = bytes[first.count...]
    while let end = rest.firstIndex(of: 10) {
      let words = rest[..<end].split(separator: 32, maxSplits: 3, omittingEmptySubsequences: false)
      rest = rest[(end + 1)...]
      guard words.count == 4, let id = FuseStore.ObjectID(digits: words[0]),
        let count = Int(String(decoding: words[1], as: UTF8.self)), count >= 0,
        let mode = UInt32(String(decoding: words[2], as: UTF8.self), radix: 8), mode <= 0o7777,
        let path = Self.path(words[3]), Self.staysInside(path[...])
      else { return nil }
      files.append(File(id: id, byteCount: count, mode: mode, path: path))
    }
    self.files = files
  }

  private static func path(_ word: ArraySlice<UInt8>) -> [UInt8]? {
    guard word.contains(37) else { return Array(word) }
    var path: [UInt8] = []
    var rest = word
    while let byte = rest.popFirst() {
      guard byte == 37 else {
        path.append(byte)
        continue
      }
      switch Array(rest.prefix(2)) {
      case Array("0a".utf8): path.append(10)
      case Array("25".utf8): path.append(37)
      default: return nil
      }
      rest = rest.dropFirst(2)
    }
    return path
  }

  /// Whether a path is none that leads out of a folder. [ST2]
  static func staysInside(_ path: ArraySlice<UInt8>) -> Bool {
    guard !path.isEmpty, !path.contains(0) else { return false }
    let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return parts.allSatisfy { !$0.isEmpty && Array($0) != Array(".".utf8) && Array($0) != Array("..".utf8) }
  }
}

/// The text of a tree, file by file: a hundred thousand of them take less memory so.
struct StoreTreeText {
  private var bytes = Array(StoreTree.first.utf8) + [10]
  private var last: [UInt8] = []
  private var isInOrder = true

  mutating func add(_ file: StoreTree.File) {
    if !last.isEmpty, !last.lexicographicallyPrecedes(file.path) { isInOrder = false }
    last = file.path
    file.id.appendDigits(to: &bytes)
    bytes.append(32)
    bytes += String(file.byteCount).utf8
    bytes.append(32)
    bytes += String(file.mode, radix: 8).utf8
    bytes.append(32)
    for byte in file.path {
      // A line ends at a line feed, and a `%` begins an escape.
      if byte == 10 {
        bytes += "%0a".utf8
      } else if byte == 37 {
        bytes += "%25".utf8
      } else {
        bytes.append(byte)
      }
    }
    bytes.append(10)
  }

  /// The text, in the order of paths.
  mutating func take() -> [UInt8] {
    var text: [UInt8] = []
    swap(&text, &bytes)
    guard !isInOrder, let tree = StoreTree(text) else { return text }
    return StoreTree(tree.files).bytes
  }
}

extension FuseStore {
  /// The tree that an object is.
  func tree(_ id: ObjectID) throws(FuseError) -> StoreTree {
    guard let bytes = try bytes(of: id) else {
      throw FuseError(.corrupted, "the list of files \(id) is missing", path: path)
    }
    guard let tree = StoreTree(bytes) else {
      throw FuseError(.corrupted, "the object \(id) is no list of files", path: path)
    }
    return tree
  }
}
