import FuseDB

extension Table {
  static func addDynamic(to rows: inout Rows) throws {
    let all: FuseValue = [
      "nil": nil, "yes": true, "int": -5, "uint": .uint(.max), "single": .float(0.1), "double": 0.1, "text": "日本",
      "bin": .bytes([0, 255]), "list": [1, [2, []]], "map": [1: "one", nil: [:], 1.5: false],
      "ext": .ext(type: 5, bytes: [1, 2, 3]),
      "time": .timestamp(FuseTimestamp(seconds: 1, nanoseconds: 2)),
    ]
    try rows.add("dynamic", all)
    try rows.add("dynamic in a list", [all, nil])
    try rows.add("dynamic values by name", ["b": all, "a": 5])
    for count in [0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65536] {
      try rows.add("extension of \(count)", FuseValue.ext(type: -128, bytes: [UInt8](repeating: 7, count: count)))
    }
  }
}
