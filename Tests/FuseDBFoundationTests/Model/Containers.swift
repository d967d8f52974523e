import ProgramSupport

struct Containers: Codable, Equatable, Randomized {
  var ints: [Int]
  var bytes: [UInt8]
  var contiguousBytes: ContiguousArray<UInt8>
  var contiguous: ContiguousArray<Int16>
  var texts: [String]
  var matrix: [[[Double]]]
  var structs: [Scalars]
  var byText: [String: Double]
  var byInt: [Int: String]
  var byUInt8: [UInt8: Bool]
  var byInt64: [Int64: [String: [Int]]]
  var byChoice: [Colour: Int]
  var byNamedChoice: [Label: Int]
  var byNumberedChoice: [Step: Int]
  var byStruct: [Corner: String]
  var set: Set<Int>
  var texts2: Set<String>
  var corners: Set<Corner>

  init(random: inout SeededRandom) {
    ints = random.list { $0.integer() }
    bytes = [UInt8](random.data())
    contiguousBytes = ContiguousArray(random.data())
    contiguous = ContiguousArray(random.list { $0.integer() })
    texts = random.list { $0.text() }
    matrix = random.list { $0.list { $0.list { $0.double() } } }
    structs = random.list { Scalars(random: &$0) }
    byText = random.map({ $0.text() }, { $0.double() })
    byInt = random.map({ $0.integer() }, { $0.text() })
    byUInt8 = random.map({ $0.integer() }, { $0.bool() })
    byInt64 = random.map({ $0.integer() }, { $0.map({ $0.text() }, { $0.list { $0.integer() } }) })
    byChoice = random.map({ $0.element(Colour.allCases) }, { $0.integer() })
    byNamedChoice = random.map({ $0.element(Label.allCases) }, { $0.integer() })
    byNumberedChoice = random.map({ $0.element(Step.allCases) }, { $0.integer() })
    byStruct = random.map({ Corner(random: &$0) }, { $0.text() })
    set = Set(random.list { $0.integer() })
    texts2 = Set(random.list { $0.text() })
    corners = Set(random.list { Corner(random: &$0) })
  }
}

struct Corner: Codable, Hashable, Randomized {
  var x: Int32
  var y: Int32?

  init(random: inout SeededRandom) {
    x = random.integer()
    y = random.optional { $0.integer() }
  }
}
