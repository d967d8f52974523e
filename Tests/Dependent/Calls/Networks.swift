let path = folder + "/networks.fsdb"
var options = FuseWriter.Options()
options.networks = .always
let blocks = FuseWriter(options)
try blocks.add("8.8.8.0/24", ["n": 1])
try blocks.add("8.0.0.0/8", ["n": 2])
let report = try blocks.build(to: path)
expect(report.networkCount == 2 && report.literalKeyCount == 0)
let reader = try FuseReader(path: path)
expect(try reader.hasNetworks && reader.networkCount == 2 && reader.normalisation == nil)
let address = FuseAddress(ipv4: 0x0808_0808)
expect(
  address == FuseAddress("8.8.8.8") && address.family == FuseAddress.Family(rawValue: 4)
    && address.family.bitCount == 32)
let four: [UInt8] = [8, 8, 8, 8]
expect(FuseAddress(bytes: four) == address && FuseAddress(bytes: four.keyBytes) == address)
expect(address.bits == 0x0808_0808 && FuseAddress(ipv6: 0xFFFF_0808_0808) == address)
expect(address < FuseAddress("8.8.8.9")! && address.description == "8.8.8.8")
let network = FuseNetwork("8.8.8.0/24")!
expect(network == FuseNetwork(around: address, prefixLength: 24) && network.family == .ipv4)
expect(network.contains(address) && network.contains(network) && network.description == "8.8.8.0/24")
expect(FuseNetwork("8.0.0.0/8")! < network)
if let match = try reader.longestMatch(of: address) {
  expect(match.key == network && match.scope == network && match.address == address && match.objectOffset > 0)
  expect(try match.bytes.byteCount == 4 && match.view["n"]?.int == 1)
  expect(try match.withValue { $0["n"]?.int } == 1)
} else {
  expect(false)
}
expect(try reader.longestMatch(of: "8.9.9.9")?.key == FuseNetwork("8.0.0.0/8"))
expect(try reader.withLongestMatch(of: address) { try $0.view["n"]?.int } == 1)
var found: [FuseNetwork?] = []
try reader.withLongestMatches(of: [address, FuseAddress(ipv4: 1)]) { _, match in found.append(match?.key) }
expect(found == [network, nil])
let around = try reader.containing(address)
expect(around.map { $0.network.prefixLength } == [24, 8])
let inner = around[0]
let outer = around[1]
expect(try inner.bytes.byteCount == 4 && outer.view["n"]?.int == 2 && inner.objectOffset > 0)
var inside = try reader.networks(within: FuseNetwork("0.0.0.0/0")!)
expect(try inside.next()?.network.prefixLength == 8)
let store = try Store(path: path, options: ServingOptions())
expect(try store.withLongestMatch(of: address) { $0.key } == network)
try store.withLongestMatches(of: [address]) { number, match in expect(number == 0 && match?.key == network) }
