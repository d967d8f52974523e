let json = #"{"name":"n","asn":1,"lat":10,"tags":["a","b"],"geo":{"city":"Z"},"7":true}"#
let bytes = try FuseJSON.messagePack(from: json)
expect(try FuseJSON.text(from: bytes) == json && FuseJSON.text(from: bytes.keyBytes) == json)
let name: Key = "name"
let letters = Array("name".utf8)
let view = try FuseView(validating: bytes.keyBytes)
expect(view[name]?.string == "n" && view[name: letters.keyBytes]?.string == "n")
expect(view["lat"]?.double == 10 && view["lat"]?.float == 10 && view["lat"]?.int == 10)
expect(view["tags"]?[1]?.string == "b" && view[integerKey: 7] == nil && view[path: FusePath("geo.city")] != nil)
expect(view["asn"]?.integer(UInt8.self) == 1)
expect(try view.decode(Org.self) == Org(name: "n", asn: 1))
expect(view.json == json && view.kind == .map)
var (elementCount, pairCount, textCount) = (0, 0, 0)
if var tags = view["tags"]?.elements {
  while let tag = tags.next() { elementCount += tag.string == nil ? 0 : 1 }
}
if let tags = view["tags"]?.elements { tags.forEach { textCount += $0.string == nil ? 0 : 1 } }
if var pairs = view.pairs {
  while let pair = pairs.next() { pairCount += pair.key.string == nil ? 0 : 1 }
}
if let pairs = view.pairs {
  try pairs.forEach { pair in if pair.value.isNil { throw Own(text: pair.key.json) } }
}
expect(elementCount == 2 && textCount == 2 && pairCount == 6)

let decoder = FuseDecoder(dates: .timestamp)
expect(try decoder.decode(Org.self, from: bytes).asn == 1)
expect(try decoder.decode(Org.self, from: bytes.keyBytes).asn == 1)
expect(try decoder.decode(Org.self, from: view).asn == 1)
do {
  _ = try decoder.decode([Org].self, from: bytes)
  expect(false)
} catch { expect((error as? FuseError)?.code == .invalidValue) }
expect(try FuseEncoder().encode(["a": Org(name: "n", asn: 1)]).count > 10)

let value = try FuseValue(messagePack: bytes)
expect(try value == FuseValue(messagePack: bytes.keyBytes) && value == FuseValue(json: json))
expect(value[name]?.string == "n" && value["tags"]?[0]?.string == "a" && value[key: "asn"]?.int == 1)
expect(value["asn"]?.integer(Int8.self) == 1 && value["lat"]?.double == 10 && value["lat"]?.float == 10)
expect(try value.messagePack == bytes && value.json == json)
let literals: FuseValue = ["a": [1, 2.5, true, nil, "text"], "pair": .map([FuseValue.Pair(key: 1, value: 2)])]
expect(Set([literals, value]).count == 2)
let coded = try FuseDecoder().decode(FuseValue.self, from: try FuseEncoder().encode(literals))
expect(coded == literals)
let moment = FuseTimestamp("1970-01-01T00:00:01Z")
expect(moment == FuseTimestamp(seconds: 1) && moment! < FuseTimestamp(seconds: 2))
expect(FuseTimestamp.extensionType == -1)
expect(try FuseDecoder().decode(FuseTimestamp.self, from: FuseEncoder().encode(moment)) == moment)
expect(String(keyBytes: letters.keyBytes) == "name" && [UInt8](keyBytes: letters.keyBytes) == letters)
expect(Key(keyBytes: letters.keyBytes) == name)
