import CMsgpackTree

/// The tree of objects that msgpack-c makes of the bytes of a value.
final class MsgpackTree {
  fileprivate let tree: OpaquePointer

  init() throws {
    guard let tree = msgpack_tree_new() else { throw PeerFailure("msgpack-c gets no memory") }
    self.tree = tree
  }

  deinit { msgpack_tree_free(tree) }

  static var version: String { String(cString: msgpack_tree_version()) }

  func loops(_ workload: ValueWorkload) -> [ValueLoop] {
    [ValueLoop(.msgpackC, .value, found: workload.places, MsgpackLookUp(tree: self))]
  }
}

private struct MsgpackLookUp: LookUp {
  let tree: MsgpackTree

  @inline(__always)
  func touch(_ key: UnsafeRawBufferPointer) throws -> UInt64? {
    let bytes = key.loadUnaligned(as: UnsafeRawBufferPointer.self)
    var asn: UInt64 = 0
    let count = msgpack_tree_unpack(tree.tree, bytes.baseAddress!, bytes.count, &asn)
    return count == 0 ? nil : Word.value(count: Int(count), asn: asn)
  }
}
