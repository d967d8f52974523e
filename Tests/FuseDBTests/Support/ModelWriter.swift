import FuseDB
import ProgramSupport

@testable import FuseDBWriting

/// What is added to a writer, call by call, and the file that should come of it by spec/format.md §11.
struct ModelWriter {
  enum Call {
    /// Adds an object.
    case object([UInt8])
    /// Points a key at the object of the call with this number among those that add one.
    case key([UInt8], object: Int)
  }

  var calls: [Call] = []

  /// Makes the calls.
  func add(to writer: FuseWriter) throws {
    var objects: [ObjectID] = []
    for call in calls {
      switch call {
      case .object(let bytes): objects.append(try writer.addObject(bytes))
      case .key(let key, let object): try writer.addKey(key, for: objects[object])
      }
    }
  }

  /// Random calls: objects, some alike, and keys, some added again.
  static func random(_ random: inout SeededRandom, objects: Int, keys: Int) -> ModelWriter {
    var model = ModelWriter()
    let values = (0..<max(1, objects / 2)).map { _ in ReferenceValue.random(&random, depth: 1).bytes }
    for _ in 0..<objects { model.calls.append(.object(random.element(values))) }
    for _ in 0..<keys where objects > 0 {
      let key = random.below(4) == 0 ? random.bytes(random.below(3)) : [UInt8]("key \(random.below(keys))".utf8)
      model.calls.append(.key(key, object: random.below(objects)))
    }
    return model
  }

  /// The file and the report of a build.
  func build(_ options: FuseWriter.Options) -> (bytes: [UInt8], report: BuildReport) {
    var report = BuildReport()
    var objects: [[UInt8]] = []
    // For each addition of an object, which stored one it is.
    var stored: [Int] = []
    var target: [Key: Int] = [:]
    // Which addition of a key counts so far, and how many there were of all keys.
    var places: [Key: UInt64] = [:]
    var place: UInt64 = 0
    var duplicates: [(key: Key, duplicate: DuplicateKey)] = []
    for call in calls {
      switch call {
      case .object(let bytes):
        if options.sharing == .identicalObjects, let known = objects.firstIndex(of: bytes) {
          report.sharedObjectCount += 1
          stored.append(known)
        } else {
          stored.append(objects.count)
          objects.append(bytes)
        }
      case .key(let key, let object):
        if let known = places[Key(key)] {
          report.duplicateKeyCount += 1
          let isLast = options.onDuplicate == .last
          let duplicate = DuplicateKey(key: key, kept: isLast ? place : known, dropped: isLast ? known : place)
          duplicates.append((Key(key), duplicate))
        }
        if places[Key(key)] == nil || options.onDuplicate == .last { places[Key(key)] = place }
        place += 1
        if target[Key(key)] == nil || options.onDuplicate == .last { target[Key(key)] = stored[object] }
      }
    }
    let inOrder = duplicates.enumerated().sorted { left, right in
      left.element.key == right.element.key ? left.offset < right.offset : left.element.key < right.element.key
    }
    report.duplicates = inOrder.prefix(5).map { $0.element.duplicate }
    let keys = target.keys.sorted()
    var order: [Int] = []
    for key in keys {
      guard let object = target[key] else { continue }
      if order.contains(object) {
        report.bytesSavedBySharing += 8 + objects[object].count
      } else {
        order.append(object)
      }
    }
    report.unreachedObjectCount = objects.count - order.count
    if options.order == .insertion { order = Array(objects.indices) }
    let entries = keys.map { key in (key: key.bytes, object: order.firstIndex(of: target[key] ?? -1) ?? -1) }
    let file = ReferenceFile(objects: order.map { objects[$0] }, keys: entries)
    report.keyCount = keys.count
    report.objectCount = order.count
    let bytes = file.bytes(options.layout)
    report.byteCount = bytes.count
    return (bytes, report)
  }

  /// All combinations of options, but for the policy that refuses duplicates.
  static let options: [FuseWriter.Options] = [FuseWriter.Order.key, .insertion].flatMap { order in
    [FuseWriter.Sharing.identicalObjects, .none].flatMap { sharing in
      [FuseWriter.DuplicatePolicy.last, .first].flatMap { policy in
        [FuseWriter.Layout.indexed, .plain].map {
          .init(order: order, sharing: sharing, onDuplicate: policy, layout: $0)
        }
      }
    }
  }
}
