let path = folder + "/layers.fsdb"
try makeFile(path)
let key: Key = "8.8.8.8"
let own = FuseWriter()
try own.add("8.0.0.0/8", ["asn": 1])
try own.add("google.com", ["asn": 2])
try own.build(to: folder + "/own.fsdb")
let store = try Store(path: path, options: ServingOptions())
let stack = LayeredReader([.file(try FuseReader(path: folder + "/own.fsdb")), .reloadable(store)])
expect(stack.layers.count == 2 && stack.combine == nil && stack.snapshot().layers.count == 2)
expect(try stack.contains(key) && stack.value(Org.self, forKey: key)?.asn == 15169)
expect(try stack.withBytes(forKey: key) { $0.byteCount } == 24)
expect(try stack.withValue(forKey: key) { $0["asn"]?.int } == 15169)
expect(try stack[key]?["asn"]?.int == 15169 && stack["nowhere" as Key] == nil)
let address = FuseAddress("8.1.1.1")!
expect(try stack.withLongestMatch(of: address) { try $0.view["asn"]?.int } == 1)
expect(try stack.value(ofLongestMatch: address)?["asn"]?.int == 1)
let domain: Key = "mail.google.com"
expect(try stack.withLongestSuffix(ofDomain: domain) { try $0.view["asn"]?.int } == 2)
let email: Key = "joe@google.com"
expect(try stack.withLongestMatch(ofEmail: email) { try $0.view["asn"]?.int } == 2)
let begun: Key = "8.8.8.8:53"
expect(try stack.withLongestPrefix(of: begun) { try $0.view["asn"]?.int } == 15169)
let combined = LayeredReader(stack.layers) { values in values[values.count - 1] }
expect(try combined[key]?["asn"]?.int == 15169 && combined.value(ofLongestMatch: address)?["asn"]?.int == 1)
do {
  _ = try stack.withBytes(forKey: key) { _ -> Int in throw Own(text: "layers") }
  expect(false)
} catch { expect(error as? Own == Own(text: "layers")) }
