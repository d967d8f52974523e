import Foundation
import ProgramSupport

struct Optionals: Codable, Equatable, Randomized {
  var bool: Bool?
  var int: Int?
  var byte: UInt8?
  var wide: UInt64?
  var double: Double?
  var float: Float?
  var text: String?
  var data: Data?
  var date: Date?
  var list: [Int]?
  var map: [String: Int]?
  var scalars: Scalars?
  var choice: Choice?
  /// Some nil is written as nil, and comes back as no value: by JSON too.
  var twice: Int??
  var listOfOptionals: [String?]
  var mapOfOptionals: [String: Int?]

  init(random: inout SeededRandom) {
    bool = random.optional { $0.bool() }
    int = random.optional { $0.integer() }
    byte = random.optional { $0.integer() }
    wide = random.optional { $0.integer() }
    double = random.optional { $0.double() }
    float = random.optional { $0.float() }
    text = random.optional { $0.text() }
    data = random.optional { $0.data() }
    date = random.optional { $0.date() }
    list = random.optional { $0.list { $0.integer() } }
    map = random.optional { $0.map({ $0.text() }, { $0.integer() }) }
    scalars = random.optional { Scalars(random: &$0) }
    choice = random.optional { Choice(random: &$0) }
    twice = random.element([nil, 5, 5, .some(nil)])
    listOfOptionals = random.list { $0.optional { $0.text() } }
    mapOfOptionals = random.map({ $0.text() }, { $0.optional { $0.integer() } })
  }
}
