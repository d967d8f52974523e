public import FuseDBFormat
internal import FuseDBSystem

/// What a name leads to. [SN1]
struct StoreRef: Equatable {
  enum Kind: String {
    case object
    /// A list of paths and objects, which are needed with it.
    case tree
    /// A list of versions, the last of which the name stands for. [SV5]
    case versions
  }

  var kind: Kind
  var id: FuseStore.ObjectID

  var text: String { "\(kind.rawValue) \(id)\n" }

  /// nil where the text is none.
  init?(text: String) {
    let words = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard words.count == 2, words[1].isEmpty else { return nil }
    let parts = words[0].split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), let id = FuseStore.ObjectID(parts[1]) else {
      return nil
    }
    (self.kind, self.id) = (kind, id)
  }

  init(kind: Kind, id: FuseStore.ObjectID) {
    self.kind = kind
    self.id = id
  }

  /// The file of a name: letters, digits, `-`, `_` and `.` as they are, other bytes as `%` and two digits. [SN2]
  static func fileName(_ name: String, path: String) throws(FuseError) -> String {
    var text = ""
    for (place, byte) in name.pathBytes.enumerated() {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: ".") where place > 0: text += "."
      default: text += "%" + Hexadecimal.text(of: [byte])
      }
    }
    guard !text.isEmpty else { throw FuseError(.invalidArgument, "a name is empty; give one", path: path) }
    guard text.utf8.count <= StoreLimits.nameByteCount else {
      throw FuseError(
        .invalidArgument,
        "the name is too long: bytes that are no letters or digits count three times, and 255 are allowed",
        path: path)
    }
    return text
  }

  /// The name of a file; nil where it is none.
  static func name(ofFile file: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(file.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(Hexadecimal.value), let low = rest.popFirst().flatMap(Hexadecimal.value)
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(path: bytes)
  }
}

extension FuseStore {
  /// All names, sorted by their bytes.
  ///
  /// - Throws: ``FuseError`` with code `inputOutput`.
  public func names() throws(FuseError) -> [String] {
    try backend.names(in: "refs").compactMap { StoreRef.name(ofFile: $0) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The object that a name leads to; nil where there is no such name. Of a folder's name, that is the list of its files; of a name with
  /// versions, the newest.
  ///
  /// - Throws: ``FuseError`` with code `corrupted` where the name is damaged, `invalidArgument` where it is empty or too long.
  public func id(named name: String) throws(FuseError) -> ObjectID? { try entry(named: name)?.id }

  /// What a name leads to.
  func ref(named name: String) throws(FuseError) -> StoreRef? {
    let file = "refs/" + (try StoreRef.fileName(name, path: path))
    guard let bytes = try backend.file(file) else { return nil }
    guard let ref = StoreRef(text: String(decoding: bytes.bytes.array(), as: UTF8.self)) else {
      throw FuseError(.corrupted, "the name is damaged; set it again", path: "\(path)/\(file)")
    }
    return ref
  }

  /// The same for who sets the name: one that is damaged is none, and is set anew.
  func readableRef(named name: String) throws(FuseError) -> StoreRef? {
    do throws(FuseError) { return try ref(named: name) } catch {
      guard error.code == .corrupted else { throw error }
      return nil
    }
  }

  /// All names, and what they lead to.
  ///
  /// - Parameter missingNone: a listing may leave out a file that another replaces meanwhile: some file systems give that another place, which the
  ///   listing has passed. So the folder is listed until nothing new comes. [SG1]
  func refs(missingNone: Bool = false) throws(FuseError) -> [(name: String, ref: StoreRef)] {
    var names = try names()
    while missingNone {
      let more = Set(try self.names()).subtracting(names)
      guard !more.isEmpty else { break }
      names += more
    }
    var refs: [(name: String, ref: StoreRef)] = []
    for name in names { if let ref = try ref(named: name) { refs.append((name, ref)) } }
    return refs
  }
}
