import Foundation
import FuseDB

/// A type with a member of each kind. Its members are in the order in which test_typed.py packs them.
struct Model: Codable, Equatable {
  var id: UInt64
  var tiny: Int8
  var port: UInt16
  var balance: Int64
  var name: String
  var note: String?
  var ratio: Double
  var weight: Float
  var isOn: Bool
  var blob: Data
  var salt: [UInt8]?
  var tags: [String]
  var counts: [String: Int]
  var codes: [Int: String]
  var home: Point?
  var track: [Point]
  var level: Level
  var shape: Shape
  var seen: Date
  var moment: FuseTimestamp
  var matrix: [[Int32?]]
  var flags: Set<UInt8>
  var children: [Model]
  var extra: FuseValue
}

struct Point: Codable, Equatable {
  var x: Double
  var y: Double?
}

enum Level: String, Codable, CaseIterable {
  case low, middle
  case high = "very high"
}

indirect enum Shape: Codable, Equatable {
  case empty
  case circle(radius: Double)
  case tagged(Int, name: String?)
  case both(Shape, Shape)
}
