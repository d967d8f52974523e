internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// What print(_:) and a debugger show: a line, however large the file is. None of it holds up look-ups.

extension ReloadableReader: CustomStringConvertible, CustomReflectable {
  /// Such as `ReloadableReader(geo.fsdb: 3 keys, 512 bytes, generation 2)`.
  public var description: String { "ReloadableReader(\(path): \(withReader { $0.summary }))" }

  /// The newest file, and what happened so far.
  public var customMirror: Mirror { Mirror(self, children: ["snapshot": snapshot(), "counters": counters]) }
}

extension FusePool: CustomStringConvertible, CustomReflectable {
  /// Such as `FusePool(geo.fsdb: 3 keys, 512 bytes, generation 2, 8 readers)`.
  public var description: String { "FusePool(\(path): \(withReader { $0.summary }), \(size) readers)" }

  /// The newest file, how many readers there are, and what happened so far.
  public var customMirror: Mirror {
    Mirror(self, children: ["snapshot": snapshot(), "size": size, "counters": counters])
  }
}

extension FuseTable: CustomStringConvertible, CustomReflectable {
  /// Such as `FuseTable<String, Org>(geo.fsdb: 3 keys, 512 bytes)`.
  public var description: String {
    let reader = snapshot().reader
    return "FuseTable<\(Key.self), \(Value.self)>(\(reader.path): \(reader.summary))"
  }

  /// Where it asks.
  public var customMirror: Mirror {
    switch source {
    case .file(let reader): Mirror(self, children: ["reader": reader])
    case .newestFile(let store): Mirror(self, children: ["store": store])
    }
  }
}

extension FuseTable.Rows: CustomStringConvertible, CustomReflectable {
  /// Such as `Rows(12 rows to come)`.
  public var description: String { "Rows(\(counted(count, "row")) to come)" }

  /// How much is to come.
  public var customMirror: Mirror { Mirror(self, children: ["count": count]) }
}

extension FuseWatcher: CustomStringConvertible, CustomReflectable {
  /// Such as `FuseWatcher(geo.fsdb)`.
  public var description: String { "FuseWatcher(\(store.path))" }

  /// What is watched.
  public var customMirror: Mirror { Mirror(self, children: ["store": store]) }
}
