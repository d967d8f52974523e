import Foundation
import FuseDB
import Testing

private struct Person: Decodable {
  var name: String
  var age: UInt8?
  var address: Address?
  var tags: [Int]?
}

private struct Address: Decodable {
  var street: String
  var numbers: [String: [UInt8]]?
}

/// Asks for more elements than there are.
private struct ThreeNumbers: Decodable {
  var numbers: [Int] = []

  init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    for _ in 0..<3 { numbers.append(try container.decode(Int.self)) }
  }
}

private struct NestedInList: Decodable {
  init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    var inner = try container.nestedUnkeyedContainer()
    _ = try inner.decode(String.self)
    _ = try container.nestedContainer(keyedBy: AnyKey.self).decode(Int.self, forKey: AnyKey(stringValue: "n"))
  }
}

private struct AnyKey: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

private struct NilAtEnd: Decodable {
  init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    while try container.decodeNil() {}
  }
}

private struct NilOfMember: Decodable {
  init(from decoder: any Decoder) throws {
    _ = try decoder.container(keyedBy: AnyKey.self).decodeNil(forKey: AnyKey(stringValue: "n"))
  }
}

/// What a decoder says to types that don't fit.
struct `A type that a value does not fit` {
  static let trials: [Trial] = [
    Trial(Person.self, #"{"name":"a"}"#), Trial(Person.self, #"{"name":"a","age":null,"more":[{}]}"#),
    Trial(Person.self, #"{"age":5,"name":"a","tags":[],"address":null}"#),
    Trial(Person.self, "{}"), Trial(Person.self, "[]"), Trial(Person.self, "null"), Trial(Person.self, "5"),
    Trial(Person.self, #"{"name":null}"#), Trial(Person.self, #"{"name":5}"#), Trial(Person.self, #"{"name":["a"]}"#),
    Trial(Person.self, #"{"name":"a","age":256}"#), Trial(Person.self, #"{"name":"a","age":-1}"#),
    Trial(Person.self, #"{"name":"a","age":"5"}"#), Trial(Person.self, #"{"name":"a","age":true}"#),
    Trial(Person.self, #"{"name":"a","tags":[1,null]}"#), Trial(Person.self, #"{"name":"a","tags":[1,"2"]}"#),
    Trial(Person.self, #"{"name":"a","tags":{}}"#), Trial(Person.self, #"{"name":"a","address":{}}"#),
    Trial(Person.self, #"{"name":"a","address":{"street":5}}"#), Trial(Person.self, #"{"name":"a","address":[]}"#),
    Trial(Person.self, #"{"name":"a","address":{"street":"s","numbers":{"b":[1,2,300]}}}"#),
    Trial([Person].self, #"[{"name":"a"},{"name":"b","address":{"street":null}}]"#),
    Trial([Person].self, #"[{"name":"a"},null]"#),
    Trial([String: Person].self, #"{"x":{"name":"a"},"y":{}}"#), Trial([String: Int].self, #"{"a":"b"}"#),
    Trial([Int: Int].self, #"{"1":2,"-3":4}"#), Trial([Int: Int].self, #"{"1":2,"x":4}"#),
    Trial([Int: Int].self, #"{"1":null}"#),
    Trial([Int: Int].self, "[]"), Trial([Step: Int].self, #"{"10":1}"#), Trial([Label: Int].self, #"{"due":1}"#),
    Trial(Int.self, "5"), Trial(Int.self, #""5""#), Trial(Int.self, "null"), Trial(Int?.self, "null"),
    Trial(Bool.self, "1"),
    Trial(UInt64.self, "18446744073709551615"), Trial(Int64.self, "9223372036854775808"),
    Trial(Int8.self, "-129"), Trial(String.self, "true"), Trial(Double.self, "5"), Trial(Double.self, #""NaN""#),
    Trial(Float.self, "1"),
    Trial([Int].self, "[[]]"), Trial([[Int]].self, "[[1],[2,[]]]"), Trial([Int?].self, "[null]"),
    Trial(Set<Int>.self, #"[1,1,"a"]"#),
    Trial(Colour.self, #""red""#), Trial(Colour.self, #""yellow""#), Trial(Colour.self, "1"), Trial(Small.self, "7"),
    Trial(Step.self, "null"),
    Trial(Choice.self, #"{"number":{"_0":1}}"#), Trial(Choice.self, #"{"number":{}}"#),
    Trial(Choice.self, #"{"other":{}}"#),
    Trial(Choice.self, "{}"), Trial(Choice.self, #"{"none":{},"number":{"_0":1}}"#),
    Trial(Choice.self, #"{"number":5}"#),
    Trial(Choice.self, #"{"named":{"x":1}}"#), Trial(Choice.self, #""none""#),
    Trial(Tree.self, #"{"many":{"_0":[{"leaf":{}}]}}"#),
    Trial(ThreeNumbers.self, "[1,2,3]"), Trial(ThreeNumbers.self, "[1,2]"), Trial([ThreeNumbers].self, "[[1,2,3],[]]"),
    Trial(ThreeNumbers.self, "[1,null,3]"), Trial(ThreeNumbers.self, "{}"), Trial(ThreeNumbers.self, "null"),
    Trial(NestedInList.self, "[]"), Trial(NestedInList.self, "[null]"), Trial(NestedInList.self, "[[]]"),
    Trial(NestedInList.self, #"[["a"]]"#), Trial(NestedInList.self, #"[["a"],5]"#),
    Trial(NestedInList.self, #"[["a"],{}]"#),
    Trial(NestedInList.self, #"[["a"],{"n":"m"}]"#), Trial(NilAtEnd.self, "[null]"), Trial(NilOfMember.self, "{}"),
    Trial(Mixed.self, #"{"list":[1,"a"]}"#), Trial(Mixed.self, #"{"list":[1]}"#),
    Trial(Mixed.self, #"{"list":[1],"in.side":{"more":[]}}"#),
    Trial(Mixed.self, #"{"list":[1],"in.side":{}}"#), Trial(TwoInOne.self, "[1]"), Trial(Word.self, "true"),
    Trial([Word].self, #"[1,"a",null]"#),
    Trial(UUID.self, #""no""#), Trial(Range<Int>.self, "[5,1]"), Trial(SIMD4<Int>.self, "[1,2]"),
    Trial(Cat.self, #"{"name":"a","friends":[]}"#),
    Trial(Cat.self, #"{"lives":1,"friends":[]}"#), Trial(Dog.self, #"{"super":{}}"#), Trial(Dog.self, #"{"super":5}"#),
    Trial(Meters.self, #""far""#), Trial(Rights.self, "-1"),
  ]

  @Test(arguments: trials)
  func `sees the errors of JSONDecoder [W10] [W15]`(trial: Trial) throws {
    let (seen, error) = try trial.byFuseDB(trial.json)
    let byJSON = try trial.byJSON(trial.json)
    #expect(seen.kind == byJSON.kind)
    if let path = byJSON.path { #expect(seen.path == path) }
    // The library's error has the same path, in its own spelling.
    #expect((error == nil) == (seen.kind == "a value"))
    if let error {
      #expect(error.code == .invalidValue)
      #expect(error.offset != nil)
      #expect(error.codingPath == seen.path?.replacing(".", with: "\\.").replacing("/", with: "."))
    }
  }

  @Test func `sees that nil is there where JSONDecoder speaks of another type`() throws {
    #expect(try Trial(Bool.self, "null").byFuseDB("null").0 == Seen(kind: "valueNotFound", path: ""))
    #expect(try Trial(Bool.self, "null").byJSON("null") == Seen(kind: "typeMismatch", path: ""))
  }

  @Test func `sees that its superclass is missing, where JSONDecoder has nil for it`() throws {
    let json = #"{"age":1}"#
    #expect(try Trial(Dog.self, json).byFuseDB(json).0 == Seen(kind: "keyNotFound super", path: ""))
    #expect(try Trial(Dog.self, json).byJSON(json) == Seen(kind: "valueNotFound", path: "super"))
  }
}
