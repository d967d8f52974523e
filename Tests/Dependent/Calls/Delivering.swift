// Publishing to a folder, and following it.
let place = folder + "/delivering-"
let remote = try FuseRemote(place + "remote")
let named = try RefName("geo@canary")
expect(named.name == "geo" && named.channel == "canary" && named.description == "geo@canary")
let signingKey = try SigningKey()
let trustedKey = try signingKey.publicKey()
write(signingKey.fileText, to: place + "key")
write(trustedKey.fileText, to: place + "key.pub")
expect(try TrustedKey(path: place + "key.pub") == trustedKey && TrustedKey(trustedKey.description) == trustedKey)
for word in [place + "key.pub", trustedKey.description] { expect(try TrustedKey(textOrPath: word) == trustedKey) }
_ = try SigningKey(path: place + "key")

let publisher = try FusePublisher(remote)
var publishing = FusePublisher.Options()
publishing.keys = [signingKey]
publishing.metadata = ["built by": "a dependent"]
for number in 1...3 {
  try makeFile(place + "new.fsdb", "Version \(number)")
  let report = try publisher.publish(place + "new.fsdb", as: named, options: publishing) { _ in }
  expect(report.isNew && report.generation == number)
}
let digest = try publisher.versions(of: "geo")[0].file
expect(FuseDigest(digest.description) == digest && digest.bytes.count == 32)
expect(try remote.versions(of: named).map(\.generation) == [3, 2, 1])

var fetching = FuseFetcher.Options()
fetching.trustedKeys = [trustedKey]
let fetcher = FuseFetcher(remote, named, path: place + "got.fsdb", options: fetching)
expect(try fetcher.fetch(isTrial: true).way == .whole)
expect(try fetcher.fetch { _, _ in }.generation == 3)
var following = FuseSubscription.Options()
following.fetch = fetching
let subscription = try FuseSubscription(remote, named, path: place + "got.fsdb", options: following) { _ in }
let key: Key = "8.8.8.8"
expect(try subscription.reader.contains(key))
expect(try publisher.announce("2", as: named, keys: [signingKey]) == 2)
_ = try subscription.update()
expect(try subscription.reader.value(Org.self, forKey: key)?.name == "Version 2")
expect(subscription.status.generation == 2 && FuseSubscription.Status().attemptCount == 0)
subscription.stop()
_ = try publisher.expire("geo", keeping: 1)

try FileSignature.sign(place + "new.fsdb", with: signingKey, to: place + "new.minisig")
_ = try FileSignature.check(place + "new.fsdb", signature: place + "new.minisig", by: [trustedKey])
