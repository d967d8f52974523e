internal import FuseDB
internal import FuseDBCommands
internal import FuseDBInput
internal import FuseDBStore
internal import FuseDBStoreImport

extension StoreJob {
  /// `import`: a store of another program.
  func takeOver() throws(FuseError) {
    let path = words[words.count - 1]
    guard FileStatus(at: path)?.kind == .folder else {
      throw FuseError(.notFound, "there is no folder here", path: path)
    }
    let kind = try kind(of: path)
    var options = StoreImport()
    options.skipsDamaged = request.skipsDamaged
    options.replacesNames = request.overwrites
    options.prefix = request.name ?? ""
    let (bar, console, printsJSON) = (bar, console, request.printsJSON)
    let report = try options.run(
      kind, from: path, into: store,
      damaged: { damage throws(FuseError) in
        bar.clear()
        let error = damage.error
        if printsJSON {
          try console.out.line { writer throws(FuseError) in
            writer.append(members: [
              ("kind", .text("damage")), ("what", .text(damage.what)), ("file", error.path.map { .text($0) } ?? .null),
              ("offset", error.offset.map { .offset($0) } ?? .null), ("message", .text(error.message)),
            ])
          }
        } else {
          try console.out.line(
            "damaged: \(EscapedText.harmless(damage.what)): \(EscapedText.harmless(error.description))")
        }
      }, progress: { share, text in bar.show(share, EscapedText.harmless(text)) })
    bar.clear()
    if printsJSON {
      return try print([
        ("kind", .text("import")), ("from", .text(kind.rawValue)), ("objects", .count(report.objectCount)),
        ("names", .count(report.nameCount)), ("bytes", .count(report.byteCount)),
        ("new_bytes", .count(report.newByteCount)), ("damaged", .count(report.damagedCount)),
        ("unchecked", report.unchecked.map { .text($0) } ?? .null), ("peak_memory", .count(StoreFiles.peakMemory)),
      ])
    }
    if let unchecked = report.unchecked { try say("\(path): \(unchecked)") }
    try say(
      """
      \(store.path): \(Humans.count(report.objectCount, "object")) and \(Humans.count(report.nameCount, "name")) imported, \
      \(Humans.size(report.byteCount)), \(Humans.size(report.newByteCount)) of it new; \(report.damagedCount) passed over; \
      at most \(Humans.size(StoreFiles.peakMemory)) of memory
      """)
  }

  private func kind(of path: String) throws(FuseError) -> StoreImport.Kind {
    if words.count == 2, let kind = StoreImport.Kind.names[words[0]] { return kind }
    if let kind = StoreImport.kind(of: path) { return kind }
    let names = Store.kinds.joined(separator: ", ")
    throw FuseError(
      .notFound, "this folder is like no store that can be imported (\(names)); name the kind before it", path: path)
  }
}
