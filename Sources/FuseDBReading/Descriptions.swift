internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// What print(_:) and a debugger show: a line, however large the file is.

extension FuseReader: CustomStringConvertible, CustomReflectable {
  /// Such as `FuseReader(geo.fsdb: 3 keys, 512 bytes)`.
  public var description: String { "FuseReader(\(path): \(summary))" }

  /// Such as `3 keys, 512 bytes`.
  package var summary: String {
    let number = generation == 0 ? "" : ", generation \(generation)"
    return "\(counted(keyCount, "key")), \(counted(byteCount, "byte"))\(number)"
  }

  /// What the file is, and how it is read.
  public var customMirror: Mirror {
    Mirror(
      self,
      children: [
        "path": path, "keyCount": keyCount, "byteCount": byteCount, "generation": generation, "checksums": checksums,
        "networkCount": networkCount,
      ])
  }
}

extension Scan: CustomStringConvertible, CustomReflectable {
  /// Such as `Scan(12 keys to come)`.
  public var description: String { "Scan(\(counted(count, "key")) to come)" }

  /// How much is to come.
  public var customMirror: Mirror { Mirror(self, children: ["count": count]) }
}

extension ObjectScan: CustomStringConvertible, CustomReflectable {
  /// `ObjectScan`.
  public var description: String { "ObjectScan" }

  /// Nothing: how much is to come is not known.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SharingScan: CustomStringConvertible, CustomReflectable {
  /// Such as `SharingScan(object at 40)`.
  public var description: String { "SharingScan(object at \(objectOffset))" }

  /// Where the object is.
  public var customMirror: Mirror { Mirror(self, children: ["objectOffset": objectOffset]) }
}

extension NetworkScan: CustomStringConvertible, CustomReflectable {
  /// `NetworkScan`.
  public var description: String { "NetworkScan" }

  /// Nothing: how much is to come is not known.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Entry: CustomStringConvertible, CustomReflectable {
  /// The key, or the first 60 bytes of it, and where its object is: `"8.8.8.8" -> object at 40`. Of a file that shrank, why
  /// the key cannot be read.
  public var description: String {
    do {
      let text = quoted(try keyBytes)
      try reader.checkNotShrunk()
      return "\(text) -> object at \(objectOffset)"
    } catch {
      return error.message
    }
  }

  /// The key, and where its object is.
  public var customMirror: Mirror {
    Mirror(self, children: ["key": (try? key) as Any, "objectOffset": objectOffset])
  }
}

extension StoredObject: CustomStringConvertible, CustomReflectable {
  /// Such as `object at 40, 24 bytes`.
  public var description: String { "object at \(offset), \(counted(record.byteCount, "byte"))" }

  /// Where the object is, and how long.
  public var customMirror: Mirror { Mirror(self, children: ["offset": offset, "byteCount": record.byteCount]) }
}

extension NetworkEntry: CustomStringConvertible, CustomReflectable {
  /// Such as `8.8.8.0/24 -> object at 40`.
  public var description: String { "\(network) -> object at \(objectOffset)" }

  /// The block, and where its object is.
  public var customMirror: Mirror { Mirror(self, children: ["network": network, "objectOffset": objectOffset]) }
}

extension VerificationSummary: CustomStringConvertible {
  /// Such as `geo.fsdb: sound (4 keys, 2 objects, 512 bytes)`, or `geo.fsdb: 2 damages (…)`.
  public var description: String {
    let finding = isSound ? "sound" : counted(damageCount, "damage")
    return
      "\(path): \(finding) (\(counted(keyCount, "key")), \(counted(objectCount, "object")), \(counted(byteCount, "byte")))"
  }
}

extension VerificationReport: CustomStringConvertible {
  /// That of the summary, and the first ten damages, a line each.
  public var description: String {
    let shown = damage.prefix(10).map { "\n  \($0)" }.joined()
    return summary.description + shown + (damage.count > 10 ? "\n  and \(damage.count - 10) more" : "")
  }
}
