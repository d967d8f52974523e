import ProgramSupport

struct Scalars: Codable, Equatable, Randomized {
  var bool: Bool
  var int: Int
  var int8: Int8
  var int16: Int16
  var int32: Int32
  var int64: Int64
  var uint: UInt
  var uint8: UInt8
  var uint16: UInt16
  var uint32: UInt32
  var uint64: UInt64
  var double: Double
  var float: Float
  var text: String

  init(random: inout SeededRandom) {
    bool = random.bool()
    int = random.integer()
    int8 = random.integer()
    int16 = random.integer()
    int32 = random.integer()
    int64 = random.integer()
    uint = random.integer()
    uint8 = random.integer()
    uint16 = random.integer()
    uint32 = random.integer()
    uint64 = random.integer()
    double = random.double()
    float = random.float()
    text = random.text()
  }
}
